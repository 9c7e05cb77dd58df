"""Coarser views: the first three, families, and what a run says of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers_scripts import load_script
from nver.errors import UsageError
from nver.evaluation.run_folder.predictions import check_predictions
from nver.recipe import experiment_to_tree, parse_experiment
from nver.recipe.families import membership, parse_families, read_families
from nver.registry import lookup
from nver.report.chapters.coarser_views import view_parts, view_text
from nver.report.formats.sections import sections
from nver.results.families import among_first, grouped, view_table
from nver.results.uncertainty import interval_table

choosing = load_script("experiments/families.py")

EMOTIONS = [f"e{i}" for i in range(10)]
FAMILIES = {"low": ("e0", "e1", "e2"), "high": tuple(EMOTIONS[3:])}


def table(clips: int = 60, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    probability = random.dirichlet(np.ones(10), clips).astype(np.float32)
    frame = pd.DataFrame(
        {
            "experiment": "x", "corpus": "c", "encoders": "a", "classifier": "linear",
            "protocol": "split", "seed": 0, "fold": 0,
            "clip": [f"c{i}" for i in range(clips)],
            "speaker": [f"s{i % 6}" for i in range(clips)],
            "emotion": random.choice(EMOTIONS, clips),
            "predicted": np.array(EMOTIONS)[probability.argmax(1)],
            "temperature": np.float32(2.0),
        }
    )  # fmt: skip
    return pd.concat(
        [frame, pd.DataFrame(probability, columns=[f"p:{e}" for e in EMOTIONS])], axis=1
    )


def test_the_first_three_are_counted_by_hand() -> None:
    rows = table()
    probability = rows[[f"p:{e}" for e in EMOTIONS]].to_numpy()
    hits = [
        emotion in np.array(EMOTIONS)[np.argsort(-p)[:3]]
        for emotion, p in zip(rows["emotion"], probability, strict=True)
    ]
    found = view_table(rows)
    assert found["top3_accuracy"].item() == pytest.approx(np.mean(hits))
    assert found["top3_accuracy_low"].item() < np.mean(hits) < found["top3_accuracy_high"].item()
    assert among_first(rows, 1)["predicted"].tolist() == rows["predicted"].tolist()
    assert found["family_uar"].isna().all()


def test_a_family_has_the_sum_of_the_calibrated_probabilities() -> None:
    rows = table()
    coarse = grouped(rows, FAMILIES)
    check_predictions(coarse)
    tempered = np.sqrt(rows[[f"p:{e}" for e in EMOTIONS]].to_numpy(float))  # T = 2
    tempered /= tempered.sum(1, keepdims=True)
    np.testing.assert_allclose(coarse["p:low"], tempered[:, :3].sum(1), rtol=1e-5)
    assert set(coarse["predicted"]) <= set(FAMILIES)
    uar = interval_table(coarse)["unweighted_average_recall"].item()
    assert view_table(rows, FAMILIES)["family_uar"].item() == pytest.approx(uar)
    truth = rows["emotion"].map(EMOTIONS.index).to_numpy()
    assert choosing.families_uar(tempered, truth, EMOTIONS, FAMILIES) == pytest.approx(uar)


def test_corpora_of_few_emotions_have_no_row() -> None:
    rows = table().drop(columns="p:e9")
    rows = rows[(rows["emotion"] != "e9") & (rows["predicted"] != "e9")]
    assert view_table(rows).empty
    assert view_text(view_table(rows), []) == ""
    assert view_parts(view_table(rows), []) == []


def test_the_report_has_a_table_with_the_families_named() -> None:
    rows = table()
    views, tables = view_table(rows, FAMILIES), sections(interval_table(rows))
    said = view_text(views, tables)
    assert "c, fixed split by speakers: coarser views" in said
    assert "Family UAR" in said
    assert "chance 30.0" in said
    assert "chance 50.0" in said
    (part,) = view_parts(views, tables, FAMILIES)
    assert "low: e0, e1, e2; high:" in part.grids[0].notes[0]
    assert "Family UAR" not in view_text(view_table(rows), tables)


def test_the_pair_most_confused_comes_first() -> None:
    counts = np.array([[8, 2, 0], [4, 6, 0], [0, 1, 9]])
    assert choosing.confused_pairs(counts, ["a", "b", "c"])[0] == (pytest.approx(0.3), "a", "b")


def test_the_families_of_emogator_hold_each_emotion_once() -> None:
    families = read_families("emogator")
    emotions = lookup("corpora", "emogator").emotions
    assert membership(families, emotions).sum(axis=1).tolist() == [1] * 30
    assert 8 <= len(families) <= 10
    assert max(map(len, families.values())) <= 6
    assert sum(map(len, families.values())) == 30


@pytest.mark.parametrize(
    ("families", "words"),
    [
        ("emogater", "did you mean 'emogator'"),
        ({"a": ["x"], "b": ["x"]}, "more than one place: x"),
        ({"a": []}, "'a' needs a list"),
        ([["x"]], "expected a name or a table"),
    ],
)
def test_a_slip_in_families_is_named(families: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_families(families)


def test_an_emotion_without_a_family_is_named() -> None:
    with pytest.raises(UsageError, match="no family has sigh"):
        membership({"a": ("laugh",)}, ["laugh", "sigh"])


def test_a_recipe_holds_its_families() -> None:
    tree = {"corpora": ["emogator"], "encoders": ["logmel-stats"], "classifiers": ["linear"]}
    experiment = parse_experiment(tree | {"families": "emogator"})
    assert parse_experiment(experiment_to_tree(experiment)) == experiment
    assert "families" not in experiment_to_tree(parse_experiment(tree))


def test_the_grouping_says_what_it_stands_on() -> None:
    import nver.recipe.families

    text = (Path(nver.recipe.families.__file__).parent / "emogator.toml").read_text("utf-8")
    assert "000208-000232" in text
    assert text.count("reason =") == len(read_families("emogator"))
