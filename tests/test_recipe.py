"""Recipes: every key checked, overrides, paths, and the way back to TOML."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nver.errors import UsageError
from nver.recipe import experiment_to_tree, parse_experiment, streams_of
from nver.recipe.reading import read_experiment

RECIPE = """
corpora = ["emogator", {name = "asvp-esd", breath = false}]
store = "store"

[roots]
emogator = "data/emogator"

[filter]
emotions = ["Anger"]
speakers = ["000001-000120"]

[[encoders]]
name = "logmel-stats"
[[encoders]]
name = "hubert-base"
layer = 6
pooling = "mean+std"
label = "hubert-6"
[[encoders]]
name = "prosody-stats"

[[classifiers]]
name = "cnn"
[[classifiers]]
name = "reno"
label = "reno, delta 1e-8"
encoders = [["hubert-6", "logmel-stats"]]
delta = 1e-8

[[hypotheses]]
claim = "fusion > single"
[[hypotheses]]
better = {classifier = "reno, delta 1e-8"}
worse = {classifier = "cnn", encoders = "hubert-6"}
smallest_effect = 2

[folds]
kind = "random"
seeds = [0, 1]

[training]
epochs = 3
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(RECIPE)
    return file


def tree(**changed: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "corpora": ["jnv"],
        "encoders": ["logmel-stats", "prosody-stats"],
        "classifiers": ["fcn"],
    }
    return base | changed


def test_a_recipe_is_read(recipe: Path) -> None:
    e = read_experiment(recipe)
    assert e.name == "mine"
    assert [c.name for c in e.corpora] == ["emogator", "asvp-esd"]
    assert e.corpora[1].options == {"breath": False}
    assert list(e.encoders) == ["logmel-stats", "hubert-6", "prosody-stats"]
    assert e.encoders["hubert-6"].layer == 6
    assert e.encoders["hubert-6"].name == "hubert-base"
    assert e.classifiers[1].options == {"delta": 1e-8}
    assert e.folds.kind == ("random",)
    assert e.folds.seeds == (0, 1)
    assert e.training.epochs == 3
    assert e.roots["emogator"] == str(recipe.parent / "data/emogator")
    assert e.store == str(recipe.parent / "store")


def test_it_goes_back_to_toml_and_reads_equal(recipe: Path, tmp_path: Path) -> None:
    experiment = read_experiment(recipe)
    again = tmp_path / "again.toml"
    again.write_text(tomli_w.dumps(experiment_to_tree(experiment)))
    assert read_experiment(again) == experiment


def test_heads_take_each_encoder_and_fusions_each_pair(recipe: Path) -> None:
    e = read_experiment(recipe)
    cnn, reno = e.classifiers
    names = list(e.encoders)
    assert streams_of(cnn, names) == [(n,) for n in names]
    assert streams_of(reno, names) == [("hubert-6", "logmel-stats")]
    concat = parse_experiment(tree(classifiers=["concat"])).classifiers[0]
    assert streams_of(concat, ["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("override", "get", "expected"),
    [
        ("training.epochs=7", lambda e: e.training.epochs, 7),
        ("folds.seeds=[4, 5]", lambda e: e.folds.seeds, (4, 5)),
        ("folds.kind=speaker-independent", lambda e: e.folds.kind, ("speaker-independent",)),
        ("encoders.hubert-6.layer=3", lambda e: e.encoders["hubert-6"].layer, 3),
        ("encoders.0.name=prosody", None, "did you mean"),
        ("classifiers.cnn.pool=2", lambda e: e.classifiers[0].options["pool"], 2),
        ("name=other", lambda e: e.name, "other"),
        ("roots.asvp-esd=x", lambda e: e.roots["asvp-esd"], str(Path.cwd() / "x")),
        ("training.epoch=7", None, "did you mean 'epochs'"),
        ("encoders.hubert.layer=3", None, "hubert"),
        ("training.epochs.most=7", None, "what holds 'most' must be a table; got 3"),
        ("nonsense", None, "a.b=c"),
    ],
)
def test_overrides(recipe: Path, override: str, get: Any, expected: Any) -> None:
    if get is None:
        with pytest.raises(UsageError, match=expected):
            read_experiment(recipe, [override])
    else:
        assert get(read_experiment(recipe, [override])) == expected


def tuned(tune: Any, **options: Any) -> dict[str, Any]:
    """A recipe with a reno that has something to tune."""
    return {
        "encoders": ["logmel-stats", "prosody-stats"],
        "classifiers": [{"name": "reno", "tune": tune, **options}],
    }


def test_what_is_tuned_is_read_and_goes_back() -> None:
    experiment = parse_experiment(
        tree(**tuned({"lambda_": [0.1, 0.9], "learning_rate": [1e-3, 1e-4]}))
    )
    (entry,) = experiment.classifiers
    assert entry.tune == {"lambda_": (0.1, 0.9), "learning_rate": (1e-3, 1e-4)}
    assert entry.options == {}
    assert parse_experiment(experiment_to_tree(experiment)) == experiment


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"corpra": []}, "did you mean 'corpora'"),
        ({"corpora": []}, "needs corpora"),
        ({"encoders": "logmel-stats"}, "needs encoders"),
        ({"encoders": ["logmel-stat"]}, "did you mean 'logmel-stats'"),
        ({"encoders": ["logmel-stats", "logmel-stats"]}, "occurs 2 times"),
        ({"encoders": [{"name": "logmel-stats", "poolling": "mean"}]}, "did you mean 'pooling'"),
        ({"encoders": [{"weights": "x"}]}, "needs a name"),
        ({"classifiers": ["fnc"]}, "did you mean 'fcn'"),
        ({"classifiers": [{"name": "cnn", "positons": 3}]}, "did you mean 'positions'"),
        ({"classifiers": ["fcn", {"name": "cnn", "label": "fcn"}]}, "occurs 2 times"),
        ({"classifiers": [{"name": "fcn", "encoders": ["hubert"]}]}, "unknown encoder"),
        ({"classifiers": [{"name": "fcn", "encoders": [3]}]}, "encoders: expected list, got 3"),
        ({"classifiers": ["reno"], "encoders": ["logmel-stats"]}, "takes 2 embeddings"),
        ({"classifiers": [{"name": "reno", "encoders": [["logmel-stats"]]}]}, "got 1"),
        (tuned({"lamda_": [0.1, 0.2]}), "did you mean 'lambda_'"),
        (tuned({"lambda_": [0.1, 2]}), "lambda_ must be"),
        (tuned({"lambda_": [0.1]}), "two values or more"),
        (tuned({"learning_rate": [1e-3, 0]}), "learning_rate must be a number above 0"),
        (tuned({"lambda_": 0.1}), "expected list"),
        (tuned([0.1, 0.2]), "expected table"),
        (tuned({"lambda_": [0.1, 0.2]}, lambda_=0.4), "also given as 0.4"),
        (tuned({"delta": [0.1, 0]}) | {"training": {"validation_share": 0.0}}, "share is 0"),
        ({"folds": {"kind": "speaker"}}, "unknown kind of folds"),
        ({"folds": {"number": "5"}}, "expected int"),
        ({"folds": {"seeds": [True]}}, "expected int"),
        ({"training": {"epochs": 1.5}}, "expected int"),
        ({"training": {"epochs": True}}, "expected int"),
        ({"filter": {"emotions": "Anger"}}, "expected list"),
        ({"roots": {"jvn": "x"}}, "did you mean 'jnv'"),
        ({"store": 3}, "store"),
        ({"hypotheses": {"claim": "cnn > fcn"}}, "expected a list"),
        ({"hypotheses": [{"claim": "cnn > fnc"}]}, "did you mean 'cnn > fcn'"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_experiment(tree(**changed))


@pytest.mark.parametrize("text", ["corpora = [", "\x00"])
def test_not_toml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match="not TOML"):
        read_experiment(file)


def test_no_such_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_experiment(tmp_path / "none.toml")


def test_a_hub_id_stays_and_a_local_folder_becomes_absolute(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'corpora = ["jnv"]\nclassifiers = ["fcn"]\n'
        'encoders = [{name = "hubert-base", weights = "weights"},'
        ' {name = "wavlm-base", weights = "microsoft/wavlm-base-plus"}]\n'
    )
    encoders = read_experiment(recipe).encoders
    assert encoders["hubert-base"].weights == str(tmp_path / "weights")
    assert encoders["wavlm-base"].weights == "microsoft/wavlm-base-plus"
