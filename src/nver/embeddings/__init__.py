"""The embedding store: one vector a clip, found by content, with its provenance."""

from nver.embeddings.clips import ClipKeys, key_clips
from nver.embeddings.contents import Content
from nver.embeddings.keys import Keys, as_keys, clip_key
from nver.embeddings.store import EmbeddingStore, EmbeddingView

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
