"""A fixed split by speakers: trained on some, stopped early by others, tested once on the rest."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from nver.corpora.duplicates import IntArray
from nver.corpora.filtering import wanted_speakers
from nver.errors import UsageError, first_few
from nver.evaluation.folds.fold_assignment import NAMED, ONLY_TRAINED, VALIDATION, Folds, separated
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.recipe import Experiment
from nver.recipe.folds import SPLIT

PARTS = {"train": ONLY_TRAINED, "validation": VALIDATION, "test": 0}  # part -> its place in Folds


def split(corpus: PreparedCorpus, experiment: Experiment) -> list[tuple[PreparedCorpus, Folds]]:
    """The clips of the speakers named in [folds], and for every seed the one fold they make.

    Of clips of the same recording the first is kept.

    Raises:
        UsageError: a speaker is unknown or in two parts, a recording is in two, or a part lacks an
            emotion of the test.
    """
    parts = speakers_by_part(corpus.clips["speaker"], experiment.folds.parts)
    fold_of = {speaker: PARTS[part] for part, own in parts.items() for speaker in own}
    fold = corpus.clips["speaker"].map(fold_of)
    named = np.flatnonzero(fold.notna())
    _check_recordings(corpus, named, np.asarray(fold.iloc[named], np.int64))
    rows = corpus.without_repeats(named)
    kept = corpus.with_rows(rows)
    code = np.asarray(fold.iloc[rows], np.int64)
    _check_emotions(kept, code)
    note = _note(kept, code, len(named) - len(rows), len(corpus.clips) - len(named))
    return [(kept, Folds(SPLIT, seed, code, note)) for seed in experiment.folds.seeds]


def speakers_by_part(
    speaker: pd.Series, parts: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """part -> the speakers that its ids and ranges name, sorted; each is in one part."""
    known = sorted(set(speaker.dropna()))
    found = {
        part: sorted(wanted_speakers(wanted, known, f"[folds] {part}"))
        for part, wanted in parts.items()
    }
    for one, other in combinations(found, 2):
        if both := [name for name in found[other] if name in found[one]]:
            raise UsageError(
                f"[folds]: {_named(both, 'speaker')} in {other} and in {one}; "
                "a speaker is in one part"
            )
    return found


def _check_recordings(corpus: PreparedCorpus, rows: IntArray, fold: IntArray) -> None:
    """Raise `UsageError` where the same recording is in two parts."""
    if torn := separated(fold, corpus.sounds[rows]):
        clip = corpus.clips["clip"].to_numpy(dtype=str)[rows]
        names = [" = ".join(clip[own]) for own in torn]
        raise UsageError(
            f"[folds]: {_named(names, 'recording')} in two parts of the split; leave one of the "
            "speakers out of all parts, or put both into one"
        )


def _check_emotions(corpus: PreparedCorpus, fold: IntArray) -> None:
    """Raise `UsageError` where training or test lack an emotion."""
    for part in ("train", "test"):
        there = set(corpus.clips["emotion"][fold == PARTS[part]])
        if lacking := [emotion for emotion in corpus.emotions if emotion not in there]:
            raise UsageError(
                f"[folds]: no clip of {', '.join(lacking)} in {part}; name more speakers there, or "
                "leave the emotion out by [filter] emotions"
            )


def _note(corpus: PreparedCorpus, fold: IntArray, repeats: int, left: int) -> str:
    train, validation, test = (_size(corpus.clips[fold == code]) for code in PARTS.values())
    said = (
        f"trained on {train}, stopped early by {validation}, tested on {test}; "
        "no speaker is in two parts"
    )
    said += f"; {repeats:,} clips left out whose recording is there before" if repeats else ""
    return said + (f"; {left:,} clips of other speakers are not used" if left else "")


def _size(clips: pd.DataFrame) -> str:
    speaker = clips["speaker"]
    first, last = speaker.min(), speaker.max()
    return f"{len(clips):,} clips of {speaker.nunique():,} speakers ({first} to {last})"


def _named(names: Sequence[str], noun: str) -> str:
    """ "2 speakers are (a, b)": how many, and the first few by name."""
    many = f"{len(names)} {noun}s are" if len(names) > 1 else f"a {noun} is"
    return f"{many} ({first_few(names, NAMED)})"
