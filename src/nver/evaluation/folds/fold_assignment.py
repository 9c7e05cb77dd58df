"""Which clip is tested in which fold: random (stratified) or speaker-independent."""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from nver.corpora.duplicates import IntArray, joined, repeated
from nver.errors import UsageError, first_few
from nver.evaluation.folds.together import together_note
from nver.evaluation.folds.untrained import untrained_note
from nver.recipe.folds import FOLDS, PROTOCOLS, RANDOM, SPEAKER_INDEPENDENT, SPLIT
from nver.recipe.values import check_known

BoolArray = npt.NDArray[np.bool_]

ONLY_TRAINED, VALIDATION = -1, -2  # in place of a fold: never tested; the second stops early
NAMED = 3  # speakers that a message names one by one (our choice)


@dataclass(frozen=True)
class Folds:
    """An assignment of clips to folds.

    Attributes:
        protocol: "speaker-independent" or "split" (refused by `cross_validate` where a speaker is
            in two folds), "random", or a name of one's own.
        seed: of the shuffle.
        fold: (clips,) the fold in which each clip is tested, 0 .. number - 1; `ONLY_TRAINED` for a
            clip that is in every training and never tested, `VALIDATION` for a clip that stops
            every training early.
        note: what a reader must know: that the folds became leave-one-speaker-out, which clips of
            the same recording were kept together, which emotion a training part does not have.
    """

    protocol: str
    seed: int
    fold: IntArray
    note: str = ""

    @property
    def number(self) -> int:
        return int(self.fold.max()) + 1

    @property
    def tested(self) -> BoolArray:
        """(clips,): whether a clip is tested in any fold."""
        return self.fold >= 0

    @property
    def validation(self) -> BoolArray:
        """(clips,): whether a clip stops every training early."""
        return self.fold == VALIDATION

    def test_rows(self, fold: int) -> IntArray:
        """The rows of the clips that a fold tests."""
        return np.flatnonzero(self.fold == fold)

    def training_rows(self, fold: int) -> IntArray:
        """The rows of all other clips: the training part of a fold, its validation clips too."""
        return np.flatnonzero(self.fold != fold)

    def with_rows(self, rows: IntArray) -> "Folds":
        """The folds of some clips."""
        return replace(self, fold=self.fold[rows])

    def digest(self) -> str:
        """SHA-256 of the assignment: equal for equal folds."""
        return hashlib.sha256(self.fold.astype("<i8").tobytes()).hexdigest()


def default_protocol(speaker: pd.Series) -> str:
    """Speaker-independent where every clip's speaker is known and there are at least two."""
    known = bool(speaker.notna().all()) and speaker.nunique() >= 2
    return SPEAKER_INDEPENDENT if known else RANDOM


def make_folds(
    table: pd.DataFrame,
    protocol: str | None = None,
    number: int | None = None,
    seed: int = 0,
    *,
    sounds: IntArray | None = None,
) -> Folds:
    """Folds over the clips of a corpus table (columns `clip`, `speaker`, `emotion`).

    Args:
        protocol: "random" is stratified k-fold over clips (speakers are shared between training
            and test: what the papers used). "speaker-independent" keeps every speaker in one fold,
            stratified by emotion as well as that allows; with fewer speakers than folds it becomes
            leave-one-speaker-out. None: speaker-independent where speakers are known.
        number: how many folds; None: 5, or as many as there are different clips.
        seed: of the shuffle; the same table and seed give the same folds.
        sounds: (clips,) a number equal for clips of the same recording, see
            `nver.corpora.duplicates.same_sounds`: such clips are kept in one fold, and speakers
            who share a recording are kept together. None: every recording is there once.

    Raises:
        UsageError: an unknown protocol, fewer than two folds, or speakers that are not known.
    """
    check_columns(table, ("speaker", "emotion"))
    sounds = np.arange(len(table)) if sounds is None else sounds
    protocol = protocol or default_protocol(table["speaker"])
    check_known("kind of folds", [protocol], PROTOCOLS)
    most = len(np.unique(sounds))
    number, fewer = (min(FOLDS, most), _fewer_note(most)) if number is None else (number, "")
    if not isinstance(number, int | np.integer) or not 2 <= number <= most:
        raise UsageError(
            f"folds: 2 to {most} (the different clips there are); got {number}. Give a number in "
            "that range: --set folds.number=2, or number = 2 in [folds]"
        )
    emotion = table["emotion"].to_numpy(dtype=str)
    if protocol == RANDOM:
        folds = _recording_folds(emotion, sounds, number, seed)
    else:
        speaker = _separable_speakers(table["speaker"], sounds)
        folds = _speaker_folds(emotion, speaker, number, seed)
    absent = untrained_note(emotion, folds.fold, seed)
    notes = (absent, fewer, folds.note, together_note(table, sounds))
    return replace(folds, note="; ".join(note for note in notes if note))


def _fewer_note(most: int) -> str:
    """A sentence where there are fewer different clips than folds are the default."""
    if most < 2:
        raise UsageError("folds: every clip is the same recording; at least two are needed")
    return f"{most} folds, not {FOLDS}: there are {most} different clips" if most < FOLDS else ""


def _separable_speakers(speaker: pd.Series, sounds: IntArray) -> npt.NDArray[Any]:
    """(clips,) speakers who share no recording; raise `UsageError` unless there are two."""
    check_known_speakers(speaker)
    tied = tied_speakers(speaker.to_numpy(dtype=str), sounds)
    if len(np.unique(tied)) < 2:
        raise UsageError(
            "speaker-independent folds: every speaker shares a recording with another one, so that "
            "they cannot be told apart; see `nver corpus`, or ask for random folds"
        )
    return tied


def check_known_speakers(speaker: pd.Series) -> None:
    """Raise `UsageError` unless every clip's speaker is known and there are two."""
    if default_protocol(speaker) == RANDOM:
        raise UsageError(
            f"speaker-independent folds need a known speaker for every clip and at least two; "
            f"{int(speaker.isna().sum())} of {len(speaker)} clips have none, "
            f"{speaker.nunique()} speaker(s) are known. Give the corpus a speaker column, "
            'or ask for random folds (kind = "random")'
        )


def tied_speakers(speaker: npt.NDArray[Any], sounds: IntArray) -> npt.NDArray[Any]:
    """(clips,) speakers, where all who share a recording have the name of the first one."""
    names, code = np.unique(speaker, return_inverse=True)
    pairs = [(int(code[rows[0]]), int(c)) for rows in repeated(sounds) for c in code[rows[1:]]]
    part = joined(len(names), pairs)
    first = np.unique(part, return_index=True)[1]
    return np.asarray(names[first[part]][code])


def separated(fold: IntArray, sounds: IntArray) -> list[IntArray]:
    """The rows of every recording whose clips are in more than one fold: a leak."""
    return [rows for rows in repeated(sounds) if len(np.unique(fold[rows])) > 1]


def check_speakers(table: pd.DataFrame, folds: Folds) -> None:
    """Raise `UsageError` where folds are called speaker-independent and are not.

    Every clip's speaker must be known, and all clips of a speaker must be in one fold.
    `ONLY_TRAINED` and `VALIDATION` count as a fold each.
    """
    if folds.protocol not in (SPEAKER_INDEPENDENT, SPLIT):
        return
    said = f"{folds.protocol} folds, seed {folds.seed}: "
    speaker = table["speaker"]
    if unknown := int(speaker.isna().sum()):
        raise UsageError(
            f"{said}the speaker of {unknown} of {len(table)} clips is not known; call the folds "
            f"{RANDOM!r}, or leave those clips out"
        )
    parts = speaker.groupby(speaker.to_numpy()).indices
    split = [str(name) for name, rows in parts.items() if len(np.unique(folds.fold[rows])) > 1]
    if split:
        raise UsageError(
            f"{said}{len(split)} of {len(parts)} speakers are in training and test: "
            f"{first_few(split, NAMED)}; keep the clips of a speaker in one fold, as "
            f"make_folds does, or call the folds {RANDOM!r}"
        )


def check_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise `UsageError` unless the table has those columns, and an emotion for every clip."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise UsageError(
            f"a table of clips needs the column {', '.join(missing)}; "
            f"it has {', '.join(map(str, table))}"
        )
    if table["emotion"].isna().any():
        raise UsageError(f"{int(table['emotion'].isna().sum())} clips have no emotion")


def validation_mask(
    emotion: npt.NDArray[Any], speaker: npt.NDArray[Any] | None, share: float, seed: int
) -> BoolArray:
    """Which clips of a training part are held out for early stopping, about `share` of them.

    Whole speakers where at least two are given: at least one, and so more than the share where
    speakers are few. Where every choice of speakers would take an emotion or half of the clips out
    of training, and where no speakers are given, single clips, stratified by emotion. An emotion
    always keeps a clip in training. Fewer clips than 1 / share hold out none.
    """
    number = max(2, round(min(1 / share, len(emotion) + 1))) if share else 0
    if not number or len(emotion) < number:
        return np.zeros(len(emotion), np.bool_)
    random = np.random.default_rng(seed)
    if speaker is not None and len(np.unique(speaker)) >= 2:
        folds = _speaker_folds(emotion, speaker, number, seed)
        for held_out in random.permutation(folds.number):
            mask: BoolArray = folds.fold == held_out
            if mask.mean() <= 0.5 and len(np.unique(emotion[~mask])) == len(np.unique(emotion)):
                return mask
    chosen = np.asarray(_clip_folds(emotion, number, seed).fold == random.integers(number))
    return chosen & np.isin(emotion, emotion[~chosen])  # no emotion is held out altogether


def _clip_folds(emotion: npt.NDArray[Any], number: int, seed: int) -> Folds:
    """Random folds, stratified by emotion where every emotion has a clip for every fold."""
    names, counts = np.unique(emotion, return_counts=True)
    rare = [str(name) for name in names[counts < number]]
    splitter = (KFold if rare else StratifiedKFold)(number, shuffle=True, random_state=seed)
    fold = _assign(splitter.split(emotion, emotion), len(emotion))
    note = f"not stratified: fewer than {number} clips of {', '.join(rare)}" if rare else ""
    return Folds(RANDOM, seed, fold, note)


def _recording_folds(emotion: npt.NDArray[Any], sounds: IntArray, number: int, seed: int) -> Folds:
    """Random folds of the first clip of each recording; its other clips go where it goes."""
    _, first, which = np.unique(sounds, return_index=True, return_inverse=True)
    kept = np.sort(first)
    folds = _clip_folds(emotion[kept], number, seed)
    return folds.with_rows(np.searchsorted(kept, first[which]))


def _speaker_folds(
    emotion: npt.NDArray[Any], speaker: npt.NDArray[Any], number: int, seed: int
) -> Folds:
    """Folds that keep every speaker together, stratified by emotion as well as that allows."""
    speakers = len(np.unique(speaker))
    note = ""
    if speakers <= number:
        splitter: Any = LeaveOneGroupOut()
        if speakers < number:
            note = f"leave-one-speaker-out: {speakers} speakers, fewer than {number} folds"
    elif np.unique(emotion, return_counts=True)[1].max() < number:
        splitter = GroupKFold(number, shuffle=True, random_state=seed)
        note = f"not stratified: fewer than {number} clips of every emotion"
    else:
        splitter = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # fewer clips than folds: stratifying is a wish here
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        fold = _assign(splitter.split(emotion, emotion, groups=speaker), len(emotion))
    return Folds(SPEAKER_INDEPENDENT, seed, fold, note)


def _assign(parts: Iterable[Any], clips: int) -> IntArray:
    """(clips,) the number of the part whose test rows hold each clip."""
    fold = np.full(clips, ONLY_TRAINED, np.int64)
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    return fold
