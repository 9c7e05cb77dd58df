"""Late averaging: each embedding has its own head, and their probabilities are averaged.

A control of our own: what two embeddings give together without a layer that sees both. The heads
are trained together on the cross-entropy of the average.
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard
from nver.classifiers.heads import CNN, FCN
from nver.classifiers.layers.blocks import DROPOUT, no_auxiliary
from nver.errors import check_choice

HEADS = {"cnn": CNN, "fcn": FCN}


class LateAverage(Classifier):
    """Two or more heads of one embedding each."""

    def __init__(self, heads: Sequence[Classifier]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The logits are the logarithms of the averaged probabilities; softmax gives these back."""
        pairs = zip(self.heads, streams, strict=True)
        logs = torch.stack([head([stream])[0].log_softmax(dim=1) for head, stream in pairs])
        logits = logs.logsumexp(dim=0) - log(len(logs))
        return logits, no_auxiliary(logits)


def late_average(dims: Sequence[int], emotions: int, *, head: str, dropout: float) -> LateAverage:
    """Late averaging of heads of that name, "cnn" or "fcn"."""
    check_choice("head of late-average", head, tuple(HEADS))
    card = HEADS[head]
    options = {**card.options, "dropout": dropout}
    return LateAverage([card.build([dim], emotions, **options) for dim in dims])


LATE_AVERAGE = ClassifierCard(
    name="late-average",
    title="late averaging of probabilities",
    citation="a control of our own; heads as in arXiv:2506.02258",
    streams=(2, None),
    build=late_average,
    options={"head": "cnn", "dropout": DROPOUT},
)
