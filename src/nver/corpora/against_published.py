"""Warnings where a corpus on a disk differs from what was published, or lacks speakers."""

from typing import TYPE_CHECKING

from nver.corpora.base import CorpusCard

if TYPE_CHECKING:
    import pandas as pd


def unlike_published(card: CorpusCard, table: "pd.DataFrame") -> list[str]:
    """A sentence if the number of clips or speakers differs from the published one.

    If both fit, a sentence for each emotion whose number of clips differs.
    """
    speakers = int(table["speaker"].nunique())
    counts = table["emotion"].value_counts()
    if card.clips not in (None, len(table)) or card.speakers not in (None, speakers):
        found = f"{len(table):,} clips of {speakers:,} {card.speaker_is}s found"
        absent = [emotion for emotion in card.clips_per_emotion if emotion not in counts]
        no_clip = f"; no clip of {', '.join(absent)}" if absent else ""
        return [f"{found}; published: {_published(card)}{no_clip}"]
    return [
        f"{int(counts.get(emotion, 0)):,} clips of {emotion} found; published: {published:,}"
        for emotion, published in card.clips_per_emotion.items()
        if counts.get(emotion, 0) != published
    ]


def unknown_speakers(card: CorpusCard, table: "pd.DataFrame") -> list[str]:
    """A sentence if some clips, but not all, have no speaker."""
    unknown = table["speaker"].isna()
    if unknown.all() or not unknown.any():
        return []
    return [
        f"the {card.speaker_is} of {int(unknown.sum()):,} of {len(table):,} clips is unknown, for "
        f"example of {table.loc[unknown, 'clip'].iloc[0]}; folds cannot be speaker-independent"
    ]


def _published(card: CorpusCard) -> str:
    clips = "" if card.clips is None else f"{card.clips:,}"
    return clips if card.speakers is None else f"{clips} of {card.speakers:,}"
