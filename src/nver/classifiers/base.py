"""The contract of a classifier: embeddings in, logits and an auxiliary loss out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class ClassifierCard:
    """What a classifier declares before it is built (`nver list classifiers`).

    `streams` is how many embeddings it takes: (1, 1) for a head, (2, None) for a fusion of two or
    more. `build` makes it from the streams' dims, the number of emotions and the options.
    """

    name: str
    title: str
    citation: str
    streams: tuple[int, int | None]
    build: Callable[..., "Classifier"]
    options: Mapping[str, Any] = field(default_factory=dict)


class Classifier(nn.Module, ABC):
    """A network trained on embeddings; the training loop knows nothing more of it than this.

    The loss that is minimised is `cross_entropy_weight * cross_entropy + auxiliary`.
    """

    cross_entropy_weight: float = 1.0

    @abstractmethod
    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """(logits, auxiliary) from one tensor (batch, dim) a stream.

        logits: (batch, emotions). auxiliary: a scalar, already weighted; zero where there is none.
        """

    def diagnostics(self, streams: Sequence[Tensor]) -> dict[str, float]:
        """Measures of the trained method itself: name -> mean over the clips.

        Called in eval mode without gradients; becomes columns of a run's `trainings.csv`.
        """
        return {}
