"""One temperature for a classifier's probabilities (C. Guo et al., "On calibration of modern neural
networks", 2017); without pandas, as every prediction needs it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

LEAST = float(np.finfo(np.float32).tiny)  # stands for a saved probability of 0 under a logarithm
TEMPERATURES = (0.05, 20.0)  # our choice: beyond, a softmax is all but one-hot or all but uniform

Values = npt.NDArray[np.float64]


def fit_temperature(probability: npt.NDArray[Any], truth: npt.NDArray[np.integer]) -> float:
    """The temperature of the lowest negative log-likelihood, within `TEMPERATURES`.

    Temperature scaling of Guo et al. 2017. The likelihood has one optimum: it is concave in 1 / T.

    Args:
        probability: (clips, emotions) of clips outside the test fold.
        truth: (clips,) counted from 0. Without clips the temperature is 1, which changes nothing.
    """
    if not len(truth):
        return 1.0
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(tempered(probability, np.exp(log_temperature)), truth)

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def tempered(
    probability: npt.NDArray[Any], temperature: float | npt.NDArray[np.floating]
) -> Values:
    """softmax(log p / T): (clips, emotions), from a temperature or one a clip (clips,)."""
    logits = np.log(np.maximum(np.asarray(probability, np.float64), LEAST))
    logits /= np.broadcast_to(np.asarray(temperature, np.float64), len(logits))[:, None]
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def negative_log_likelihood(probability: npt.NDArray[Any], truth: npt.NDArray[np.integer]) -> float:
    """The mean of -log p(truth), in nats."""
    own = np.asarray(probability, np.float64)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(own, LEAST)).mean())
