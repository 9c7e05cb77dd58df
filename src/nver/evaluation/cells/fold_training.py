"""What a worker does for one fold: train, choose, calibrate, and predict the test clips."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nver.classifiers.build import build_classifier
from nver.classifiers.training.loop import TrainingConfig, predict_proba
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
from nver.evaluation.folds.fold_assignment import BoolArray, Folds, validation_mask
from nver.evaluation.run_folder.trainings import training_facts


@dataclass(frozen=True)
class Training:
    """One training of one classifier: a cell and a fold, as a worker needs it.

    `data` is a folder that `nver.evaluation.cells.fold_data` wrote; `stress` is how many kinds of
    stress lie there.
    """

    data: Path
    cell: Cell
    fold: int
    emotions: int
    config: TrainingConfig
    stress: int = 0


@dataclass(frozen=True)
class FoldResult:
    """What one training gave.

    Attributes:
        probabilities: (test clips, emotions).
        temperature: of the calibration (`nver.results.calibration`).
        training: its row in the trainings table (`nver.evaluation.run_folder.trainings`).
        stressed: for each kind of stress (test clips that can be used so, emotions).
    """

    probabilities: FloatArray
    temperature: float
    training: Mapping[str, Any]
    stressed: tuple[FloatArray, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """Everything that one training part of so many `clips` decides.

    `validation` are the rows of the table that were held out of it; `untrained` the codes of the
    emotions that it has no clip of.
    """

    tuned: Tuned
    temperature: float
    clips: int
    validation: IntArray
    untrained: IntArray


def train_fold(job: Training) -> FoldResult:
    """Train and test on one fold; a pure function of the job's data."""
    learnt = learn_fold(job)
    folds = job.cell.folds
    stress = [stress_folder(job.data, number) for number in range(job.stress)]
    return FoldResult(
        _predict(job, learnt, job.data, folds),
        learnt.temperature,
        training_facts(learnt.tuned, learnt.clips),
        tuple(_predict(job, learnt, own, folds.with_rows(read_rows(own))) for own in stress),
    )


def _predict(job: Training, learnt: Learnt, folder: Path, folds: Folds) -> FloatArray:
    """(clips of the test fold, emotions), of the streams in a folder; `folds` has their rows.

    An emotion that was not trained has probability 0.
    """
    test = folds.test_rows(job.fold)
    if not len(test):  # none of them could be used under stress
        return np.empty((0, job.emotions), np.float32)
    streams = [rows[test] for rows in read_streams(folder, job.cell.encoders)]
    return without(predict_proba(learnt.tuned.fitted, streams), learnt.untrained)


def without(probabilities: FloatArray, untrained: IntArray) -> FloatArray:
    """Probabilities (clips, emotions) that are 0 for some emotions, and sum to 1 over the others.

    Where no other has any probability, the others have the same.
    """
    if not len(untrained):
        return probabilities
    others = np.ones(probabilities.shape[1], np.float32)
    others[untrained] = 0
    kept = probabilities * others
    kept[~kept.any(axis=1)] = others
    return np.asarray(kept / kept.sum(axis=1, keepdims=True), np.float32)


def learn_fold(job: Training) -> Learnt:
    """What is learnt for one fold; the test fold has no part in it.

    Standardisation and weights come from the training part less the validation part; early
    stopping, tuned options and the temperature from the validation part, less the clips of an
    emotion that is not trained: they would have a say by what cannot be learnt.
    """
    cell = job.cell
    emotion, speaker = read_codes(job.data)
    streams = read_streams(job.data, cell.encoders)
    train = cell.folds.training_rows(job.fold)
    seed = training_seed(cell.folds.seed, job.fold)
    held_out = _held_out(job, emotion[train], speaker[train], train, seed)
    trained = np.unique(emotion[train[~held_out]])
    known = np.isin(emotion[train], trained)
    train, held_out = train[known], held_out[known]
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
    validation, temperature = train[held_out], 1.0
    if len(validation):
        probabilities = predict_proba(tuned.fitted, [stream[validation] for stream in streams])
        temperature = fit_temperature(probabilities, emotion[validation])
    untrained = np.setdiff1d(np.arange(job.emotions), trained)
    return Learnt(tuned, temperature, len(train), validation, untrained)


def _held_out(
    job: Training, emotion: IntArray, speaker: IntArray, train: IntArray, seed: int
) -> BoolArray:
    """The validation clips of a training part: the folds' own, or a share of it."""
    own = job.cell.folds.validation[train]
    if own.any():
        return own
    known = None if (speaker == UNKNOWN).any() else speaker
    return validation_mask(emotion, known, job.config.validation_share, seed)


def training_seed(seed: int, fold: int) -> int:
    """The seed of one training; classifiers on the same folds share it."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])
