"""`nver report`: tables and plots again."""

import json
import sys
from pathlib import Path

import click

from nver.cli.options import JSON, RUN_FOLDER, example
from nver.cli.output import records


@click.command(epilog=example("nver report runs/compare"))
@RUN_FOLDER
@JSON
def command(folder: Path, as_json: bool) -> None:
    """Make the tables and plots of the run folder DIR again, from its saved predictions alone.

    Prints the score tables, as Markdown where the output is not a terminal, and says where the
    page lies.
    """
    from nver.report import (
        answers_of,
        hypotheses_text,
        read_run,
        sections,
        text_table,
        write_report,
    )
    from nver.results.uncertainty import interval_table

    page = write_report(folder, show_progress_bar=sys.stderr.isatty())
    run = read_run(folder)
    if as_json:
        summary = {
            "folder": str(folder),
            "report": str(page),
            "scores": records(interval_table(run.predictions)),
            "hypotheses": records(answers_of(run)),
        }
        click.echo(json.dumps(summary, indent=1, ensure_ascii=False))
        return
    terminal = sys.stdout.isatty()
    if terminal:
        click.echo(text_table(run.predictions, run.synthetic, run.rehearsal))
        tables = sections(interval_table(run.predictions), run.synthetic, rehearsal=run.rehearsal)
        if text := hypotheses_text(answers_of(run), tables):
            click.echo(f"\n{text}")
    else:
        click.echo((page.parent / "scores.md").read_text("utf-8").rstrip())
    click.echo(f"\nreport: {page}", err=not terminal)  # a redirected table is only the table
