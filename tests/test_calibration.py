"""Calibration: hand-made cases, scikit-learn's numbers, and a temperature that is found again."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from helpers_report import make_predictions
from nver.classifiers.training.loop import TrainingConfig
from nver.classifiers.training.temperature import TEMPERATURES, fit_temperature
from nver.errors import NverError
from nver.evaluation import Cell, cross_validate
from nver.evaluation.folds.fold_assignment import Folds, make_folds
from nver.evaluation.run_folder.predictions import read_predictions, write_predictions
from nver.results.calibration import (
    BINS,
    CALIBRATED,
    RAW,
    brier_score,
    calibration_table,
    certainty_of,
    coverage_curve,
    negative_log_likelihood,
    reliability,
    reliability_table,
    temperatures_of,
    tempered,
)

Drawn = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


def drawn(clips: int = 4000, emotions: int = 5, seed: int = 0) -> Drawn:
    """Probabilities, and truths drawn from them: calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=1.5, size=(clips, emotions))
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (probability.cumsum(axis=1) < rng.random((clips, 1))).sum(axis=1)
    return probability, np.minimum(truth, emotions - 1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoilt_the_probabilities_is_found(temperature: float) -> None:
    probability, truth = drawn()
    found = fit_temperature(tempered(probability, 1 / temperature), truth)
    assert found == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_is_likelier() -> None:
    probability, truth = drawn(300)
    best = fit_temperature(probability, truth)
    losses = [
        negative_log_likelihood(tempered(probability, t), truth)
        for t in np.geomspace(*TEMPERATURES, 400)
    ]
    assert negative_log_likelihood(tempered(probability, best), truth) <= min(losses) + 1e-9


def test_temperatures_stay_within_bounds_and_no_clips_change_nothing() -> None:
    certain = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(certain, np.array([0, 1])) == pytest.approx(TEMPERATURES[0], rel=1e-3)
    assert fit_temperature(certain, np.array([1, 0])) == pytest.approx(TEMPERATURES[1], rel=1e-3)
    assert fit_temperature(np.empty((0, 2)), np.empty(0, np.int64)) == 1.0


def test_tempering_keeps_the_order_and_one_is_the_identity() -> None:
    probability, _ = drawn(50)
    np.testing.assert_allclose(tempered(probability, 1.0), probability, rtol=1e-12)
    for temperature in (0.1, 7.0):
        changed = tempered(probability, temperature)
        np.testing.assert_array_equal(changed.argsort(axis=1), probability.argsort(axis=1))
        np.testing.assert_allclose(changed.sum(axis=1), 1)
    assert np.isfinite(tempered(np.array([[1.0, 0.0]], np.float32), 0.05)).all()


def test_scores_equal_scikit_learns() -> None:
    from sklearn.metrics import log_loss

    probability, truth = drawn(500)
    names = np.arange(probability.shape[1])
    assert negative_log_likelihood(probability, truth) == pytest.approx(
        log_loss(truth, probability, labels=names)
    )
    one_hot = np.eye(len(names))[truth]
    assert brier_score(probability, truth) == pytest.approx(
        np.mean(np.sum((probability - one_hot) ** 2, axis=1))
    )


def test_expected_calibration_error_by_hand() -> None:
    """Four predictions in two bins: |3/4 - 1/2| where c = 0.75, |0 - 1| where c = 1."""
    found = reliability(np.array([0.75, 0.75, 1.0, 1.0]), np.array([True, False, False, False]), 4)
    assert found.predictions.tolist() == [0, 0, 2, 2]
    assert found.accuracy[2:].tolist() == [0.5, 0.0]
    assert found.error == pytest.approx(0.5 * 0.25 + 0.5 * 1.0)


def test_an_edge_belongs_to_the_bin_below() -> None:
    found = reliability(np.array([0.2, 0.4, 0.4000001, 1.0]), np.ones(4, bool), 5)
    assert found.predictions.tolist() == [1, 1, 1, 0, 1]


def test_calibrated_probabilities_have_a_small_error() -> None:
    probability, truth = drawn(20_000)
    right = probability.argmax(axis=1) == truth
    assert reliability(probability.max(axis=1), right).error < 0.015
    sharp = tempered(probability, 0.3)
    assert reliability(sharp.max(axis=1), right).error > 0.1


@pytest.mark.parametrize(
    ("confidence", "correct", "curve"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], [1, 1, 2 / 3, 1 / 2]),
        ([0.6, 0.7, 0.8, 0.9], [1, 1, 0, 0], [0, 0, 1 / 3, 1 / 2]),
        ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5]),
        ([0.9, 0.5, 0.5], [1, 1, 0], [1, 3 / 4, 2 / 3]),
    ],
)
def test_accuracy_against_coverage(
    confidence: list[float], correct: list[int], curve: list[float]
) -> None:
    found = coverage_curve(np.array(confidence), np.array(correct, bool))
    np.testing.assert_allclose(found, curve)


# ------------------------------------------------------------------------------- of the table


def test_tables_have_both_forms_of_every_system() -> None:
    predictions = make_predictions(emotions=3)
    predictions["temperature"] = np.where(predictions["fold"] == 0, 2.0, 1.5)
    table = calibration_table(predictions)
    assert table["form"].tolist() == [RAW, CALIBRATED] * 4
    raw, calibrated = table[table["form"] == RAW], table[table["form"] == CALIBRATED]
    assert set(raw["temperature"]) == {1.0}
    assert set(calibrated["temperature"]) == {1.5}
    assert set(calibrated["temperature_most"]) == {2.0}
    assert raw["accuracy"].tolist() == calibrated["accuracy"].tolist()
    bins = reliability_table(predictions)
    assert len(bins) == 4 * 2 * BINS
    assert set(bins.groupby(["encoders", "classifier", "form"])["predictions"].sum()) == {72}


def test_a_table_without_temperatures_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    predictions = make_predictions(emotions=3)
    write_predictions(predictions, tmp_path / "old.csv")
    old = read_predictions(tmp_path / "old.csv")
    assert "temperature" not in old
    assert set(temperatures_of(old)) == {1.0}
    for _, rows in old.groupby(["encoders", "classifier"]):
        raw, same = certainty_of(rows), certainty_of(rows, CALIBRATED)
        np.testing.assert_allclose(raw.probability, same.probability, atol=1e-6)


def test_temperatures_are_saved_exactly_and_checked(tmp_path: Path) -> None:
    predictions = make_predictions(emotions=3)
    predictions["temperature"] = np.float32(1.2345678)
    write_predictions(predictions, tmp_path / "p.csv")
    back = read_predictions(tmp_path / "p.csv")
    assert (back["temperature"] == np.float32(1.2345678)).all()
    together = pd.concat([back, back.drop(columns="temperature").assign(seed=1)])
    assert set(temperatures_of(together)) == {float(np.float32(1.2345678)), 1.0}
    predictions.loc[3, "temperature"] = 0
    with pytest.raises(NverError, match=r"the temperature of row 4 .* is 0"):
        write_predictions(predictions, tmp_path / "p.csv")


def noisy_table() -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.float32]]]:
    """120 clips of 12 speakers and three emotions, and an embedding that says a little."""
    rng = np.random.default_rng(1)
    emotion = np.tile(["a", "b", "c"], 40)
    table = pd.DataFrame(
        {
            "clip": [f"{i:03d}" for i in range(120)],
            "speaker": np.repeat([f"s{i:02d}" for i in range(12)], 10),
            "emotion": emotion,
        }
    )
    rows = rng.normal(size=(120, 6)).astype(np.float32)
    rows[:, 0] += np.unique(emotion, return_inverse=True)[1]
    return table, {"e": rows}


def test_a_temperature_never_sees_its_test_fold() -> None:
    """Other emotions in a test fold change its scores, not the temperature of its training."""
    table, embeddings = noisy_table()
    folds = make_folds(table, number=4)
    training = TrainingConfig(epochs=3)
    cell = Cell("linear", ("e",), folds)
    ((_, before),) = cross_validate(table, embeddings, [cell], training=training, workers=1)
    test = folds.fold == 0
    spoilt = table.copy()
    spoilt.loc[test, "emotion"] = np.roll(table.loc[test, "emotion"].to_numpy(), 1)
    ((_, after),) = cross_validate(spoilt, embeddings, [cell], training=training, workers=1)
    assert before["temperature"][test].tolist() == after["temperature"][test].tolist()
    assert (before["predicted"] == before["emotion"])[test].sum() != (
        after["predicted"] == after["emotion"]
    )[test].sum()
    assert before["temperature"].nunique() == 4


def test_without_validation_clips_the_temperature_is_one() -> None:
    table, embeddings = noisy_table()
    cell = Cell("linear", ("e",), Folds("random", 0, np.arange(120) % 3))
    config = TrainingConfig(epochs=1, validation_share=0.0)
    ((_, found),) = cross_validate(table, embeddings, [cell], training=config, workers=1)
    assert set(found["temperature"]) == {1.0}
