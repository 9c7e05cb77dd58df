"""A predictions table as its systems, each with what its scores are made from, computed once.

Every table of this room takes a predictions table or its `Results`; who needs several of them
makes the `Results` once and hands it on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.errors import UsageError
from nver.evaluation.run_folder.predictions import PROBABILITY_PREFIX, SYSTEM_COLUMNS, emotions_of

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

SECTION_COLUMNS = SYSTEM_COLUMNS[:3]  # systems that share them share a table of scores
PLAN = ["corpus", "protocol", "seed", "clip", "fold", "speaker", "emotion"]


@dataclass(frozen=True, eq=False)
class Units:
    """One system's predictions by what is resampled.

    Attributes:
        unit: "speaker", or "clip" where a clip's speaker is unknown.
        names: (units,) sorted.
        place: (predictions,) the unit of each prediction.
        seed: (predictions,) 0 .. seeds - 1.
        cell: (predictions,) the place in a flattened confusion matrix.
        emotions: the side of that matrix.
    """

    unit: str
    names: npt.NDArray[Any]
    place: Codes
    seed: Codes
    cell: Codes
    emotions: int

    @cached_property
    def clips(self) -> Counts:
        """(units, emotions): how many clips of each emotion, of all seeds."""
        return self._count_by_emotion(self.cell // self.emotions)

    @cached_property
    def given(self) -> Counts:
        """(units, emotions): how many predictions of each emotion, of all seeds."""
        return self._count_by_emotion(self.cell % self.emotions)

    @cached_property
    def counts(self) -> Counts:
        """(seeds, emotions, emotions): the confusions of all units."""
        return count_confusions(self.cell, self.emotions, self.seed, int(self.seed.max()) + 1)

    @cached_property
    def counts_by_unit(self) -> Counts:
        """(units, seeds, emotions, emotions)."""
        units, seeds = len(self.names), int(self.seed.max()) + 1
        row = self.place * seeds + self.seed
        counts = count_confusions(self.cell, self.emotions, row, units * seeds)
        return counts.reshape(units, seeds, self.emotions, self.emotions)

    def _count_by_emotion(self, emotion: Codes) -> Counts:
        units, code = len(self.names), self.place * self.emotions + emotion
        counts = np.bincount(code, minlength=units * self.emotions)
        return counts.reshape(units, self.emotions).astype(np.int64)


@dataclass(frozen=True, eq=False)
class SystemResults:
    """The predictions of one system (classifier on encoders, under one protocol), and their counts.

    `key` has the values of `SYSTEM_COLUMNS`; `rows` are rows of a predictions table.
    """

    key: tuple[str, ...]
    rows: pd.DataFrame

    @property
    def columns(self) -> dict[str, Any]:
        """What a table says of the system: the columns of `SYSTEM_COLUMNS`."""
        return dict(zip(SYSTEM_COLUMNS, self.key, strict=True))

    @cached_property
    def emotions(self) -> list[str]:
        return emotions_of(self.rows)

    @cached_property
    def clips(self) -> pd.DataFrame:
        """Each clip once: clip, speaker, emotion."""
        return self.rows[["clip", "speaker", "emotion"]].drop_duplicates("clip")

    @cached_property
    def units(self) -> Units:
        return units_of(self.rows)

    @cached_property
    def fold_places(self) -> dict[Any, Codes]:
        """(seed, fold) -> the places of its predictions in `rows`."""
        places = self.rows.groupby(["seed", "fold"]).indices
        return {fold: np.asarray(own) for fold, own in places.items()}

    @cached_property
    def fold_confusions(self) -> Counts:
        """(folds, emotions, emotions): the confusions of each fold of each seed."""
        emotions = self.units.emotions
        counts = [
            count_confusions(self.units.cell[at], emotions) for at in self.fold_places.values()
        ]
        return np.concatenate(counts)

    @cached_property
    def untrained(self) -> Counts:
        """(emotions,): predictions of clips whose emotion no clip of their training had.

        Its probability is 0 for every clip of such a fold.
        """
        columns = [f"{PROBABILITY_PREFIX}{emotion}" for emotion in self.emotions]
        zero = self.rows[columns].to_numpy() == 0
        folds = self.fold_places.values()
        absent = np.stack([zero[at].all(axis=0) for at in folds])
        return np.asarray((absent * self.fold_confusions.sum(2)).sum(0), np.int64)

    @property
    def confusions(self) -> Counts:
        """(emotions, emotions): over all folds and seeds."""
        return np.asarray(self.fold_confusions.sum(0))

    @cached_property
    def plan(self) -> pd.DataFrame:
        """Which clip was tested in which fold; speakers and emotions with it."""
        plan = self.rows[PLAN].sort_values(["seed", "clip"], kind="stable").reset_index(drop=True)
        texts = {name: object for name in plan if name not in ("seed", "fold")}
        return plan.astype(texts).fillna("")

    def only(self, places: npt.NDArray[np.int64]) -> "SystemResults":
        """The system's predictions at these places of `rows` alone."""
        return SystemResults(self.key, self.rows.iloc[places])


@dataclass(frozen=True, eq=False)
class Results:
    """A predictions table and its systems, in the table's order."""

    predictions: pd.DataFrame

    @cached_property
    def systems(self) -> tuple[SystemResults, ...]:
        groups = self.predictions.groupby(list(SYSTEM_COLUMNS), sort=False)
        return tuple(SystemResults(tuple(map(str, key)), rows) for key, rows in groups)

    @cached_property
    def sections(self) -> dict[tuple[str, ...], list[SystemResults]]:
        """(experiment, corpus, protocol) -> the systems that share a table of scores."""
        found: dict[tuple[str, ...], list[SystemResults]] = {}
        for system in self.systems:
            found.setdefault(system.key[:3], []).append(system)
        return found


Predictions = pd.DataFrame | Results


def results_of(predictions: Predictions) -> Results:
    """The `Results` of a predictions table; `Results` are given back as they are."""
    return predictions if isinstance(predictions, Results) else Results(predictions)


def units_of(rows: pd.DataFrame) -> Units:
    """One system's rows by speaker, or by clip where the speaker of any clip is unknown."""
    emotions = emotions_of(rows)
    unit = "speaker" if rows["speaker"].notna().all() else "clip"
    names, place = np.unique(rows[unit].to_numpy(dtype=str), return_inverse=True)
    truth, predicted = (
        codes_of(rows[name].to_numpy(dtype=object), emotions) for name in ("emotion", "predicted")
    )
    _, seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)
    return Units(unit, names, place, seed, truth * len(emotions) + predicted, len(emotions))


def codes_of(values: Sequence[str] | npt.NDArray[Any], emotions: Sequence[str]) -> Codes:
    """(clips,): the place of each clip's emotion in `emotions`."""
    place = {emotion: code for code, emotion in enumerate(emotions)}
    codes = np.fromiter((place.get(value, -1) for value in values), np.int64, len(values))
    if (codes < 0).any():
        unknown = {str(value) for value in values if value not in place}
        raise UsageError(f"not among the emotions: {', '.join(sorted(unknown))}")
    return codes


def count_confusions(cell: Codes, emotions: int, row: Codes | int = 0, rows: int = 1) -> Counts:
    """(rows, emotions, emotions): how often each cell of each row's confusion matrix occurs.

    `cell` has the place of each prediction in the flattened matrix, `row` the matrix it counts in.
    """
    cells = emotions**2
    counts = np.bincount(row * cells + cell, minlength=rows * cells)
    return counts.reshape(rows, emotions, emotions).astype(np.int64)


def stacked(tables: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Tables given as columns, one below the other."""
    return pd.concat([pd.DataFrame(columns) for columns in tables], ignore_index=True)
