"""The folds of a cell put together: its predictions, those under stress, and its trainings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import Cell, Stressed
from nver.evaluation.cells.fold_training import FoldResult
from nver.evaluation.run_folder.predictions import STRESS, TEMPERATURE

if TYPE_CHECKING:
    import pandas as pd


def predictions_table(
    table: "pd.DataFrame", cell: Cell, parts: Mapping[int, FoldResult], order: Sequence[str]
) -> "pd.DataFrame":
    """One row a tested clip, in the order of `table`; see
    `nver.evaluation.run_folder.predictions`.
    """
    import pandas as pd

    tested = cell.folds.fold >= 0
    table, folds = table[tested], cell.folds.fold[tested]
    probabilities = np.empty((len(table), len(order)), np.float32)
    temperature = np.empty(len(table), np.float32)
    for fold, part in parts.items():
        probabilities[folds == fold] = part.probabilities
        temperature[folds == fold] = part.temperature
    frame = pd.DataFrame(
        {
            **_system(cell),
            "seed": cell.folds.seed,
            "fold": folds,
            "clip": table["clip"].to_numpy(),
            "speaker": table["speaker"].to_numpy(),
            "emotion": table["emotion"].to_numpy(),
            "predicted": np.asarray(order, dtype=object)[probabilities.argmax(axis=1)],
            TEMPERATURE: temperature,
        }
    )
    columns = {f"p:{emotion}": probabilities[:, i] for i, emotion in enumerate(order)}
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)


def stressed_table(
    table: "pd.DataFrame",
    cell: Cell,
    parts: Mapping[int, FoldResult],
    order: Sequence[str],
    stress: Mapping[str, Stressed],
) -> "pd.DataFrame":
    """The predictions of the clips under stress, kind after kind."""
    import pandas as pd

    tables = []
    for number, (kind, one) in enumerate(stress.items()):
        worse = {
            fold: replace(part, probabilities=part.stressed[number]) for fold, part in parts.items()
        }
        found = predictions_table(table.iloc[one.rows], _with_rows(cell, one.rows), worse, order)
        tables.append(found.assign(**{STRESS: kind}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _with_rows(cell: Cell, rows: IntArray) -> Cell:
    """The cell with the folds of some rows of the table."""
    return replace(cell, folds=replace(cell.folds, fold=cell.folds.fold[rows]))


def trainings_table(cell: Cell, parts: Mapping[int, FoldResult]) -> "pd.DataFrame":
    """One row a fold; see `nver.evaluation.run_folder.trainings`."""
    import pandas as pd

    rows = [
        {**_system(cell), "seed": cell.folds.seed, "fold": fold, **result.facts}
        for fold, result in sorted(parts.items())
    ]
    return pd.DataFrame(rows)


def _system(cell: Cell) -> dict[str, str]:
    """What names a cell in the tables, but for experiment and corpus."""
    return {
        "encoders": "+".join(cell.encoders),
        "classifier": cell.label or cell.classifier,
        "protocol": cell.folds.protocol,
    }
