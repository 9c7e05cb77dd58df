"""Predictions -> tables (text, Markdown, CSV, LaTeX), figures, one HTML page."""

from nver.evaluation.run_folder.saved_run import read_run
from nver.report.chapters.answers import answers_of, hypotheses_text
from nver.report.chapters.coarser_views import families_of, view_text
from nver.report.chapters.protocol_gap import gap_text
from nver.report.page import write_report
from nver.report.tables.formats import aligned, markdown_tables, text_table
from nver.report.tables.sections import sections

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
