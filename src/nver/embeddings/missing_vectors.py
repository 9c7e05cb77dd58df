"""Filling the gaps of an embedding store: what is missing, in batches, and into shards."""

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nver.embeddings.batches import BatchResult, ClipJob, Failure
from nver.embeddings.store import ClipKeys, EmbeddingView, Keys
from nver.embeddings.store.keys import equal_keys

BATCH_CLIPS = 16  # a job of a worker; decided by the corpus alone, so that the bits are too
# What a kill loses at most (our choice): a shard is written after so many rows, bytes or seconds.
SHARD_ROWS = 4096
SHARD_BYTES = 32 * 2**20
SHARD_S = 10.0

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Gaps:
    """Which clips lack which embedding; of clips with equal keys the first stands for all."""

    def __init__(self, clips: ClipKeys, views: Sequence[EmbeddingView]) -> None:
        self.clips = clips
        first, self._group = equal_keys(clips.keys)
        candidates = np.zeros(len(clips.keys), bool)
        candidates[first] = True
        candidates[list(clips.errors)] = False
        self.missing: list[Mask] = [candidates & view.missing(clips.keys) for view in views]
        self.any: Mask = np.any(self.missing, axis=0)

    def batches(self) -> Iterator[tuple[ClipJob, ...]]:
        """Stretches of the corpus: the same clips go together, whatever was done before."""
        for start in range(0, len(self.any), BATCH_CLIPS):
            rows = start + np.flatnonzero(self.any[start : start + BATCH_CLIPS])
            if len(rows):
                yield tuple(self._job(int(row)) for row in rows)

    def _job(self, row: int) -> ClipJob:
        lacking = tuple(i for i, missing in enumerate(self.missing) if missing[row])
        size, mtime_ns = map(int, self.clips.stamps[row])
        start, end = map(float, self.clips.spans[row])
        perturbation, seed = self.clips.perturbations[row], self.clips.seeds.get(row, b"")
        file = self.clips.files[row]
        return ClipJob(row, file, start, end, size, mtime_ns, lacking, perturbation, seed)

    def equals(self, row: int) -> npt.NDArray[np.int64]:
        """All rows with the key of this one."""
        return np.flatnonzero(self._group == self._group[row])


class _Buffer:
    """Vectors of one encoder on their way into a shard."""

    def __init__(self, view: EmbeddingView) -> None:
        self.view, self._parts, self._rows = view, list[tuple[Keys, FloatArray]](), 0

    def put(self, keys: Keys, vectors: FloatArray) -> None:
        if len(keys):
            self._parts.append((keys, vectors))
            self._rows += len(keys)

    @property
    def full(self) -> bool:
        size = self._rows * self.view.identity.dim * 4
        return self._rows >= SHARD_ROWS or size >= SHARD_BYTES

    def flush(self) -> None:
        """Write what is there; where that is interrupted, it is still there."""
        if self._parts:
            keys, vectors = zip(*self._parts, strict=True)
            self.view.add(np.concatenate(keys), np.concatenate(vectors))
            self._parts, self._rows = [], 0


def fill(
    results: Iterable[BatchResult], clips: ClipKeys, views: Sequence[EmbeddingView]
) -> Iterator[tuple[int, tuple[Failure, ...]]]:
    """Store batches as they come; yields how many clips each had, and those that failed.

    Whatever ends it, an error and Ctrl-C too, what has come is written.
    """
    buffers = [_Buffer(view) for view in views]
    written = time.monotonic()
    try:
        for result in results:
            for buffer, rows, vectors in zip(buffers, result.rows, result.vectors, strict=True):
                buffer.put(clips.keys[rows], vectors)
            if time.monotonic() - written > SHARD_S or any(b.full for b in buffers):
                _flush(buffers)
                written = time.monotonic()
            yield result.clips, result.failures
    finally:
        _flush(buffers)


def _flush(buffers: Iterable[_Buffer]) -> None:
    for buffer in buffers:
        buffer.flush()
