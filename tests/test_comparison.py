"""Paired tests between systems, their correction for many, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers_report import SYSTEMS, make_predictions
from nver.errors import UsageError
from nver.results.comparison import compare, compare_groups, comparison_table, holm
from nver.results.metrics import SCORES, fold_scores, systems
from nver.results.paired_tests import bootstrap_p, paired_t, resampled_t

KEYS = ["encoders", "classifier"]


def each(**options: object) -> list[pd.DataFrame]:
    """The rows of each made-up system."""
    return [rows for _, rows in systems(make_predictions(**options))]  # type: ignore[arg-type]


def test_of_accuracy_it_is_the_paired_t_test_over_speakers() -> None:
    a, b, *_ = each(speakers=9, seeds=(0, 1))
    result = compare(a, b, "accuracy")
    one, two = (
        (rows["emotion"] == rows["predicted"]).groupby(rows["speaker"]).mean() for rows in (a, b)
    )
    expected = stats.ttest_rel(one, two)
    assert result.difference == pytest.approx((one - two).mean())
    assert result.p == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((ends.low, ends.high))
    assert (result.unit, result.units, result.folds) == ("speaker", 9, 10)


@pytest.mark.parametrize("score", SCORES)
def test_the_interval_excludes_zero_where_p_is_small(score: str) -> None:
    rows = each(speakers=7)
    for a, b in ((rows[0], rows[1]), (rows[0], rows[3]), (rows[1], rows[2])):
        result = compare(a, b, score)
        assert (result.p < 0.05) == (result.low > 0 or result.high < 0)
        back = compare(b, a, score)
        assert back.difference == pytest.approx(-result.difference)
        assert (back.p, back.p_resampled_t) == pytest.approx((result.p, result.p_resampled_t))
        assert back.p_bootstrap == pytest.approx(result.p_bootstrap)


def test_a_system_ties_with_itself() -> None:
    (a, *_) = each(speakers=4)
    result = compare(a, a.assign(classifier="twin"))
    assert result.difference == 0
    assert np.isnan([result.low, result.high]).all(), "no spread, no interval"
    assert (result.p, result.p_bootstrap, result.p_resampled_t) == (1, 1, 1)


def test_resampled_t_by_hand() -> None:
    differences = np.array([0.02, 0.05, -0.01, 0.03, 0.04, 0.01, 0.0, 0.06, 0.02, 0.03])
    variance = differences.var(ddof=1)
    t = differences.mean() / np.sqrt((1 / 10 + 1 / 4) * variance)
    assert resampled_t(differences, 1 / 4) == pytest.approx(2 * stats.t.sf(t, 9))
    assert resampled_t(differences, 0) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert np.isnan(resampled_t(differences[:1], 1 / 4))


def test_the_tables_resampled_t_is_that_of_its_folds() -> None:
    predictions = make_predictions(speakers=10, seeds=(0, 1))
    a, b, *_ = (rows for _, rows in systems(predictions))
    uar = fold_scores(predictions).set_index(KEYS)["unweighted_average_recall"]
    one, two = (uar.loc[tuple(rows[KEYS].iloc[0])].to_numpy() for rows in (a, b))
    assert compare(a, b).p_resampled_t == pytest.approx(resampled_t(one - two, 1 / 4), abs=1e-3)
    (single, other, *_) = each(speakers=5, folds=1)
    assert np.isnan(compare(single, other).p_resampled_t)


def test_without_a_known_training_size_there_is_no_resampled_t() -> None:
    a, b, *_ = each(speakers=8, folds=1, seeds=(0, 1, 2))
    result = compare(a, b)
    assert result.folds == 3
    assert np.isnan(result.p_resampled_t)
    assert np.isfinite(result.p)
    assert np.isnan(resampled_t(np.array([0.1, 0.2, 0.3]), np.nan))


def test_differences_that_are_all_alike_are_as_sure_as_their_signs() -> None:
    low, high, p = paired_t(0.1, np.full(4, 0.1))
    assert np.isnan([low, high]).all()  # not an interval of width zero
    assert p == 2 / 2**4
    assert resampled_t(np.full(5, -0.1), 0.25) == 2 / 2**5


def test_bootstrap_p_is_where_the_expanded_interval_touches_zero() -> None:
    from nver.results.uncertainty import percentile_interval

    replicates = np.random.default_rng(0).normal(0.05, 0.03, size=20000)
    for units in (5, 11, 100):
        p = bootstrap_p(replicates, units)
        low, _ = percentile_interval(replicates, units, 1 - p)
        assert low == pytest.approx(0, abs=1e-3)
    assert bootstrap_p(-replicates, 11) == pytest.approx(bootstrap_p(replicates, 11))
    assert bootstrap_p(np.zeros(100), 11) == 1


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # Holm (1979): 3 x .01, 2 x .03, then .04 >= it
        ([0.5, 0.6, 0.9], [1, 1, 1]),
        ([0.04], [0.04]),
        ([], []),
        ([0.01, np.nan, 0.02], [0.02, np.nan, 0.02]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_holm(p: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(holm(p), expected)


def test_groups_are_compared_by_their_means() -> None:
    a, b, c, d = each(speakers=8)
    groups = compare_groups(pd.concat([a, b]), pd.concat([c, d]), "macro_f1")
    pairs = [compare(x, y, "macro_f1").difference for x in (a, b) for y in (c, d)]
    assert groups.difference == pytest.approx(np.mean(pairs))
    assert groups.low < groups.difference < groups.high
    alone = compare_groups(a, d)
    assert alone == compare(a, d)


def test_twice_the_same_system_is_no_more_data() -> None:
    a, b, *_ = each(speakers=8)
    twice = pd.concat([a, a.assign(classifier="twin")])
    assert compare_groups(twice, b).p == pytest.approx(compare(a, b).p)


@pytest.mark.parametrize("speakers", [1, 0])
def test_units_of_a_comparison(speakers: int) -> None:
    a, b, *_ = (
        rows.assign(speaker="s" if speakers else None) for rows in each(speakers=0, takes=4)
    )
    result = compare(a, b)
    assert result.unit == ("speaker" if speakers else "clip")
    assert np.isnan(result.p) == bool(speakers)
    assert np.isnan(result.low) == bool(speakers)
    assert np.isnan(result.p_bootstrap) == bool(speakers)


def test_what_cannot_be_compared() -> None:
    a, b, *_ = each(speakers=6)
    swapped = b["fold"].where(b["fold"] > 1, 1 - b["fold"])
    cases = [
        (b.iloc[3:], "3 of 72 clips are of one of them only"),
        (b.assign(fold=swapped), "the fold of .* of 72 clips differs"),
        (b.assign(protocol="random"), "protocols differ .speaker-independent; random."),
        (b.assign(corpus="other"), "corpora differ"),
        (b.assign(seed=1), "seeds differ .0; 1."),
        (b.assign(speaker=None), "the speaker of 72 of 72 clips differs"),
        (b.assign(emotion=b["emotion"].iloc[0]), "the emotion of .* clips differs"),
    ]
    for other, words in cases:
        with pytest.raises(UsageError, match=words):
            compare(a, other)
        with pytest.raises(UsageError, match=words):
            compare_groups(a, pd.concat([b, other.assign(classifier="z")]))
    with pytest.raises(UsageError, match="one system on each side; got 2 systems"):
        compare(a, pd.concat([a, b]))
    with pytest.raises(UsageError, match="did you mean 'macro_f1'"):
        compare(a, b, "macro_f")


def test_the_order_of_rows_makes_no_difference() -> None:
    a, b, *_ = each(speakers=6, seeds=(0, 1))
    mixed = b.sample(frac=1, random_state=0)
    got, expected = compare(a, mixed), compare(a, b)
    assert vars(got) == pytest.approx(vars(expected))


def test_comparison_table_has_every_pair_of_a_table() -> None:
    predictions = make_predictions(speakers=6, protocols=2)
    table = comparison_table(predictions, resamples=200)
    pairs = len(SYSTEMS) * (len(SYSTEMS) - 1) // 2
    assert len(table) == 2 * len(SCORES) * pairs
    assert (table["comparisons"] == pairs).all()
    for _, own in table.groupby(["protocol", "score"]):
        np.testing.assert_allclose(own["p_holm"], holm(own["p"]))
    row = table.iloc[0]
    a, b, *_ = (rows for _, rows in systems(predictions))
    assert row["p"] == compare(a, b, row["score"]).p
    assert (row["encoders_a"], row["classifier_b"]) == (SYSTEMS[0][0], SYSTEMS[1][1])


def test_pairs_on_other_clips_are_left_out_of_the_table() -> None:
    a, b, c, _ = each(speakers=6)
    table = comparison_table(pd.concat([a, b, c.iloc[5:]]), resamples=0)
    assert len(table) == len(SCORES)
    assert table["p_bootstrap"].isna().all()
    assert comparison_table(a).empty
