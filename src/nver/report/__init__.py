"""Predictions -> tables (text, Markdown, CSV, LaTeX), figures, one HTML page."""

from nver.evaluation.run_folder.saved_run import read_run
from nver.report.chapters.answers import hypotheses_text
from nver.report.chapters.coarser_views import view_text
from nver.report.chapters.protocol_gap import gap_text
from nver.report.page import terminal_text, write_report
from nver.report.run_tables import RunTables
from nver.report.tables.formats import aligned, markdown_tables, text_tables
from nver.report.tables.sections import sections

__all__ = [
    "RunTables",
    "aligned",
    "gap_text",
    "hypotheses_text",
    "markdown_tables",
    "read_run",
    "sections",
    "terminal_text",
    "text_tables",
    "view_text",
    "write_report",
]
