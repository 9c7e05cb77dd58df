"""The embedding store: one vector a clip, found by content, with its provenance."""

from nver.embeddings.store.clip_keys import ClipKeys, key_clips
from nver.embeddings.store.contents import Content
from nver.embeddings.store.keys import Keys, as_keys, clip_key
from nver.embeddings.store.store import EmbeddingStore, EmbeddingView

__all__ = [
    "ClipKeys",
    "Content",
    "EmbeddingStore",
    "EmbeddingView",
    "Keys",
    "as_keys",
    "clip_key",
    "key_clips",
]
