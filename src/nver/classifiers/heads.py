"""Heads, trained on one embedding: a linear model, and the FCN and the CNN of the RENO paper."""

from collections.abc import Sequence

from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.layers.blocks import (
    DROPOUT,
    Pool,
    check_pool,
    conv_block,
    dense_block,
    no_auxiliary,
    pooled_values,
)
from nver.errors import check_dropout

POSITIONS = 28  # ours: 1.0 M parameters at every width, within the printed 0.9 to 1.1 M


class Head(Classifier):
    """A classifier of one embedding: `network` gives the logits, and there is no other loss."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        (embedding,) = streams
        logits = self.network(embedding)
        return logits, no_auxiliary(logits)


def linear(dims: Sequence[int], emotions: int) -> Head:
    """Softmax regression, the "linear probe": what the embedding holds that needs no hidden layer.

    Not in the paper.
    """
    return Head(nn.Linear(dims[0], emotions))


def fcn(dims: Sequence[int], emotions: int, *, dropout: float) -> Head:
    """Dense 512 -> dense 128 -> output.

    The printed 0.7 to 1.0 M parameters cannot be met by these layers: they have 0.46 M at 768
    and 2.03 M at 3840.
    """
    check_dropout(dropout)
    return Head(dense_block(dims[0], emotions, dropout))


def cnn(dims: Sequence[int], emotions: int, *, pool: Pool, positions: int, dropout: float) -> Head:
    """Two convolutions along the embedding, flattened, then the FCN's layers."""
    check_pool(pool, positions)
    check_dropout(dropout)
    flattened = pooled_values(dims[0], pool, positions)
    dense = dense_block(flattened, emotions, dropout)
    return Head(nn.Sequential(conv_block(pool, positions), nn.Flatten(), dense))


PAPER = "Are Mamba-based Audio Foundation Models the Best Fit for Non-Verbal Emotion Recognition?"
CITATION = f"{PAPER} arXiv:2506.02258"

LINEAR = ClassifierCard(
    name="linear",
    title="linear model (softmax regression)",
    citation="our own reference point; not in the paper",
    streams=(1, 1),
    build=linear,
)
FCN = ClassifierCard(
    name="fcn",
    title="fully connected network",
    citation=CITATION,
    streams=(1, 1),
    build=fcn,
    options={"dropout": DROPOUT},
)
CNN = ClassifierCard(
    name="cnn",
    title="convolutional network along the embedding",
    citation=CITATION,
    streams=(1, 1),
    build=cnn,
    options={"pool": "adaptive", "positions": POSITIONS, "dropout": DROPOUT},
)
