"""The contract of a corpus: what is declared of it, and its files read into one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

Options = Mapping[str, Any]  # an adapter's options by name
COLUMNS = ("clip", "file", "start", "end", "speaker", "emotion")
SKIPPED_COLUMNS = ("file", "reason", "message")
LEFT_OUT = "left out"  # the reason of rows that `load_corpus` counts in `Corpus.left_out` instead


class Tables(NamedTuple):
    """What an adapter reads: the table, the skipped files and the warnings of a `Corpus`."""

    table: "pd.DataFrame"
    skipped: "pd.DataFrame"
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CorpusCard:
    """What is declared of a corpus, without a look at its files (`nver list corpora`).

    Attributes:
        emotions: the emotions in the corpus's own order (empty for a user's own corpus).
        clips, speakers: the published counts; None if no count was published.
        clips_per_emotion: the published counts by emotion.
        speaker_is: what the column `speaker` holds: "speaker", or what stands in for it.
        read: (root, options) -> (table, skipped[, warnings]), see `Tables`.
        options: the adapter's own options and their defaults.
        variant: options -> the fields of the card that they change (counts, emotions).
        home: options -> the folder of a corpus that nver makes; None: the user has to say where
            the corpus lies.
    """

    name: str
    title: str
    citation: str
    licence: str
    url: str
    read: Callable[[Path, Options], Tables]
    emotions: tuple[str, ...] = ()
    clips: int | None = None
    speakers: int | None = None
    clips_per_emotion: Mapping[str, int] = field(default_factory=dict)
    speaker_is: str = "speaker"
    options: Options = field(default_factory=dict)
    variant: Callable[[Options], Mapping[str, Any]] | None = None
    home: Callable[[Options], Path] | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus as it lies on a disk.

    Attributes:
        name: the name in recipes and tables.
        table: one row a clip, sorted by clip: `clip` (unique id), `file` (absolute path), `start`
            and `end` (s; NaN: whole file), `speaker` (missing where unknown), `emotion`, and
            whatever else the corpus has.
        skipped: one row a file that is not a clip of the corpus: `file`, `reason`, `message`.
        warnings: sentences, for example on counts that differ from the published ones.
        left_out: how many good files the options leave out, by kind ("speech": 5080).
    """

    name: str
    card: CorpusCard
    root: Path
    table: "pd.DataFrame"
    skipped: "pd.DataFrame"
    warnings: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def emotions(self) -> list[str]:
        """The emotions that occur: in the card's order, else sorted."""
        found = set(self.table["emotion"])
        ordered = [e for e in self.card.emotions if e in found]
        return ordered + sorted(found - set(ordered))

    @property
    def counts(self) -> str:
        """ "240 clips, 6 emotions, 12 speakers"."""
        unit = self.card.speaker_is
        numbers = {
            "clip": len(self.table),
            "emotion": self.table["emotion"].nunique(),
            unit: self.table["speaker"].nunique(),
        }
        return ", ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in numbers.items())

    @property
    def has_speakers(self) -> bool:
        """Whether every clip has a known speaker, and there are at least two."""
        speaker = self.table["speaker"]
        return bool(speaker.notna().all() and speaker.nunique() >= 2)
