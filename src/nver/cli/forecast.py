"""What `nver run --dry-run` prints."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nver.cli.options import print_json
from nver.cli.output import hours, size

if TYPE_CHECKING:
    from nver.evaluation.grid.forecast import Forecast
    from nver.recipe import Experiment


def print_forecast(
    recipe: "Experiment", out: Path | None, workers: int | None, strict: bool, as_json: bool
) -> None:
    """What a run would take; exit with 1 if nothing could be run, or for `strict` if not all."""
    from nver.evaluation.grid.forecast import forecast
    from nver.evaluation.run_folder.provenance import own_folder
    from nver.machine.pool import usable_cores

    found = forecast(recipe, out or own_folder(recipe), workers or usable_cores())
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo("\n".join(lines(found)))
        for entry in found.missing:
            click.echo(entry.sentence, err=True)
    possible = found.finished.cells + found.to_do.cells
    if not possible or (strict and found.missing):
        sys.exit(1)


def lines(found: "Forecast") -> Iterator[str]:
    """The forecast as a person reads it."""
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
