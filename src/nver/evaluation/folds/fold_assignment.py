"""Which clip is tested in which fold: random (stratified) or speaker-independent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nver.corpora.duplicates import joined, repeated
from nver.errors import UsageError, unknown_name
from nver.recipe.folds import PROTOCOLS, RANDOM, SPEAKER_INDEPENDENT, SPLIT

if TYPE_CHECKING:
    import pandas as pd

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ONLY_TRAINED, VALIDATION = -1, -2  # in place of a fold: never tested; the second stops early
NAMED = 3  # sounds or speakers that a message names one by one (our choice)


@dataclass(frozen=True)
class Folds:
    """An assignment of clips to folds.

    Attributes:
        protocol: "speaker-independent" or "split" (refused by `cross_validate` where a speaker is
            in two folds), "random", or a name of one's own.
        seed: of the shuffle.
        fold: (clips,) the fold in which each clip is tested, 0 .. number - 1; -1 of a clip that is
            in every training and never tested, -2 of one that every training stops early by.
        note: what a reader must know, for example that it became leave-one-speaker-out, or which
            clips of the same sound were kept together.
    """

    protocol: str
    seed: int
    fold: IntArray
    note: str = ""

    @property
    def number(self) -> int:
        return int(self.fold.max()) + 1

    def digest(self) -> str:
        """SHA-256 of the assignment: equal for equal folds."""
        return hashlib.sha256(self.fold.astype("<i8").tobytes()).hexdigest()


def default_protocol(speaker: "pd.Series[Any]") -> str:
    """Speaker-independent where every clip's speaker is known and there are at least two."""
    known = bool(speaker.notna().all()) and speaker.nunique() >= 2
    return SPEAKER_INDEPENDENT if known else RANDOM


def make_folds(
    table: "pd.DataFrame",
    protocol: str | None = None,
    number: int = 5,
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
        number: of folds.
        seed: of the shuffle; the same table and seed give the same folds.
        sounds: (clips,) a number equal for clips of the same recording, see
            `nver.corpora.duplicates.same_sounds`: those are kept in one fold, and speakers who
            share one
            are kept together. Without such clips the folds are those without `sounds`.

    Raises:
        UsageError: an unknown protocol, fewer than two folds, or speakers that are not known.
    """
    check_columns(table, ("speaker", "emotion"))
    sounds = np.arange(len(table)) if sounds is None else sounds
    protocol = protocol or default_protocol(table["speaker"])
    if protocol not in PROTOCOLS:
        raise unknown_name("kind of folds", protocol, PROTOCOLS)
    most = len(np.unique(sounds))
    if not isinstance(number, int | np.integer) or not 2 <= number <= most:
        raise UsageError(f"folds: 2 to {most} (the different clips there are); got {number}")
    emotion = table["emotion"].to_numpy(dtype=str)
    if protocol == RANDOM:
        return _with_note(_keep_together(emotion, sounds, number, seed), table, sounds)
    if default_protocol(table["speaker"]) == RANDOM:
        raise UsageError(
            f"speaker-independent folds need a known speaker for every clip and at least two; "
            f"{int(table['speaker'].isna().sum())} of {len(table)} clips have none, "
            f"{table['speaker'].nunique()} speaker(s) are known. Give the corpus a speaker column, "
            'or ask for random folds (kind = "random")'
        )
    speaker = tied_speakers(table["speaker"].to_numpy(dtype=str), sounds)
    if len(np.unique(speaker)) < 2:
        raise UsageError(
            "speaker-independent folds: every speaker shares a recording with another one, so that "
            "they cannot be told apart; see `nver corpus`, or ask for random folds"
        )
    return _with_note(_speaker_independent(emotion, speaker, number, seed), table, sounds)


def tied_speakers(speaker: npt.NDArray[Any], sounds: IntArray) -> npt.NDArray[Any]:
    """(clips,) speakers, where those who share a recording go by the name of the first of them."""
    names, code = np.unique(speaker, return_inverse=True)
    pairs = [(int(code[rows[0]]), int(c)) for rows in repeated(sounds) for c in code[rows[1:]]]
    part = joined(len(names), pairs)
    first = np.unique(part, return_index=True)[1]
    return np.asarray(names[first[part]][code])


def separated(fold: IntArray, sounds: IntArray) -> list[IntArray]:
    """The rows of every sound whose clips are in more than one fold: a leak."""
    return [rows for rows in repeated(sounds) if len(np.unique(fold[rows])) > 1]


def check_speakers(table: "pd.DataFrame", folds: Folds) -> None:
    """Raise `UsageError` where folds are called speaker-independent and are not.

    Every clip's speaker must be known, and the clips of each in one fold; that of clips which are
    only trained on (-1) counts as one, and that of validation clips (-2).
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
        more = f" and {len(split) - NAMED} more" if len(split) > NAMED else ""
        raise UsageError(
            f"{said}{len(split)} of {len(parts)} speakers are in training and test: "
            f"{', '.join(split[:NAMED])}{more}; keep the clips of a speaker in one fold, as "
            f"make_folds does, or call the folds {RANDOM!r}"
        )


def check_columns(table: "pd.DataFrame", columns: Sequence[str]) -> None:
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
    emotion: npt.NDArray[Any],
    speaker: npt.NDArray[Any] | None,
    share: float,
    seed: int,
) -> BoolArray:
    """Which clips of a training part are held out for early stopping, about `share` of them.

    By speaker where speakers are given (at least two): then at least one speaker, of few speakers
    more than the share. Where every choice of speakers would take an emotion out of training, or
    half of the clips, and where no speakers are given, stratified over clips; of fewer clips than
    1 / share none.
    """
    number = max(2, round(1 / share)) if share else 0
    if not number or len(emotion) < number:
        return np.zeros(len(emotion), np.bool_)
    random = np.random.default_rng(seed)
    if speaker is not None and len(np.unique(speaker)) >= 2:
        folds = _speaker_independent(emotion, speaker, number, seed)
        for held_out in random.permutation(folds.number):
            mask: BoolArray = folds.fold == held_out
            if mask.mean() <= 0.5 and len(np.unique(emotion[~mask])) == len(np.unique(emotion)):
                return mask
    return np.asarray(_random(emotion, number, seed).fold == random.integers(number))


def _random(emotion: npt.NDArray[Any], number: int, seed: int) -> Folds:
    from sklearn.model_selection import KFold, StratifiedKFold

    names, counts = np.unique(emotion, return_counts=True)
    rare = [str(name) for name, count in zip(names, counts, strict=True) if count < number]
    if rare:  # sklearn's stratification needs a clip of each emotion in each fold
        splitter: Any = KFold(number, shuffle=True, random_state=seed)
        note = f"not stratified: fewer than {number} clips of {', '.join(rare)}"
    else:
        splitter = StratifiedKFold(number, shuffle=True, random_state=seed)
        note = ""
    return Folds(RANDOM, seed, _assign(splitter.split(emotion, emotion), len(emotion)), note)


def _keep_together(emotion: npt.NDArray[Any], sounds: IntArray, number: int, seed: int) -> Folds:
    """Random folds of the first clip of each sound; its other clips go where it goes."""
    _, first, which = np.unique(sounds, return_index=True, return_inverse=True)
    kept = np.sort(first)
    folds = _random(emotion[kept], number, seed)
    fold = np.full(len(emotion), -1, np.int64)
    fold[kept] = folds.fold
    return replace(folds, fold=fold[first[which]])


def _with_note(folds: Folds, table: "pd.DataFrame", sounds: IntArray) -> Folds:
    """The folds, with a note that names the clips of the same sound, if there are any."""
    note = together_note(table, sounds)
    return replace(folds, note="; ".join(part for part in (folds.note, note) if part))


def together_note(table: "pd.DataFrame", sounds: IntArray) -> str:
    """Which clips share a sound and are kept in one fold, and which speakers that ties."""
    groups = repeated(sounds)
    if not groups:
        return ""
    clip, speaker = table["clip"].to_numpy(dtype=str), table["speaker"].to_numpy(dtype=object)
    named = [" = ".join(clip[rows]) for rows in groups[:NAMED]]
    more = f", and {len(groups) - NAMED} more" if len(groups) > NAMED else ""
    many = f"{len(groups)} sound{'s are' if len(groups) > 1 else ' is'} there more than once"
    tied = {tuple(sorted({str(s) for s in speaker[rows] if s == s and s})) for rows in groups}
    pairs = [" and ".join(names) for names in sorted(tied) if len(names) > 1]
    return (
        f"{many}; the clips of each are kept in one fold ({', '.join(named)}{more})"
        + (f"; SPEAKERS SHARE A SOUND, and are kept together: {', '.join(pairs)}" if pairs else "")
    )  # fmt: skip


def _speaker_independent(
    emotion: npt.NDArray[Any], speaker: npt.NDArray[Any], number: int, seed: int
) -> Folds:
    from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedGroupKFold

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
    parts = splitter.split(emotion, emotion, groups=speaker)
    return Folds(SPEAKER_INDEPENDENT, seed, _assign(_quietly(parts), len(emotion)), note)


def _quietly(parts: Any) -> list[Any]:
    """sklearn warns where an emotion has fewer clips than folds; stratifying is a wish here."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return list(parts)


def _assign(parts: Sequence[Any] | Any, clips: int) -> IntArray:
    fold = np.full(clips, -1, np.int64)
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    return fold
