"""Cross-validation: every clip is predicted by a classifier that never saw its fold.

A recipe becomes a prepared corpus (`prepared_corpus`, `missing`), that has folds (`folds`), under
which cells are trained and tested (`cells`), as many as the recipe's grid has (`grid`); what comes
of it is kept in the run folder (`run_folder`).
"""

from typing import TYPE_CHECKING

from nver.registry import on_first_use

if TYPE_CHECKING:
    from nver.evaluation.cells.cell import Cell, Stressed, cell_key, digest
    from nver.evaluation.cells.cross_validation import cross_validate, evaluate_cells

__all__ = ["Cell", "Stressed", "cell_key", "cross_validate", "digest", "evaluate_cells"]

__getattr__ = on_first_use(
    __name__,
    {
        **dict.fromkeys(("Cell", "Stressed", "cell_key", "digest"), "nver.evaluation.cells.cell"),
        **dict.fromkeys(
            ("cross_validate", "evaluate_cells"), "nver.evaluation.cells.cross_validation"
        ),
    },
)
