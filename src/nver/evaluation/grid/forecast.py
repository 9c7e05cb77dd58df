"""What a recipe would take, before it starts: trainings, time, disk. Nothing is extracted.

`encoders` times those that are here, `trainings` a few steps of each shape, `extraction` says what
the store lacks, `disk` how much is written.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nver.evaluation.grid.cells import plan_cells
from nver.evaluation.grid.disk import disk_of
from nver.evaluation.grid.forecast_encoders import NOISE_S, timed_encoders
from nver.evaluation.grid.forecast_extraction import Extraction, extractions
from nver.evaluation.grid.sizes import sizes_of
from nver.evaluation.grid.timing import STEPS, Share, cell_seconds, finished_cells, shares_of
from nver.evaluation.missing import Missing, with_cells
from nver.evaluation.preparation import find_corpora
from nver.recipe import Experiment


@dataclass(frozen=True)
class Forecast:
    """What a run would take. Seconds are wall time on `workers`; disk is in bytes.

    Attributes:
        finished: cells of the last run in that folder that the recipe decides alike; they are kept.
        to_do: cells that a run would train now; early stopping makes them cheaper, not dearer.
        waiting: cells that wait for what is missing, of corpora with published counts.
        disk: what it is for -> how much.
    """

    workers: int
    finished: Share
    to_do: Share
    waiting: Share
    extraction: tuple[Extraction, ...]
    disk: Mapping[str, int]
    missing: tuple[Missing, ...]
    basis: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def forecast(experiment: Experiment, folder: Path, workers: int) -> Forecast:
    """What a run of a recipe would take; only looks, and times a few steps on random numbers.

    Weights that are here are loaded, none is fetched.

    Raises:
        UsageError: the recipe is wrong.
    """
    corpora, absent = find_corpora(experiment)
    encoders, weights = timed_encoders(experiment)
    missing = with_cells([*absent, *weights], experiment)
    sizes = sizes_of(corpora, experiment)
    cells = plan_cells(experiment, sizes, missing)
    done = finished_cells(folder, experiment, cells)
    seconds = cell_seconds(experiment, cells, encoders)
    shares = shares_of(cells, done, seconds, workers)
    found = tuple(extractions(experiment, corpora, encoders, workers))
    return Forecast(
        workers,
        *shares,
        found,
        disk_of(experiment, sizes, cells, found),
        tuple(missing),
        f"training: {STEPS} steps of every shape timed here, all {experiment.training.epochs} "
        f"epochs; extraction: {NOISE_S:g} s of noise timed with every encoder that is here",
    )
