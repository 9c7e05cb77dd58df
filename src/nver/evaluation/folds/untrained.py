"""Emotions that a fold tests and its training part does not have: nothing can be learnt of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.corpora.duplicates import IntArray


def untrained(emotion: npt.NDArray[Any], fold: IntArray) -> Iterator[tuple[int, str, int]]:
    """(fold, emotion, its clips in the test part) where no clip outside that part has the emotion.

    `emotion` and `fold` are (clips,).
    """
    for number in np.unique(fold[fold >= 0]):
        names, counts = np.unique(emotion[fold == number], return_counts=True)
        absent = ~np.isin(names, emotion[fold != number])
        for name, count in zip(names[absent], counts[absent], strict=True):
            yield int(number), str(name), int(count)


def untrained_note(emotion: npt.NDArray[Any], fold: IntArray, seed: int) -> str:
    """A sentence on every such emotion, "" where there is none."""
    return "; ".join(
        f"seed {seed}, fold {number}: no training clip of {name} ({clips:,} test "
        f"clip{'s' if clips > 1 else ''}): its probability is 0 there"
        for number, name, clips in untrained(emotion, fold)
    )
