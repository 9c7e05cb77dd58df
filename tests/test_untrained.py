"""An emotion that a fold's training part does not have: probability 0, named, and marked."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import nver
from nver.classifiers.training.config import TrainingConfig
from nver.corpora.synthetic.corpus import make_clip
from nver.evaluation import Cell, cell_key, cross_validate
from nver.evaluation.cells.fold_training import without
from nver.evaluation.folds.fold_assignment import (
    ONLY_TRAINED,
    VALIDATION,
    Folds,
    make_folds,
    validation_mask,
)
from nver.evaluation.folds.untrained import untrained
from nver.recipe import parse_experiment
from nver.results.metrics import emotion_table

TRAINING = TrainingConfig(epochs=3)


def clips(emotions: Sequence[str], speakers: Sequence[str] | None = None) -> pd.DataFrame:
    names = [f"{k:02}" for k in range(len(emotions))]
    speaker = speakers if speakers is not None else [None] * len(names)
    return pd.DataFrame({"clip": names, "speaker": speaker, "emotion": emotions})


RARE = ["joy"] * 12 + ["awe"] * 11 + ["gasp"]
SPOKEN = (["joy", "awe"] * 12, [f"p{k // 4}" for k in range(24)])


@pytest.mark.parametrize(
    ("table", "protocol", "said"),
    [
        (clips(RARE), "random", [("gasp", 1)]),
        (clips([*["joy", "awe"] * 10, "sob", "gasp"]), "random", [("gasp", 1), ("sob", 1)]),
        (clips([*SPOKEN[0], "gasp", "gasp"], [*SPOKEN[1], "p0", "p0"]), "speaker-independent",
         [("gasp", 2)]),
        (clips(["joy", "awe"] * 3 + ["gasp"], ["p1"] * 2 + ["p2"] * 2 + ["p3"] * 3),
         "speaker-independent", [("gasp", 1)]),
        (clips(SPOKEN[0], SPOKEN[1]), "speaker-independent", []),
        (clips(["joy", "awe"] * 10), "random", []),
    ],
)  # fmt: skip
def test_folds_name_it(table: pd.DataFrame, protocol: str, said: list[tuple[str, int]]) -> None:
    folds = make_folds(table, protocol, 4, seed=7)
    found = list(untrained(table["emotion"].to_numpy(dtype=str), folds.fold))
    assert sorted((emotion, count) for _, emotion, count in found) == said
    for fold, emotion, count in found:
        plural = "s" if count > 1 else ""
        assert (
            f"seed 7, fold {fold}: no training clip of {emotion} ({count} test clip{plural}): its "
            "probability is 0 there" in folds.note
        )
    assert ("no training clip" in folds.note) == bool(said)


def predicted(table: pd.DataFrame, folds: Folds, classifier: str = "linear") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    embeddings = {"x": rng.normal(size=(len(table), 4)).astype(np.float32)}
    ((_, found),) = cross_validate(
        table,
        embeddings,
        [Cell(classifier, ("x",), folds)],
        training=TRAINING,
        emotions=["awe", "gasp", "joy"],
        workers=1,
    )
    return found


@pytest.mark.parametrize("classifier", ["linear", "fcn", "cnn"])
def test_its_probability_is_0_there_and_the_others_sum_to_1(classifier: str) -> None:
    table = clips(RARE)
    folds = make_folds(table, "random", 3)
    (fold,) = [number for number, _, _ in untrained(table["emotion"].to_numpy(str), folds.fold)]
    found = predicted(table, folds, classifier)
    here = found["fold"] == fold
    assert (found.loc[here, "p:gasp"] == 0).all()
    assert (found.loc[~here, "p:gasp"] > 0).all()
    totals = found[["p:joy", "p:awe", "p:gasp"]].sum(axis=1)
    np.testing.assert_allclose(totals, 1, atol=1e-6)
    assert "gasp" not in set(found.loc[here, "predicted"])


def test_the_table_of_emotions_counts_the_predictions_that_cannot_be_right() -> None:
    table = clips([*RARE, "gasp"])
    fold = np.arange(len(table)) % 3
    fold[-2:] = 1
    found = predicted(table, Folds("random", 0, fold)).assign(experiment="e", corpus="c")
    rows = emotion_table(found).set_index("emotion")
    assert rows["untrained"].to_dict() == {"awe": 0, "gasp": 2, "joy": 0}
    assert rows.loc["gasp", "recall"] == 0


def test_an_emotion_among_the_validation_clips_alone_is_not_trained() -> None:
    """It has no say in early stopping and temperature: the run is that without those clips."""
    table = clips(["joy", "awe"] * 8 + ["gasp", "gasp"])
    fold = np.array([0] * 4 + [ONLY_TRAINED] * 8 + [VALIDATION] * 6)
    with_gasp = predicted(table, Folds("mine", 0, fold))
    assert (with_gasp["p:gasp"] == 0).all()
    pd.testing.assert_frame_equal(with_gasp, predicted(table[:-2], Folds("mine", 0, fold[:-2])))


@pytest.mark.parametrize("seed", range(12))
def test_the_last_clip_of_an_emotion_is_not_held_out(seed: int) -> None:
    emotion = np.array(RARE)
    mask = validation_mask(emotion, None, 0.1, seed)
    assert "gasp" not in emotion[mask]
    assert mask.sum() >= 1


def test_without() -> None:
    given = np.array([[0.2, 0.3, 0.5], [0, 1, 0]], np.float32)
    expected = [[2 / 7, 0, 5 / 7], [0.5, 0, 0.5]]
    np.testing.assert_allclose(without(given, np.array([1])), expected, atol=1e-6)
    assert without(given, np.array([], int)) is given


def test_the_key_changes_only_where_the_numbers_may() -> None:
    def key(table: pd.DataFrame) -> str:
        cell = Cell("linear", ("x",), make_folds(table, "random", 3))
        return cell_key(cell, table, {"x": "d"}, TRAINING, sorted(set(table["emotion"])))

    table = clips(["joy", "awe"] * 12)
    with pytest.MonkeyPatch.context() as patch:
        module = "nver.evaluation.cells.cell._may_lack_an_emotion"
        before = key(table), key(clips(RARE))
        patch.setattr(module, lambda folds, table: False)
        assert key(table) == before[0]
        assert key(clips(RARE)) != before[1]


def test_a_run_says_it_everywhere(tmp_path: Path) -> None:
    """The fold's note, the warnings, the page's box and its table of recalls."""
    for speaker in range(1, 5):
        for sound in ("laugh", "cry") if speaker < 4 else ("laugh", "cry", "gasp"):
            file = tmp_path / "mine" / f"p{speaker}" / sound / "1.wav"
            file.parent.mkdir(parents=True)
            soundfile.write(file, make_clip(sound, speaker, 1), 16_000)
    tree: dict[str, Any] = {
        "corpora": ["mine"], "roots": {"mine": str(tmp_path / "mine")},
        "encoders": ["duration-level"], "classifiers": ["linear"], "store": str(tmp_path / "s"),
        "folds": {"number": 4}, "training": {"epochs": 2},
    }  # fmt: skip
    run = nver.run(parse_experiment(tree), tmp_path / "run", workers=1)
    said = "no training clip of gasp (1 test clip): its probability is 0 there"
    assert any(said in warning for warning in run.warnings)
    assert pd.read_csv(run.folder / "folds.csv")["note"].str.contains(said, regex=False).all()
    page = html.unescape(run.report.read_text("utf-8"))
    assert page.index(said) < page.index("<main>")
    assert "0†" in page
    assert "†: in a fold no training clip had this emotion" in page
    saved = pd.read_csv(run.report.parent / "per_class.csv").set_index("emotion")
    assert saved["untrained"].to_dict() == {"cry": 0, "gasp": 1, "laugh": 0}
