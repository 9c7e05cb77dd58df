"""Train on one corpus, test on another: what they share by a label map, as material with a fold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nver.corpora.duplicates import IntArray, same_sounds
from nver.errors import UsageError, unknown_name
from nver.evaluation.cells.cell import Stressed
from nver.evaluation.folds.fold_assignment import NAMED, ONLY_TRAINED, Folds
from nver.evaluation.prepared_corpus import Material, waveform_reader
from nver.recipe import Experiment


@dataclass(frozen=True)
class Mapped:
    """The clips of a corpus that are used, by row, with the shared names of their emotions."""

    material: Material
    rows: IntArray
    emotion: list[str]
    left_out: Mapping[str, int]


def cross_corpus(train: str, test: str) -> str:
    """The protocol's name in tables."""
    return f"cross-corpus: {train} -> {test}"


def transfers(
    materials: Sequence[Material], experiment: Experiment
) -> list[tuple[Material, Folds]]:
    """For every transfer of the recipe and seed, material of both corpora and its one fold.

    Raises:
        UsageError: a label map names an emotion that the corpus has not, fewer than two emotions
            are shared, no clip is left on one side, or a speaker is on both.
    """
    by_name = {m.corpus.name: m for m in materials}
    check_labels(materials, experiment.labels)
    found = []
    for entry in experiment.transfers:
        material, tested, note = transfer(by_name[entry.train], by_name[entry.test], experiment)
        protocol = cross_corpus(entry.train, entry.test)
        fold = np.where(tested, 0, ONLY_TRAINED)
        found += [(material, Folds(protocol, seed, fold, note)) for seed in experiment.folds.seeds]
    return found


def check_labels(materials: Sequence[Material], labels: Mapping[str, Mapping[str, str]]) -> None:
    for corpus in (m.corpus for m in materials):
        known = list(dict.fromkeys([*corpus.card.emotions, *corpus.emotions]))
        for emotion in labels.get(corpus.name, {}):
            if emotion not in known:
                raise unknown_name(f"emotion of {corpus.name} in [labels]:", emotion, known)


def transfer(
    train: Material, test: Material, experiment: Experiment
) -> tuple[Material, "np.ndarray[tuple[int], np.dtype[np.bool_]]", str]:
    """(material of the clips that both corpora share, which of them are tested, a note).

    Clips of the training corpus whose recording is in the test corpus too are left out. Speakers'
    ids are a corpus's own; of two corpora in one folder they are the same people, and those of whom
    clips are left on both sides are refused.
    """
    shared = shared_emotions(train, test, experiment.labels)
    one, other = (mapped(m, experiment.labels, shared) for m in (train, test))
    known = _known_sounds(one, other)
    one = replace(
        one,
        rows=one.rows[~known],
        emotion=[e for e, leak in zip(one.emotion, known, strict=True) if not leak],
    )
    _check_speakers(one, other)
    missing = [e for e in shared if e not in one.emotion or e not in other.emotion]
    if missing:
        raise UsageError(
            f"{train.corpus.name} -> {test.corpus.name}: no clip of {', '.join(missing)} is left"
        )
    tested = np.arange(len(one.rows) + len(other.rows)) >= len(one.rows)
    return _joined(one, other, shared), tested, _note(one, other, int(known.sum()))


def shared_emotions(
    train: Material, test: Material, labels: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """The names that clips of both corpora have, in the order of the training corpus."""
    names = [
        list(dict.fromkeys(n for e in m.emotions if (n := shared_name(m, e, labels)) is not None))
        for m in (train, test)
    ]
    shared = [name for name in names[0] if name in names[1]]
    if len(shared) < 2:
        raise UsageError(
            f"{train.corpus.name} -> {test.corpus.name}: at least two emotions must be shared, got "
            f"{', '.join(shared) or 'none'}; {train.corpus.name} has {', '.join(names[0])}, "
            f"{test.corpus.name} has {', '.join(names[1])}. Map them to common names in "
            f"[labels.{train.corpus.name}] and [labels.{test.corpus.name}]"
        )
    return shared


def shared_name(
    material: Material, emotion: str, labels: Mapping[str, Mapping[str, str]]
) -> str | None:
    """By the corpus's map, None where that has no entry; its own name where there is no map."""
    own = labels.get(material.corpus.name)
    return emotion if own is None else own.get(emotion)


def mapped(
    material: Material, labels: Mapping[str, Mapping[str, str]], shared: Sequence[str]
) -> Mapped:
    """The clips of a corpus whose emotion is shared, and how many of each other one there are."""
    emotion = material.clips["emotion"].tolist()
    names = [shared_name(material, e, labels) for e in emotion]
    rows = [row for row, name in enumerate(names) if name in shared]
    left_out = Counter(e for e, name in zip(emotion, names, strict=True) if name not in shared)
    return Mapped(material, np.array(rows), [str(names[row]) for row in rows], left_out)


def _check_speakers(train: Mapped, test: Mapped) -> None:
    """Raise `UsageError` where corpora of one folder, or of a folder in it, share speakers."""
    corpora = [part.material.corpus for part in (train, test)]
    one, other = (corpus.root.resolve() for corpus in corpora)
    if not (one.is_relative_to(other) or other.is_relative_to(one)):
        return
    speakers = [set(m.material.clips["speaker"].iloc[m.rows].dropna()) for m in (train, test)]
    if both := sorted(speakers[0] & speakers[1]):
        names = [corpus.name for corpus in corpora]
        more = f" and {len(both) - NAMED} more" if len(both) > NAMED else ""
        raise UsageError(
            f"{' -> '.join(names)}: both lie in {min(one, other)}, and "
            f"{len(both)} speakers of the training are tested: {', '.join(both[:NAMED])}{more}; "
            f"give them other speakers in [filters.{names[0]}] and [filters.{names[1]}]"
        )


def _known_sounds(train: Mapped, test: Mapped) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """(training clips,): whether the same recording is among the test clips."""
    prints = np.concatenate([m.material.prints[m.rows] for m in (train, test)])
    clips = [m.material.clips.iloc[m.rows] for m in (train, test)]
    readers = [waveform_reader(table) for table in clips]
    size = len(train.rows)
    sounds = same_sounds(
        prints, lambda row: readers[0](row) if row < size else readers[1](row - size)
    )
    return np.isin(sounds[:size], sounds[size:])


def _joined(train: Mapped, test: Mapped, shared: list[str]) -> Material:
    """One material under the name of the test corpus, the training clips first."""
    import pandas as pd

    parts = (train, test)
    clips = [m.material.clips.iloc[m.rows].assign(emotion=m.emotion) for m in parts]
    labels = test.material.embeddings
    return replace(
        test.material,
        clips=pd.concat(clips, ignore_index=True),
        emotions=shared,
        embeddings={
            label: np.concatenate([m.material.embeddings[label][m.rows] for m in parts])
            for label in labels
        },
        sounds=np.arange(sum(len(m.rows) for m in parts)),
        prints=np.concatenate([m.material.prints[m.rows] for m in parts]),
        stress={
            kind: moved(one, test.rows, len(train.rows))
            for kind, one in test.material.stress.items()
        },
    )


def moved(stress: Stressed, rows: IntArray, offset: int) -> Stressed:
    """Stress of a table of which only `rows` (ascending) are left, after `offset` others."""
    kept = np.isin(stress.rows, rows)
    places = offset + np.searchsorted(rows, stress.rows[kept])
    return Stressed(places, {label: e[kept] for label, e in stress.embeddings.items()})


def _note(train: Mapped, test: Mapped, known: int) -> str:
    said = [f"trained on {_size(train)}, tested on {_size(test)}"]
    for part in (train, test):
        if part.left_out:
            counts = ", ".join(f"{emotion} {n:,}" for emotion, n in part.left_out.items())
            said.append(f"clips of {part.material.corpus.name} left out, not shared: {counts}")
    if known:
        said.append(f"clips left out of training, as their recording is tested: {known:,}")
    return "; ".join(said)


def _size(part: Mapped) -> str:
    speakers = part.material.clips.iloc[part.rows]["speaker"].nunique()
    whose = f"{speakers:,} speakers" if speakers else "unknown speakers"
    return f"{len(part.rows):,} clips of {whose} of {part.material.corpus.name}"
