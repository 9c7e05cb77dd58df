"""The plan of a run: its cells, what each costs, what it waits for; kept in the run folder."""

import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nver.errors import NverError, UsageError
from nver.machine.files import write_whole

PLAN = "plan.json"  # of the run folder
CELLS = "cells"
# Seconds of one training step of 32 clips on one core of a Zen 4: (at no dimension, for each
# dimension of the embeddings); measured with the default options at 768 to 3840 dimensions. Only
# their ratios matter once a cell is finished. Other classifiers count as RENO.
STEP_S = {
    "linear": (0.0004, 0.1e-6),
    "fcn": (0.001, 0.8e-6),
    "cnn": (0.0065, 17.6e-6),
    "concat": (0.0075, 17.9e-6),
    "reno": (0.0195, 17.3e-6),
}


@dataclass(frozen=True)
class PlannedCell:
    """One entry of a table, to be trained or trained already.

    Attributes:
        trainings: its folds.
        cost: processor seconds by the model of `STEP_S`, all epochs.
        key: the name of its file in `cells/`; "" until its embeddings are there.
        steps: of an epoch of one training.
        waits_for: the corpora and encoders that are not here, "" where none is missing.
        mark: digest of what in the recipe decides it.
    """

    corpus: str
    protocol: str
    seed: int
    encoders: str
    classifier: str
    trainings: int
    steps: int
    cost: float
    key: str = ""
    waits_for: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Plan:
    """What a run set out to do. Times are in s since 1970."""

    started: float
    pid: int
    host: str
    workers: int
    cells: tuple[PlannedCell, ...]

    @property
    def alive(self) -> bool | None:
        """Whether the process that made it still runs; None where this machine cannot tell."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it is somebody else's, and there
            return True
        return True


def cell_cost(
    classifier: str, dims: Sequence[int], steps: int, *, trainings: int, epochs: int
) -> float:
    """Processor seconds of a cell by the model, all epochs; ours, see `STEP_S`."""
    base, each = STEP_S.get(classifier, STEP_S["reno"])
    return trainings * epochs * steps * (base + each * sum(dims))


def steps_of(training_clips: float, batch_size: int) -> int:
    """Training steps an epoch, of a training part less a tenth for validation."""
    return -(-int(0.9 * training_clips) // batch_size)


def cell_file(folder: Path, key: str) -> Path:
    """Where the predictions of a cell are kept."""
    return folder / CELLS / f"{key}.csv"


def trainings_file(file: Path) -> Path:
    """Where the trainings of a cell's predictions are."""
    return file.with_suffix(".trainings.csv")


def stress_file(file: Path) -> Path:
    """Where the predictions of a cell under stress are."""
    return file.with_suffix(".stress.csv")


def is_finished(file: Path) -> bool:
    """Whether a cell is done: its predictions are written last."""
    return file.exists() and trainings_file(file).exists()


def write_plan(folder: Path, cells: Sequence[PlannedCell], workers: int) -> None:
    plan = Plan(time.time(), os.getpid(), socket.gethostname(), workers, tuple(cells))
    write_whole(folder / PLAN, json.dumps(asdict(plan), indent=1) + "\n")


def read_plan(folder: Path) -> Plan:
    """The plan of a run folder.

    Raises:
        UsageError: there is no such folder.
        NverError: nothing was planned there, or the plan is damaged.
    """
    file = folder / PLAN
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected the --out of `nver run`")
    if not file.exists():
        raise NverError(f"{folder}: no run was started there; `nver run RECIPE --out {folder}`")
    try:
        tree: dict[str, Any] = json.loads(file.read_text("utf-8"))
        cells = tuple(PlannedCell(**cell) for cell in tree.pop("cells"))
        return Plan(cells=cells, **tree)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NverError(
            f"{file}: damaged, no plan ({error}); the next run makes it again"
        ) from error
