"""RENO, the Rényi attention network (arXiv:2506.02258, section III-A), in the paper's order.

conv block of each embedding -> flatten -> self-attention -> Rényi divergence between the branches
-> concatenate -> self-attention -> dense 512 -> dense 128 -> output.  L = λ·L_CE + (1-λ)·L_RD.

Attention over a flattened vector is attention over one token, where every weight is 1 and W_Q and
W_K learn nothing. So there are two forms:
"positions" (author's code): the P pooled positions are tokens of 64 values, with residual and
    LayerNorm, then a Linear to the common width; the branches are the tokens of the second one.
"literal": each branch is brought to the common width first (a W over 64·192 flattened values
    would have 151 M parameters, and there are four), then one token, as printed; the second is
    over the concatenated vector as one token.
And an ablation of ours: "none", where the projection alone is left in each branch (flatten, Linear
to the common width) and the branches are concatenated: the concat baseline with the divergence.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.concat import POSITIONS, WIDTH
from nver.classifiers.heads import CITATION
from nver.classifiers.layers.attention import AttentionBlock, SelfAttention
from nver.classifiers.layers.blocks import (
    DROPOUT,
    FILTERS,
    Pool,
    branch,
    check_branch,
    dense_block,
    each,
    no_auxiliary,
)
from nver.classifiers.losses.divergence import (
    BETA,
    DELTA,
    DIVERGENCES,
    divergence_floor,
    log_probabilities,
)
from nver.errors import check_choice, check_count, check_number

HEADS = 2  # paper, section III-A, of both attentions
ATTENTION_DROPOUT = 0.1  # author's code, of the "positions" form


@dataclass(frozen=True)
class RenoOptions:
    """The options of RENO; `positions`, `pool`, `width` and `dropout` as in the concat baseline."""

    attention: str = "positions"
    pool: Pool = "adaptive"
    positions: int = POSITIONS
    width: int = WIDTH
    heads: int = HEADS
    divergence: str = "renyi"
    beta: float = BETA
    delta: float = DELTA
    lambda_: float = 0.4  # author's code, marked as the paper's; the paper's text lost the value
    dropout: float = DROPOUT

    def __post_init__(self) -> None:
        check_choice("attention of reno", self.attention, ("positions", "literal", "none"))
        check_choice("divergence of reno", self.divergence, (*DIVERGENCES, "none"))
        check_branch(self.pool, self.positions, self.width, self.dropout)
        check_count("heads", self.heads)
        check_number(
            "beta", self.beta, lambda b: 0 < b <= 100 and b != 1, "above 0 and not 1, at most 100"
        )
        check_number("delta", self.delta, lambda d: 0 <= d <= 1, "of at least 0, at most 1")
        check_number("lambda_", self.lambda_, lambda share: 0 < share <= 1, "in (0, 1]")


class Reno(Classifier):
    """Two or more embeddings, aligned by a divergence between their branches."""

    def __init__(self, dims: Sequence[int], emotions: int, options: RenoOptions) -> None:
        super().__init__()
        self.options = options
        self.branches = nn.ModuleList(_branch(dim, options) for dim in dims)
        self.fusion = _fusion(len(dims), options)
        self.dense = dense_block(options.width * len(dims), emotions, options.dropout)
        self.cross_entropy_weight = 1.0 if options.divergence == "none" else options.lambda_

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        vectors = self.vectors(streams)
        logits = self.dense(self.fusion(torch.stack(vectors, dim=1)))
        if self.options.divergence == "none":
            return logits, no_auxiliary(logits)
        return logits, (1 - self.options.lambda_) * self.divergence(vectors).mean()

    def vectors(self, streams: Sequence[Tensor]) -> list[Tensor]:
        """One (batch, width) a stream: what is aligned, and then concatenated."""
        return each(self.branches, streams)

    def divergence(self, vectors: Sequence[Tensor]) -> Tensor:
        """L_RD of each clip (batch,), of more than two streams the mean over the ordered pairs.

        The mean over pairs i < j is our choice; the paper fuses two.
        """
        measure = DIVERGENCES[self.options.divergence]
        logs = [log_probabilities(vector) for vector in vectors]
        beta, delta = self.options.beta, self.options.delta
        return torch.stack([measure(x, y, beta, delta) for x, y in combinations(logs, 2)]).mean(0)

    def diagnostics(self, streams: Sequence[Tensor]) -> dict[str, float]:
        """L_RD, its floor and their difference, the part that training can move.

        The difference is a thousandth of L_RD (docs/classifiers.md), so it is taken in float64.
        """
        if self.options.divergence == "none":
            return {}
        vectors = [vector.double() for vector in self.vectors(streams)]
        options, value = self.options, self.divergence(vectors).mean().item()
        floor = divergence_floor(options.width, options.delta, options.beta, options.divergence)
        return {"divergence": value, "divergence_floor": floor, "divergence_excess": value - floor}


def _branch(dim: int, options: RenoOptions) -> nn.Sequential:
    """(batch, d) -> (batch, width): conv block, flatten and self-attention of one embedding."""
    layers = branch(dim, options.pool, options.positions, options.width)
    if options.attention == "none":
        return layers
    if options.attention == "literal":
        return layers.extend(_one_token(options.width, options.heads))
    conv, flatten, project = layers
    attention = AttentionBlock(FILTERS[1], options.heads, ATTENTION_DROPOUT)
    return nn.Sequential(conv, attention, flatten, project)


def _fusion(streams: int, options: RenoOptions) -> nn.Sequential:
    """(batch, streams, width) -> (batch, streams · width): the second self-attention."""
    if options.attention == "none":
        return nn.Sequential(nn.Flatten())
    if options.attention == "literal":
        joined = _one_token(streams * options.width, options.heads)
        return nn.Sequential(nn.Flatten(), *joined)
    attention = AttentionBlock(options.width, options.heads, ATTENTION_DROPOUT)
    return nn.Sequential(attention, nn.Flatten())


def _one_token(width: int, heads: int) -> tuple[nn.Module, ...]:
    """(batch, width) -> the same shape, through attention over a sequence of length 1."""
    return nn.Unflatten(1, (1, width)), SelfAttention(width, heads), nn.Flatten()


def reno(dims: Sequence[int], emotions: int, **options: Any) -> Reno:
    """RENO for streams of these dims, with the options of `RenoOptions`."""
    return Reno(dims, emotions, RenoOptions(**options))


RENO = ClassifierCard(
    name="reno",
    title="RENO",
    citation=CITATION,
    streams=(2, None),
    build=reno,
    options=asdict(RenoOptions()),
)
