"""A classifier by its name: its card, its options checked, the network built."""

from collections.abc import Sequence
from typing import Any

import torch

from nver.classifiers.base import Classifier, ClassifierCard
from nver.errors import UsageError, check_count, shown, unknown_name
from nver.registry import lookup

MOST_PARAMETERS = 100_000_000  # our choice: 50 times the largest of a paper; 1.6 GB with Adam


def build_classifier(name: str, dims: Sequence[int], emotions: int, **options: Any) -> Classifier:
    """An untrained classifier for streams of these dims and this many emotions."""
    card = check_classifier(name, len(dims), options)
    for dim in dims:
        check_count("an embedding's dim", dim)
    check_count("the number of emotions", emotions, 2)
    return card.build(tuple(dims), emotions, **{**card.options, **options})


def check_classifier(name: str, streams: int, options: dict[str, Any]) -> ClassifierCard:
    """The card, after a check that the classifier takes this many streams and these options.

    The options' values are checked by building it once without memory (torch's meta device).
    """
    card: ClassifierCard = lookup("classifiers", name)
    least, most = card.streams
    if streams < least or (most is not None and streams > most):
        takes = f"{least}" if most == least else f"{least} or more"
        raise UsageError(f"{name} takes {takes} embedding(s) a clip; got {streams}")
    for option in options:
        if option not in card.options:
            raise unknown_name(f"option of {name}", option, card.options or ["none"])
    try:
        with torch.device("meta"):
            network = card.build((1,) * streams, 2, **{**card.options, **options})
    except UsageError:
        raise
    except Exception as error:  # whatever a value of a wrong type or size does to a layer
        raise UsageError(
            f"{name} cannot be built with {shown(options)}: {type(error).__name__} {error}"
        ) from error
    if (size := sum(p.numel() for p in network.parameters())) > MOST_PARAMETERS:
        raise UsageError(
            f"{name} with {shown(options)} has {size:,} parameters; expected at most "
            f"{MOST_PARAMETERS:,}"
        )
    return card
