"""The plan of a run: its cells, what each costs and waits for; kept in the run folder."""

import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nver.errors import NverError, UsageError
from nver.evaluation.run_folder.layout import PLAN
from nver.machine.files import write_whole
from nver.machine.json_text import parse_json
from nver.recipe.values import plain_values


@dataclass(frozen=True)
class PlannedCell:
    """One entry of a table, to be trained or trained already.

    Attributes:
        trainings: one a fold.
        steps: of an epoch of one training.
        cost: processor seconds of all trainings and epochs (`nver.evaluation.grid.cells`).
        key: the name of its file in `cells/`; "" until its embeddings are there.
        waits_for: the corpora and encoders that are not here, "" where none is missing.
        mark: digest of the parts of the recipe that decide its numbers.
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
    """What a run set out to do. `started` is in s since 1970."""

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
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:  # the process is there, and another user's
            return True
        return True


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
        plan: Plan = plain_values(Plan, parse_json(file.read_text("utf-8")), "")
    except (OSError, ValueError, UsageError) as error:
        raise NverError(
            f"{file}: damaged, no plan ({error}); the next run makes it again"
        ) from error
    return plan
