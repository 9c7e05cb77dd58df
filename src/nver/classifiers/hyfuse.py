"""HYFuse-style fusion: embeddings are brought onto the Poincaré ball and fused there.

Of HYFuse (arXiv:2506.03403) only the abstract is public to us: representations of speech models and
of codecs are fused "by transforming them to hyperbolic space". Each
default below follows the nearest papers of the same group, or is our choice; no number of this file
is HYFuse's.

conv block of each embedding -> Linear to a common width -> sigmoid gate -> exp_0 -> fused on the
ball -> log_0 -> dense 512 -> dense 128 -> output. The branches and the dense layers are
`concat`'s, so that the two differ by gate and ball only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from math import expm1, log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.concat import POSITIONS, WIDTH  # WIDTH = 256 is SATYAM's shared width too
from nver.classifiers.layers.blocks import (
    DENSE,
    DROPOUT,
    Pool,
    branch,
    check_branch,
    dense_block,
    each,
    no_auxiliary,
)
from nver.classifiers.layers.poincare import (
    clip_norm,
    exp_0,
    gyromidpoint,
    hyperplane_logits,
    log_0,
    mobius_add,
)
from nver.errors import UsageError, check_choice, check_flag, check_number

OPERATORS = ("mobius", "gyromidpoint", "tangent-concat")


@dataclass(frozen=True)
class HyfuseOptions:
    """The options of HYFuse; `pool`, `positions`, `width` and `dropout` as in `concat`.

    operator: "mobius" adds the streams from left to right, their order matters; "gyromidpoint" is
        their midpoint; "tangent-concat" lays their tangent vectors side by side, and as exp_0 and
        log_0 then cancel, it is the control without a ball.
    curvature: "fixed" to -c, or "learned", starting at -c.
    clip: the greatest norm of a vector before exp_0, 0 for none. Without, training drives vectors
        to the boundary, where their lengths are lost and Möbius addition multiplies rounding errors
        a thousandfold.
    output: "euclidean", or "hyperbolic": the last layer is multinomial logistic regression on the
        ball, of the 128 values before it.
    """

    operator: str = "mobius"  # SATYAM: exp_0, Möbius addition, log_0
    curvature: str = "fixed"  # SATYAM; RHYME and MiCuNet learn it
    c: float = 1.0  # SATYAM; RHYME and MiCuNet start there
    gate: bool = True  # SATYAM; that a branch is gated by itself is our choice
    # Guo et al. (2022), "Clipped hyperbolic classifiers are super-hyperbolic classifiers"
    clip: float = 1.0
    output: str = "euclidean"  # SATYAM: its head stands after log_0
    pool: Pool = "adaptive"
    positions: int = POSITIONS
    width: int = WIDTH
    dropout: float = DROPOUT

    def __post_init__(self) -> None:
        check_choice("operator of hyfuse", self.operator, OPERATORS)
        check_choice("curvature of hyfuse", self.curvature, ("fixed", "learned"))
        check_choice("output of hyfuse", self.output, ("euclidean", "hyperbolic"))
        check_number("c", self.c, lambda c: 1e-3 <= c <= 10, "from 1e-3 to 10")
        check_number("clip", self.clip, lambda n: 0 <= n <= 1000, "from 0, no clip, to 1000")
        check_branch(self.pool, self.positions, self.width, self.dropout)
        check_flag("gate", self.gate)
        if self.curvature == "learned" and self.flat:
            raise UsageError(
                'tangent-concat has no curvature to learn; set curvature = "fixed", or output = '
                '"hyperbolic"'
            )

    @property
    def flat(self) -> bool:
        """Whether nothing is computed on the ball."""
        return self.operator == "tangent-concat" and self.output == "euclidean"


class Hyfuse(Classifier):
    """Two or more embeddings, fused on the ball."""

    def __init__(self, dims: Sequence[int], emotions: int, options: HyfuseOptions) -> None:
        super().__init__()
        self.options = options
        self.branches = nn.ModuleList(_branch(dim, options) for dim in dims)
        self.curvature = Curvature(options.c, learned=options.curvature == "learned")
        vectors = len(dims) if options.operator == "tangent-concat" else 1
        dense = dense_block(vectors * options.width, emotions, options.dropout)
        hyperbolic = options.output == "hyperbolic"
        self.dense = dense[:-1] if hyperbolic else dense
        self.hyperplanes = Hyperplanes(DENSE[1], emotions, options.clip) if hyperbolic else None

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        hidden = self.dense(self.fused(each(self.branches, streams)))
        logits = self.hyperplanes(hidden, self.curvature()) if self.hyperplanes else hidden
        return logits, no_auxiliary(logits)

    def fused(self, vectors: Sequence[Tensor]) -> Tensor:
        """Tangent vectors (batch, width), one a stream -> what is classified (batch, ...).

        In float64 between the two maps: a norm of 16/√c is still told from the boundary.
        """
        if self.options.operator == "tangent-concat":
            return torch.cat([clipped(vector, self.options.clip) for vector in vectors], dim=1)
        c = self.curvature()
        points = [exp_0(clipped(vector, self.options.clip).double(), c) for vector in vectors]
        if self.options.operator == "gyromidpoint":
            return log_0(gyromidpoint(points, c), c).float()
        return log_0(reduce(lambda x, y: mobius_add(x, y, c), points), c).float()


class Curvature(nn.Module):
    """c > 0, in float64: a number, or learned as softplus(raw)."""

    def __init__(self, c: float, *, learned: bool) -> None:
        super().__init__()
        raw = torch.tensor(log(expm1(c)))
        self.c = c
        self.raw = nn.Parameter(raw) if learned else None

    def forward(self) -> float | Tensor:
        return self.c if self.raw is None else softplus(self.raw.double())


class Gate(nn.Module):
    """(batch, width) -> the same shape: each value times a number in (0, 1), of all values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(width, width)

    def forward(self, vectors: Tensor) -> Tensor:
        return self.weigh(vectors).sigmoid() * vectors


class Hyperplanes(nn.Module):
    """Tangent vector (batch, width) -> exp_0 -> logits (batch, emotions)."""

    def __init__(self, width: int, emotions: int, clip: float) -> None:
        super().__init__()
        self.clip = clip
        # Shimizu, Mukuta and Harada (2021): N(0, 1/(2 width emotions)), offsets 0
        self.Z = nn.Parameter(torch.randn(emotions, width) * (2 * width * emotions) ** -0.5)
        self.r = nn.Parameter(torch.zeros(emotions))

    def forward(self, vectors: Tensor, c: float | Tensor) -> Tensor:
        points = exp_0(clipped(vectors, self.clip).double(), c)
        return hyperplane_logits(points, self.Z, self.r, c).float()


def clipped(vectors: Tensor, clip: float) -> Tensor:
    """Tangent vectors of norm `clip` at most; 0 changes nothing."""
    return clip_norm(vectors, clip) if clip else vectors


def _branch(dim: int, options: HyfuseOptions) -> nn.Sequential:
    """(batch, d) -> (batch, width): a branch of `concat`, and the gate."""
    layers = branch(dim, options.pool, options.positions, options.width)  # SATYAM: conv k3, pool
    return nn.Sequential(*layers, *([Gate(options.width)] if options.gate else []))


def hyfuse(dims: Sequence[int], emotions: int, **options: Any) -> Hyfuse:
    """HYFuse-style fusion of streams of these dims, with the options of `HyfuseOptions`."""
    return Hyfuse(dims, emotions, HyfuseOptions(**options))


PAPER = (
    "HYFuse: Aligning Heterogeneous Speech Pre-Trained Representations in Hyperbolic Space for "
    "Speech Emotion Recognition. arXiv:2506.03403"
)

HYFUSE = ClassifierCard(
    name="hyfuse",
    title="HYFuse-style fusion on the Poincaré ball",
    citation=f"after the abstract of {PAPER}; its body is not public to us",
    streams=(2, None),
    build=hyfuse,
    options=asdict(HyfuseOptions()),
)
