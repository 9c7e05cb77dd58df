"""`nver status`: how far a run is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, RUN_FOLDER, example, print_json
from nver.cli.output import hours

if TYPE_CHECKING:
    from nver.evaluation.grid.progress import Progress


@click.command(epilog=example("nver status runs/compare"))
@RUN_FOLDER
@JSON
def command(folder: Path, as_json: bool) -> None:
    """Show how far the run in DIR is: cells done, running, waiting and missing, and the time left.

    It changes nothing; the run may be going on, stopped, or finished. A missing cell waits
    for a corpus or weights that were not found. During an extraction all its cells wait.
    """
    from nver.evaluation.grid.progress import RUNNING, STATES, WAITING, read_progress

    found = read_progress(folder)
    if not as_json:
        click.echo("\n".join(lines(found)))
        if found.count(WAITING) + found.count(RUNNING) and found.alive is False:
            say_next(["nver", "run", "RECIPE", "--out", str(folder)])
        else:
            say_next(["nver", "status" if found.alive else "report", str(folder)])
        return
    print_json(
        {
            "folder": folder,
            "alive": found.alive,
            **{state: found.count(state) for state in STATES},
            "remaining_s": found.remaining_s,
            "remaining_basis": found.basis,
            "cut_off": found.cut_off,
            "cells": [{**asdict(cell), "state": state} for cell, state in found.cells],
        }
    )


def lines(found: "Progress") -> Iterator[str]:
    """The progress as a person reads it."""
    from nver.evaluation.grid.progress import MISSING, RUNNING, STATES
    from nver.report.formats.text_formats import aligned

    counts = ", ".join(f"{found.count(state)} {state}" for state in STATES)
    process = {True: "running", False: "not running", None: "started on another machine"}
    yield f"{found.folder}: {len(found.cells)} cells: {counts} ({process[found.alive]})"
    if found.remaining_s:
        still = "to go" if found.alive else "to go once it runs again"
        yield f"about {hours(found.remaining_s)} {still}, {found.basis}"
    groups = Counter((c.corpus, c.protocol, s) for c, s in found.cells)
    places = list(dict.fromkeys((c, p) for c, p, _ in groups))
    rows = [(c, p, *(str(groups[c, p, s]) for s in STATES)) for c, p in places]
    yield ""
    yield aligned(("corpus", "folds", *STATES), rows)
    for cell, state in found.cells:
        if state == RUNNING:
            yield f"running: {cell.classifier} on {cell.encoders}, {cell.corpus}, {cell.protocol}"
    for waits, number in Counter(c.waits_for for c, s in found.cells if s == MISSING).items():
        yield f"missing: {waits} ({number} cells)"
    for said in found.cut_off:
        yield f"{said}; the same `nver run` again makes it anew"
