"""What the trainings would take: which are finished, and a few steps of every shape timed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from nver.classifiers.build import build_classifier
from nver.classifiers.training.adam import Adam
from nver.errors import NverError
from nver.evaluation.grid.cells import dim_of
from nver.evaluation.grid.forecast_encoders import Timed
from nver.evaluation.grid.marks import marked
from nver.evaluation.grid.plan import PlannedCell, cell_file, is_finished, read_plan
from nver.machine.threads import one_thread
from nver.recipe import Experiment, systems_of

STEPS = 4  # timed for each shape, after one that is not (our choice: under a second for most)


@dataclass(frozen=True)
class Share:
    """Cells of one kind: how many, their trainings, and wall seconds on the workers."""

    cells: int
    trainings: int
    seconds: float


def finished_cells(folder: Path, experiment: Experiment, cells: Sequence[PlannedCell]) -> set[int]:
    """Places of the cells that the last run of this folder finished and the recipe decides so."""
    try:
        plan = read_plan(folder)
    except NverError:
        return set()
    done = {_place(c) for c in plan.cells if c.key and is_finished(cell_file(folder, c.key))}
    return {n for n, cell in enumerate(marked(cells, experiment)) if _place(cell) in done}


def _place(cell: PlannedCell) -> tuple[object, ...]:
    return cell.corpus, cell.protocol, cell.seed, cell.encoders, cell.classifier, cell.mark


def cell_seconds(
    experiment: Experiment, cells: Sequence[PlannedCell], encoders: Mapping[str, Timed]
) -> list[float]:
    """Processor seconds of each cell: the steps of its trainings at the speed of its shape."""
    dims = {
        label: encoders[label].identity.dim if label in encoders else dim_of(experiment, label)
        for label in experiment.encoders
    }
    classifiers = {c.label: c for c in experiment.classifiers}
    streams = {(entry.label, "+".join(s)): s for entry, s in systems_of(experiment)}
    shapes: dict[tuple[object, ...], float] = {}
    found = []
    for cell in cells:
        entry = classifiers[cell.classifier]
        shape = tuple(dims[label] for label in streams[cell.classifier, cell.encoders])
        key = (entry.label, shape)
        if key not in shapes:
            shapes[key] = _step_seconds(entry.name, shape, entry.options, experiment)
        tried = prod(len(values) for values in entry.tune.values())
        taken = tried * cell.trainings * experiment.training.epochs * cell.steps
        found.append(taken * shapes[key])
    return found


def _step_seconds(
    name: str, dims: Sequence[int], options: Mapping[str, Any], experiment: Experiment
) -> float:
    """Seconds of one training step of a classifier on one thread, on random numbers."""
    import torch

    size, emotions = experiment.training.batch_size, 6
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = build_classifier(name, dims, emotions, **options)
        optimiser = Adam(classifier.parameters(), experiment.training.learning_rate)
        streams = [torch.randn(size, dim) for dim in dims]
        truth = torch.randint(emotions, (size,))
        start = 0.0
        for number in range(STEPS + 1):
            if number == 1:
                start = time.perf_counter()
            logits, auxiliary = classifier(streams)
            loss = torch.nn.functional.cross_entropy(logits, truth) + auxiliary
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return (time.perf_counter() - start) / STEPS


def shares_of(
    cells: Sequence[PlannedCell], done: set[int], seconds: Sequence[float], workers: int
) -> tuple[Share, Share, Share]:
    """Finished, to do, waiting."""
    places: dict[str, list[int]] = {"finished": [], "to_do": [], "waiting": []}
    for number, cell in enumerate(cells):
        state = "waiting" if cell.waits_for else "finished" if number in done else "to_do"
        places[state].append(number)
    finished, to_do, waiting = (
        Share(
            len(own),
            sum(cells[i].trainings for i in own),
            sum(seconds[i] for i in own) / workers,
        )
        for own in places.values()
    )
    return finished, to_do, waiting
