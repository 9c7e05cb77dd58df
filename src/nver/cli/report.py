"""`nver report`: tables and plots again."""

import json
import sys
from pathlib import Path

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, RUN_FOLDER, example
from nver.cli.output import records, say_warnings


@click.command(epilog=example("nver report runs/compare"))
@RUN_FOLDER
@JSON
def command(folder: Path, as_json: bool) -> None:
    """Make the tables and plots of the run folder DIR again, from its saved predictions alone.

    Prints what `nver run` prints, or only the score tables as Markdown where the output is not a
    terminal, and says where the page lies.
    """
    from nver.report import (
        RunTables,
        missing_sentences,
        read_run,
        terminal_text,
        warnings_of,
        write_report,
    )

    tables = RunTables(read_run(folder))
    page = write_report(tables, show_progress_bar=True)
    warnings = warnings_of(tables) + missing_sentences(tables.run)
    if as_json:
        summary = {
            "folder": str(folder),
            "report": str(page),
            "scores": records(tables.scores),
            "hypotheses": records(tables.hypotheses),
            "warnings": warnings,
        }
        click.echo(json.dumps(summary, indent=1, ensure_ascii=False))
        say_warnings(warnings)
        return
    terminal = sys.stdout.isatty()
    scores = (page.parent / "scores.md").read_text("utf-8").rstrip()
    click.echo(terminal_text(tables) if terminal else scores)
    click.echo(f"\nreport: {page}", err=not terminal)  # a redirected table is only the table
    say_warnings(warnings)
    say_next(["open", str(page)])
