"""Predictions -> scores, intervals, tests and verdicts."""
