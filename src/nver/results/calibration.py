"""Whether probabilities mean what they say: calibration, one temperature, refusing the least sure.

Pure functions of the predictions table and of arrays; folds and seeds are pooled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.classifiers.training.temperature import negative_log_likelihood, tempered
from nver.evaluation.run_folder.predictions import PROBABILITY_PREFIX, TEMPERATURE, emotions_of
from nver.results.results import Predictions, SystemResults, Values, codes_of, results_of, stacked

BINS = 15  # of equal width, as C. Guo et al., "On calibration of modern neural networks", 2017
COVERAGES = (0.8, 0.5)  # shown in tables (our choice)
FORMS = RAW, CALIBRATED = "raw", "temperature"


# -------------------------------------------------------------------------------------- scores


def brier_score(probability: npt.NDArray[Any], truth: npt.NDArray[np.integer]) -> float:
    """The mean squared distance to the truth's one-hot vector, 0..2 (G. W. Brier, 1950)."""
    distance = np.array(probability, np.float64)
    distance[np.arange(len(truth)), truth] -= 1
    return float(np.square(distance).sum(axis=1).mean())


@dataclass(frozen=True)
class Reliability:
    """Equal-width bins of the confidence, each (bins,): bin b holds b/bins < c <= (b+1)/bins.

    `accuracy` and `confidence` are means over the bin's predictions, nan where it has none.
    """

    predictions: npt.NDArray[np.int64]
    accuracy: Values
    confidence: Values

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |accuracy - confidence| over the predictions."""
        gap = np.abs(np.nan_to_num(self.accuracy - self.confidence))
        return float((self.predictions * gap).sum() / self.predictions.sum())


def reliability(
    confidence: npt.NDArray[Any], correct: npt.NDArray[np.bool_], bins: int = BINS
) -> Reliability:
    """Accuracy by confidence of predictions (n,): the probability of what was predicted."""
    place = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins) - 1, 0, bins - 1)
    at = place.astype(np.int64)
    number = np.bincount(at, minlength=bins)
    filled = np.where(number > 0, number, np.nan)
    return Reliability(
        number,
        np.bincount(at, correct, minlength=bins) / filled,
        np.bincount(at, confidence, minlength=bins) / filled,
    )


def coverage_curve(confidence: npt.NDArray[Any], correct: npt.NDArray[np.bool_]) -> Values:
    """(n,): the accuracy of the surest 1, 2, .. n predictions; its mean is the area.

    Equal confidences are refused in no order: each counts with their mean (Y. Geifman, R.
    El-Yaniv, "Selective classification for deep neural networks", 2017, has 1 - this, the risk).
    """
    _, place, number = np.unique(-confidence, return_inverse=True, return_counts=True)
    mean = np.bincount(place, correct) / number
    accepted = np.repeat(mean, number)  # by falling confidence
    return np.asarray(np.cumsum(accepted) / np.arange(1, len(accepted) + 1))


# ----------------------------------------------------------------------- of the predictions table


@dataclass(frozen=True)
class Certainty:
    """One system's predictions, raw or tempered: `probability` (n, emotions), `truth` (n,)."""

    probability: Values
    truth: npt.NDArray[np.int64]

    @property
    def confidence(self) -> Values:
        return np.asarray(self.probability.max(axis=1))

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.probability.argmax(axis=1) == self.truth)


def temperatures_of(rows: pd.DataFrame) -> Values:
    """(n,): each prediction's temperature; 1 where none was fitted, as in tables of old."""
    if TEMPERATURE not in rows:
        return np.ones(len(rows))
    return rows[TEMPERATURE].fillna(1.0).to_numpy(np.float64)


def certainty_of(rows: pd.DataFrame, form: str = RAW) -> Certainty:
    """The probabilities of one system's rows, as saved or with their trainings' temperatures."""
    emotions = emotions_of(rows)
    columns = [f"{PROBABILITY_PREFIX}{emotion}" for emotion in emotions]
    probability = rows[columns].to_numpy(np.float64)
    if form == CALIBRATED:
        probability = tempered(probability, temperatures_of(rows))
    return Certainty(probability, codes_of(rows["emotion"].to_numpy(dtype=object), emotions))


def calibration_table(predictions: Predictions) -> pd.DataFrame:
    """Two rows a system, `form` "raw" and "temperature", over all folds and seeds.

    Returns:
        The system's columns, form, predictions, temperature (median over trainings) and its least
        and most, accuracy, confidence (mean), expected_calibration_error, brier_score,
        negative_log_likelihood, coverage_area, and accuracy_at_80 and _50: of that percentage of
        the predictions, the surest.
    """
    systems = results_of(predictions).systems
    return pd.DataFrame([_calibration(system, form) for system in systems for form in FORMS])


def _calibration(system: SystemResults, form: str) -> dict[str, Any]:
    temperature = np.ones(1)
    if form == CALIBRATED:
        of_rows = temperatures_of(system.rows)
        temperature = np.array([of_rows[places[0]] for places in system.fold_places.values()])
    certainty = certainty_of(system.rows, form)
    confidence, correct = certainty.confidence, certainty.correct
    curve = coverage_curve(confidence, correct)
    at = {f"accuracy_at_{100 * share:.0f}": accuracy_at(curve, share) for share in COVERAGES}
    return {
        **system.columns,
        "form": form,
        "predictions": len(system.rows),
        "temperature": float(np.median(temperature)),
        "temperature_least": float(temperature.min()),
        "temperature_most": float(temperature.max()),
        "accuracy": float(correct.mean()),
        "confidence": float(confidence.mean()),
        "expected_calibration_error": reliability(confidence, correct).error,
        "brier_score": brier_score(certainty.probability, certainty.truth),
        "negative_log_likelihood": negative_log_likelihood(certainty.probability, certainty.truth),
        "coverage_area": float(curve.mean()),
        **at,
    }


def accuracy_at(curve: Sequence[float] | Values, share: float) -> float:
    """The accuracy of the surest `share` of the predictions, at least one."""
    return float(curve[max(1, round(share * len(curve))) - 1])


def reliability_table(predictions: Predictions) -> pd.DataFrame:
    """One row a system, form and bin: from, to, predictions, accuracy, confidence (nan: none)."""
    systems = results_of(predictions).systems
    return stacked([_bins(system, form) for system in systems for form in FORMS])


def _bins(system: SystemResults, form: str) -> dict[str, Any]:
    edges = np.linspace(0, 1, BINS + 1)
    certainty = certainty_of(system.rows, form)
    bins = reliability(certainty.confidence, certainty.correct)
    return {**system.columns, "form": form, "from": edges[:-1], "to": edges[1:], **vars(bins)}
