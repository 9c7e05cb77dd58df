"""Train on one corpus, test on another: the clips whose emotions both share by a label map."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from nver.corpora import Corpus
from nver.corpora.duplicates import IntArray
from nver.errors import UsageError, first_few
from nver.evaluation.folds.fold_assignment import NAMED, ONLY_TRAINED, BoolArray, Folds
from nver.evaluation.prepared_corpus import PreparedCorpus, sounds_of
from nver.recipe import Experiment
from nver.recipe.values import check_known

Labels = Mapping[str, Mapping[str, str]]  # corpus -> its emotion -> the shared name


def cross_corpus(train: str, test: str) -> str:
    """The protocol's name in tables."""
    return f"cross-corpus: {train} -> {test}"


def transfers(
    corpora: Sequence[PreparedCorpus], experiment: Experiment
) -> Iterator[tuple[PreparedCorpus, Folds]]:
    """For every transfer of the recipe and seed, the clips of both corpora and their one fold.

    Raises:
        UsageError: a label map names an emotion that the corpus has not, fewer than two emotions
            are shared, no clip is left on one side, or a speaker is on both.
    """
    by_name = {corpus.name: corpus for corpus in corpora}
    for corpus in corpora:
        check_labels(corpus.corpus, experiment.labels)
    for entry in experiment.transfers:
        both, fold, note = transfer(by_name[entry.train], by_name[entry.test], experiment.labels)
        for seed in experiment.folds.seeds:
            yield both, Folds(cross_corpus(entry.train, entry.test), seed, fold, note)


def check_labels(corpus: Corpus, labels: Labels) -> None:
    """Raise `UsageError` where the label map names an emotion that the corpus has not."""
    known = {*corpus.card.emotions, *corpus.emotions}
    check_known(f"emotion of {corpus.name} in [labels]:", labels.get(corpus.name, {}), known)


def transfer(
    train: PreparedCorpus, test: PreparedCorpus, labels: Labels
) -> tuple[PreparedCorpus, IntArray, str]:
    """(the test corpus after the training clips, which of the clips are tested, a note).

    Clips of the training corpus whose recording is in the test corpus too are left out. Ids of
    speakers hold within a corpus; two corpora in one folder have the same people, and a speaker
    with clips on both sides is refused.
    """
    names = shared_names(train, test, labels)
    one, other = train.relabelled(names[0]), test.relabelled(names[1])
    known = _tested_recordings(one, other)
    one = one.with_rows(np.flatnonzero(~known))
    _check_speakers(one, other)
    shared = list(dict.fromkeys(names[0].values()))
    if lacking := [e for e in shared if e not in one.emotions or e not in other.emotions]:
        raise UsageError(f"{train.name} -> {test.name}: no clip of {', '.join(lacking)} is left")
    note = [f"trained on {_size(one)}, tested on {_size(other)}"]
    note += [said for pair in zip((train, test), names, strict=True) if (said := _left_out(*pair))]
    if known.any():
        note.append(f"clips left out of training, as their recording is tested: {known.sum():,}")
    fold = np.repeat([ONLY_TRAINED, 0], [len(one.clips), len(other.clips)])
    return other.after(one), fold, "; ".join(note)


def shared_names(
    train: PreparedCorpus | Corpus, test: PreparedCorpus | Corpus, labels: Labels
) -> list[dict[str, str]]:
    """For each of the two corpora: its emotion -> the shared name, in the corpus's order."""
    own, other = _names(train, labels), _names(test, labels)
    shared = set(own.values()) & set(other.values())
    if len(shared) < 2:
        raise UsageError(
            f"{train.name} -> {test.name}: at least two emotions must be shared, got "
            f"{', '.join(sorted(shared)) or 'none'}; "
            f"{train.name} has {', '.join(dict.fromkeys(own.values()))}, "
            f"{test.name} has {', '.join(dict.fromkeys(other.values()))}. Map them to common names "
            f"in [labels.{train.name}] and [labels.{test.name}]"
        )
    return [{e: name for e, name in names.items() if name in shared} for names in (own, other)]


def _names(corpus: PreparedCorpus | Corpus, labels: Labels) -> dict[str, str]:
    """Emotion -> its name in the corpus's label map; without a map, its own name."""
    own = labels.get(corpus.name, dict(zip(corpus.emotions, corpus.emotions, strict=True)))
    return {emotion: own[emotion] for emotion in corpus.emotions if emotion in own}


def _tested_recordings(train: PreparedCorpus, test: PreparedCorpus) -> BoolArray:
    """(training clips,): whether the same recording is among the test clips."""
    clips = pd.concat([corpus.clips[["file", "start", "end"]] for corpus in (train, test)])
    sounds = sounds_of(clips, np.concatenate([train.prints, test.prints]))
    size = len(train.clips)
    return np.isin(sounds[:size], sounds[size:])


def _check_speakers(train: PreparedCorpus, test: PreparedCorpus) -> None:
    """Raise `UsageError` where corpora of one folder, or of a folder in it, share speakers."""
    one, other = train.corpus.root.resolve(), test.corpus.root.resolve()
    if not (one.is_relative_to(other) or other.is_relative_to(one)):
        return
    speakers = [set(corpus.clips["speaker"].dropna()) for corpus in (train, test)]
    if both := sorted(speakers[0] & speakers[1]):
        raise UsageError(
            f"{train.name} -> {test.name}: both lie in {min(one, other)}, and "
            f"{len(both)} speakers of the training are tested: {first_few(both, NAMED)}; "
            f"give them other speakers in [filters.{train.name}] and [filters.{test.name}]"
        )


def _left_out(corpus: PreparedCorpus, names: Mapping[str, str]) -> str:
    """A sentence on the clips whose emotion is not shared, "" where there are none."""
    left_out = Counter(emotion for emotion in corpus.clips["emotion"] if emotion not in names)
    if not left_out:
        return ""
    counts = ", ".join(f"{emotion} {clips:,}" for emotion, clips in left_out.items())
    return f"clips of {corpus.name} left out, not shared: {counts}"


def _size(corpus: PreparedCorpus) -> str:
    speakers = corpus.clips["speaker"].nunique()
    whose = f"{speakers:,} speakers" if speakers else "unknown speakers"
    return f"{len(corpus.clips):,} clips of {whose} of {corpus.name}"
