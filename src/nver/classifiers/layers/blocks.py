"""The blocks that the paper's networks share: convolutions along the embedding, and dense layers.

Glossary: dim d = length of an embedding, positions P = what pooling leaves of it, 64 = channels.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

from torch import Tensor, nn

from nver.classifiers.layers.convolution import POOL, ConvPool
from nver.errors import UsageError, check_count, check_dropout

FILTERS = (32, 64)  # paper, section III
DENSE = (512, 128)  # paper, section III
DROPOUT = 0.3  # author's code, after each dense layer; the paper says "dropout", no rate

Pool = str | int  # "adaptive", or the literal 2, also written "literal"


def check_pool(pool: Any, positions: Any) -> None:
    """`pool` is a `Pool`; "adaptive" is to `positions`."""
    if pool not in ("adaptive", "literal", POOL) or isinstance(pool, bool):
        raise UsageError(f'pool must be "adaptive" or {POOL} (also "literal"); got {pool!r}')
    check_count("positions", positions)


def check_branch(pool: Any, positions: Any, width: Any, dropout: Any) -> None:
    """The options of a fusion whose streams each have a `branch`."""
    check_pool(pool, positions)
    check_count("width", width)
    check_dropout(dropout)


def pooled_values(dim: int, pool: Pool, positions: int) -> int:
    """How many values the conv block leaves of an embedding of `dim` values: 64 P."""
    return FILTERS[1] * (positions if pool == "adaptive" else ceil(ceil(dim / POOL) / POOL))


def conv_block(pool: Pool, positions: int) -> nn.Sequential:
    """(batch, d) -> (batch, P, 64): two convolutions, a max-pool and ReLU after each.

    The embedding is one input channel, the convolution runs along it (author's code). The second
    pool is adaptive to `positions`, which meets the printed parameter counts at every width, or
    the literal 2.
    """
    return nn.Sequential(
        nn.Unflatten(1, (-1, 1)),
        ConvPool(1, FILTERS[0]),
        ConvPool(*FILTERS, positions if pool == "adaptive" else None),
    )


def branch(dim: int, pool: Pool, positions: int, width: int) -> nn.Sequential:
    """(batch, dim) -> (batch, width): conv block, flatten, Linear."""
    conv = conv_block(pool, positions)
    return nn.Sequential(conv, nn.Flatten(), nn.Linear(pooled_values(dim, pool, positions), width))


def each(modules: Iterable[nn.Module], streams: Sequence[Tensor]) -> list[Tensor]:
    """What a fusion's modules, one a stream, make of their streams."""
    return [module(stream) for module, stream in zip(modules, streams, strict=True)]


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
