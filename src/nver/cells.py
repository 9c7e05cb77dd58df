"""The cells of a run: planned, evaluated one after the other, and kept when they are finished."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora import Corpus
from nver.errors import NverError
from nver.evaluation import Cell, cell_key, digest, evaluate_cells
from nver.experiment import NO_FOLDS, ClassifierEntry, Experiment, experiment_to_tree, streams_of
from nver.folds import SPEAKER_INDEPENDENT, SPLIT, Folds, default_protocol
from nver.material import Material
from nver.missing import Missing
from nver.planning import (
    PlannedCell,
    cell_cost,
    cell_file,
    is_finished,
    steps_of,
    stress_file,
    trainings_file,
)
from nver.predictions import read_predictions, write_predictions
from nver.stress import read_stress
from nver.trainings import read_trainings, write_trainings
from nver.transfers import cross_corpus

if TYPE_CHECKING:
    import pandas as pd

    Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]

Keyed = tuple[Cell, str]  # a cell and the name of its file
UNKNOWN_DIM = 768  # for the plan's cost, until the weights say (our choice: the commonest)
DECIDING = ("filter", "filters", "labels", "training", "stress")  # tables of a recipe, any cell
log = logging.getLogger("nver")


@dataclass(frozen=True)
class Size:
    """How large a corpus is, as far as it is known before its audio is read."""

    corpus: str
    clips: int
    emotions: int
    speakers: int
    protocol: str


def sizes_of(corpora: Sequence[Corpus], experiment: Experiment) -> list[Size]:
    """Those of the corpora that are here, in the recipe's order; counts of the others as published.

    A corpus that is not here and has no published counts has 0 clips.
    """
    here = {corpus.name: corpus for corpus in corpora}
    return [
        _size(here[entry.name]) if entry.name in here else _published(entry.name, entry.options)
        for entry in experiment.corpora
    ]


def _size(corpus: Corpus) -> Size:
    table = corpus.table
    return Size(
        corpus.name,
        len(table),
        len(corpus.emotions),
        int(table["speaker"].nunique()),
        default_protocol(table["speaker"]),
    )


def _published(name: str, options: Mapping[str, object]) -> Size:
    from nver.registry import lookup, names

    if name not in names("corpora"):
        return Size(name, 0, 0, 0, SPEAKER_INDEPENDENT)
    card = lookup("corpora", name)
    if card.variant:
        card = replace(card, **card.variant({**card.options, **options}))
    return Size(name, card.clips or 0, len(card.emotions), card.speakers or 0, SPEAKER_INDEPENDENT)


def plan_cells(
    experiment: Experiment, sizes: Sequence[Size], missing: Sequence[Missing]
) -> list[PlannedCell]:
    """Every cell of a recipe, in the order in which they are trained; keys are not known yet."""
    absent = {(entry.kind, entry.name) for entry in missing}
    found: list[PlannedCell] = []
    for size in sizes:
        for kind in kinds_of(experiment, size):
            folds = experiment.folds.number
            if kind == SPEAKER_INDEPENDENT and size.speakers:
                folds = min(folds, size.speakers)
            waits = [size.corpus] if ("corpus", size.corpus) in absent else []
            clips = size.clips * (folds - 1) / folds
            folds = 1 if kind == SPLIT else folds
            place = (size.corpus, kind)
            found += _cells(experiment, place, clips, folds, waits, absent)
    by_name = {size.corpus: size for size in sizes}
    for transfer in experiment.transfers:
        sides = (transfer.train, transfer.test)
        waits = [name for name in sides if ("corpus", name) in absent]
        place = (transfer.test, cross_corpus(*sides))
        found += _cells(experiment, place, by_name[transfer.train].clips, 1, waits, absent)
    return found


def kinds_of(experiment: Experiment, size: Size) -> list[str]:
    """The kinds of folds of a corpus."""
    return [kind for kind in experiment.folds.kind or (size.protocol,) if kind != NO_FOLDS]


def _cells(
    experiment: Experiment,
    place: tuple[str, str],
    clips: float,
    folds: int,
    waits: Sequence[str],
    absent: Collection[tuple[str, str]],
) -> Iterator[PlannedCell]:
    """Those of one corpus and kind of folds, with so many clips in a training part."""
    for seed in experiment.folds.seeds:
        for entry in experiment.classifiers:
            for stream in streams_of(entry, list(experiment.encoders)):
                without = [e for e in stream if ("encoder", e) in absent]
                steps = steps_of(clips, experiment.training.batch_size)
                yield PlannedCell(
                    *place, seed, "+".join(stream), entry.label, folds, steps,
                    _cost(entry, stream, experiment, steps, folds),
                    waits_for=", ".join([*waits, *without]),
                )  # fmt: skip


def _cost(
    entry: ClassifierEntry, stream: Sequence[str], experiment: Experiment, steps: int, folds: int
) -> float:
    dims = [dim_of(experiment, label) for label in stream]
    epochs = experiment.training.epochs
    tried = prod(len(values) for values in entry.tune.values())
    return tried * cell_cost(entry.name, dims, steps, trainings=folds, epochs=epochs)


def marked(cells: Sequence[PlannedCell], experiment: Experiment) -> list[PlannedCell]:
    """The cells, each with a digest of what in the recipe decides it, and not of the others."""
    tree = experiment_to_tree(experiment)
    labels = list(experiment.encoders)
    streams = {
        (c.label, "+".join(s)): s for c in experiment.classifiers for s in streams_of(c, labels)
    }
    sides = {cross_corpus(t.train, t.test): (t.train, t.test) for t in experiment.transfers}
    found = []
    for cell in cells:
        corpora = sides.get(cell.protocol, (cell.corpus,))
        decides = _deciding(tree, corpora, streams[cell.classifier, cell.encoders], cell.classifier)
        text = json.dumps(decides, sort_keys=True)
        found.append(replace(cell, mark=hashlib.sha256(text.encode()).hexdigest()))
    return found


def _deciding(
    tree: Mapping[str, Any], corpora: Collection[str], stream: Collection[str], classifier: str
) -> dict[str, Any]:
    """What in a recipe's tables decides one cell; its place in the grid says the rest."""
    apart = ("kind", "seeds")
    (own,) = (c for c in tree["classifiers"] if c["label"] == classifier)
    return {
        **{key: tree.get(key) for key in DECIDING},
        "corpora": [c for c in tree["corpora"] if c["name"] in corpora],
        "roots": {name: root for name, root in tree.get("roots", {}).items() if name in corpora},
        "encoders": [e for e in tree["encoders"] if e["label"] in stream],
        "classifier": {key: value for key, value in own.items() if key != "encoders"},
        "folds": {key: value for key, value in tree["folds"].items() if key not in apart},
    }


def dim_of(experiment: Experiment, label: str) -> int:
    """An embedding's length as the encoder's card has it."""
    from nver.encoders import card_of

    spec = experiment.encoders[label]
    width = 2 if spec.pooling == "mean+std" else 1
    return width * (card_of(spec.name).dim or UNKNOWN_DIM)


# ----------------------------------------------------------------------------------- evaluated


def with_keys(material: Material, folds: Folds, experiment: Experiment) -> list[Keyed]:
    """The cells of a material under some folds, each with the name of its file."""
    digests = {label: digest(rows) for label, rows in material.embeddings.items()}
    cells = [
        Cell(entry.name, stream, folds, entry.label, entry.options, entry.tune)
        for entry in experiment.classifiers
        for stream in streams_of(entry, list(experiment.encoders))
    ]
    facts = (digests, experiment.training, material.emotions, material.stress)
    return [(cell, cell_key(cell, material.clips, *facts)[:32]) for cell in cells]


def planned(
    groups: Sequence[tuple[Material, Sequence[Keyed]]],
    experiment: Experiment,
    before: Sequence[PlannedCell],
) -> list[PlannedCell]:
    """What will be trained, in order and with its keys, and from `before` what waits."""
    entries = {entry.label: entry for entry in experiment.classifiers}
    found = []
    for material, cells in groups:
        for cell, key in cells:
            folds, entry = cell.folds, entries[cell.label]
            clips = len(folds.fold) - float((folds.fold >= 0).sum()) / folds.number
            steps = steps_of(clips, experiment.training.batch_size)
            cost = _cost(entry, cell.encoders, experiment, steps, folds.number)
            found.append(
                PlannedCell(
                    material.corpus.name, folds.protocol, folds.seed, "+".join(cell.encoders),
                    cell.label, folds.number, steps, cost, key,
                )
            )  # fmt: skip
    return found + [cell for cell in before if cell.waits_for]


def evaluate(
    folder: Path,
    groups: Sequence[tuple[Material, Sequence[Keyed]]],
    experiment: Experiment,
    workers: int,
    show: bool,
) -> "Iterator[Tables]":
    """Predictions, trainings and stress of every cell; finished ones are kept in `cells/`.

    A cell's predictions are written last: where they are, so is the rest of it.
    """
    for material, cells in groups:
        saved = [_saved(cell, cell_file(folder, key), material) for cell, key in cells]
        waiting = [pair for pair, found in zip(cells, saved, strict=True) if found is None]
        _train(folder, experiment, material, waiting, workers, show)
        for (cell, key), found in zip(cells, saved, strict=True):
            tables = found or _read(cell_file(folder, key))
            for table in tables:
                if table is not None:
                    _rename(table, experiment.name, material.corpus.name, cell)
            yield tables


def _train(
    folder: Path,
    experiment: Experiment,
    material: Material,
    cells: Sequence[Keyed],
    workers: int,
    show: bool,
) -> None:
    """Train and test some cells, and keep each as it ends."""
    if not cells:
        return
    finished = evaluate_cells(
        material.clips,
        material.embeddings,
        [cell for cell, _ in cells],
        training=experiment.training,
        emotions=material.emotions,
        sounds=material.sounds,
        stress=material.stress,
        workers=workers,
        show_progress_bar=show,
    )
    names = experiment.name, material.corpus.name
    for (_, frame, rows, stress), (_, key) in zip(finished, cells, strict=True):
        file = cell_file(folder, key)
        if len(stress):
            write_predictions(_named(stress, *names), stress_file(file))
        write_trainings(_named(rows, *names), trainings_file(file))
        write_predictions(_named(frame, *names), file)


def _rename(table: "pd.DataFrame", experiment: str, corpus: str, cell: Cell) -> None:
    """What was kept under another recipe's labels gets this one's."""
    table["experiment"], table["corpus"] = experiment, corpus
    table["encoders"], table["classifier"] = "+".join(cell.encoders), cell.label
    table["protocol"] = cell.folds.protocol


def _saved(cell: Cell, file: Path, material: Material) -> "Tables | None":
    """What an earlier run saved of a cell; None: nothing, or damaged."""
    if not is_finished(file):
        return None
    tested = cell.folds.fold >= 0
    stressed = sum(int(tested[s.rows].sum()) for s in material.stress.values())
    try:
        predictions, trainings, stress = _read(file)
        found = len(predictions), len(trainings), 0 if stress is None else len(stress)
        if found != (int(tested.sum()), cell.folds.number, stressed):
            raise NverError(f"{file}: damaged, not as many rows as clips and folds")
    except NverError as error:
        log.warning("%s; it is trained again", error)
        return None
    return predictions, trainings, stress


def _read(file: Path) -> "Tables":
    """Predictions, trainings and stress (None: it has none) of a cell."""
    trainings, stress = read_trainings(trainings_file(file)), read_stress(stress_file(file))
    return read_predictions(file), trainings, stress


def _named(frame: "pd.DataFrame", experiment: str, corpus: str) -> "pd.DataFrame":
    frame.insert(0, "experiment", experiment)
    frame.insert(1, "corpus", corpus)
    return frame
