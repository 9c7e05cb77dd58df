"""Every cell of a recipe, and what each costs, before anything is read."""

from collections.abc import Collection, Iterator, Sequence
from math import prod

from nver.evaluation.folds.transfers import cross_corpus
from nver.evaluation.grid.plan import PlannedCell, cell_cost, steps_of
from nver.evaluation.grid.sizes import Size
from nver.evaluation.missing import Missing
from nver.recipe import NO_FOLDS, ClassifierEntry, Experiment, systems_of
from nver.recipe.folds import SPEAKER_INDEPENDENT, SPLIT

UNKNOWN_DIM = 768  # for the plan's cost, until the weights say (our choice: the commonest)


def plan_cells(
    experiment: Experiment, sizes: Sequence[Size], missing: Sequence[Missing]
) -> list[PlannedCell]:
    """Every cell of a recipe, in the order in which they are trained; keys are not known yet."""
    absent = {(entry.kind, entry.name) for entry in missing}
    found: list[PlannedCell] = []
    for size in sizes:
        for kind in _kinds(experiment, size):
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


def _kinds(experiment: Experiment, size: Size) -> list[str]:
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
        for entry, stream in systems_of(experiment):
            without = [e for e in stream if ("encoder", e) in absent]
            steps = steps_of(clips, experiment.training.batch_size)
            yield PlannedCell(
                *place, seed, "+".join(stream), entry.label, folds, steps,
                cost_of(entry, stream, experiment, steps, folds),
                waits_for=", ".join([*waits, *without]),
            )  # fmt: skip


def cost_of(
    entry: ClassifierEntry, stream: Sequence[str], experiment: Experiment, steps: int, folds: int
) -> float:
    """Processor seconds of a cell by the model of `nver.evaluation.grid.plan`, all that is
    tried.
    """
    dims = [dim_of(experiment, label) for label in stream]
    epochs = experiment.training.epochs
    tried = prod(len(values) for values in entry.tune.values())
    return tried * cell_cost(entry.name, dims, steps, trainings=folds, epochs=epochs)


def dim_of(experiment: Experiment, label: str) -> int:
    """An embedding's length as the encoder's card has it."""
    from nver.encoders import card_of

    spec = experiment.encoders[label]
    width = 2 if spec.pooling == "mean+std" else 1
    return width * (card_of(spec.name).dim or UNKNOWN_DIM)
