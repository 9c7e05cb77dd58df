"""Claims as tests: what is compared with what, and when a claim is supported."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nver.errors import UsageError
from nver.recipe import Experiment, experiment_to_tree
from nver.recipe.hypotheses import (
    CLAIMS,
    Hypothesis,
    Selection,
    System,
    parse_hypotheses,
)
from nver.recipe.hypotheses.claims import concerned, contrasts_of
from nver.recipe.hypotheses.selection import match, select
from nver.results.comparison import compare, compare_groups
from nver.results.paired_tests import holm
from nver.results.verdict import hypothesis_table, verdict_of

KINDS = {"t": "mamba", "s": "mamba", "b": "mamba", "h": "attention", "w": "attention"}
NAMES = {"t": "audio-mamba-tiny", "s": "audio-mamba-small", "b": "audio-mamba-base",
         "h": "hubert-base", "w": "wavlm-base"}  # fmt: skip
ENCODERS = {label: (NAMES[label], KINDS[label]) for label in KINDS}


def system(encoders: str, classifier: str = "fcn", method: str | None = None) -> System:
    labels = tuple(encoders.split("+"))
    return System(
        labels,
        classifier,
        tuple(NAMES[e] for e in labels),
        tuple(KINDS[e] for e in labels),
        method or classifier,
    )


def labels(systems: list[System]) -> list[str]:
    return [f"{'+'.join(s.encoders)} {s.classifier}" for s in systems]


SYSTEMS = [
    *(system(e, c) for c in ("fcn", "cnn") for e in "tsbhw"),
    *(system(e, c) for c in ("concat", "reno") for e in ("t+h", "b+w", "h+w")),
    system("t+h", "reno, no divergence", "reno"),
]


# ---------------------------------------------------------------------------------- selections


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(classifier=("cnn",), kind=("mamba",)), ["t cnn", "s cnn", "b cnn"]),
        (Selection(encoders=("h+t",), classifier=("concat",)), ["t+h concat"]),
        (Selection(encoders=("wavlm-base",), classifier=("fcn",)), ["w fcn"]),
        (Selection(contains=("b",), fusion=True), ["b+w concat", "b+w reno"]),
        (Selection(kind=("attention+mamba",), classifier=("reno",)), ["t+h reno", "b+w reno"]),
        (Selection(fusion=True, mixed=False), ["h+w concat", "h+w reno"]),
        (Selection(fusion=True, mixed=True, classifier=("concat",)), ["t+h concat", "b+w concat"]),
        (Selection(mixed=False, fusion=False), []),
        (Selection(classifier=("reno, no divergence",)), ["t+h reno, no divergence"]),
    ],
)
def test_select(selection: Selection, expected: list[str]) -> None:
    assert labels(select(selection, SYSTEMS)) == expected


def test_an_encoders_name_means_its_label_where_a_row_has_it_and_else_every_row_of_it() -> None:
    """One encoder with three weights, the first under its own name."""
    names = ("nver-mamba", "mamba, untrained", "mamba, self-supervised")
    rows = [System((e,), "cnn", ("nver-mamba",), ("mamba",), "cnn") for e in names]
    rows.append(
        System((names[0], "h"), "concat", ("nver-mamba", "h"), ("mamba", "other"), "concat")
    )
    for selection in (Selection(encoders=("nver-mamba",)),
                      Selection(contains=("nver-mamba",), fusion=False)):  # fmt: skip
        assert labels(select(selection, rows)) == ["nver-mamba cnn"]
        assert labels(select(selection, rows[1:3])) == [f"{name} cnn" for name in names[1:]]


def test_a_classifiers_name_means_its_label_where_a_row_has_it_and_else_every_row_of_it() -> None:
    reno = Selection(classifier=("reno",))
    assert len(select(reno, SYSTEMS)) == 3
    renamed = [system("t+h", "A", "reno"), system("t+h", "B", "reno"), system("t+h", "concat")]
    assert labels(select(reno, renamed)) == ["t+h A", "t+h B"]


def test_matched_on_the_same_encoders() -> None:
    better = select(Selection(classifier=("reno",)), SYSTEMS)
    matched = match(better, select(Selection(classifier=("concat",)), SYSTEMS[:-3]))
    assert (matched.by, len(matched.pairs)) == ("encoders", 3)
    for one, other in matched.pairs:
        assert [s.encoders for s in one] == [s.encoders for s in other]


def test_matched_on_the_classifier_where_no_encoders_are_the_same() -> None:
    mamba, attention = (select(Selection(kind=(k,)), SYSTEMS) for k in ("mamba", "attention"))
    matched = match(mamba, attention)
    assert (matched.by, len(matched.pairs)) == ("classifier", 2)
    assert [len(side) for pair in matched.pairs for side in pair] == [3, 2, 3, 2]


def test_group_means_where_nothing_is_the_same() -> None:
    matched = match([system("t+h", "reno"), system("b+w", "concat")], [system("t"), system("h")])
    assert (matched.by, len(matched.pairs)) == ("none", 1)
    assert match([system("t")], []).pairs == ()
    assert match([system("t")], [system("t")]).pairs == ()


def test_without_a_partner_a_system_takes_no_part() -> None:
    matched = match([system("t", "cnn"), system("h", "cnn")], [system("t"), system("w")])
    assert labels(matched.better + matched.worse) == ["t cnn", "t fcn"]


# -------------------------------------------------------------------------------------- claims


def sides(claim: str, systems: list[System] = SYSTEMS) -> list[tuple[list[str], list[str]]]:
    hypothesis = Hypothesis(claim)
    own = concerned(hypothesis, systems)
    contrasts = contrasts_of(hypothesis, own)
    return [(labels(select(a, own)), labels(select(b, own))) for a, b in contrasts]


def test_the_papers_claims_compare_what_they_say() -> None:
    assert sides("cnn > fcn")[0][0] == [f"{e} cnn" for e in "tsbhw"]
    assert sides("mamba > attention") == [
        ([f"{e} {c}" for c in ("fcn", "cnn") for e in "tsb"],
         [f"{e} {c}" for c in ("fcn", "cnn") for e in "hw"])
    ]  # fmt: skip
    assert sides("base > small > tiny") == [
        (["b fcn", "b cnn"], ["s fcn", "s cnn"]),
        (["s fcn", "s cnn"], ["t fcn", "t cnn"]),
    ]
    assert sides("tiny > every attention FM") == [
        (["t fcn", "t cnn"], ["h fcn", "h cnn"]),
        (["t fcn", "t cnn"], ["w fcn", "w cnn"]),
    ]
    (mixed,) = sides("mixed pair > same-kind pair")
    assert mixed[1] == ["h+w concat", "h+w reno"]
    fusion = sides("fusion > single")
    assert [b for _, b in fusion] == [[f"{e} fcn", f"{e} cnn"] for e in "tbhw"]
    assert fusion[0][0] == ["t+h concat", "t+h reno"]


def test_a_variant_takes_no_part_in_a_papers_claim() -> None:
    assert sides("reno > concat")[0][0] == ["t+h reno", "b+w reno", "h+w reno"]
    own = Hypothesis("mine", Selection(fusion=True), (Selection(fusion=False),))
    assert len(concerned(own, SYSTEMS)) == len(SYSTEMS)
    renamed = [system("t+h", "A", "reno"), system("t+h", "concat")]
    assert sides("reno > concat", renamed) == [(["t+h A"], ["t+h concat"])]


@pytest.mark.parametrize("claim", list(CLAIMS))
def test_every_claim_without_its_systems_is_not_tested(claim: str) -> None:
    predictions = made({("x", "linear"): 0.5})
    table = hypothesis_table([Hypothesis(claim)], predictions, {}, {})
    assert set(table["answer"]) == {"not tested"}
    assert table["note"].str.startswith("no row of the table is [").all()


# ------------------------------------------------------------------------------------- answers


def made(
    accuracies: dict[tuple[str, str], float], speakers: int = 30, seed: int = 0, **changed: Any
) -> pd.DataFrame:
    """Predictions right with these probabilities; the same clips are hard for every system."""
    clips = [(s, e, k) for s in range(speakers) for e in ("cry", "laugh") for k in range(4)]
    speaker, emotion = np.array([s for s, _, _ in clips]), np.array([e for _, e, _ in clips])
    hard = np.random.default_rng(seed).random(len(clips))
    tables = []
    for number, ((encoders, classifier), accuracy) in enumerate(accuracies.items()):
        own = np.random.default_rng([seed, 1 + number]).random(len(clips))
        right = 0.7 * hard + 0.3 * own < accuracy
        laughs = (emotion == "laugh") == right
        columns = {
            "experiment": "x", "corpus": "toy", "encoders": encoders, "classifier": classifier,
            "protocol": "speaker-independent", "seed": 0, "fold": speaker % 5,
            "clip": [f"{s}-{e}-{k}" for s, e, k in clips], "speaker": speaker.astype(str),
            "emotion": emotion, "predicted": np.where(laughs, "laugh", "cry"),
            "p:cry": np.where(laughs, 0.2, 0.8), "p:laugh": np.where(laughs, 0.8, 0.2),
        }  # fmt: skip
        tables.append(pd.DataFrame(columns | changed))
    return pd.concat(tables, ignore_index=True)


def answers(accuracies: dict[tuple[str, str], float], *claims: str, **how: Any) -> pd.DataFrame:
    smallest = how.pop("smallest_effect", 1.0)
    hypotheses = [Hypothesis(claim, smallest_effect=smallest) for claim in claims]
    return hypothesis_table(hypotheses, made(accuracies, **how), ENCODERS, {})


PAIR = ("t+h", "concat")


@pytest.mark.parametrize(
    ("reno", "concat", "answer"),
    [(0.8, 0.5, "supported"), (0.5, 0.8, "not supported"), (0.62, 0.6, "undecided")],
)
def test_what_is_planted_is_answered(reno: float, concat: float, answer: str) -> None:
    (row,) = answers({("t+h", "reno"): reno, PAIR: concat}, "reno > concat").to_dict("records")
    assert row["answer"] == row["verdict"] == answer
    assert row["low"] < row["difference"] < row["high"]
    assert (row["matched"], row["pairs"], row["unit"], row["units"]) == (
        "encoders", 1, "speaker", 30,
    )  # fmt: skip


def test_equal_systems_are_undecided() -> None:
    both = made({("t+h", "reno"): 0.6})
    same = pd.concat([both, both.assign(classifier="concat")])
    table = hypothesis_table([Hypothesis("reno > concat")], same, ENCODERS, {})
    assert table["answer"].tolist() == ["undecided"]


def test_one_pair_is_the_comparison_of_two_systems() -> None:
    predictions = made({("t+h", "reno"): 0.66, PAIR: 0.6})
    (row,) = hypothesis_table(
        [Hypothesis("reno > concat")], predictions, ENCODERS, {}
    ).to_dict("records")  # fmt: skip
    a, b = (predictions[predictions["classifier"] == c] for c in ("reno", "concat"))
    expected = compare(a, b, resamples=0)
    for name in ("difference", "low", "high"):
        assert row[name] == pytest.approx(100 * getattr(expected, name))
    assert row["p"] == pytest.approx(expected.p)
    assert row["p_resampled_t"] == pytest.approx(expected.p_resampled_t)


def test_balanced_pairs_are_the_comparison_of_two_groups() -> None:
    skill = {(e, c): 0.5 + 0.02 * i for i, (e, c) in enumerate(
        (e, c) for c in ("fcn", "cnn") for e in "tsh")}  # fmt: skip
    predictions = made(skill)
    (row,) = hypothesis_table(
        [Hypothesis("cnn > fcn")], predictions, ENCODERS, {}
    ).to_dict("records")  # fmt: skip
    a, b = (predictions[predictions["classifier"] == c] for c in ("cnn", "fcn"))
    expected = compare_groups(a, b, resamples=0)
    assert row["difference"] == pytest.approx(100 * expected.difference)
    assert row["p"] == pytest.approx(expected.p)
    assert row["pairs"] == 3


def test_the_family_is_every_contrast_of_the_table() -> None:
    skill = {(e, c): 0.5 + 0.04 * i for i, (e, c) in enumerate(
        (e, c) for c in ("fcn", "cnn") for e in "tsbhw")}  # fmt: skip
    table = answers(skill, "cnn > fcn", "base > small > tiny", "reno > concat")
    tested = table[table["p"].notna()]
    assert set(tested["comparisons"]) == {3}
    np.testing.assert_allclose(tested["p_holm"], holm(tested["p"].to_numpy()))
    assert (tested["low_family"] < tested["low"]).all()
    assert (tested["high_family"] > tested["high"]).all()
    left = table[table["claim"] == "reno > concat"]
    assert left["answer"].tolist() == ["not tested"]


def test_a_claim_of_several_contrasts_needs_all() -> None:
    rising = {("t", "fcn"): 0.3, ("s", "fcn"): 0.5, ("b", "fcn"): 0.8}
    assert set(answers(rising, "base > small > tiny")["answer"]) == {"supported"}
    broken = rising | {("t", "fcn"): 0.8}
    table = answers(broken, "base > small > tiny")
    assert table["verdict"].tolist() == ["supported", "not supported"]
    assert set(table["answer"]) == {"not supported"}
    table = answers({k: v for k, v in rising.items() if k[0] != "t"}, "base > small > tiny")
    assert table["verdict"].tolist() == ["supported", "not tested"]
    assert set(table["answer"]) == {"not tested"}


def test_two_tables_are_two_families_and_two_answers() -> None:
    one = made({("t+h", "reno"): 0.8, PAIR: 0.5})
    two = made({("t+h", "reno"): 0.5, PAIR: 0.8}, protocol="random")
    table = hypothesis_table([Hypothesis("reno > concat")], pd.concat([one, two]), ENCODERS, {})
    assert table["protocol"].tolist() == ["speaker-independent", "random"]
    assert table["answer"].tolist() == ["supported", "not supported"]
    assert set(table["comparisons"]) == {1}


def test_unknown_speakers_are_compared_by_clip() -> None:
    table = answers({("t+h", "reno"): 0.8, PAIR: 0.5}, "reno > concat", speaker=None)
    assert table["unit"].tolist() == ["clip"]
    assert table["units"].tolist() == [240]


def test_other_folds_are_not_compared() -> None:
    one, two = made({("t+h", "reno"): 0.8}), made({PAIR: 0.5}, fold=0)
    table = hypothesis_table([Hypothesis("reno > concat")], pd.concat([one, two]), ENCODERS, {})
    assert table["answer"].tolist() == ["not tested"]
    assert "cannot be compared as pairs" in table["note"].iloc[0]


def test_a_single_speaker_decides_nothing() -> None:
    table = answers({("t+h", "reno"): 0.9, PAIR: 0.1}, "reno > concat", speakers=1)
    assert table["answer"].tolist() == ["undecided"]


@pytest.mark.parametrize(
    ("difference", "high", "p", "smallest", "verdict"),
    [
        (3.0, 5.0, 0.05, 1.0, "supported"),
        (3.0, 6.0, 0.051, 1.0, "undecided"),
        (-3.0, 1.5, 0.05, 1.0, "not supported"),
        (-3.0, 1.5, 0.051, 1.0, "undecided"),
        (0.5, 0.99, 0.001, 1.0, "not supported"),
        (0.5, 1.0, 0.001, 1.0, "supported"),
        (-0.1, 0.9, 0.8, 1.0, "not supported"),
        (0.5, 0.99, 0.001, 0.0, "supported"),
        (9.0, 9.0, float("nan"), 1.0, "undecided"),
    ],
)
def test_the_rule(difference: float, high: float, p: float, smallest: float, verdict: str) -> None:
    assert verdict_of(difference, high, p, smallest)[0] == verdict


@pytest.mark.long
def test_under_the_null_few_claims_are_supported() -> None:
    """300 corpora of equal systems: at most the family's 5 % find any claim supported, and no
    more than that find one the other way round (three standard errors allowed)."""
    skill = {(e, c): 0.6 for c in ("fcn", "cnn") for e in "tsb"}
    wrong = 0
    for seed in range(300):
        table = answers(skill, "cnn > fcn", "base > small > tiny", seed=seed, smallest_effect=0)
        wrong += bool((table["p_holm"] <= 0.05).any())
    assert wrong / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


# ----------------------------------------------------------------------------------- in a recipe

ENCODER_NAMES = {"logmel-stats": "logmel-stats", "hubert": "hubert-base"}
CLASSIFIER_NAMES = {"reno": "reno", "reno, no divergence": "reno", "concat": "concat"}


def parsed(*entries: Any) -> tuple[Hypothesis, ...]:
    return parse_hypotheses(list(entries), ENCODER_NAMES, CLASSIFIER_NAMES)


def test_hypotheses_are_read_and_go_back() -> None:
    hypotheses = parsed(
        {"claim": "reno>concat", "smallest_effect": 2},
        {
            "better": {"classifier": "reno"},
            "worse": [
                {"classifier": "reno, no divergence"},
                {"encoders": "hubert+logmel-stats", "fusion": True},
            ],
        },
        {"claim": "mine", "better": {"kind": ["mamba", "codec+mamba"]}, "worse": {"mixed": True}},
    )
    assert hypotheses[0] == Hypothesis("reno > concat", smallest_effect=2.0)
    assert hypotheses[1].claim == (
        "classifier reno > classifier reno, no divergence; encoders hubert+logmel-stats, a fusion"
    )
    assert hypotheses[2].better == Selection(kind=("mamba", "codec+mamba"))
    recipe = Experiment("h", corpora=(), encoders={}, classifiers=(), hypotheses=hypotheses)
    assert parsed(*experiment_to_tree(recipe)["hypotheses"]) == hypotheses


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"claim": "reno > concatt"}, "did you mean 'reno > concat'"),
        ({"claim": 3}, "needs a claim"),
        ({}, "needs a claim"),
        ("reno > concat", "expected a table"),
        ({"clam": "reno > concat"}, "did you mean 'claim'"),
        ({"claim": "reno > concat", "smallest_effect": -1}, "at least 0"),
        ({"claim": "reno > concat", "smallest_effect": "1"}, "at least 0"),
        ({"better": {"classifier": "reno"}}, "both better and worse"),
        ({"better": {"classifier": "reno"}, "worse": []}, "at least one worse"),
        ({"better": {"classifier": "rno"}, "worse": {"fusion": True}}, "did you mean 'reno'"),
        ({"better": {"classifer": "reno"}, "worse": {"fusion": True}}, "did you mean 'classifier'"),
        ({"better": {"kind": "mambo"}, "worse": {"fusion": True}}, "did you mean 'mamba'"),
        ({"better": {"encoders": "hubrt"}, "worse": {"fusion": True}}, "did you mean 'hubert'"),
        ({"better": {"contains": 3}, "worse": {"fusion": True}}, "expected a name"),
        ({"better": {"fusion": 1}, "worse": {"fusion": True}}, "expected true or false"),
        ({"better": {}, "worse": {"fusion": True}}, "select systems"),
        (
            {"claim": "", "better": {"fusion": True}, "worse": {"fusion": False}},
            "claim: expected a name",
        ),
    ],
)
def test_a_wrong_hypothesis_is_said(entry: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parsed(entry)


def test_a_claim_is_stated_once() -> None:
    with pytest.raises(UsageError, match="stated 2 times"):
        parsed({"claim": "reno > concat"}, {"claim": "reno>concat"})
