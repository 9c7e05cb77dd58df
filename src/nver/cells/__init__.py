"""The cells of a run: planned, evaluated one after the other, and kept when they are finished.

`sizes` says how large the corpora are, `grid` makes every cell of a recipe from that, and `marks`
says what in the recipe decides each; `keyed` are those whose embeddings are there, `evaluated`
trains and keeps them.
"""

from nver.cells.evaluated import evaluate
from nver.cells.grid import dim_of, plan_cells
from nver.cells.keyed import planned, with_keys
from nver.cells.marks import marked
from nver.cells.sizes import Size, sizes_of

__all__ = [
    "Size",
    "dim_of",
    "evaluate",
    "marked",
    "plan_cells",
    "planned",
    "sizes_of",
    "with_keys",
]
