"""The blocks that the paper's networks share: convolutions along the embedding, and dense layers.

Glossary: dim d = length of an embedding, positions P = what pooling leaves of it, 64 = channels.
"""

from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d

from nver.checks import check_count
from nver.errors import UsageError

FILTERS = (32, 64)  # paper, section III
KERNEL = 3  # paper, section III
PADDING = 1  # author's code
POOL = 2  # author's code; the paper says "max-pooling after each convolutional layer", no size
DENSE = (512, 128)  # paper, section III
DROPOUT = 0.3  # author's code, after each dense layer; the paper says "dropout", no rate


def check_pool(pool: Any, positions: Any) -> None:
    """`pool` is "adaptive" (to `positions`) or the literal 2, also written "literal"."""
    if pool not in ("adaptive", "literal", POOL) or isinstance(pool, bool):
        raise UsageError(f'pool must be "adaptive" or {POOL} (also "literal"); got {pool!r}')
    check_count("positions", positions)


def pooled_positions(dim: int, pool: str | int, positions: int) -> int:
    """How many positions the conv block leaves of an embedding of `dim` values."""
    return positions if pool == "adaptive" else ceil(ceil(dim / POOL) / POOL)


class AdaptivePool(nn.Module):
    """(batch, channels, L) -> (batch, channels, positions): the largest value of each part.

    torch's adaptive max-pool has no form in ONNX; a model that is exported gathers each part's
    values, a part of fewer with its last one repeated. The numbers are the same.
    """

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.positions = positions

    def forward(self, channels: Tensor) -> Tensor:
        if not torch.compiler.is_exporting():
            return adaptive_max_pool1d(channels, self.positions)
        parts = _parts(channels.shape[-1], self.positions)
        longest = max(len(part) for part in parts)
        index = torch.tensor([[*part, *[part[-1]] * (longest - len(part))] for part in parts])
        return channels[..., index].amax(dim=-1)


def _parts(length: int, positions: int) -> list[range]:
    """Which values go to which position: from floor(iL/P) up to ceil((i+1)L/P)."""
    return [
        range(i * length // positions, -(-(i + 1) * length // positions)) for i in range(positions)
    ]


def conv_block(pool: str | int, positions: int) -> nn.Sequential:
    """(batch, d) -> (batch, 64, P): two convolutions with ReLU, a max-pool after each.

    The embedding is one input channel, the convolution runs along it (author's code). The second
    pool is adaptive to `positions`, which meets the printed parameter counts at every width, or
    the literal 2. ReLU stands after the pool: the same values and gradients as before it, on half
    the positions. An odd length is rounded up (our choice), so that any dim of at least 1 works.
    """
    adaptive = AdaptivePool(positions)
    literal = nn.MaxPool1d(POOL, ceil_mode=True)
    return nn.Sequential(
        nn.Unflatten(1, (1, -1)),
        nn.Conv1d(1, FILTERS[0], KERNEL, padding=PADDING),
        nn.MaxPool1d(POOL, ceil_mode=True),
        nn.ReLU(),
        nn.Conv1d(FILTERS[0], FILTERS[1], KERNEL, padding=PADDING),
        adaptive if pool == "adaptive" else literal,
        nn.ReLU(),
    )


def dense_block(inputs: int, emotions: int, dropout: float) -> nn.Sequential:
    """(batch, inputs) -> logits (batch, emotions): dense 512 -> dense 128 -> output.

    The paper's softmax is in the loss.
    """
    return nn.Sequential(
        nn.Linear(inputs, DENSE[0]),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(DENSE[0], DENSE[1]),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(DENSE[1], emotions),
    )


def no_auxiliary(logits: Tensor) -> Tensor:
    """The auxiliary loss of a classifier that has none: a zero beside the logits."""
    return logits.new_zeros(())
