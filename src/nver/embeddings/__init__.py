"""Embeddings of a corpus: computed once (`extraction`), kept by content (`store`)."""

from nver.embeddings.store import EmbeddingStore, EmbeddingView, clip_key, key_clips

__all__ = ["EmbeddingStore", "EmbeddingView", "clip_key", "key_clips"]
