"""Scores by group of clips, and the most confidently wrong clips."""

import numpy as np
import pandas as pd
import pytest

from fakes import burst
from helpers_report import SYSTEMS, make_clips, make_predictions
from nver.encoders import load_encoder
from nver.results.metrics import score_table, unweighted_average_recall
from nver.results.subgroups import QUANTILES, confidently_wrong, quantile_edges, subgroup_table

CLIPS = make_clips(3, speakers=12, takes=2, corpus="toy")


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return make_predictions(emotions=3, seeds=(0, 1))


def test_groups_cover_every_prediction_once(predictions: pd.DataFrame) -> None:
    table = subgroup_table(predictions, CLIPS)
    assert table["by"].unique().tolist() == ["duration_s", "level_db", "speaker_group"]
    for _, rows in table.groupby(["encoders", "classifier", "by"]):
        assert rows["predictions"].sum() == 2 * len(CLIPS)
        assert rows["clips"].sum() == len(CLIPS)
    numbers = table[table["by"] == "duration_s"].groupby(["encoders", "classifier"]).size()
    assert set(numbers) == {QUANTILES}


def test_a_group_has_the_scores_of_its_rows(predictions: pd.DataFrame) -> None:
    table = subgroup_table(predictions, CLIPS)
    of_clip = CLIPS.set_index("clip")["speaker_group"]
    rows = predictions[
        (predictions["encoders"] == SYSTEMS[0][0])
        & (predictions["classifier"] == SYSTEMS[0][1])
        & (predictions["clip"].map(of_clip) == "male")
    ]
    (found,) = table[
        (table["encoders"] == SYSTEMS[0][0])
        & (table["classifier"] == SYSTEMS[0][1])
        & (table["group"] == "male")
    ].itertuples()
    truth, predicted = rows["emotion"].tolist(), rows["predicted"].tolist()
    assert found.unweighted_average_recall == pytest.approx(
        unweighted_average_recall(truth, predicted)
    )
    assert (found.clips, found.speakers) == (36, 6)


def test_one_group_of_all_has_the_scores_of_the_whole() -> None:
    predictions = make_predictions(emotions=3, folds=1)
    table = subgroup_table(predictions, CLIPS.assign(speaker_group="all"))
    found = table[table["by"] == "speaker_group"]["accuracy"].tolist()
    assert found == pytest.approx(score_table(predictions)["accuracy"].tolist())


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([7, 7, 7, 7], [7]),
        ([1, 1, 1, 1, 9], [1, 9]),
    ],
)
def test_bins_are_of_quantiles_and_equal_edges_are_one(
    values: list[float], edges: list[float]
) -> None:
    assert quantile_edges(np.array(values, float)).tolist() == edges


@pytest.mark.parametrize("constant", ["duration_s", "level_db"])
def test_a_fact_that_never_changes_is_one_group(predictions: pd.DataFrame, constant: str) -> None:
    table = subgroup_table(predictions, CLIPS.assign(**{constant: 1.5}))
    rows = table[table["by"] == constant]
    assert set(rows["clips"]) == {len(CLIPS)}


def test_what_is_unknown_is_in_no_group(predictions: pd.DataFrame) -> None:
    clips = CLIPS.assign(speaker_group=None)
    clips.loc[:9, "duration_s"] = np.nan
    table = subgroup_table(predictions, clips)
    one = table[(table["by"] == "duration_s") & (table["classifier"] == "reno")]
    assert one["clips"].sum() == len(CLIPS) - 10
    assert "speaker_group" not in set(table["by"])
    assert subgroup_table(predictions, CLIPS[["corpus", "clip"]]).empty


def test_the_most_confidently_wrong(predictions: pd.DataFrame) -> None:
    worst = confidently_wrong(predictions, CLIPS)
    assert (worst["emotion"] != worst["predicted"]).all()
    for (encoders, classifier), own in worst.groupby(["encoders", "classifier"]):
        assert own["rank"].tolist() == list(range(1, 11))
        assert own["clip"].is_unique
        assert own["confidence"].is_monotonic_decreasing
        rows = predictions[
            (predictions["encoders"] == encoders) & (predictions["classifier"] == classifier)
        ]
        wrong = rows[rows["predicted"] != rows["emotion"]]
        highest = wrong[[c for c in rows if c.startswith("p:")]].max(axis=1)
        assert own["confidence"].iloc[0] == pytest.approx(highest.max(), rel=1e-5)
    assert {"file", "duration_s", "level_db", "probability"} <= set(worst)


def test_duration_and_level_by_hand() -> None:
    encoder = load_encoder("duration-level")
    square = np.where(np.arange(8000) % 2, 0.5, -0.5).astype(np.float32)
    sine = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    found = encoder.encode([square, sine])
    np.testing.assert_allclose(found[0], [0.5, -6.0206, -6.0206], atol=1e-3)
    np.testing.assert_allclose(found[1], [1.0, -3.0103, 0.0], atol=1e-3)
    louder, quieter = encoder.encode([burst(), 0.1 * burst()])
    np.testing.assert_allclose(louder - quieter, [0, 20, 20], atol=1e-4)


def test_bins_that_lie_close_have_names_of_their_own() -> None:
    predictions = make_predictions(emotions=3)
    clips = CLIPS.assign(duration_s=1 + 1e-6 * np.arange(len(CLIPS)))
    table = subgroup_table(predictions, clips)
    assert table[table["by"] == "duration_s"]["group"].nunique() == QUANTILES
