"""Corpus x encoders -> the embedding store: only what is missing, resumable, on many cores.

The way: table -> keys of the clips -> vectors that the store lacks -> batches to the workers ->
shards of the store.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nver.audio.recording import FloatArray
from nver.corpora.base import Corpus
from nver.embeddings.batches import (
    BatchEmbedder,
    BatchResult,
    ClipJob,
    Failure,
    crashed,
    single_clips,
)
from nver.embeddings.missing_vectors import MissingVectors, store_results
from nver.embeddings.store import EmbeddingStore, EmbeddingView, key_clips
from nver.encoders import EncoderSpec
from nver.encoders.base import EncoderIdentity
from nver.errors import UsageError
from nver.machine.counting import Count, say
from nver.machine.pool import Pool, WorkerDeath, usable_cores

SKIPPED_COLUMNS = ("clip", "file", "reason", "message")


@dataclass(frozen=True)
class EncoderCount:
    """How many vectors of an encoder were computed, and how many usable clips had one already."""

    identity: EncoderIdentity
    computed: int
    reused: int


@dataclass(frozen=True)
class Extraction:
    """What an extraction did.

    Attributes:
        counts: one for each encoder, in the order of the argument.
        clips: the rows of the corpus's table that could be used; each has every embedding.
        skipped: clip, file, reason, message of the other rows, in the corpus's order.
    """

    counts: tuple[EncoderCount, ...]
    clips: pd.DataFrame
    skipped: pd.DataFrame

    @property
    def identities(self) -> tuple[EncoderIdentity, ...]:
        return tuple(count.identity for count in self.counts)


def extract(
    corpus: Corpus | pd.DataFrame,
    encoders: Sequence[EncoderSpec | str] | EncoderSpec | str,
    store: EmbeddingStore | str | Path | None = None,
    *,
    workers: int | None = None,
    rehash: bool = False,
    show_progress_bar: bool = False,
) -> Extraction:
    """Compute the embeddings of a corpus that the store lacks.

    A clip is decoded once for all encoders. A clip that cannot be used is skipped for all encoders,
    with a row in `skipped` that says why; no single clip stops the run, even if it ends a worker
    process: its batch is then tried again clip by clip, and what ends the process alone too is
    skipped as "crashed". An extraction may be stopped at any time: the next one goes on from the
    last shard.

    Args:
        corpus: a corpus, or its table: clip, file, start, end (s; NaN: whole file).
        encoders: one or several specs, or "NAME" or "NAME=WEIGHTS".
        store: a store, or its folder; None: a folder in the user's cache.
        workers: processes of one thread each; None: one for each usable core, or one if an encoder
            runs on a GPU. The numbers do not depend on it.
        rehash: read every file's content, even if its size and time are unchanged.
        show_progress_bar: on stderr.

    Raises:
        UsageError, WeightsError, MissingExtraError: an encoder cannot be loaded.
        StoreError: the store cannot be read or written.
        WorkerError: no worker process can be started.
    """
    table = _table(corpus)
    store = store if isinstance(store, EmbeddingStore) else EmbeddingStore(store)
    several = isinstance(encoders, Iterable) and not isinstance(encoders, str)
    given: Iterable[Any] = encoders if several else [encoders]  # type: ignore[assignment]
    specs = [as_spec(encoder) for encoder in given]
    if not specs:
        raise UsageError("no encoder given; see `nver list encoders`")
    on_cpu = all(spec.device == "cpu" for spec in specs)
    with Pool(BatchEmbedder(specs), workers or (usable_cores() if on_cpu else 1)) as pool:
        (described,) = pool.map([()])
        views = [store.view(identity) for identity in described.identities]
        clips = key_clips(table, store, rehash=rehash, show_progress_bar=show_progress_bar)
        missing = MissingVectors(clips, views)
        say(f"extract: {', '.join(spec.name for spec in specs)}", show_progress_bar)
        failures = _compute(missing, pool, views, show_progress_bar)
    return _extraction(table, missing, views, failures)


def read_embeddings(
    corpus: Corpus | pd.DataFrame, identity: EncoderIdentity, store: EmbeddingStore
) -> FloatArray:
    """(clips, dim) float32 from the store, rows as in the corpus's table.

    Raises:
        AudioError: a file is gone or cannot be read.
        StoreError: an embedding is missing.
    """
    clips = key_clips(_table(corpus), store)
    for error in clips.errors.values():
        raise error
    return store.view(identity).read(clips.keys)


def as_spec(encoder: EncoderSpec | str) -> EncoderSpec:
    """A spec from "NAME" or "NAME=WEIGHTS" (a hub id or a local folder)."""
    if isinstance(encoder, EncoderSpec):
        return encoder
    if not isinstance(encoder, str):
        raise UsageError(
            f"expected an encoder as NAME, NAME=WEIGHTS or EncoderSpec; got {encoder!r}"
        )
    name, _, weights = encoder.partition("=")
    return EncoderSpec(name, weights or None)


def _table(corpus: Corpus | pd.DataFrame) -> pd.DataFrame:
    table = corpus.table if isinstance(corpus, Corpus) else corpus
    if not hasattr(table, "columns"):
        raise UsageError(f"expected a corpus or its table, got {corpus!r}")
    return table


def _compute(
    missing: MissingVectors, pool: Pool[Any, Any], views: Sequence[EmbeddingView], show: bool
) -> list[Failure]:
    """Compute and store the missing vectors; return the failures."""
    total = len(missing.by_clip)
    present = total - int(missing.by_clip.sum())
    identities = [view.identity for view in views]
    failures: list[Failure] = []

    def lost(batch: Sequence[ClipJob], death: WorkerDeath, times: int) -> BatchResult:
        return crashed(batch, identities, death.said("decoding or embedding it", times))

    results = pool.unordered(missing.batches(), pieces=single_clips, lost=lost)
    stored = store_results((result for _, result in results), missing.clips, views)
    with Count("extract", total, "clip", show, initial=present) as bar, closing(stored):
        for clips, failed in stored:
            failures += failed
            bar.update(clips)
    return failures


def _extraction(
    table: pd.DataFrame,
    missing: MissingVectors,
    views: Sequence[EmbeddingView],
    failures: Sequence[Failure],
) -> Extraction:
    reasons = _reasons(missing, failures)
    usable = np.ones(len(table), bool)
    usable[list(reasons)] = False
    failed = {(failure.row, failure.encoder) for failure in failures}
    counts = []
    for number, (view, wanted) in enumerate(zip(views, missing.by_encoder, strict=True)):
        lost = sum(wanted[row] for row, encoder in failed if encoder in (None, number))
        reused = int((usable & ~wanted).sum())
        counts.append(EncoderCount(view.identity, int(wanted.sum() - lost), reused))
    clips, files = list(table["clip"]), missing.clips.files
    skipped = [(clips[row], files[row], *reasons[row]) for row in sorted(reasons)]
    return Extraction(
        tuple(counts),
        table[usable].reset_index(drop=True),
        pd.DataFrame(skipped, columns=list(SKIPPED_COLUMNS), dtype=object),
    )


def _reasons(missing: MissingVectors, failures: Sequence[Failure]) -> dict[int, tuple[str, str]]:
    """row -> (reason, message), for every clip that cannot be used."""
    clips = missing.clips
    reasons = {row: (error.reason, str(error)) for row, error in clips.errors.items()}
    for failure in failures:
        for row in missing.rows_with_key_of(failure.row):
            message = f"{clips.files[row]}: {failure.message}"
            reasons.setdefault(row, (failure.reason, message))
    return reasons
