"""How far a run is: what is done, what runs, what waits, and for how long still."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from nver.evaluation.grid.plan import Plan, PlannedCell, read_plan
from nver.evaluation.run_folder.layout import cell_file, cell_files, is_finished
from nver.evaluation.run_folder.sizes import cut_off, is_table_whole

DONE, RUNNING, WAITING, MISSING = "done", "running", "waiting", "missing"
STATES = (DONE, RUNNING, WAITING, MISSING)


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        cells: each with its state: one of `STATES`; "missing" waits for a corpus or an encoder.
        alive: whether the process still runs; None where this machine cannot tell.
        remaining_s: wall time to the last cell that can be trained, as if nothing stood still.
        basis: what `remaining_s` was made from.
        cut_off: a sentence for each file that is cut off. A cell of such a file waits again.
    """

    folder: Path
    cells: tuple[tuple[PlannedCell, str], ...]
    alive: bool | None
    remaining_s: float
    basis: str
    cut_off: tuple[str, ...] = ()

    def count(self, state: str) -> int:
        return sum(own == state for _, own in self.cells)


def read_progress(folder: Path) -> Progress:
    """Look at a run folder, whether its run goes on, was stopped or has ended.

    Raises:
        UsageError, NverError: there is no run.
    """
    plan = read_plan(folder)
    cut = cut_off(folder) | _cut_off_cells(folder, plan)
    states = [_state(folder, cell, cut) for cell in plan.cells]
    if plan.alive:
        _mark_running(states, plan)
    cells = tuple(zip(plan.cells, states, strict=True))
    remaining = _remaining(folder, plan, cells)
    return Progress(folder, cells, plan.alive, *remaining, tuple(cut.values()))


def _state(folder: Path, cell: PlannedCell, cut: Collection[Path]) -> str:
    if cell.waits_for:
        return MISSING
    done = cell.key and is_finished(cell_file(folder, cell.key))
    return DONE if done and not set(cell_files(folder, cell.key)) & set(cut) else WAITING


def _cut_off_cells(folder: Path, plan: Plan) -> dict[Path, str]:
    """file -> a sentence, for the tables of cells whose last line is cut off."""
    files = [f for cell in plan.cells if cell.key for f in cell_files(folder, cell.key)]
    cut = [file for file in files if file.exists() and not is_table_whole(file)]
    return {file: f"{file}: cut off, its last line has no end" for file in cut}


def _mark_running(states: list[str], plan: Plan) -> None:
    """Trainings are taken cell by cell, in order: as many cells run as the workers reach into."""
    reached = 0
    for number, cell in enumerate(plan.cells):
        if states[number] == WAITING and cell.key and reached < plan.workers:
            states[number] = RUNNING
            reached += cell.trainings


def _remaining(
    folder: Path, plan: Plan, cells: Sequence[tuple[PlannedCell, str]]
) -> tuple[float, str]:
    """(seconds, basis): at the speed of the cells that this run finished, else by their costs."""
    current = sum(cell.cost for cell, state in cells if state == RUNNING)
    left = current + sum(cell.cost for cell, state in cells if state == WAITING)
    if not left:
        return 0.0, "nothing is left that can be trained"
    done = [
        (cell_file(folder, cell.key).stat().st_mtime, cell.cost)
        for cell, state in cells
        if state == DONE
    ]
    of_this_run = [(when, cost) for when, cost in done if when > plan.started]
    if not of_this_run:
        basis = "by a model of the steps; no cell of this run is finished"
        extracted = any(cell.key for cell, _ in cells)
        return left / plan.workers, basis + ("" if extracted else ", and extraction comes before")
    last = max(when for when, _ in of_this_run)
    speed = (last - plan.started) / sum(cost for _, cost in of_this_run)
    waited = max(0.0, time.time() - last) if plan.alive else 0.0
    many = len(of_this_run)
    return (
        max(0.0, speed * left - min(waited, speed * current)),
        f"from {many} cell{'s' if many > 1 else ''} that this run has finished",
    )
