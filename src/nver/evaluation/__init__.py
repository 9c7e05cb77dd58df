"""Cross-validation: every clip is predicted by a classifier that never saw its fold.

`cell` says what is evaluated, `checks` refuses what would be wrong, `cross_validation` sends the
trainings to the workers, `fold_data` is what they read, `fold_training` what they do for one fold,
`tables` puts the folds together, and `cell_keys` says which cells have equal numbers.
"""

from nver.evaluation.cell import Cell, Stressed
from nver.evaluation.cell_keys import cell_key, digest
from nver.evaluation.cross_validation import cross_validate, evaluate_cells, learn
from nver.evaluation.fold_training import Learnt

__all__ = [
    "Cell",
    "Learnt",
    "Stressed",
    "cell_key",
    "cross_validate",
    "digest",
    "evaluate_cells",
    "learn",
]
