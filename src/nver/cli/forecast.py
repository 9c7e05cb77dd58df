"""What `nver run --dry-run` says."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nver.cli.output import hours, size

if TYPE_CHECKING:
    from nver.evaluation.grid.forecast import Forecast
    from nver.recipe import Experiment


def foretell(
    recipe: "Experiment", out: Path | None, workers: int | None, strict: bool, as_json: bool
) -> None:
    """Say what a run would take; exit 1 if nothing could be run, or for `strict` if not all."""
    from nver.evaluation.grid.forecast import forecast
    from nver.machine.pool import usable_cores

    found = forecast(recipe, out or Path("runs") / recipe.name, workers or usable_cores())
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(lines(found)))
        for entry in found.missing:
            click.echo(entry.sentence, err=True)
    possible = found.finished.cells + found.to_do.cells
    if not possible or (strict and found.missing):
        sys.exit(1)


def lines(found: "Forecast") -> Iterator[str]:
    """The same for a person."""
    for title, share in (
        ("to do", found.to_do),
        ("finished already", found.finished),
        ("waiting for what is missing", found.waiting),
    ):
        time = f", about {hours(share.seconds)}" if share is not found.finished else ""
        yield f"{title}: {share.cells:,} cells, {share.trainings:,} trainings{time}"
    clips = sum(e.clips for e in found.extraction)
    known = sum(e.seconds or 0.0 for e in found.extraction)
    unknown = sorted({e.encoder for e in found.extraction if e.seconds is None and e.clips})
    without = f", without {', '.join(unknown)}, not here to be timed" if unknown else ""
    yield f"to extract: {clips:,} embeddings, about {hours(known)}{without}"
    parts = ", ".join(f"{name} {size(n)}" for name, n in found.disk.items())
    yield f"disk: about {size(sum(found.disk.values()))} ({parts})"
    yield f"on {found.workers} worker(s); {found.basis}"
    yield "nothing was extracted or trained"
