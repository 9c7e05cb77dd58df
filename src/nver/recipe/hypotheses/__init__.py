"""Claims as tests: which systems a hypothesis compares, and what a table of scores answers."""

from nver.recipe.hypotheses.claims import CLAIMS, Hypothesis, parse_hypotheses
from nver.recipe.hypotheses.selection import Selection, System

__all__ = ["CLAIMS", "Hypothesis", "Selection", "System", "parse_hypotheses"]
