"""What is evaluated: a classifier on embeddings under some folds, and clips made worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.duplicates import IntArray
from nver.folds import Folds

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cell:
    """One entry of a result table: a classifier on one or several embeddings, under some folds.

    `label` is the classifier's name in tables, `encoders` are the labels of its streams. `tune`
    has options with values to choose from inside each training part (see `nver.tuning`).
    """

    classifier: str
    encoders: tuple[str, ...]
    folds: Folds
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    tune: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stressed:
    """Clips made worse in one way: their `rows` in the table, and as `embeddings` those rows'."""

    rows: IntArray
    embeddings: Mapping[str, FloatArray]
