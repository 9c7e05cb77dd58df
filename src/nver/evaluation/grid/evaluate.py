"""Cells trained and tested one after the other; each is kept when it is finished."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from nver.errors import NverError
from nver.evaluation.cells.cell import Cell
from nver.evaluation.cells.cross_validation import LostCell, evaluate_cells, name_of
from nver.evaluation.grid.cells import Group
from nver.evaluation.missing import CELL, Missing
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.evaluation.run_folder.layout import cell_file, is_finished, stress_file, trainings_file
from nver.evaluation.run_folder.predictions import read_predictions, read_stress, write_predictions
from nver.evaluation.run_folder.trainings import read_trainings, write_trainings
from nver.machine.counting import say
from nver.recipe import Experiment

# predictions, trainings, and predictions under stress, None where the recipe has no stress
Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]

log = logging.getLogger("nver")


def evaluate(
    folder: Path, groups: Sequence[Group], experiment: Experiment, workers: int, show: bool
) -> Iterator[Tables | Missing]:
    """The tables of every cell; what is finished in the run folder is read, the rest trained.

    A cell that ends its worker process, twice, has no tables: it is one of what is missing.
    """
    for prepared, cells in groups:
        files = [cell_file(folder, planned.key) for _, planned in cells]
        saved = [_saved(cell, file, prepared) for (cell, _), file in zip(cells, files, strict=True)]
        waiting = [pair for pair, tables in zip(cells, saved, strict=True) if tables is None]
        lost = _train(folder, experiment, (prepared, waiting), workers, show) if waiting else {}
        for (cell, _), file, tables in zip(cells, files, saved, strict=True):
            if file in lost:
                yield lost[file]
                continue
            predictions, trainings, stress = tables or _read(file)
            # what was kept under another recipe's labels gets the labels of this one
            names = _names(experiment, prepared, cell)
            stress = None if stress is None else stress.assign(**names)
            yield predictions.assign(**names), trainings.assign(**names), stress


def _train(
    folder: Path, experiment: Experiment, group: Group, workers: int, show: bool
) -> dict[Path, Missing]:
    """Train and test cells, and keep each as it ends, its predictions last; return the lost ones.

    A lost cell is under the name of the file that it does not have.
    """
    prepared, cells = group
    protocol = cells[0][0].folds.protocol
    say(f"train {prepared.corpus.name}, {protocol}: {len(cells)} cell(s)", show)
    lost = {}
    finished = evaluate_cells(
        prepared.clips,
        prepared.embeddings,
        [cell for cell, _ in cells],
        training=experiment.training,
        emotions=prepared.emotions,
        sounds=prepared.sounds,
        stress=prepared.stress,
        workers=workers,
        show_progress_bar=show,
    )
    for found, (cell, planned) in zip(finished, cells, strict=True):
        file, names = cell_file(folder, planned.key), _names(experiment, prepared, cell)
        if isinstance(found, LostCell):
            lost[file] = _missing_cell(found, prepared)
            continue
        _, predictions, trainings, stress = found
        if len(stress):
            write_predictions(stress.assign(**names), stress_file(file))
        write_trainings(trainings.assign(**names), trainings_file(file))
        write_predictions(predictions.assign(**names), file)
    return lost


def _missing_cell(lost: LostCell, prepared: PreparedCorpus) -> Missing:
    cell = lost.cell
    system = f"{cell.label or cell.classifier} on {' + '.join(cell.encoders)}"
    name = f"{prepared.corpus.name}: {name_of(cell)}"
    remedy = "the same command again tries it again; fewer --workers leave each more memory"
    return Missing(CELL, name, lost.message, remedy, (system,), 1)


def _names(experiment: Experiment, prepared: PreparedCorpus, cell: Cell) -> Mapping[str, str]:
    """The columns that name a cell in the tables of a run."""
    return {"experiment": experiment.name, "corpus": prepared.corpus.name, **cell.system}


def _saved(cell: Cell, file: Path, prepared: PreparedCorpus) -> Tables | None:
    """What an earlier run saved of a cell; None: nothing, or it is damaged."""
    if not is_finished(file):
        return None
    tested = cell.folds.tested
    stressed = sum(int(tested[kind.rows].sum()) for kind in prepared.stress.values())
    try:
        predictions, trainings, stress = tables = _read(file)
        found = len(predictions), len(trainings), 0 if stress is None else len(stress)
        if found != (int(tested.sum()), cell.folds.number, stressed):
            raise NverError(f"{file}: damaged, not as many rows as clips and folds")
    except NverError as error:
        log.warning("%s; it is trained again", error)
        return None
    return tables


def _read(file: Path) -> Tables:
    trainings, stress = read_trainings(trainings_file(file)), read_stress(stress_file(file))
    return read_predictions(file), trainings, stress
