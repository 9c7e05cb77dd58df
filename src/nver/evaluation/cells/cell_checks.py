"""Refuses what cannot be evaluated: tables, embeddings and folds that do not fit, and leaks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nver.corpora.duplicates import IntArray
from nver.errors import UsageError
from nver.evaluation.cells.cell import Cell, FloatArray
from nver.evaluation.folds.fold_assignment import VALIDATION, Folds, check_speakers, separated
from nver.recipe.values import check_known


def check_cells(
    table: pd.DataFrame,
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    order: Sequence[str],
) -> None:
    """Raise `UsageError` where emotions, embeddings or folds do not fit the table."""
    unknown = sorted(set(table["emotion"]) - set(order))
    if unknown:
        raise UsageError(f"emotions in the table but not in the order given: {', '.join(unknown)}")
    _check_embeddings(embeddings, len(table))
    for cell in cells:
        _check_folds(cell.folds, len(table))
        check_speakers(table, cell.folds)
        check_known("encoder of a cell", cell.encoders, embeddings)


def _check_embeddings(embeddings: Mapping[str, FloatArray], clips: int) -> None:
    for name, rows in embeddings.items():
        if np.ndim(rows) != 2 or len(rows) != clips:
            raise UsageError(f"{name}: expected ({clips}, dim) embeddings, got {np.shape(rows)}")
        if not np.isfinite(rows).all():
            raise UsageError(f"{name}: embeddings that are NaN or infinite")


def _check_folds(folds: Folds, clips: int) -> None:
    fold = np.asarray(folds.fold)
    if len(fold) != clips:
        raise UsageError(f"folds of {len(fold)} clips for {clips} clips")
    found = np.unique(fold)
    tested = found[found >= 0]
    gaps = not np.array_equal(tested, np.arange(len(tested)))
    if gaps or len(found) < 2 or found[0] < VALIDATION:
        raise UsageError(
            "folds are numbered from 0 without a gap, two at least, or one and -1 (only "
            f"trained on), and -2 (validation); got {found}"
        )


def check_sounds(table: pd.DataFrame, cells: Sequence[Cell], sounds: IntArray | None) -> None:
    """Raise `UsageError` where folds separate clips of the same recording."""
    for folds in {id(cell.folds): cell.folds for cell in cells}.values():
        torn = separated(folds.fold, sounds) if sounds is not None else []
        if torn:
            raise UsageError(
                f"{folds.protocol} folds, seed {folds.seed}: {len(torn)} recordings are in "
                f"training and test, first {' = '.join(table['clip'].iloc[torn[0]])}; keep the "
                "clips of one recording in one fold, as make_folds(..., sounds=sounds) does"
            )
