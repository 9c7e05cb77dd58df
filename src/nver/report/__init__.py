"""Predictions -> tables (text, Markdown, CSV, LaTeX), figures, one HTML page."""

from nver.evaluation.run_folder.saved_run import read_run
from nver.report.chapters.opening import missing_sentences, warnings_of
from nver.report.page import terminal_text, write_report
from nver.report.run_tables import RunTables

__all__ = [
    "RunTables",
    "missing_sentences",
    "read_run",
    "terminal_text",
    "warnings_of",
    "write_report",
]
