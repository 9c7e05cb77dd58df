"""Cells trained and tested one after the other, and kept when they are finished."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nver.errors import NverError
from nver.evaluation.cells.cell import Cell
from nver.evaluation.cells.cross_validation import evaluate_cells
from nver.evaluation.grid.keyed import Keyed
from nver.evaluation.grid.plan import cell_file, is_finished, stress_file, trainings_file
from nver.evaluation.prepared_corpus import Material
from nver.evaluation.run_folder.predictions import read_predictions, read_stress, write_predictions
from nver.evaluation.run_folder.trainings import read_trainings, write_trainings
from nver.recipe import Experiment

if TYPE_CHECKING:
    import pandas as pd

    Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]

log = logging.getLogger("nver")


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
