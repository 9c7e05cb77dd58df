"""How results and skipped clips are said on the command line."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from nver.pipeline import Run

LISTED = 20  # skipped clips named one by one; the run folder and --json have them all


def finish_run(result: "Run", strict: bool, as_json: bool) -> None:
    """Say what came out, what was skipped and where the report lies; exit 1 for a strict skip."""
    from nver.report import gap_text, hypotheses_text, sections, text_table

    if as_json:
        click.echo(json.dumps(_summary(result), indent=1, ensure_ascii=False))
    else:
        click.echo(text_table(result.predictions, result.synthetic))
        if len(result.gaps):
            click.echo("\n" + gap_text(result.gaps, result.synthetic))
        if text := hypotheses_text(result.hypotheses, sections(result.scores, result.synthetic)):
            click.echo(f"\n{text}")
        click.echo(f"\nreport: {result.report}")
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    say_skipped(result.skipped)
    if strict and len(result.skipped):
        sys.exit(1)


def say_skipped(skipped: "pd.DataFrame") -> None:
    """On stderr: how many were skipped, by reason, and the first of them with their message."""
    if skipped.empty:
        return
    reasons = ", ".join(f"{n} {reason}" for reason, n in skipped["reason"].value_counts().items())
    click.echo(f"skipped {len(skipped)}: {reasons}", err=True)
    for file, message in skipped[["file", "message"]].head(LISTED).itertuples(index=False):
        named = str(file) in str(message)
        click.echo(f"  {message}" if named else f"  {file}: {message}", err=True)
    if len(skipped) > LISTED:
        click.echo(f"  ... and {len(skipped) - LISTED} more", err=True)


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """A table's rows as plain values for JSON; what is missing is null."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def _summary(result: "Run") -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "report": str(result.report),
        "scores": records(result.scores),
        "gaps": records(result.gaps),
        "hypotheses": records(result.hypotheses),
        "skipped": records(result.skipped),
        "warnings": list(result.warnings),
    }
