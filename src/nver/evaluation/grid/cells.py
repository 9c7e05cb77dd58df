"""Every cell of a recipe: where it stands in the grid, what it costs, and what decides it."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from nver.corpora import Corpus
from nver.encoders import card_of
from nver.evaluation.cells.cell import Cell, cell_key, digest
from nver.evaluation.folds.fold_assignment import Folds, default_protocol
from nver.evaluation.folds.transfers import cross_corpus
from nver.evaluation.grid.plan import PlannedCell
from nver.evaluation.missing import Missing
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.recipe import NO_FOLDS, ClassifierEntry, Experiment, experiment_to_tree, systems_of
from nver.recipe.folds import FOLDS, SPEAKER_INDEPENDENT, SPLIT
from nver.registry import lookup, names

# Seconds of one training step of 32 clips on one core of a Zen 4: (at no dimension, for each
# dimension of the embeddings); measured with the default options at 768 to 3840 dimensions. Only
# their ratios matter once a cell is finished. Other classifiers count as RENO.
STEP_S = {
    "linear": (0.0004, 0.1e-6),
    "fcn": (0.001, 0.8e-6),
    "cnn": (0.0065, 17.6e-6),
    "concat": (0.0075, 17.9e-6),
    "reno": (0.0195, 17.3e-6),
}
UNKNOWN_DIM = 768  # until the weights say (our choice: the commonest)
DECISIVE = ("filter", "filters", "labels", "training", "stress")  # tables that decide every cell

# (classifier, labels of its encoders) -> seconds of one training step
StepSeconds = Callable[[ClassifierEntry, Sequence[str]], float]
# a corpus, and its cells under some folds: what is trained, and its place in the plan
Group = tuple[PreparedCorpus, Sequence[tuple[Cell, PlannedCell]]]


@dataclass(frozen=True)
class Size:
    """How large a corpus is, as far as it is known before its audio is read."""

    corpus: str
    clips: int
    emotions: int
    speakers: int
    protocol: str


@dataclass(frozen=True)
class Place:
    """A corpus under one kind of folds: `folds` trainings a cell, on `clips` on average.

    `corpora` are the corpora whose clips are used: the corpus alone, or both of a transfer.
    """

    corpus: str
    protocol: str
    corpora: tuple[str, ...]
    folds: int
    clips: float


def plan_cells(
    experiment: Experiment,
    corpora: Sequence[Corpus],
    missing: Sequence[Missing],
    timed: StepSeconds | None = None,
) -> list[PlannedCell]:
    """Every cell of a recipe in the order of training, before any audio is read: without keys.

    Args:
        corpora: what is here; the size of the others is the published one.
        missing: the corpora and encoders that cells wait for.
        timed: seconds of a step, measured on this machine; None: by `STEP_S`.
    """
    absent = {(entry.kind, entry.name) for entry in missing}
    found = []
    for place in _places(experiment, sizes_of(corpora, experiment)):
        for seed in experiment.folds.seeds:
            for _, stream, cell in _planned(experiment, place, seed, timed):
                waits = [name for name in place.corpora if ("corpus", name) in absent]
                waits += [label for label in stream if ("encoder", label) in absent]
                found.append(replace(cell, waits_for=", ".join(waits)))
    return found


def cells_of(prepared: PreparedCorpus, folds: Folds, experiment: Experiment) -> Group:
    """The cells of a prepared corpus under some folds, planned with their keys."""
    name = prepared.corpus.name
    sides = {cross_corpus(t.train, t.test): (t.train, t.test) for t in experiment.transfers}
    clips = len(folds.fold) - float(folds.tested.sum()) / folds.number
    place = Place(name, folds.protocol, sides.get(folds.protocol, (name,)), folds.number, clips)
    digests = {label: digest(rows) for label, rows in prepared.embeddings.items()}
    decisive = (digests, experiment.training, prepared.emotions, prepared.stress)
    found = []
    for entry, stream, planned in _planned(experiment, place, folds.seed):
        cell = Cell(entry.name, stream, folds, entry.label, entry.options, entry.tune)
        key = cell_key(cell, prepared.clips, *decisive)[:32]
        found.append((cell, replace(planned, key=key)))
    return prepared, found


def _planned(
    experiment: Experiment, place: Place, seed: int, timed: StepSeconds | None = None
) -> Iterator[tuple[ClassifierEntry, tuple[str, ...], PlannedCell]]:
    """(classifier, encoders, cell) of every system of a recipe in one place."""
    tree, training = experiment_to_tree(experiment), experiment.training
    steps = steps_of(place.clips, training.batch_size)
    for entry, stream in systems_of(experiment):
        tried = prod(len(values) for values in entry.tune.values())
        total = tried * place.folds * training.epochs * steps
        dims = [dim_of(experiment, label) for label in stream]
        seconds = timed(entry, stream) if timed else step_seconds(entry.name, dims)
        cell = PlannedCell(
            place.corpus,
            place.protocol,
            seed,
            "+".join(stream),
            entry.label,
            trainings=place.folds,
            steps=steps,
            cost=total * seconds,
            mark=_mark(tree, place.corpora, entry.label, stream),
        )
        yield entry, stream, cell


def _mark(
    tree: Mapping[str, Any], corpora: Collection[str], classifier: str, stream: Collection[str]
) -> str:
    """SHA-256 of the parts of a recipe that decide a cell; its place says the rest.

    Two recipes that agree on them have the cell in common.
    """
    (own,) = (entry for entry in tree["classifiers"] if entry["label"] == classifier)
    decisive = {
        **{table: tree.get(table) for table in DECISIVE},
        "corpora": [entry for entry in tree["corpora"] if entry["name"] in corpora],
        "roots": {name: root for name, root in tree["roots"].items() if name in corpora},
        "encoders": [entry for entry in tree["encoders"] if entry["label"] in stream],
        "classifier": _without(own, "encoders"),
        "folds": _without(tree["folds"], "kind", "seeds"),
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _without(table: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in table.items() if key not in keys}


def step_seconds(classifier: str, dims: Sequence[int]) -> float:
    """Seconds of one training step by `STEP_S`."""
    base, each = STEP_S.get(classifier, STEP_S["reno"])
    return base + each * sum(dims)


def steps_of(training_clips: float, batch_size: int) -> int:
    """Training steps an epoch, of a training part less a tenth for validation."""
    return -(-int(0.9 * training_clips) // batch_size)


def dim_of(experiment: Experiment, label: str) -> int:
    """An embedding's length as the encoder's card has it."""
    spec = experiment.encoders[label]
    width = 2 if spec.pooling == "mean+std" else 1
    return width * (card_of(spec.name).dim or UNKNOWN_DIM)


def _places(experiment: Experiment, sizes: Sequence[Size]) -> Iterator[Place]:
    for size in sizes:
        for kind in experiment.folds.kind or (size.protocol,):
            folds = experiment.folds.number or max(2, min(FOLDS, size.clips))
            if kind == SPEAKER_INDEPENDENT and size.speakers:
                folds = min(folds, size.speakers)
            clips = size.clips * (folds - 1) / folds
            if kind != NO_FOLDS:
                trainings = 1 if kind == SPLIT else folds
                yield Place(size.corpus, kind, (size.corpus,), trainings, clips)
    all_clips = {size.corpus: size.clips for size in sizes}
    for train, test in ((t.train, t.test) for t in experiment.transfers):
        yield Place(test, cross_corpus(train, test), (train, test), 1, all_clips[train])


def sizes_of(corpora: Sequence[Corpus], experiment: Experiment) -> list[Size]:
    """The size of each corpus of the recipe; of one that is not here, the published size.

    A corpus that is not here and has no published counts has 0 clips.
    """
    here = {corpus.name: corpus for corpus in corpora}
    return [
        _size(here[entry.name]) if entry.name in here else _published(entry.name, entry.options)
        for entry in experiment.corpora
    ]


def _size(corpus: Corpus) -> Size:
    speaker, emotions = corpus.table["speaker"], len(corpus.emotions)
    return Size(corpus.name, len(speaker), emotions, speaker.nunique(), default_protocol(speaker))


def _published(name: str, options: Mapping[str, object]) -> Size:
    if name not in names("corpora"):
        return Size(name, 0, 0, 0, SPEAKER_INDEPENDENT)
    card = lookup("corpora", name)
    if card.variant:
        card = replace(card, **card.variant({**card.options, **options}))
    return Size(name, card.clips or 0, len(card.emotions), card.speakers or 0, SPEAKER_INDEPENDENT)
