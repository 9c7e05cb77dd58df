"""How a classifier is trained, `[training]` of a recipe: without torch, to check it early."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nver.errors import check_count, check_flag, check_number

MOST_EPOCHS = 100_000  # our choice: a slip of the keyboard, not a training
MOST_CLIPS = 65_536  # of a batch; our choice
FASTEST = 10.0  # learning rate and weight decay; our choice: beyond, a training can only diverge
LEAST_SHARE = 1e-3  # of validation clips; our choice: a smaller one holds out none of a corpus
OF_TRAINING = ("learning_rate", "weight_decay")  # `tune` may hold these too (our choice)


@dataclass(frozen=True)
class TrainingConfig:
    """How a classifier is trained.

    `patience` is in epochs without a lower cross-entropy on the validation clips; the caller takes
    `validation_share` of the training part for those, by speaker where speakers are known.
    `class_weights` weighs a clip's cross-entropy in training by the rarity of its emotion there.
    """

    learning_rate: float = 1e-3  # paper, with Adam
    batch_size: int = 32  # paper
    epochs: int = 20  # paper
    patience: int = 10  # author's code; the paper says "early stopping"
    validation_share: float = 0.1  # author's code
    weight_decay: float = 0.0  # Adam's default; none in the paper
    standardise: bool = True  # our choice
    class_weights: bool = False  # none in the paper

    def __post_init__(self) -> None:
        check_number("learning_rate", self.learning_rate, lambda rate: rate > 0, "above 0")
        check_number("weight_decay", self.weight_decay, lambda decay: decay >= 0, "of at least 0")
        check_number("validation_share", self.validation_share, lambda s: 0 <= s < 1, "in [0, 1)")
        check_count("batch_size", self.batch_size, most=MOST_CLIPS)
        check_count("epochs", self.epochs, most=MOST_EPOCHS)
        check_count("patience", self.patience)
        for name in ("standardise", "class_weights"):
            check_flag(name, getattr(self, name))


def check_pace(config: TrainingConfig) -> None:
    """Raise `UsageError` for what nobody means: every training diverges, none is stopped early."""
    for name in OF_TRAINING:
        pace = getattr(config, name)
        check_number(name, pace, lambda p: p <= FASTEST, f"of at most {FASTEST:g}")
    share, must = config.validation_share, f"of 0, or of at least {LEAST_SHARE:g}"
    check_number("validation_share", share, lambda s: s == 0 or s >= LEAST_SHARE, must)


def apart(tried: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that `tune` tries, apart: the classifier's own, and its `TrainingConfig`'s."""
    own = {name: value for name, value in tried.items() if name not in OF_TRAINING}
    return own, {name: value for name, value in tried.items() if name in OF_TRAINING}
