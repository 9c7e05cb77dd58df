"""Scores against scikit-learn's, and the tables that are made of predictions."""

import math
import warnings
from typing import Any

import audmetric
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from helpers_report import make_predictions
from nver.errors import UsageError
from nver.results import metrics

EMOTIONS = ["anger", "fear", "joy", "pain", "relief", "sadness", "triumph"]


def random_case(seed: int) -> tuple[list[str], list[str]]:
    """Truth and prediction of 1 to 60 clips, each over its own random subset of the emotions."""
    rng = np.random.default_rng(seed)
    clips = int(rng.integers(1, 60))
    of_truth, of_predicted = (
        rng.choice(EMOTIONS, size=int(rng.integers(1, len(EMOTIONS) + 1)), replace=False)
        for _ in range(2)
    )
    truth = rng.choice(of_truth, size=clips)
    predicted = np.where(rng.random(clips) < 0.3, truth, rng.choice(of_predicted, size=clips))
    return [str(e) for e in truth], [str(e) for e in predicted]


def scikit_learns(truth: list[str], predicted: list[str]) -> list[Any]:
    """The four scores, recall and F1 an emotion, and the confusion, from codes (it is faster)."""
    t, p = (np.array([EMOTIONS.index(e) for e in side]) for side in (truth, predicted))
    codes = np.arange(len(EMOTIONS))
    _, recall, f1, _ = sk.precision_recall_fscore_support(t, p, labels=codes, zero_division=np.nan)
    return [
        sk.accuracy_score(t, p),
        sk.balanced_accuracy_score(t, p),
        sk.f1_score(t, p, average="macro"),
        sk.f1_score(t, p, average="weighted"),
        *recall,
        *f1,
        *sk.confusion_matrix(t, p, labels=codes).ravel(),
    ]


def ours(truth: list[str], predicted: list[str]) -> list[Any]:
    """The same of nver."""
    return [
        metrics.accuracy(truth, predicted),
        metrics.unweighted_average_recall(truth, predicted),
        metrics.macro_f1(truth, predicted),
        metrics.weighted_f1(truth, predicted),
        *metrics.recall_per_emotion(truth, predicted, EMOTIONS).values(),
        *metrics.f1_per_emotion(truth, predicted, EMOTIONS).values(),
        *metrics.confusion_matrix(truth, predicted, EMOTIONS).ravel(),
    ]


def test_scores_equal_scikit_learns() -> None:
    cases = [random_case(seed) for seed in range(1000)]
    assert sum(set(truth) != set(predicted) for truth, predicted in cases) > 300
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn speaks of emotions that are absent
        expected = np.array([scikit_learns(*case) for case in cases])
    got = np.array([ours(*case) for case in cases])
    assert np.isnan(expected).any()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_uar_equals_audmetrics() -> None:
    """Of predictions among the truth's emotions: of others audmetric counts a recall of 0."""
    for seed in range(1000):
        truth, other = random_case(seed)
        predicted = [p if p in truth else truth[0] for p in other]
        expected = audmetric.unweighted_average_recall(truth, predicted)
        assert metrics.unweighted_average_recall(truth, predicted) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [  # accuracy, UAR, macro-F1, weighted-F1 by hand
        (["a", "a", "b"], ["a", "b", "b"], (2 / 3, 3 / 4, 2 / 3, 2 / 3)),
        (["a", "a", "a"], ["a", "a", "b"], (2 / 3, 2 / 3, 0.4, 0.8)),  # b: never true
        (["a", "b"], ["a", "a"], (1 / 2, 1 / 2, 1 / 3, 1 / 3)),  # b: never predicted
        (["a"], ["a"], (1, 1, 1, 1)),
    ],
)
def test_scores_by_hand(
    truth: list[str], predicted: list[str], expected: tuple[float, ...]
) -> None:
    functions = (
        metrics.accuracy,
        metrics.unweighted_average_recall,
        metrics.macro_f1,
        metrics.weighted_f1,
    )
    assert [f(truth, predicted) for f in functions] == pytest.approx(expected)


def test_absent_emotions_are_nan() -> None:
    recall = metrics.recall_per_emotion(["a", "a"], ["a", "b"], ["a", "b", "c"])
    f1 = metrics.f1_per_emotion(["a", "a"], ["a", "b"], ["a", "b", "c"])
    assert recall["a"] == 0.5
    assert math.isnan(recall["b"])
    assert f1["b"] == 0  # predicted, wrongly
    assert math.isnan(f1["c"])


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        ([], [], "0 truths"),
        (["a"], ["a", "b"], "1 truths and 2 predictions"),
        (["a"], ["z"], "not among the emotions: z"),
    ],
)
def test_what_cannot_be_scored(truth: list[str], predicted: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        metrics.confusion_matrix(truth, predicted, ["a", "b"])


@pytest.mark.parametrize("name", metrics.SCORES)
def test_scores_of_many_confusions_are_those_of_each(name: str) -> None:
    counts = np.random.default_rng(1).integers(0, 5, size=(2, 50, 4, 4))
    counts[0, 0, 1] = 0
    score = metrics.SCORES[name]
    together = score(counts)
    each = [[float(score(c)) for c in row] for row in counts]
    np.testing.assert_array_equal(together, each)


def test_score_table_pools_folds_and_averages_seeds() -> None:
    predictions = make_predictions(emotions=6, speakers=10, protocols=2, seeds=(0, 1))
    table = metrics.score_table(predictions)
    assert len(table) == 2 * 4  # protocols x systems
    row = table.iloc[3]
    own = predictions[
        (predictions["protocol"] == row["protocol"])
        & (predictions["encoders"] == row["encoders"])
        & (predictions["classifier"] == row["classifier"])
    ]
    folds = [part for _, part in own.groupby(["seed", "fold"])]
    uar = [sk.balanced_accuracy_score(p["emotion"], p["predicted"]) for p in folds]
    assert row["folds"] == len(folds) == 10
    assert row["seeds"] == 2
    pooled = [
        sk.balanced_accuracy_score(p["emotion"], p["predicted"]) for _, p in own.groupby("seed")
    ]
    assert row["unweighted_average_recall"] == pytest.approx(np.mean(pooled))
    assert row["unweighted_average_recall_fold_mean"] == pytest.approx(np.mean(uar))
    assert row["unweighted_average_recall_std"] == pytest.approx(np.std(uar, ddof=1))
    assert row["clips"] == own["clip"].nunique()
    assert row["speakers"] == 10
    assert row["emotions"] == 6
    assert row["chance"] == pytest.approx(1 / 6)
    assert row["majority"] == pytest.approx(
        own.drop_duplicates("clip")["emotion"].value_counts(normalize=True).max()
    )


def test_score_table_of_two_corpora_counts_each_ones_emotions() -> None:
    first = make_predictions(emotions=6, corpus="one")
    second = make_predictions(emotions=10, corpus="two")
    table = metrics.score_table(pd.concat([first, second], ignore_index=True))
    assert dict(zip(table["corpus"], table["emotions"], strict=True)) == {"one": 6, "two": 10}


def test_a_single_fold_has_no_deviation() -> None:
    predictions = make_predictions(emotions=6, folds=1)
    table = metrics.score_table(predictions)
    assert (table["folds"] == 1).all()
    assert table["accuracy_std"].isna().all()


def test_emotion_table_pools_the_folds() -> None:
    predictions = make_predictions(emotions=6, seeds=(0, 1))
    table = metrics.emotion_table(predictions)
    (_, own), *_ = metrics.systems(predictions)
    first = table.iloc[:6].set_index("emotion")
    recall = sk.recall_score(
        own["emotion"], own["predicted"], labels=list(first.index), average=None
    )
    np.testing.assert_allclose(first["recall"], recall)
    assert first["clips"].sum() == own["clip"].nunique()


def test_confusion_table_holds_every_prediction() -> None:
    predictions = make_predictions(emotions=6)
    table = metrics.confusion_table(predictions)
    assert table["predictions"].sum() == len(predictions)
    hits = table[table["emotion"] == table["predicted"]]["predictions"].sum()
    assert hits == (predictions["emotion"] == predictions["predicted"]).sum()
