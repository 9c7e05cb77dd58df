"""Cross-validation: every clip is predicted by a classifier that never saw its fold.

`preparation` makes prepared corpora from a recipe (`prepared_corpus`) and lists what is not here
(`missing`); `folds` assigns their clips to folds; `cells` trains and tests one entry of a table,
`grid` all entries of a recipe; `run_folder` keeps what comes of it.
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
