"""What a recipe would take, before it starts: trainings, time, disk. Nothing is extracted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nver.corpora import Corpus
from nver.embeddings.store import EmbeddingStore, key_clips
from nver.errors import NverError, StoreError
from nver.evaluation.folds.early_checks import check_against
from nver.evaluation.grid.cells import Size, dim_of, plan_cells, sizes_of
from nver.evaluation.grid.plan import PlannedCell, read_plan
from nver.evaluation.grid.timing import NOISE_S, STEPS, TimedEncoder, timed_encoders, timed_steps
from nver.evaluation.missing import Missing, with_cells
from nver.evaluation.preparation import find_corpora
from nver.evaluation.run_folder.layout import cell_file, is_finished
from nver.recipe import Experiment

ROW_BYTES = 100  # of a prediction beside its probabilities: ids, names, fold
PROBABILITY_BYTES = 13  # as CSV with nine digits
COPIES = 2  # of predictions: in `cells/`, and all of them in predictions.csv
REPORT_BYTES = 400_000  # of the report's figures and tables for each system and corpus, about


@dataclass(frozen=True)
class Share:
    """Some of the cells: how many, their trainings, and wall seconds on the workers."""

    cells: int
    trainings: int
    seconds: float


@dataclass(frozen=True)
class Extraction:
    """Embeddings that the store lacks, of one corpus and encoder; `seconds` is None if unknown."""

    corpus: str
    encoder: str
    clips: int
    seconds: float | None


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
    check_against(experiment, corpora)
    encoders, weights = timed_encoders(experiment)
    missing = with_cells([*absent, *weights], experiment)
    cells = plan_cells(experiment, corpora, missing, timed_steps(experiment, encoders))
    possible = [cell for cell in cells if not cell.waits_for]
    done = _finished(folder)
    extraction = tuple(_extraction(experiment, corpora, encoders, workers))
    return Forecast(
        workers,
        finished=_share([cell for cell in possible if _decided(cell) in done], workers),
        to_do=_share([cell for cell in possible if _decided(cell) not in done], workers),
        waiting=_share([cell for cell in cells if cell.waits_for], workers),
        extraction=extraction,
        disk=_disk(experiment, sizes_of(corpora, experiment), possible, extraction),
        missing=tuple(missing),
        basis=f"training: {STEPS} steps of every shape timed here, all "
        f"{experiment.training.epochs} epochs; extraction: {NOISE_S:g} s of noise timed with "
        "every encoder that is here",
    )


def _finished(folder: Path) -> Collection[tuple[object, ...]]:
    """What decides each cell that the last run of this folder finished."""
    try:
        plan = read_plan(folder)
    except NverError:
        return ()
    return {_decided(c) for c in plan.cells if c.key and is_finished(cell_file(folder, c.key))}


def _decided(cell: PlannedCell) -> tuple[object, ...]:
    return cell.corpus, cell.protocol, cell.seed, cell.encoders, cell.classifier, cell.mark


def _share(cells: Sequence[PlannedCell], workers: int) -> Share:
    seconds = sum(cell.cost for cell in cells) / workers
    return Share(len(cells), sum(cell.trainings for cell in cells), seconds)


def _extraction(
    experiment: Experiment,
    corpora: Sequence[Corpus],
    encoders: Mapping[str, TimedEncoder],
    workers: int,
) -> Iterator[Extraction]:
    """What the store lacks of the corpora that are here."""
    try:
        store = EmbeddingStore(experiment.store, create=False)
    except StoreError:  # there is none yet
        store = None
    for corpus in corpora:
        keys = key_clips(corpus.table, store).keys if store is not None else None
        for label in experiment.encoders:
            encoder, clips = encoders.get(label), len(corpus.table)
            if store is not None and keys is not None and encoder:
                clips = int(store.view(encoder.identity).missing(keys).sum())
            seconds = clips * NOISE_S * encoder.speed / workers if encoder else None
            yield Extraction(corpus.name, label, clips, seconds)


def _disk(
    experiment: Experiment,
    sizes: Sequence[Size],
    cells: Sequence[PlannedCell],
    extraction: Sequence[Extraction],
) -> dict[str, int]:
    """Bytes by what they are for, of the cells that can be trained now."""
    rows = {
        size.corpus: size.clips * (ROW_BYTES + PROBABILITY_BYTES * size.emotions) for size in sizes
    }
    dims = {label: dim_of(experiment, label) for label in experiment.encoders}
    largest = max((size.clips for size in sizes), default=0)
    return {
        "embeddings": sum(4 * e.clips * dims[e.encoder] for e in extraction),
        "predictions": COPIES * sum(rows[cell.corpus] for cell in cells),
        "report": REPORT_BYTES * len(cells),
        "temporary": 4 * largest * sum(dims.values()),
    }
