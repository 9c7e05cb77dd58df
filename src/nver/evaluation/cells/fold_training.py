"""What a worker does for one fold: train, choose, calibrate, and predict the test clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nver.classifiers.build import build_classifier
from nver.classifiers.training.loop import Fitted, TrainingConfig, predict_proba
from nver.classifiers.training.temperature import fit_temperature
from nver.classifiers.training.tuning import Tuned, fit_tuned
from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import Cell, FloatArray
from nver.evaluation.cells.fold_data import (
    UNKNOWN,
    read_codes,
    read_rows,
    read_streams,
    stress_folder,
)
from nver.evaluation.folds.fold_assignment import BoolArray, validation_mask
from nver.evaluation.run_folder.trainings import training_facts


@dataclass(frozen=True)
class Training:
    """One training of one classifier: a cell and a fold, as a worker needs it.

    `data` is a folder as `nver.evaluation.cells.fold_data` writes it, with so many kinds of
    `stress`.
    """

    data: str
    cell: Cell
    fold: int
    emotions: int
    config: TrainingConfig
    stress: int = 0


@dataclass(frozen=True)
class FoldResult:
    """What one training gave: (test clips, emotions) probabilities, its temperature, the facts of
    its row in the trainings table (`nver.evaluation.run_folder.trainings`), and the probabilities
    of the test clips under
    each kind of stress."""

    probabilities: FloatArray
    temperature: float
    facts: Mapping[str, Any]
    stressed: tuple[FloatArray, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """Everything that one training part decides: the `clips` of it are counted.

    `validation` are the rows of the table that were held out of it.
    """

    tuned: Tuned
    temperature: float
    clips: int
    validation: IntArray


def train_fold(job: Training) -> FoldResult:
    """Train and test on one fold; a pure function of the job's data."""
    learnt, streams = learn_fold(job)
    test = np.flatnonzero(job.cell.folds.fold == job.fold)
    return FoldResult(
        predict_proba(learnt.tuned.fitted, [stream[test] for stream in streams]),
        learnt.temperature,
        training_facts(learnt.tuned, learnt.clips),
        tuple(_predict_stressed(job, learnt.tuned.fitted, n) for n in range(job.stress)),
    )


def _predict_stressed(job: Training, fitted: Fitted, number: int) -> FloatArray:
    """(clips of the test fold that this kind of stress left, emotions)."""
    folder = stress_folder(Path(job.data), number)
    test = np.flatnonzero(job.cell.folds.fold[read_rows(folder)] == job.fold)
    if not len(test):
        return np.empty((0, job.emotions), np.float32)
    streams = read_streams(folder, job.cell.encoders)
    return predict_proba(fitted, [stream[test] for stream in streams])


def learn_fold(job: Training) -> tuple[Learnt, list[FloatArray]]:
    """What is learnt for one fold, and all clips' streams; the test fold has no part in it.

    Standardisation and weights come from the training part less the validation part; early
    stopping, tuned options and the temperature from the validation part.
    """
    folder, cell = Path(job.data), job.cell
    emotion, speaker = read_codes(folder)
    streams = read_streams(folder, cell.encoders)
    train = np.flatnonzero(cell.folds.fold != job.fold)
    seed = training_seed(cell.folds.seed, job.fold)
    held_out = _held_out(job, emotion[train], speaker[train], train, seed)
    dims = [stream.shape[1] for stream in streams]
    tuned = fit_tuned(
        lambda tried: build_classifier(
            cell.classifier, dims, job.emotions, **{**cell.options, **tried}
        ),
        cell.tune,
        [stream[train] for stream in streams],
        emotion[train],
        held_out,
        job.config,
        seed=seed,
    )
    fitted, validation = tuned.fitted, train[held_out]
    temperature = _temperature(fitted, [s[validation] for s in streams], emotion[validation])
    return Learnt(tuned, temperature, len(train), validation), streams


def _held_out(
    job: Training,
    emotion: IntArray,
    speaker: IntArray,
    train: IntArray,
    seed: int,
) -> BoolArray:
    """The validation clips of a training part: the folds' own, or a share of it."""
    own = job.cell.folds.validation[train]
    if own.any():
        return own
    known = None if (speaker == UNKNOWN).any() else speaker
    return validation_mask(emotion, known, job.config.validation_share, seed)


def _temperature(fitted: Fitted, streams: Sequence[FloatArray], emotion: IntArray) -> float:
    """Fitted on the validation clips; 1 where there are none."""
    return fit_temperature(predict_proba(fitted, streams), emotion) if len(emotion) else 1.0


def training_seed(seed: int, fold: int) -> int:
    """The seed of one training; classifiers on the same folds share it."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])
