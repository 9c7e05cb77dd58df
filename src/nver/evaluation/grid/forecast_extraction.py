"""Embeddings that the store lacks, and how long they would take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nver.corpora import Corpus
from nver.embeddings.store import EmbeddingStore, key_clips
from nver.errors import StoreError
from nver.evaluation.grid.forecast_encoders import NOISE_S, Timed
from nver.recipe import Experiment


@dataclass(frozen=True)
class Extraction:
    """Embeddings that the store lacks, of one corpus and encoder; `seconds` is None if unknown."""

    corpus: str
    encoder: str
    clips: int
    seconds: float | None


def extractions(
    experiment: Experiment,
    corpora: Sequence[Corpus],
    encoders: Mapping[str, Timed],
    workers: int,
) -> Iterator[Extraction]:
    """What the store lacks, of the corpora that are here."""
    store = _store(experiment)
    for corpus in corpora:
        keys = key_clips(corpus.table, store) if store else None
        for label in experiment.encoders:
            clips = len(corpus.table)
            if label in encoders and store is not None and keys is not None:
                clips = int(store.view(encoders[label].identity).missing(keys.keys).sum())
            speed = encoders[label].speed if label in encoders else None
            seconds = None if speed is None else clips * NOISE_S * speed / workers
            yield Extraction(corpus.name, label, clips, seconds)


def _store(experiment: Experiment) -> EmbeddingStore | None:
    """The store, if there is one already."""
    try:
        return EmbeddingStore(experiment.store, create=False)
    except StoreError:
        return None
