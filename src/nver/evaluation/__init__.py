"""Cross-validation: every clip is predicted by a classifier that never saw its fold.

`preparation` makes prepared corpora from a recipe (`prepared_corpus`) and lists what is not here
(`missing`); `folds` assigns their clips to folds; `cells` trains and tests one entry of a table,
`grid` all entries of a recipe; `run_folder` keeps what comes of it.
"""

from typing import TYPE_CHECKING

from nver.registry import on_first_use

if TYPE_CHECKING:
    from nver.evaluation.cells.cell import Cell as Cell
    from nver.evaluation.cells.cell import cell_key as cell_key
    from nver.evaluation.cells.cross_validation import cross_validate as cross_validate

__all__ = ["Cell", "cell_key", "cross_validate"]

__getattr__ = on_first_use(
    __name__,
    {
        "nver.evaluation.cells.cell": ("Cell", "Stressed", "cell_key", "digest"),
        "nver.evaluation.cells.cross_validation": ("cross_validate", "evaluate_cells"),
    },
)
