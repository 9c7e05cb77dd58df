"""The cells whose embeddings are there: with the names of their files, as they will be trained."""

from collections.abc import Sequence

from nver.evaluation.cells.cell import Cell, cell_key, digest
from nver.evaluation.folds.fold_assignment import Folds
from nver.evaluation.grid.cells import cost_of
from nver.evaluation.grid.plan import PlannedCell, steps_of
from nver.evaluation.prepared_corpus import Material
from nver.recipe import Experiment, systems_of

Keyed = tuple[Cell, str]  # a cell and the name of its file


def with_keys(material: Material, folds: Folds, experiment: Experiment) -> list[Keyed]:
    """The cells of a material under some folds, each with the name of its file."""
    digests = {label: digest(rows) for label, rows in material.embeddings.items()}
    cells = [
        Cell(entry.name, stream, folds, entry.label, entry.options, entry.tune)
        for entry, stream in systems_of(experiment)
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
            cost = cost_of(entry, cell.encoders, experiment, steps, folds.number)
            found.append(
                PlannedCell(
                    material.corpus.name, folds.protocol, folds.seed, "+".join(cell.encoders),
                    cell.label, folds.number, steps, cost, key,
                )
            )  # fmt: skip
    return found + [cell for cell in before if cell.waits_for]
