"""A fixed split: who is trained on, who stops the training, who is tested, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import nver
from nver.classifiers.training.loop import TrainingConfig, fit
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import NverError, UsageError
from nver.evaluation import Cell
from nver.evaluation.cells.fold_data import write_data
from nver.evaluation.cells.fold_training import Training, learn_fold
from nver.evaluation.folds.fold_assignment import Folds, check_speakers
from nver.recipe import experiment_to_tree, parse_experiment

PARTS = {"train": ["p1-p3"], "validation": ["p4"], "test": ["p5", "p6"]}
TREE: dict[str, Any] = {
    "name": "fixed",
    "corpora": [{"name": "mine", "speaker_pattern": r"/(p\d)_"}],
    "encoders": ["logmel-stats"],
    "classifiers": ["linear"],
    "folds": {"kind": "split", **PARTS, "seeds": [0, 1]},
    "training": {"epochs": 2},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven speakers; a recording of p4 is p7's too."""
    root = tmp_path_factory.mktemp("mine")
    for speaker in range(1, 7):
        for sound in ("laugh", "cry", "gasp"):
            file = root / sound / f"p{speaker}_1.wav"
            file.parent.mkdir(exist_ok=True)
            soundfile.write(file, make_clip(sound, speaker, 1), 16_000)
    soundfile.write(root / "cry" / "p7_1.wav", 0.5 * make_clip("cry", 4, 1), 16_000)
    return root


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def tree(root: Path, store: Path, **folds: Any) -> dict[str, Any]:
    changed = TREE | {"roots": {"mine": str(root)}, "store": str(store)}
    return changed | {"folds": TREE["folds"] | folds}


def test_only_the_test_speakers_are_scored_once_a_seed(
    root: Path, store: Path, tmp_path: Path
) -> None:
    experiment = parse_experiment(tree(root, store))
    found = nver.run(experiment, tmp_path / "run", workers=1)
    rows = found.predictions
    assert rows.groupby(["seed", "speaker"]).size().to_dict() == {
        (seed, speaker): 3 for seed in (0, 1) for speaker in ("p5", "p6")
    }
    assert set(rows["protocol"]) == {"split"}
    assert found.scores["unit"].tolist() == ["speaker"]
    assert found.scores["units"].tolist() == [2]
    (note,) = [said for said in found.warnings if "trained on" in said]
    assert "trained on 9 clips of 3 speakers (p1 to p3), stopped early by 3 clips" in note
    assert "tested on 6 clips of 2 speakers (p5 to p6)" in note
    assert "1 clips of other speakers are not used" in note
    page = found.report.read_text()
    assert "mine, fixed split by speakers" in page
    before = {f.name: f.stat().st_mtime_ns for f in (found.folder / "cells").iterdir()}
    nver.run(experiment, tmp_path / "run", workers=1)
    assert before == {f.name: f.stat().st_mtime_ns for f in (found.folder / "cells").iterdir()}


def test_a_split_survives_the_way_to_toml_and_no_other_recipe_gains_a_key() -> None:
    experiment = parse_experiment(TREE)
    assert parse_experiment(experiment_to_tree(experiment)) == experiment
    plain = parse_experiment({k: v for k, v in TREE.items() if k != "folds"})
    assert set(experiment_to_tree(plain)["folds"]) == {"seeds"}


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ({"validation": ["p3", "p4"]}, "a speaker is (p3) in validation and in train"),
        ({"test": ["p5-p9"]}, "a recording is (cry/p4_1 = cry/p7_1) in two parts"),
        ({"train": ["nobody"]}, "speaker of [folds] train"),
    ],
)
def test_a_leak_is_refused(
    folds: dict[str, Any], words: str, root: Path, store: Path, tmp_path: Path
) -> None:
    with pytest.raises(NverError) as error:
        nver.run(parse_experiment(tree(root, store, **folds)), tmp_path / "run", workers=1)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ({"test": []}, "needs test ="),
        ({"kind": "random"}, "train is for kind"),
        ({"kind": ["split", "random"]}, "stands alone"),
    ],
)
def test_a_slip_is_answered_early(folds: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_experiment(TREE | {"folds": TREE["folds"] | folds})
    with pytest.raises(UsageError, match="one corpus"):
        parse_experiment(TREE | {"corpora": ["emogator", "ravdess"]})


def test_the_training_is_that_of_fit_with_the_validation_clips(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(60, 5)).astype(np.float32)
    code = random.integers(0, 2, 60)
    table = pd.DataFrame(
        {
            "clip": [f"c{i}" for i in range(60)],
            "speaker": np.repeat([f"s{i}" for i in range(6)], 10),
            "emotion": np.array(["a", "b"])[code],
        }
    )
    fold = np.repeat([-1, -1, -1, -2, 0, 0], 10).astype(np.int64)
    folder, config = tmp_path / "data", TrainingConfig(epochs=5, patience=1)
    folder.mkdir()
    write_data(folder, table, {"x": rows}, ["a", "b"])
    cell = Cell("linear", ("x",), Folds("split", 0, fold))
    learnt = learn_fold(Training(folder, cell, 0, 2, config))
    from nver.classifiers import build_classifier
    from nver.evaluation.cells.fold_training import training_seed

    kept = fold != 0
    expected = fit(
        lambda: build_classifier("linear", [5], 2),
        [rows[kept]],
        code[kept],
        fold[kept] == -2,
        config,
        seed=training_seed(0, 0),
    )
    assert learnt.tuned.fitted.history == expected.history


def test_folds_called_a_split_that_separate_a_speaker_are_refused() -> None:
    table = pd.DataFrame({"clip": ["a", "b", "c"], "speaker": ["s", "t", "s"], "emotion": "e"})
    with pytest.raises(UsageError, match="1 of 2 speakers"):
        check_speakers(table, Folds("split", 0, np.array([-1, -2, 0])))
