"""Claims as tests: which systems a hypothesis compares, and what a table of scores answers."""

from nver.hypotheses.claims import CLAIMS, Hypothesis, hypothesis_to_tree, parse_hypotheses
from nver.hypotheses.selection import Selection, System
from nver.hypotheses.verdict import ANSWERS, hypothesis_table

__all__ = [
    "ANSWERS",
    "CLAIMS",
    "Hypothesis",
    "Selection",
    "System",
    "hypothesis_table",
    "hypothesis_to_tree",
    "parse_hypotheses",
]
