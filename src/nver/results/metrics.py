"""Scores: pure functions of truth and prediction, and of the predictions table.

Every score is a function of a confusion matrix, with any number of leading axes, so that a score
of a thousand resamples is one call.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.errors import UsageError
from nver.results.results import (
    Counts,
    Predictions,
    SystemResults,
    Values,
    codes_of,
    count_confusions,
    results_of,
    stacked,
)

# ------------------------------------------------------------ scores of truth and prediction


def accuracy(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """The share of clips whose emotion was predicted."""
    return _score(accuracy_of, truth, predicted)


def unweighted_average_recall(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """The mean of the recalls of the emotions that occur in the truth (balanced accuracy)."""
    return _score(unweighted_average_recall_of, truth, predicted)


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """The mean of the F1 of the emotions that occur in the truth or were predicted."""
    return _score(macro_f1_of, truth, predicted)


def weighted_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """The mean of the emotions' F1, weighted by how often they occur in the truth."""
    return _score(weighted_f1_of, truth, predicted)


def recall_per_emotion(
    truth: Sequence[str], predicted: Sequence[str], emotions: Sequence[str]
) -> dict[str, float]:
    """emotion -> the share of its clips that were recognised; nan where it has no clip."""
    recall = recall_of(confusion_matrix(truth, predicted, emotions))
    return dict(zip(emotions, recall.tolist(), strict=True))


def f1_per_emotion(
    truth: Sequence[str], predicted: Sequence[str], emotions: Sequence[str]
) -> dict[str, float]:
    """emotion -> F1; nan where it has no clip and was never predicted."""
    f1 = f1_of(confusion_matrix(truth, predicted, emotions))
    return dict(zip(emotions, f1.tolist(), strict=True))


def _score(
    function: Callable[[Counts], Values], truth: Sequence[str], predicted: Sequence[str]
) -> float:
    counts = confusion_matrix(truth, predicted, sorted({*truth, *predicted}))
    return float(function(counts))


def confusion_matrix(
    truth: Sequence[str], predicted: Sequence[str], emotions: Sequence[str]
) -> Counts:
    """(emotions, emotions): how many clips of the row's emotion were given the column's.

    Raises:
        UsageError: no clips, unequal lengths, or an emotion that is not in `emotions`.
    """
    if len(truth) != len(predicted) or len(truth) == 0:
        raise UsageError(
            f"scores need as many predictions as truths, one at least; "
            f"got {len(truth)} truths and {len(predicted)} predictions"
        )
    number = len(emotions)
    cell = codes_of(truth, emotions) * number + codes_of(predicted, emotions)
    return count_confusions(cell, number)[0]


# ------------------------------------------- scores of confusion matrices (..., emotions, emotions)


def accuracy_of(counts: Counts) -> Values:
    """(...): accuracy of confusion matrices (..., emotions, emotions)."""
    return _divide(_hits(counts).sum(-1), counts.sum((-2, -1)))


def recall_of(counts: Counts) -> Values:
    """(..., emotions): hits / clips of the emotion; nan where it has none."""
    return _divide(_hits(counts), counts.sum(-1))


def precision_of(counts: Counts) -> Values:
    """(..., emotions): hits / predictions of the emotion; nan where there are none."""
    return _divide(_hits(counts), counts.sum(-2))


def f1_of(counts: Counts) -> Values:
    """(..., emotions): 2 hits / (clips + predictions); nan where there are neither."""
    return _divide(2 * _hits(counts), counts.sum(-1) + counts.sum(-2))


def unweighted_average_recall_of(counts: Counts) -> Values:
    """(...): mean recall over the emotions that occur."""
    return _mean_of_present(recall_of(counts))


def macro_f1_of(counts: Counts) -> Values:
    """(...): mean F1 over the emotions that occur or were predicted."""
    return _mean_of_present(f1_of(counts))


def weighted_f1_of(counts: Counts) -> Values:
    """(...): mean F1 weighted by the emotions' clips."""
    clips = counts.sum(-1)
    return _divide((np.nan_to_num(f1_of(counts)) * clips).sum(-1), clips.sum(-1))


UAR = "unweighted_average_recall"
SCORES: dict[str, Callable[[Counts], Values]] = {
    "accuracy": accuracy_of,
    UAR: unweighted_average_recall_of,
    "macro_f1": macro_f1_of,
    "weighted_f1": weighted_f1_of,
}


def _hits(counts: Counts) -> Counts:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _divide(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Values:
    """The quotient, nan where `below` is zero."""
    undefined = np.full(np.shape(above), np.nan)
    return np.divide(above, below, out=undefined, where=np.asarray(below) > 0)


def _mean_of_present(values: Values) -> Values:
    return _divide(np.nan_to_num(values).sum(-1), (~np.isnan(values)).sum(-1))


# ----------------------------------------------------------------- of the predictions table


def systems(predictions: Predictions) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """(experiment, corpus, protocol, encoders, classifier) and its rows, in the table's order."""
    for system in results_of(predictions).systems:
        yield system.key, system.rows


def fold_scores(predictions: Predictions) -> pd.DataFrame:
    """One row a system, seed and fold: its clips and its four scores (0..1)."""
    return stacked([_fold_scores(system) for system in results_of(predictions).systems])


def _fold_scores(system: SystemResults) -> dict[str, Any]:
    counts = system.fold_confusions
    seeds, folds = zip(*system.fold_places, strict=True)
    scores = {name: score(counts) for name, score in SCORES.items()}
    return {**system.columns, "seed": seeds, "fold": folds, "clips": counts.sum((-2, -1)), **scores}


def score_table(predictions: Predictions) -> pd.DataFrame:
    """One row a system: each score, its mean and deviation over folds, and what it stands on.

    A score is that of the folds' pooled confusions (Forman & Scholz 2010: a mean over folds makes
    F1 depend on how the rare emotions fell), averaged over the seeds.

    Returns:
        The columns experiment, corpus, protocol, encoders, classifier; each score (0..1), its mean
        over all folds of all seeds `SCORE_fold_mean`, which papers print, and that mean's
        `SCORE_std` (n - 1 in the denominator; nan for a single fold);
        `seeds`, `folds` (of all seeds), `clips`, `speakers` (0 where unknown), `emotions`,
        `chance` (the UAR of guessing: 1 / emotions), `majority` (the accuracy of always giving
        the most frequent emotion).
    """
    return pd.DataFrame([_scores(system) for system in results_of(predictions).systems])


def _scores(system: SystemResults) -> dict[str, Any]:
    row = system.columns
    for name, score in SCORES.items():
        each = pd.Series(score(system.fold_confusions))
        row[name] = score(system.units.counts).mean()
        row |= {f"{name}_fold_mean": each.mean(), f"{name}_std": each.std(ddof=1)}
    clips, emotions = system.clips, len(system.emotions)
    return row | {
        "seeds": len(system.units.counts),
        "folds": len(system.fold_places),
        "clips": len(clips),
        "speakers": clips["speaker"].nunique(),
        "emotions": emotions,
        "chance": 1 / emotions,
        "majority": clips["emotion"].value_counts().iloc[0] / len(clips),
    }


def emotion_table(predictions: Predictions) -> pd.DataFrame:
    """One row a system and emotion: its clips, and recall, precision and F1 over all folds.

    The folds' (and seeds') predictions are pooled; `clips` counts a clip once. `untrained` counts
    the predictions by trainings that had no clip of the emotion, and cannot be right.
    """
    return stacked([_emotion_scores(system) for system in results_of(predictions).systems])


def _emotion_scores(system: SystemResults) -> dict[str, Any]:
    clips = system.clips["emotion"].value_counts()
    return {
        **system.columns,
        "emotion": system.emotions,
        "clips": clips.reindex(system.emotions, fill_value=0).to_numpy(),
        "recall": recall_of(system.confusions),
        "precision": precision_of(system.confusions),
        "f1": f1_of(system.confusions),
        "untrained": system.untrained,
    }


def confusion_table(predictions: Predictions) -> pd.DataFrame:
    """One row a system, emotion and predicted emotion: `predictions`, over all folds and seeds."""
    return stacked(
        [
            {
                **system.columns,
                "emotion": np.repeat(system.emotions, len(system.emotions)),
                "predicted": np.tile(system.emotions, len(system.emotions)),
                "predictions": system.confusions.ravel(),
            }
            for system in results_of(predictions).systems
        ]
    )
