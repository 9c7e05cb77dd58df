"""What a corpus folder holds: counts, lengths, formats and faults, from one decoding of each clip.

Clips whose prints are alike are decoded once more, to tell whether they are the same recording.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nver.audio.fingerprint import DIM, SAMPLING_RATE
from nver.audio.recording import FloatArray, load_audio
from nver.audio.remarks import KINDS
from nver.corpora.base import Corpus
from nver.corpora.duplicates import repeated, same_sounds
from nver.corpora.measurement import Measurement, measure
from nver.corpora.speakers import random_folds
from nver.errors import CRASHED, MEMORY, TOO_LARGE
from nver.machine.counting import Count
from nver.machine.pool import Pool, WorkerDeath, usable_cores
from nver.machine.threads import one_thread

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
BATCH = 16  # clips of a worker's job (our choice: some tenths of a second)

ClipSpan = tuple[str, float, float]  # file, start and end in s


@dataclass(frozen=True)
class EmotionCount:
    """The clips of an emotion, found and published (None: no count was published)."""

    emotion: str
    clips: int
    published: int | None


@dataclass(frozen=True)
class Spread:
    """How many clips a speaker has."""

    least: int
    median: float
    most: int


@dataclass(frozen=True)
class Durations:
    """Durations in s, `hours` in h; `quantiles` by percent ("50 %").

    `under_1_s` is a share of the clips; `shortest` and `longest` are clips.
    """

    hours: float
    quantiles: Mapping[str, float]
    under_1_s: float
    shortest: str
    longest: str


@dataclass(frozen=True)
class Note:
    """A clip, or a file that is not a clip; why it is listed; and a sentence."""

    clip: str
    reason: str
    message: str


@dataclass(frozen=True)
class DuplicateGroup:
    """Clips with the same sound; `same_speaker` is None if a speaker is unknown."""

    clips: tuple[str, ...]
    same_speaker: bool | None
    same_emotion: bool


@dataclass(frozen=True)
class CorpusFacts:
    """Counts, lengths, formats, and every clip that deserves a look, by name.

    A run skips `unusable` clips (missing, unreadable, empty, not finite, silent, channels cancel).
    It uses the others, whatever is remarked of them: the kinds of `nver.audio.remarks`,
    `cut_short`, `duplicates` (equal samples) and `near_duplicates` (the same recording encoded,
    scaled or trimmed anew).
    """

    corpus: str
    title: str
    root: str
    clips: int
    published_clips: int | None
    speaker_is: str
    speakers: int
    published_speakers: int | None
    clips_per_speaker: Spread | None
    emotions: tuple[EmotionCount, ...]
    left_out: Mapping[str, int]
    skipped: tuple[Note, ...]
    warnings: tuple[str, ...]
    durations: Durations | None
    sampling_rates: Mapping[int, int]
    channels: Mapping[int, int]
    unusable: tuple[Note, ...]
    cut_short: tuple[Note, ...]
    quiet: tuple[Note, ...]
    clipped: tuple[Note, ...]
    channels_cancel: tuple[Note, ...]
    dead_channels: tuple[Note, ...]
    offset: tuple[Note, ...]
    very_short: tuple[Note, ...]
    very_long: tuple[Note, ...]
    tracks: tuple[Note, ...]
    duplicates: tuple[DuplicateGroup, ...]
    near_duplicates: tuple[DuplicateGroup, ...]


@one_thread()
def inspect_corpus(corpus: Corpus, *, show_progress_bar: bool = False) -> CorpusFacts:
    """The facts of a corpus; each clip is decoded once, on all cores.

    A clip that ends the process which decodes it is unusable, as "crashed"; the others go on.
    """
    table, card = corpus.table, corpus.card
    found = _measure_all(table, show_progress_bar)
    clips = table["clip"].tolist()
    decoded = [m for m in found if m.sampling_rate]
    return CorpusFacts(
        corpus=corpus.name,
        title=card.title,
        root=str(corpus.root),
        clips=len(table),
        published_clips=card.clips,
        speaker_is=card.speaker_is,
        speakers=int(table["speaker"].nunique()),
        published_speakers=card.speakers,
        clips_per_speaker=_clips_per_speaker(table),
        emotions=_emotions(corpus),
        left_out=dict(corpus.left_out),
        skipped=tuple(Note(*row) for row in corpus.skipped.itertuples(index=False, name=None)),
        warnings=(*corpus.warnings, *random_folds(table, card.options)),
        durations=_durations(clips, found),
        sampling_rates=dict(sorted(Counter(m.sampling_rate for m in decoded).items())),
        channels=dict(sorted(Counter(m.channels for m in decoded).items())),
        duplicates=_duplicates(table, found),
        near_duplicates=_near_duplicates(table, found),
        **_notes(clips, found),
    )


def _measure_all(table: pd.DataFrame, show_progress_bar: bool) -> list[Measurement]:
    """The measurements of all clips, in order, by a process for each usable core."""
    clips = list(zip(*(table[name].tolist() for name in ("file", "start", "end")), strict=True))
    batches = [clips[first : first + BATCH] for first in range(0, len(clips), BATCH)]
    found: dict[int, list[Measurement]] = {}
    with (
        Pool(measure_clips, usable_cores()) as pool,
        Count("decode", len(clips), "clip", show_progress_bar) as bar,
    ):
        for number, measured in pool.unordered(batches, pieces=_single_clips, lost=_crashed):
            found.setdefault(number, []).extend(measured)
            bar.update(len(measured))
    return [measurement for number in range(len(batches)) for measurement in found[number]]


def measure_clips(clips: Sequence[ClipSpan]) -> list[Measurement]:
    """The measurement of each clip; of one that takes too much memory that it does."""
    return [_measure(*clip) for clip in clips]


def _measure(file: str, start: float, end: float) -> Measurement:
    try:
        return measure(file, start, end)
    except MemoryError:
        return Measurement(reason=MEMORY, message=f"{file}: {TOO_LARGE}")


def _single_clips(clips: Sequence[ClipSpan]) -> Sequence[Sequence[ClipSpan]]:
    return [[clip] for clip in clips]


def _crashed(clips: Sequence[ClipSpan], death: WorkerDeath, times: int) -> list[Measurement]:
    said = death.said("decoding it", times)
    return [Measurement(reason=CRASHED, message=f"{file}: {said}") for file, _, _ in clips]


def _clips_per_speaker(table: pd.DataFrame) -> Spread | None:
    counts = table["speaker"].value_counts()
    if counts.empty:
        return None
    return Spread(int(counts.min()), float(counts.median()), int(counts.max()))


def _emotions(corpus: Corpus) -> tuple[EmotionCount, ...]:
    """The clips of each emotion, in the corpus's order; 0 for a published emotion without one."""
    counts = corpus.table["emotion"].value_counts()
    published = corpus.card.clips_per_emotion
    names = dict.fromkeys([*published, *corpus.emotions])
    return tuple(EmotionCount(e, int(counts.get(e, 0)), published.get(e)) for e in names)


def _durations(clips: Sequence[str], found: Sequence[Measurement]) -> Durations | None:
    decoded = [(m.duration_s, clip) for clip, m in zip(clips, found, strict=True) if m.duration_s]
    if not decoded:
        return None
    lengths = np.array([length for length, _ in decoded])
    return Durations(
        hours=float(lengths.sum() / 3600),
        quantiles={f"{100 * q:g} %": float(np.quantile(lengths, q)) for q in QUANTILES},
        under_1_s=float(np.mean(lengths < 1.0)),
        shortest=min(decoded)[1],
        longest=max(decoded)[1],
    )


def _notes(clips: Sequence[str], found: Sequence[Measurement]) -> dict[str, tuple[Note, ...]]:
    """The clips that deserve a look, by the field of `CorpusFacts` that lists them."""
    notes: dict[str, list[Note]] = {kind: [] for kind in ("unusable", "cut_short", *KINDS)}
    for clip, m in zip(clips, found, strict=True):
        if m.reason:
            notes["unusable"].append(Note(clip, m.reason, m.message))
        if m.cut_short:
            notes["cut_short"].append(Note(clip, "cut short", m.cut_short))
        for kind, said in m.remarks.items():
            notes[kind].append(Note(clip, kind.replace("_", " "), said))
    return {kind: tuple(rows) for kind, rows in notes.items()}


def _duplicates(table: pd.DataFrame, found: Sequence[Measurement]) -> tuple[DuplicateGroup, ...]:
    """Groups of usable clips with the same samples at the same rate."""
    digests = pd.Series([None if m.reason else m.digest for m in found], table.index, dtype=object)
    groups = table.groupby(digests, sort=False)
    return tuple(_group(rows) for _, rows in groups if len(rows) > 1)


def _near_duplicates(
    table: pd.DataFrame, found: Sequence[Measurement]
) -> tuple[DuplicateGroup, ...]:
    """Groups of usable clips of the same recording, not all with the same samples."""
    rows = [row for row, m in enumerate(found) if m.sound_print is not None]
    prints = np.array([found[row].sound_print for row in rows], np.float32).reshape(-1, DIM)
    files, starts, ends = (table[name].tolist() for name in ("file", "start", "end"))

    def read(position: int) -> FloatArray:
        row = rows[position]
        return load_audio(files[row], SAMPLING_RATE, start=starts[row], end=ends[row])

    groups = [[rows[i] for i in group] for group in repeated(same_sounds(prints, read))]
    return tuple(_group(table.iloc[g]) for g in groups if len({found[i].digest for i in g}) > 1)


def _group(rows: pd.DataFrame) -> DuplicateGroup:
    speaker = rows["speaker"]
    return DuplicateGroup(
        clips=tuple(rows["clip"]),
        same_speaker=bool(speaker.nunique() == 1) if speaker.notna().all() else None,
        same_emotion=bool(rows["emotion"].nunique() == 1),
    )
