"""What is evaluated: a classifier on embeddings under some folds, and clips made worse."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.classifiers.training.config import TrainingConfig
from nver.corpora.duplicates import IntArray
from nver.evaluation.folds.fold_assignment import Folds

FloatArray = npt.NDArray[np.float32]
CODE_VERSION = 3  # raised when training or evaluation change the numbers
ENOUGH = 3  # training clips of an emotion that are all but never all held out (our choice)


@dataclass(frozen=True)
class Cell:
    """One entry of a result table: a classifier on one or several embeddings, under some folds.

    `label` is the classifier's name in tables, `encoders` are the labels of its streams. `tune`
    has options with values to choose from inside each training part (see
    `nver.classifiers.training.tuning`).
    """

    classifier: str
    encoders: tuple[str, ...]
    folds: Folds
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    tune: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def system(self) -> dict[str, str]:
        """The columns that name the cell in the tables of a run, but for experiment and corpus."""
        return {
            "encoders": "+".join(self.encoders),
            "classifier": self.label or self.classifier,
            "protocol": self.folds.protocol,
        }


@dataclass(frozen=True)
class Stressed:
    """Clips made worse in one way: their `rows` in the table, and each encoder's embeddings."""

    rows: IntArray
    embeddings: Mapping[str, FloatArray]

    def with_rows(self, rows: IntArray) -> "Stressed":
        """The clips that are left where the table keeps only `rows` (ascending)."""
        kept = np.isin(self.rows, rows)
        embeddings = {label: array[kept] for label, array in self.embeddings.items()}
        return Stressed(np.searchsorted(rows, self.rows[kept]), embeddings)


def cell_key(
    cell: Cell,
    table: pd.DataFrame,
    digests: Mapping[str, str],
    training: TrainingConfig,
    emotions: Sequence[str],
    stress: Mapping[str, Stressed] | None = None,
) -> str:
    """SHA-256 over everything that decides a cell's predictions; equal key, equal numbers.

    `digests` has for each encoder's label the `digest` of its embeddings.
    """
    clips = table[["clip", "speaker", "emotion"]].to_csv(index=False)
    decisive = {
        "code_version": CODE_VERSION,
        "classifier": cell.classifier,
        "options": dict(cell.options),
        "embeddings": [digests[name] for name in cell.encoders],
        "folds": cell.folds.digest(),
        "seed": cell.folds.seed,
        "training": asdict(training),
        "emotions": list(emotions),
        "clips": hashlib.sha256(clips.encode()).hexdigest(),
    }
    if stress:
        decisive["stress"] = _stress_digests(stress, cell.encoders)
    if _may_lack_an_emotion(cell.folds, table):
        decisive["untrained emotions"] = "probability 0"  # keys from before it was so differ
    if cell.tune:
        decisive["tune"] = {option: list(values) for option, values in cell.tune.items()}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _may_lack_an_emotion(folds: Folds, table: pd.DataFrame) -> bool:
    """Whether a training may have no clip of an emotion: its part has none, or so few that the
    validation clips may be all.
    """
    emotion = table["emotion"].to_numpy(dtype=str)
    every = len(np.unique(emotion))
    for fold in range(folds.number):
        counts = np.unique(emotion[folds.training_rows(fold)], return_counts=True)[1]
        if len(counts) < every or counts.min() < ENOUGH:
            return True
    return False


def _stress_digests(
    stress: Mapping[str, Stressed], encoders: Sequence[str]
) -> dict[str, list[str]]:
    """kind of stress -> digests of its rows and of each encoder's embeddings."""
    return {
        kind: [
            hashlib.sha256(one.rows.astype("<i8").tobytes()).hexdigest(),
            *(digest(one.embeddings[name]) for name in encoders),
        ]
        for kind, one in stress.items()
    }


def digest(embeddings: FloatArray) -> str:
    """SHA-256 of an array's shape and values."""
    shape = str(embeddings.shape).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(embeddings, "<f4").tobytes()).hexdigest()
