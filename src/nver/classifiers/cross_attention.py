"""Cross-attention: each embedding's positions attend to the positions of the others.

A control of our own: RENO with attention across the streams in place of within, and without the
divergence. conv block of each embedding -> its positions as 64-d tokens -> attention with a
stream's tokens as queries and all the others' as keys and values -> flatten -> Linear to a common
width -> concatenate -> dense 512 -> dense 128 -> output.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.concat import OPTIONS
from nver.classifiers.layers.attention import AttentionBlock
from nver.classifiers.layers.blocks import (
    FILTERS,
    Pool,
    check_branch,
    conv_block,
    dense_block,
    each,
    no_auxiliary,
    pooled_values,
)
from nver.classifiers.reno import ATTENTION_DROPOUT, HEADS


class CrossAttention(Classifier):
    """Two or more embeddings, each read in the light of the others; lists have one item a stream.

    convs give tokens (batch, P, 64), projections vectors (batch, width).
    """

    def __init__(
        self, convs: Sequence[nn.Module], projections: Sequence[nn.Module], dense: nn.Module
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(convs)
        self.attentions = nn.ModuleList(
            AttentionBlock(FILTERS[1], HEADS, ATTENTION_DROPOUT) for _ in convs
        )
        self.projections = nn.ModuleList(projections)
        self.dense = dense

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        tokens = each(self.convs, streams)
        vectors = [
            project(attention(own, torch.cat([*tokens[:i], *tokens[i + 1 :]], dim=1)))
            for i, (own, attention, project) in enumerate(
                zip(tokens, self.attentions, self.projections, strict=True)
            )
        ]
        logits = self.dense(torch.cat(vectors, dim=1))
        return logits, no_auxiliary(logits)


def cross_attention(
    dims: Sequence[int], emotions: int, *, pool: Pool, positions: int, width: int, dropout: float
) -> CrossAttention:
    """Cross-attention between streams of these dims; the options as in `concat`."""
    check_branch(pool, positions, width, dropout)
    flattened = [pooled_values(dim, pool, positions) for dim in dims]
    convs = [conv_block(pool, positions) for _ in dims]
    projections = [nn.Sequential(nn.Flatten(), nn.Linear(size, width)) for size in flattened]
    return CrossAttention(convs, projections, dense_block(width * len(dims), emotions, dropout))


CROSS_ATTENTION = ClassifierCard(
    name="cross-attention",
    title="cross-attention between embeddings",
    citation="a control of our own; layers as in arXiv:2506.02258",
    streams=(2, None),
    build=cross_attention,
    options=OPTIONS,
)
