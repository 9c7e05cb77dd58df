"""Options of a classifier chosen inside one training part; no test clip has a say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.classifiers.base import Classifier
from nver.classifiers.training.config import apart
from nver.classifiers.training.loop import Fitted, TrainingConfig, fit
from nver.errors import NverError

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Tuned:
    """The classifier of the chosen options, and every candidate's validation cross-entropy."""

    fitted: Fitted
    chosen: Options
    candidates: tuple[tuple[Options, float | None], ...]


def options_to_try(tune: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values of `tune`, the last option varying fastest; [{}] without any.

    >>> options_to_try({"lambda_": [0.3, 0.5]})
    [{'lambda_': 0.3}, {'lambda_': 0.5}]
    """
    return [dict(zip(tune, values, strict=True)) for values in product(*tune.values())]


def fit_tuned(
    build: Callable[[Options], Classifier],
    tune: Mapping[str, Sequence[Any]],
    streams: Sequence[npt.NDArray[Any]],
    emotions: npt.NDArray[np.integer],
    validation: npt.NDArray[Any],
    config: TrainingConfig,
    *,
    seed: int,
) -> Tuned:
    """Train with each combination of options and keep the one of the lowest validation loss.

    The criterion is the mean cross-entropy on the validation clips at the kept epoch, the same for
    every candidate: an auxiliary loss and its weight have no part in it. Of equal ones the first
    is kept. Every candidate has the same seed, batches and validation clips; early stopping uses
    these clips too, so the criterion is a little too low for all alike.

    Args:
        build: makes the untrained classifier with the options under trial.
        tune: option, of the classifier or "learning_rate" or "weight_decay" -> values to try;
            where it is empty the one training is made as it is.
        streams, emotions, validation, config, seed: as for `nver.classifiers.training.loop.fit`.

    Raises:
        NverError: there are no validation clips to choose by; what `fit` raises.
    """
    candidates = options_to_try(tune)
    if len(candidates) > 1 and not np.any(validation):
        raise NverError(
            f"tuning {', '.join(tune)} needs validation clips, and of {len(emotions)} training "
            "clips none is held out; give [training] a larger validation_share, or no tune"
        )
    lowest = inf
    tried: list[tuple[Options, float | None]] = []
    for options in candidates:
        own, pace = apart(options)
        trial = replace(config, **pace)
        fitted = fit(partial(build, own), streams, emotions, validation, trial, seed=seed)
        loss = fitted.kept.validation
        tried.append((options, loss))
        score = 0.0 if loss is None else loss  # None where there is one training, see above
        if score < lowest:
            lowest, best, chosen = score, fitted, options
    return Tuned(best, chosen, tuple(tried))


def options_text(options: Options) -> str:
    """ "lambda_=0.3, delta=0.2", for a table's cell; empty without options."""
    return ", ".join(f"{name}={value}" for name, value in options.items())
