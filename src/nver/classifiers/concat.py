"""Concatenation of embeddings, the baseline of the RENO paper.

The same network as RENO without the attention blocks and without the divergence: a conv block for
each embedding, flattened, brought to a common width, concatenated, then dense 512 -> dense 128.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.heads import CITATION
from nver.classifiers.layers.blocks import (
    DROPOUT,
    Pool,
    branch,
    check_branch,
    dense_block,
    each,
    no_auxiliary,
)

POSITIONS = 24  # ours: with it RENO has the printed 1.3 to 1.5 M parameters at every width
WIDTH = 256  # author's code, of a branch
OPTIONS = {"pool": "adaptive", "positions": POSITIONS, "width": WIDTH, "dropout": DROPOUT}


class Concat(Classifier):
    """Two or more embeddings, each through its own branch, side by side."""

    def __init__(self, branches: Sequence[nn.Module], dense: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.dense = dense

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        vectors = each(self.branches, streams)  # (batch, width)
        logits = self.dense(torch.cat(vectors, dim=1))
        return logits, no_auxiliary(logits)


def concat(
    dims: Sequence[int], emotions: int, *, pool: Pool, positions: int, width: int, dropout: float
) -> Concat:
    """The baseline for streams of these dims."""
    check_branch(pool, positions, width, dropout)
    branches = [branch(dim, pool, positions, width) for dim in dims]
    return Concat(branches, dense_block(width * len(dims), emotions, dropout))


CONCAT = ClassifierCard(
    name="concat",
    title="concatenation",
    citation=CITATION,
    streams=(2, None),
    build=concat,
    options=OPTIONS,
)
