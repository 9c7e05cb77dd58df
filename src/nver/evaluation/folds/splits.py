"""A fixed split by speakers: trained on some, stopped early by others, tested once on the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nver.corpora.duplicates import IntArray
from nver.corpora.filtering import wanted_speakers
from nver.errors import UsageError
from nver.evaluation.folds.fold_assignment import NAMED, ONLY_TRAINED, VALIDATION, Folds, separated
from nver.evaluation.folds.transfers import moved
from nver.evaluation.prepared_corpus import Material
from nver.recipe import Experiment
from nver.recipe.folds import SPLIT

if TYPE_CHECKING:
    import pandas as pd

CODES = {"train": ONLY_TRAINED, "validation": VALIDATION, "test": 0}


def split(material: Material, experiment: Experiment) -> list[tuple[Material, Folds]]:
    """The clips of the speakers named in [folds], and for every seed the one fold they make.

    Of clips of the same recording the first is kept.

    Raises:
        UsageError: a speaker is unknown or in two parts, a recording is in two, or a part lacks an
            emotion of the test.
    """
    parts = speakers_by_part(material.clips["speaker"], experiment.folds.parts)
    part_of = {speaker: CODES[part] for part, own in parts.items() for speaker in own}
    code = material.clips["speaker"].map(part_of)
    named = np.flatnonzero(code.notna())
    _check_sounds(with_rows(material, named), np.asarray(code.iloc[named], np.int64))
    rows = without_repeats(material, named)
    fold: IntArray = np.asarray(code.iloc[rows], np.int64)
    kept = with_rows(material, rows)
    _check_emotions(kept, fold)
    note = _note(kept, fold, len(named) - len(rows), len(material.clips) - len(named))
    return [(kept, Folds(SPLIT, seed, fold, note)) for seed in experiment.folds.seeds]


def speakers_by_part(
    speaker: "pd.Series", parts: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """part -> the speakers that its ids and ranges name, sorted; each is in one part."""
    known = sorted(set(speaker.dropna()))
    found: dict[str, list[str]] = {}
    taken: dict[str, str] = {}
    for part, wanted in parts.items():
        found[part] = sorted(wanted_speakers(wanted, known, f"[folds] {part}"))
        if both := [name for name in found[part] if name in taken]:
            raise UsageError(
                f"[folds]: {_named(both, 'speaker')} in {part} and in {taken[both[0]]}; "
                "a speaker is in one part"
            )
        taken |= dict.fromkeys(found[part], part)
    return found


def with_rows(material: Material, rows: IntArray) -> Material:
    """The material with only these rows (ascending)."""
    clips = material.clips.iloc[rows].reset_index(drop=True)
    here = set(clips["emotion"])
    return replace(
        material,
        clips=clips,
        emotions=[emotion for emotion in material.emotions if emotion in here],
        embeddings={label: array[rows] for label, array in material.embeddings.items()},
        sounds=material.sounds[rows],
        prints=material.prints[rows],
        stress={kind: moved(one, rows, 0) for kind, one in material.stress.items()},
    )


def without_repeats(material: Material, rows: IntArray) -> IntArray:
    """The rows less those whose recording is there before: a clip twice is no more data."""
    first = np.unique(material.sounds[rows], return_index=True)[1]
    return np.asarray(rows[np.sort(first)], np.int64)


def _check_sounds(material: Material, fold: IntArray) -> None:
    if torn := separated(fold, material.sounds):
        clip = material.clips["clip"].to_numpy(dtype=str)
        names = [" = ".join(clip[rows]) for rows in torn]
        raise UsageError(
            f"[folds]: {_named(names, 'recording')} in two parts of the split; leave one of the "
            "speakers out of all parts, or put both into one"
        )


def _check_emotions(material: Material, fold: IntArray) -> None:
    for part in ("train", "test"):
        there = set(material.clips["emotion"][fold == CODES[part]])
        if lacking := [emotion for emotion in material.emotions if emotion not in there]:
            raise UsageError(
                f"[folds]: no clip of {', '.join(lacking)} in {part}; name more speakers there, or "
                "leave the emotion out by [filter] emotions"
            )


def _note(material: Material, fold: IntArray, repeats: int, left: int) -> str:
    sizes = {part: _size(material, fold == code) for part, code in CODES.items()}
    said = (
        f"trained on {sizes['train']}, stopped early by {sizes['validation']}, tested on "
        f"{sizes['test']}; no speaker is in two parts"
    )
    said += f"; {repeats:,} clips left out whose recording is there before" if repeats else ""
    return said + (f"; {left:,} clips of other speakers are not used" if left else "")


def _size(material: Material, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> str:
    speaker = material.clips["speaker"][mask]
    first, last = speaker.min(), speaker.max()
    return f"{int(mask.sum()):,} clips of {speaker.nunique():,} speakers ({first} to {last})"


def _named(names: Sequence[str], noun: str) -> str:
    """ "2 speakers are, first a, b", the first few by name."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    many = f"{len(names)} {noun}s are" if len(names) > 1 else f"a {noun} is"
    return f"{many} ({', '.join(names[:NAMED])}{more})"
