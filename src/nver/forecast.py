"""What a recipe would take, before it starts: trainings, time, disk. Nothing is extracted."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nver.adam import Adam
from nver.cells import Size, dim_of, marked, plan_cells, sizes_of
from nver.corpora import Corpus
from nver.downstream import build_classifier
from nver.embeddings import EmbeddingStore, key_clips
from nver.encoders import Encoder, load_spec
from nver.encoders.weights import is_offline
from nver.errors import (
    MissingExtraError,
    NotCachedError,
    NverError,
    StoreError,
    WeightsError,
)
from nver.experiment import Experiment, streams_of
from nver.material import find_corpora
from nver.missing import Missing, missing_encoder, with_cells
from nver.planning import PlannedCell, cell_file, is_finished, read_plan
from nver.worker import one_thread

STEPS = 4  # timed for each shape, after one that is not (our choice: under a second for most)
NOISE_S = 2.0  # of noise through each encoder, for its speed; a corpus's mean clip is about as long
SPREAD = 100  # bytes of a prediction's row beside its probabilities: ids, names, fold
BYTES_A_PROBABILITY = 13  # as CSV with nine digits
COPIES = 2  # of predictions: in `cells/`, and all of them in predictions.csv
REPORT_BYTES = 400_000  # of the report's figures and tables for each system and corpus, about


@dataclass(frozen=True)
class Share:
    """Cells of one kind: how many, their trainings, and wall seconds on the workers."""

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
    offline = is_offline()
    with _offline():
        encoders, weights = _encoders(experiment, may_fetch=not offline)
    missing = with_cells([*absent, *weights], experiment)
    sizes = sizes_of(corpora, experiment)
    cells = plan_cells(experiment, sizes, missing)
    done = _finished(folder, experiment, cells)
    seconds = _seconds(experiment, cells, encoders)
    shares = _shares(cells, done, seconds, workers)
    found = tuple(_extraction(experiment, corpora, encoders, workers))
    return Forecast(
        workers,
        *shares,
        found,
        _disk(experiment, sizes, cells, found),
        tuple(missing),
        f"training: {STEPS} steps of every shape timed here, all {experiment.training.epochs} "
        f"epochs; extraction: {NOISE_S:g} s of noise timed with every encoder that is here",
    )


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing is fetched meanwhile."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before


@dataclass(frozen=True)
class _Timed:
    """An encoder that is here: its identity, and seconds of one core for a second of audio."""

    identity: Any
    speed: float


def _encoders(
    experiment: Experiment, *, may_fetch: bool
) -> tuple[dict[str, _Timed], list[Missing]]:
    """The encoders that are here, one loaded at a time, and those that are missing.

    One that a run would fetch from the hub is neither.
    """
    found, missing = {}, []
    for label, spec in experiment.encoders.items():
        try:
            with one_thread():
                encoder = load_spec(spec)
                found[label] = _Timed(encoder.identity, _speed(encoder))
        except (WeightsError, MissingExtraError) as error:
            if not (may_fetch and isinstance(error, NotCachedError)):
                missing.append(missing_encoder(label, spec, error))
    return found, missing


def _speed(encoder: Encoder) -> float:
    rate = encoder.sampling_rate
    noise = np.random.default_rng(0).normal(0, 0.1, round(NOISE_S * rate)).astype(np.float32)
    encoder.embed([noise])
    start = time.perf_counter()
    encoder.embed([noise])
    return (time.perf_counter() - start) / NOISE_S


# ----------------------------------------------------------------------------------- trainings


def _finished(folder: Path, experiment: Experiment, cells: Sequence[PlannedCell]) -> set[int]:
    """Places of the cells that the last run of this folder finished and the recipe decides so."""
    try:
        plan = read_plan(folder)
    except NverError:
        return set()
    done = {_place(c) for c in plan.cells if c.key and is_finished(cell_file(folder, c.key))}
    return {n for n, cell in enumerate(marked(cells, experiment)) if _place(cell) in done}


def _place(cell: PlannedCell) -> tuple[object, ...]:
    return cell.corpus, cell.protocol, cell.seed, cell.encoders, cell.classifier, cell.mark


def _seconds(
    experiment: Experiment, cells: Sequence[PlannedCell], encoders: Mapping[str, _Timed]
) -> list[float]:
    """Processor seconds of each cell: the steps of its trainings at the speed of its shape."""
    dims = {
        label: encoders[label].identity.dim if label in encoders else dim_of(experiment, label)
        for label in experiment.encoders
    }
    classifiers = {c.label: c for c in experiment.classifiers}
    streams = {
        (c.label, "+".join(s)): s
        for c in experiment.classifiers
        for s in streams_of(c, list(experiment.encoders))
    }
    shapes: dict[tuple[object, ...], float] = {}
    found = []
    for cell in cells:
        entry = classifiers[cell.classifier]
        shape = tuple(dims[label] for label in streams[cell.classifier, cell.encoders])
        key = (entry.label, shape)
        if key not in shapes:
            shapes[key] = step_seconds(entry.name, shape, entry.options, experiment)
        tried = prod(len(values) for values in entry.tune.values())
        taken = tried * cell.trainings * experiment.training.epochs * cell.steps
        found.append(taken * shapes[key])
    return found


def step_seconds(
    name: str, dims: Sequence[int], options: Mapping[str, Any], experiment: Experiment
) -> float:
    """Seconds of one training step of a classifier on one thread, on random numbers."""
    import torch

    size, emotions = experiment.training.batch_size, 6
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = build_classifier(name, dims, emotions, **options)
        optimiser = Adam(classifier.parameters(), experiment.training.learning_rate)
        streams = [torch.randn(size, dim) for dim in dims]
        truth = torch.randint(emotions, (size,))
        start = 0.0
        for number in range(STEPS + 1):
            if number == 1:
                start = time.perf_counter()
            logits, auxiliary = classifier(streams)
            loss = torch.nn.functional.cross_entropy(logits, truth) + auxiliary
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return (time.perf_counter() - start) / STEPS


def _shares(
    cells: Sequence[PlannedCell], done: set[int], seconds: Sequence[float], workers: int
) -> tuple[Share, Share, Share]:
    """Finished, to do, waiting."""
    places: dict[str, list[int]] = {"finished": [], "to_do": [], "waiting": []}
    for number, cell in enumerate(cells):
        state = "waiting" if cell.waits_for else "finished" if number in done else "to_do"
        places[state].append(number)
    finished, to_do, waiting = (
        Share(
            len(own),
            sum(cells[i].trainings for i in own),
            sum(seconds[i] for i in own) / workers,
        )
        for own in places.values()
    )
    return finished, to_do, waiting


# ---------------------------------------------------------------------------- extraction, disk


def _extraction(
    experiment: Experiment,
    corpora: Sequence[Corpus],
    encoders: Mapping[str, _Timed],
    workers: int,
) -> Iterator[Extraction]:
    """What the store lacks, of the corpora that are here."""
    store = _store(experiment)
    for corpus in corpora:
        keys = key_clips(corpus.table, store) if store else None
        for label in experiment.encoders:
            clips = len(corpus.table)
            if label in encoders and store is not None and keys is not None:
                clips = int(store.view(encoders[label].identity).missing(keys.keys).sum())
            speed = encoders[label].speed if label in encoders else None
            seconds = None if speed is None else clips * NOISE_S * speed / workers
            yield Extraction(corpus.name, label, clips, seconds)


def _store(experiment: Experiment) -> EmbeddingStore | None:
    """The store, if there is one already."""
    try:
        return EmbeddingStore(experiment.store, create=False)
    except StoreError:
        return None


def _disk(
    experiment: Experiment,
    sizes: Sequence[Size],
    cells: Sequence[PlannedCell],
    extraction: Sequence[Extraction],
) -> dict[str, int]:
    """Bytes by what they are for, of all that can be run now."""
    by_corpus = {size.corpus: size for size in sizes}
    possible = [cell for cell in cells if not cell.waits_for]
    rows = sum(
        by_corpus[c.corpus].clips * (SPREAD + BYTES_A_PROBABILITY * by_corpus[c.corpus].emotions)
        for c in possible
    )
    vectors = sum(4 * e.clips * dim_of(experiment, e.encoder) for e in extraction)
    largest = max((size.clips for size in sizes), default=0)
    dims = sum(dim_of(experiment, label) for label in experiment.encoders)
    return {
        "embeddings": vectors,
        "predictions": COPIES * rows,
        "report": REPORT_BYTES * len(possible),
        "temporary": 4 * largest * dims,
    }
