"""Which clips are the same recording: equal, or encoded, scaled or trimmed anew."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nver.audio.fingerprint import alignment
from nver.audio.recording import FloatArray
from nver.machine.threads import one_thread

# Measured, see docs/evaluation.md: 96 % of 719 clips in two codecs pass the first, and 161 of the
# 15 million pairs of 5,490 clips. The lowest alignment of a true pair is 0.84, the highest of two
# people humming one note 0.69.
ALIKE = 0.85  # correlation of two prints less the corpus's mean print
SAME = 0.75  # `alignment` of the two waveforms
FEW = 30  # clips: of so few every pair is compared, as their mean print says nothing
BLOCK = 1024  # prints compared at a time with all others: bounds memory
KEPT = 64  # waveforms kept while pairs are compared

IntArray = npt.NDArray[np.int64]


@one_thread()
def same_sounds(prints: FloatArray, read: Callable[[int], FloatArray]) -> IntArray:
    """(clips,): a number for each clip; clips of the same recording have the same number.

    Args:
        prints: (clips, 512), see `nver.audio.fingerprint`.
        read: row -> its waveform at 16 kHz; called for the few pairs with similar prints.
    """
    waveform = lru_cache(maxsize=KEPT)(read)
    group_of = list(range(len(prints)))  # a clip -> one of its group, to be followed to the first

    def first(clip: int) -> int:
        while group_of[clip] != clip:
            group_of[clip] = clip = group_of[group_of[clip]]
        return clip

    def is_same(i: int, j: int) -> bool:
        if prints[i].any() and np.array_equal(prints[i], prints[j]):
            return True
        return alignment(waveform(i), waveform(j)) > SAME

    for i, j in candidates(prints):
        one, other = first(i), first(j)
        if one != other and is_same(i, j):  # clips that others connect are not compared
            group_of[max(one, other)] = min(one, other)
    groups = np.array([first(clip) for clip in range(len(prints))], np.int64)
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.int64)


def candidates(prints: FloatArray) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the smaller one first, with similar prints."""
    if len(prints) <= FEW:
        yield from ((i, j) for i in range(len(prints)) for j in range(i + 1, len(prints)))
        return
    shapes = prints - prints.mean(axis=0, dtype=np.float64).astype(np.float32)
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), np.float32(1e-9))
    for start in range(0, len(prints), BLOCK):
        rows = slice(start, start + BLOCK)
        one, other = np.nonzero(np.triu(shapes[rows] @ shapes[start:].T > ALIKE, 1))
        yield from zip((one + start).tolist(), (other + start).tolist(), strict=True)


def joined(clips: int, pairs: Sequence[tuple[int, int]]) -> IntArray:
    """(clips,): the number of each clip's group; pairs connect clips to groups."""
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs), np.int8), (one, other)), shape=(clips, clips))
    parts: IntArray = connected_components(links, directed=False)[1].astype(np.int64)
    return parts


def repeated(sounds: IntArray) -> list[IntArray]:
    """The rows of every sound that occurs more than once, in the order of their first rows."""
    order = np.argsort(sounds, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(sounds[order])) + 1)
    return sorted((rows for rows in parts if len(rows) > 1), key=lambda rows: int(rows[0]))
