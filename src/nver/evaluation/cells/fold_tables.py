"""The folds of a cell put together: its predictions, also under stress, and its trainings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from nver.evaluation.cells.cell import Cell, Stressed
from nver.evaluation.cells.fold_training import FoldResult
from nver.evaluation.run_folder.predictions import STRESS, TEMPERATURE


def predictions_table(
    table: pd.DataFrame, cell: Cell, results: Sequence[FoldResult], order: Sequence[str]
) -> pd.DataFrame:
    """One row a tested clip, in the order of `table`; `results` are in the order of the folds.

    The columns: see `nver.evaluation.run_folder.predictions`.
    """
    tested = cell.folds.tested
    table, fold = table[tested], cell.folds.fold[tested]
    probabilities = np.empty((len(table), len(order)), np.float32)
    temperatures = np.empty(len(table), np.float32)
    for number, result in enumerate(results):
        probabilities[fold == number] = result.probabilities
        temperatures[fold == number] = result.temperature
    frame = pd.DataFrame(
        {
            **cell.system,
            "seed": cell.folds.seed,
            "fold": fold,
            **{name: table[name].to_numpy() for name in ("clip", "speaker", "emotion")},
            "predicted": np.asarray(order, dtype=object)[probabilities.argmax(axis=1)],
            TEMPERATURE: temperatures,
        }
    )
    columns = [f"p:{emotion}" for emotion in order]
    return pd.concat([frame, pd.DataFrame(probabilities, columns=columns)], axis=1)


def stressed_table(
    table: pd.DataFrame,
    cell: Cell,
    results: Sequence[FoldResult],
    order: Sequence[str],
    stress: Mapping[str, Stressed],
) -> pd.DataFrame:
    """The predictions of the clips under stress, kind after kind; empty where there is none."""
    tables = []
    for number, (kind, stressed) in enumerate(stress.items()):
        own = [replace(result, probabilities=result.stressed[number]) for result in results]
        worse = replace(cell, folds=cell.folds.with_rows(stressed.rows))
        found = predictions_table(table.iloc[stressed.rows], worse, own, order)
        tables.append(found.assign(**{STRESS: kind}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def trainings_table(cell: Cell, results: Sequence[FoldResult]) -> pd.DataFrame:
    """One row a fold; the columns: see `nver.evaluation.run_folder.trainings`."""
    own = {**cell.system, "seed": cell.folds.seed}
    return pd.DataFrame([{**own, "fold": n, **found.training} for n, found in enumerate(results)])
