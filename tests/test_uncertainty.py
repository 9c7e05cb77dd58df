"""Intervals: the units that are resampled, the interval's formula, and the tables."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers_report import SYSTEMS, make_predictions
from nver.errors import UsageError
from nver.results.metrics import SCORES, f1_of, recall_of, score_table, systems
from nver.results.resampling import (
    bootstrap,
    freedom,
    freedom_of,
    freedom_of_average,
    leave_one_out,
    pooled,
)
from nver.results.results import units_of
from nver.results.uncertainty import (
    emotion_interval_table,
    interval,
    interval_table,
    percentile_interval,
    standard_error,
)

ONE = SYSTEMS[:1]


def system(**options: object) -> pd.DataFrame:
    """The rows of one made-up system, some clips of some speakers taken away."""
    rows = make_predictions(emotions=3, systems=ONE, **options)  # type: ignore[arg-type]
    clips = pd.Series(sorted(set(rows["clip"])))
    return rows[~rows["clip"].isin(clips.sample(frac=0.3, random_state=1))]


@pytest.mark.parametrize("speakers", [5, 0], ids=["by speaker", "by clip"])
@pytest.mark.parametrize("score", [*SCORES, recall_of, f1_of])
def test_leave_one_out_is_the_score_of_what_is_left(speakers: int, score: object) -> None:
    rows = system(speakers=speakers, seeds=(0, 1))
    units = units_of(rows)
    column = "speaker" if speakers else "clip"
    assert units.unit == column
    assert list(units.names) == sorted(set(rows[column]))
    without = leave_one_out(units, score)  # type: ignore[arg-type]
    for name, value in zip(units.names, without, strict=True):
        rest = units_of(rows[rows[column] != name])
        np.testing.assert_allclose(value, pooled(rest, score), atol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("speakers", [5, 0], ids=["by speaker", "by clip"])
def test_bootstrap_is_the_score_of_the_units_drawn(speakers: int) -> None:
    rows = system(speakers=speakers, seeds=(0, 1))
    units = units_of(rows)
    of_unit = dict(list(rows.groupby(units.unit)))
    uar, f1 = bootstrap(units, ["unweighted_average_recall", "macro_f1"], 7, seed=3)
    drawn = np.random.default_rng(3).integers(len(units.names), size=(7, len(units.names)))
    for names, a, b in zip(units.names[drawn], uar, f1, strict=True):
        sample = units_of(pd.concat([of_unit[name] for name in names]))
        assert a == pytest.approx(float(pooled(sample, "unweighted_average_recall")))
        assert b == pytest.approx(float(pooled(sample, "macro_f1")))


def test_a_unit_keeps_its_clips_of_every_seed() -> None:
    """The same predictions under three seeds are no more data than under one."""
    one = system(speakers=8)
    three = pd.concat([one.assign(seed=seed) for seed in range(3)])
    columns = [f"{name}_{end}" for name in SCORES for end in ("low", "high")]
    np.testing.assert_allclose(interval_table(one)[columns], interval_table(three)[columns])


def test_interval_of_independent_clips_is_wilsons_with_t() -> None:
    """Of clips the jackknife's variance of the accuracy is p (1 - p) / (n - 1)."""
    hits = np.array([1.0] * 30 + [0.0] * 10)
    without = (hits.sum() - hits) / 39
    assert standard_error(without) == pytest.approx(np.sqrt(0.75 * 0.25 / 39))
    t, n = stats.t.ppf(0.975, 39), 39
    centre = (0.75 + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t / (1 + t**2 / n) * np.sqrt(0.75 * 0.25 / n + t**2 / (4 * n**2))
    assert interval(0.75, without) == pytest.approx((centre - half, centre + half))
    low, high = interval(0.75, without, level=0.5)
    assert centre - half < low < 0.75 < high < centre + half


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_interval_where_units_do_not_differ_counts_the_units(score: float) -> None:
    wide, narrow = (interval(score, np.full(n, score)) for n in (4, 40))
    assert 0 <= wide[0] < narrow[0] + 1e-12
    assert narrow[1] - 1e-12 < wide[1] <= 1
    assert wide[1] - wide[0] > 0.5
    assert narrow[0] <= score <= narrow[1]


@pytest.mark.parametrize(
    ("score", "without"), [(0.5, [0.5]), (0.5, []), (np.nan, [0.5] * 5), (0.5, [0.5, np.nan])]
)
def test_no_interval_where_there_is_nothing_to_resample(score: float, without: list[float]) -> None:
    assert np.isnan(interval(score, np.array(without))).all()


def test_a_level_is_a_share() -> None:
    with pytest.raises(UsageError, match="between 0 and 1; got 95"):
        interval(0.5, np.array([0.4, 0.5]), level=95)


def test_percentile_interval_is_expanded_for_few_units() -> None:
    replicates = np.linspace(0, 1, 100001)
    plain = percentile_interval(replicates, 5, expanded=False)
    assert plain == pytest.approx((0.025, 0.975))
    tail = stats.norm.cdf(-stats.t.ppf(0.975, 4) * np.sqrt(5 / 4))
    assert percentile_interval(replicates, 5) == pytest.approx((tail, 1 - tail), abs=1e-4)
    assert np.isnan(percentile_interval(replicates, 1)).all()


def test_interval_table_is_the_score_table_and_intervals() -> None:
    predictions = make_predictions(protocols=2, seeds=(0, 1), speakers=9)
    table, scores = interval_table(predictions), score_table(predictions)
    pd.testing.assert_frame_equal(table[scores.columns], scores)
    for name in SCORES:
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()
    assert set(table["unit"]) == {"speaker"}
    assert set(table["units"]) == {9}


def test_a_missing_speaker_makes_clips_the_units() -> None:
    rows = system(speakers=6).reset_index(drop=True)
    rows.loc[0, "speaker"] = None
    table = interval_table(rows)
    assert table["unit"].item() == "clip"
    assert table["units"].item() == rows["clip"].nunique()


def test_one_speaker_has_no_interval() -> None:
    table = interval_table(make_predictions(speakers=1, takes=9, systems=ONE).assign(speaker="s"))
    assert table["units"].item() == 1
    assert table[["accuracy_low", "accuracy_high"]].isna().all(axis=None)


def test_emotion_intervals_stand_on_the_speakers_that_have_the_emotion() -> None:
    rows = make_predictions(emotions=3, speakers=8, systems=ONE)
    rare = rows["emotion"].iloc[0]
    few = rows[(rows["emotion"] != rare) | rows["speaker"].isin(["000001", "000002", "000003"])]
    table = emotion_interval_table(few).set_index("emotion")
    assert table.loc[rare, "units"] == 3
    assert set(table["units"].drop(rare)) == {8}
    own = few[few["emotion"] == rare]
    hits = (own["emotion"] == own["predicted"]).groupby(own["speaker"]).agg(["sum", "size"])
    without = (hits.sum() - hits).pipe(lambda t: t["sum"] / t["size"]).to_numpy()
    expected = interval(hits["sum"].sum() / hits["size"].sum(), without)
    assert tuple(table.loc[rare, ["recall_low", "recall_high"]]) == pytest.approx(expected)
    alone = few[(few["emotion"] != rare) | (few["speaker"] == "000001")]
    table = emotion_interval_table(alone).set_index("emotion")
    assert np.isnan(table.loc[rare, "recall_low"])


def test_tables_keep_the_order_of_systems() -> None:
    predictions = make_predictions(speakers=5)
    keys = [key for key, _ in systems(predictions)]
    columns = ["experiment", "corpus", "protocol", "encoders", "classifier"]
    assert [tuple(row) for row in interval_table(predictions)[columns].to_numpy()] == keys


@pytest.mark.parametrize(
    ("clips", "expected"),
    [([4, 4, 4, 4, 4], 4), ([1, 1, 2], 16 / 6 - 1), ([1000, 1, 1, 1], 1), ([3], 1)],
)
def test_degrees_of_freedom_are_kishs_effective_units_less_one(
    clips: list[int], expected: float
) -> None:
    assert freedom_of(np.array(clips)) == pytest.approx(expected)


def test_an_average_of_emotions_has_kishs_freedom_where_all_have_the_same_mixture() -> None:
    sizes = np.array([1, 2, 2, 3, 7])
    mixture = np.array([1, 4, 0, 2])
    assert freedom_of_average(np.outer(sizes, mixture)) == pytest.approx(freedom_of(sizes))
    one_each = np.repeat(np.eye(3, dtype=int), 5, 0)
    assert freedom_of_average(one_each) == pytest.approx(14)


def test_an_average_of_emotions_has_less_freedom_where_one_is_of_few() -> None:
    clips = np.full((40, 6), 4)
    found = []
    for holders in (1, 2, 3, 5, 40):
        clips[:, 5] = np.where(np.arange(40) < holders, 4, 0)
        found.append(freedom_of_average(clips))
    assert found == sorted(found)
    # by hand: two have 5/40² + 1/4 + (5/40 + 1/2)² over 24 clips, 38 have 5/40² + (5/40)² over 20
    two, other = (5 / 40**2 + 1 / 4 + (5 / 40 + 1 / 2) ** 2) / 24, (5 / 40**2 + (5 / 40) ** 2) / 20
    expected = (2 * two + 38 * other) ** 2 / (2 * two**2 + 38 * other**2) - 1
    assert found[1] == pytest.approx(expected)
    assert (found[0], found[-1]) == pytest.approx((1, 39))


def test_scores_of_clips_keep_kishs_freedom_and_averages_of_emotions_do_not() -> None:
    rows = make_predictions(speakers=12, takes=3)
    rare = rows["emotion"].iloc[0]
    units = units_of(rows[(rows["emotion"] != rare) | (rows["speaker"] <= "000002")])
    assert units.clips.sum() == len(units.place)
    kish = freedom_of(units.clips.sum(1))
    assert freedom(units, "accuracy") == freedom(units, "weighted_f1") == kish
    average = freedom_of_average(units.clips)
    assert average < kish
    assert freedom(units, "macro_f1") == freedom(units, "unweighted_average_recall") == average
