"""How results and skipped clips are said on the command line."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from nver.pipeline import Run

TABLES = ("scores", "gaps", "views", "hypotheses", "skipped")  # of `Run`, in --json
LISTED = 20  # skipped clips named one by one; the run folder and --json have them all


def finish_run(result: "Run", strict: bool, as_json: bool) -> None:
    """Say what came out, what is missing, what was skipped and where the report lies.

    Exit 1 where a cell was not finished, for `strict` also if anything was skipped or is missing.
    """
    from nver.report import terminal_text

    if as_json:
        click.echo(json.dumps(_summary(result), indent=1, ensure_ascii=False))
    else:
        click.echo(terminal_text(result.tables))
        click.echo(f"\nreport: {result.report}")
    say_warnings(result.warnings)
    say_skipped(result.skipped)
    for entry in result.missing:
        click.echo(entry.sentence, err=True)
    unfinished = any(entry.unfinished for entry in result.missing)
    if unfinished or (strict and (len(result.skipped) or result.missing)):
        sys.exit(1)


def say_warnings(warnings: Sequence[str]) -> None:
    """On stderr, a line each."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


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


def hours(seconds: float) -> str:
    """ "40 s", "12 min", "3.4 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """ "12 kB", "3.4 GB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """A table's rows as plain values for JSON; what is missing is null."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def _summary(result: "Run") -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "report": str(result.report),
        "rehearsal": result.rehearsal,
        **{name: records(getattr(result, name)) for name in TABLES},
        "missing": [asdict(entry) for entry in result.missing],
        "warnings": list(result.warnings),
    }
