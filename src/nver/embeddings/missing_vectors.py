"""The vectors that a store lacks: which they are, in batches for the workers, and into shards."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nver.audio.recording import FloatArray
from nver.embeddings.batches import BatchResult, ClipJob, Failure
from nver.embeddings.store import ClipKeys, EmbeddingView, Keys
from nver.embeddings.store.keys import equal_keys

BATCH_CLIPS = 16  # a worker's job; the corpus alone decides it, and so the bits of the vectors
# What a kill loses at most (our choice): a shard is written after so many rows, bytes or seconds.
SHARD_ROWS = 4096
SHARD_BYTES = 32 * 2**20
SHARD_S = 10.0

Mask = npt.NDArray[np.bool_]


class MissingVectors:
    """Which vectors of a corpus a store lacks.

    Clips with equal keys have one vector: the first of these clips is embedded for all of them.

    Attributes:
        by_encoder: for each encoder (n,), which clips it has to embed.
        by_clip: (n,), which clips at least one encoder has to embed.
    """

    def __init__(self, clips: ClipKeys, views: Sequence[EmbeddingView]) -> None:
        self.clips = clips
        first, self._group = equal_keys(clips.keys)
        embeddable = np.zeros(len(clips.keys), bool)
        embeddable[first] = True
        embeddable[list(clips.errors)] = False
        self.by_encoder: list[Mask] = [embeddable & view.missing(clips.keys) for view in views]
        self.by_clip: Mask = np.any(self.by_encoder, axis=0)

    def batches(self) -> Iterator[tuple[ClipJob, ...]]:
        """Stretches of the corpus: the same clips go together, whatever was done before."""
        for start in range(0, len(self.by_clip), BATCH_CLIPS):
            rows = start + np.flatnonzero(self.by_clip[start : start + BATCH_CLIPS])
            if len(rows):
                yield tuple(self._job(int(row)) for row in rows)

    def _job(self, row: int) -> ClipJob:
        encoders = tuple(i for i, missing in enumerate(self.by_encoder) if missing[row])
        size, mtime_ns = map(int, self.clips.stamps[row])
        start, end = map(float, self.clips.spans[row])
        perturbation, seed = self.clips.perturbations[row], self.clips.seeds.get(row, b"")
        file = self.clips.files[row]
        return ClipJob(row, file, start, end, size, mtime_ns, encoders, perturbation, seed)

    def rows_with_key_of(self, row: int) -> list[int]:
        """All rows with the same key as this one, itself included."""
        return np.flatnonzero(self._group == self._group[row]).tolist()


class _ShardBuffer:
    """Vectors of one encoder that are not in a shard yet."""

    def __init__(self, view: EmbeddingView) -> None:
        self.view, self._parts, self._rows = view, list[tuple[Keys, FloatArray]](), 0

    def add(self, keys: Keys, vectors: FloatArray) -> None:
        self._parts.append((keys, vectors))
        self._rows += len(keys)

    @property
    def is_full(self) -> bool:
        size = self._rows * self.view.identity.dim * 4
        return self._rows >= SHARD_ROWS or size >= SHARD_BYTES

    def write(self) -> None:
        """Write a shard of the vectors; if that is interrupted, they stay in the buffer."""
        if self._rows:
            keys, vectors = zip(*self._parts, strict=True)
            self.view.add(np.concatenate(keys), np.concatenate(vectors))
            self._parts, self._rows = [], 0


def store_results(
    results: Iterable[BatchResult], clips: ClipKeys, views: Sequence[EmbeddingView]
) -> Generator[tuple[int, tuple[Failure, ...]], None, None]:
    """Store batches as they come, and yield for each its number of clips and its failures.

    What has come is written whatever ends it, an error and Ctrl-C too.
    """
    buffers = [_ShardBuffer(view) for view in views]
    written = time.monotonic()
    try:
        for result in results:
            for buffer, rows, vectors in zip(buffers, result.rows, result.vectors, strict=True):
                buffer.add(clips.keys[rows], vectors)
            if time.monotonic() - written > SHARD_S or any(b.is_full for b in buffers):
                _write_all(buffers)
                written = time.monotonic()
            yield result.clips, result.failures
    finally:
        _write_all(buffers)


def _write_all(buffers: Iterable[_ShardBuffer]) -> None:
    for buffer in buffers:
        buffer.write()
