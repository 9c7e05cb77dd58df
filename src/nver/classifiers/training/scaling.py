"""Standardisation: a stream's mean and deviation, fitted on training clips, applied to any."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.errors import NverError

FloatArray = npt.NDArray[np.float32]
CONSTANT = 1e-6  # of |mean|; our choice, 8 float32 steps: a deviation below it is rounding


@dataclass(frozen=True)
class Scale:
    """The mean and the deviation that standardise a stream: float32 (dim,) each."""

    mean: FloatArray
    deviation: FloatArray

    def __call__(self, embeddings: FloatArray) -> FloatArray:
        """(clips, dim) -> the same shape."""
        with np.errstate(over="ignore", invalid="ignore"):  # is said of the loss or the answer
            return (embeddings - self.mean) / self.deviation


def fit_scale(embeddings: FloatArray) -> Scale:
    """The scale of (clips, dim); a value that does not vary gets a deviation of 1."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    deviation = embeddings.std(axis=0, dtype=np.float64)
    deviation[deviation <= CONSTANT * np.abs(mean)] = 1
    return Scale(mean.astype(np.float32), deviation.astype(np.float32))


def no_scale(embeddings: FloatArray) -> Scale:
    """The scale of (clips, dim) that changes nothing."""
    dim = embeddings.shape[1]
    return Scale(np.zeros(dim, np.float32), np.ones(dim, np.float32))


def as_embeddings(streams: Sequence[npt.NDArray[Any]], clips: int) -> list[FloatArray]:
    """Each stream as a float32 array (clips, dim).

    Raises:
        NverError: another shape, or a value that is not a finite float32.
    """
    return [_as_embeddings(stream, clips, number) for number, stream in enumerate(streams)]


def _as_embeddings(stream: npt.NDArray[Any], clips: int, number: int) -> FloatArray:
    with np.errstate(over="ignore"):  # what overflows is reported below
        array = np.asarray(stream, np.float32)
    if array.ndim != 2 or len(array) != clips:
        raise NverError(f"stream {number} must have shape ({clips}, dim); got {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise NverError(
            f"stream {number}: {bad.size} of {clips} embeddings are not finite, the first in row "
            f"{bad[0]}; leave these clips out or extract them again"
        )
    return array
