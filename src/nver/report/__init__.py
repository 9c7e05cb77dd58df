"""Predictions -> tables (text, Markdown, CSV, LaTeX), figures, one HTML page."""

from nver.report.formats import aligned, markdown_tables, text_table
from nver.report.gaps import gap_text
from nver.report.hypotheses import answers_of, hypotheses_text
from nver.report.page import write_report
from nver.report.saved import read_run
from nver.report.tables import sections
from nver.report.views import families_of, view_text

__all__ = [
    "aligned",
    "answers_of",
    "families_of",
    "gap_text",
    "hypotheses_text",
    "markdown_tables",
    "read_run",
    "sections",
    "text_table",
    "view_text",
    "write_report",
]
