"""Leaks: nothing that is learnt for a fold depends on the clips it is tested on.

Each test here was seen to fail with its leak planted: the scaler fitted on all clips, class weights
counted over all clips, the test fold as validation part, tuned options chosen and the temperature
fitted on the test fold.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from nver.classifiers.training.loop import TrainingConfig
from nver.evaluation import Cell, cross_validate
from nver.evaluation.cells.fold_data import write_data
from nver.evaluation.cells.fold_training import Learnt, Training, learn_fold
from nver.evaluation.folds.fold_assignment import make_folds
from nver.report.chapters.protocol_gap import gap_text
from nver.results.metrics import score_table
from nver.results.speaker_gap import gap_table

Array = npt.NDArray[Any]
EMOTIONS = ["a", "b", "c"]
CONFIG = TrainingConfig(epochs=4, patience=1, class_weights=True, validation_share=0.2)


def corpus(speakers: int = 10, clips_each: int = 12, seed: int = 0) -> tuple[pd.DataFrame, Array]:
    """A table, and embeddings that know something of emotions and of speakers."""
    random = np.random.default_rng(seed)
    emotion = random.choice(3, speakers * clips_each, p=[0.5, 0.3, 0.2])
    speaker = np.repeat(np.arange(speakers), clips_each)
    rows = random.normal(size=(len(speaker), 6))
    rows[:, 0] += emotion
    rows[:, 1] += speaker
    table = pd.DataFrame(
        {
            "clip": [f"clip{i:03}" for i in range(len(speaker))],
            "speaker": [f"s{s:02}" for s in speaker],
            "emotion": [EMOTIONS[e] for e in emotion],
        }
    )
    return table, rows.astype(np.float32)


def learn(folder: Path, table: pd.DataFrame, rows: Array, cell: Cell, fold: int) -> Learnt:
    folder.mkdir()
    write_data(folder, table, {"x": rows}, EMOTIONS)
    return learn_fold(Training(folder, cell, fold, len(EMOTIONS), CONFIG))


CELLS = {
    "plain": {"classifier": "linear", "tune": {}},
    "network": {"classifier": "fcn", "tune": {}},
    "tuned": {"classifier": "fcn", "tune": {"dropout": [0.0, 0.5]}},
}


@pytest.mark.parametrize("protocol", ["random", "speaker-independent"])
@pytest.mark.parametrize("kind", CELLS)
def test_the_test_fold_changes_nothing_that_is_learnt(
    kind: str, protocol: str, tmp_path: Path
) -> None:
    table, rows = corpus()
    folds = make_folds(table, protocol, 5)
    cell = Cell(encoders=("x",), folds=folds, **CELLS[kind])
    tested = folds.fold == 2
    other_rows, other = rows.copy(), table.copy()
    other_rows[tested] = 50 * other_rows[tested][::-1] + 1000
    other.loc[tested, "emotion"] = "c"
    one = learn(tmp_path / "one", table, rows, cell, 2)
    two = learn(tmp_path / "two", other, other_rows, cell, 2)
    assert one.tuned.fitted.history == two.tuned.fitted.history
    assert one.tuned.fitted.best_epoch == two.tuned.fitted.best_epoch
    assert one.tuned.chosen == two.tuned.chosen
    assert one.tuned.candidates == two.tuned.candidates
    assert (one.temperature, one.clips) == (two.temperature, two.clips)
    for a, b in zip(one.tuned.fitted.scales, two.tuned.fitted.scales, strict=True):
        assert np.array_equal(a.mean, b.mean)
        assert np.array_equal(a.deviation, b.deviation)
    weights = [learnt.tuned.fitted.classifier.state_dict() for learnt in (one, two)]
    assert list(weights[0]) == list(weights[1])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_training_part_does_change_it(tmp_path: Path) -> None:
    table, rows = corpus()
    cell = Cell("linear", ("x",), make_folds(table, "random", 5))
    other_rows = rows.copy()
    other_rows[np.flatnonzero(cell.folds.fold != 2)[0]] += 1
    one = learn(tmp_path / "one", table, rows, cell, 2)
    two = learn(tmp_path / "two", table, other_rows, cell, 2)
    assert one.tuned.fitted.history != two.tuned.fitted.history


def test_a_clip_of_no_fold_is_trained_on_and_never_tested() -> None:
    table, rows = corpus()
    folds = make_folds(table, "random", 2)
    kept_out = replace(folds, fold=np.where(np.arange(len(table)) < 60, folds.fold, -1))
    ((_, found),) = cross_validate(
        table, {"x": rows}, [Cell("linear", ("x",), kept_out)], training=CONFIG, workers=1
    )
    assert found["clip"].tolist() == table["clip"].tolist()[:60]
    assert set(found["fold"]) == {0, 1}


# -------------------------------------------------------------------------- the planted corpus


def planted(speakers: int = 60, clips_each: int = 10, seed: int = 0) -> tuple[pd.DataFrame, Array]:
    """Each speaker has one emotion, drawn at random, and a voice; nothing sounds of the emotion."""
    random = np.random.default_rng(seed)
    voice = random.normal(size=(speakers, 16))
    emotion = random.integers(3, size=speakers)
    speaker = np.repeat(np.arange(speakers), clips_each)
    rows = voice[speaker] + 0.3 * random.normal(size=(len(speaker), 16))
    table = pd.DataFrame(
        {
            "clip": [f"clip{i:04}" for i in range(len(speaker))],
            "speaker": [f"speaker{s:02}" for s in speaker],
            "emotion": [EMOTIONS[emotion[s]] for s in speaker],
        }
    )
    return table, rows.astype(np.float32)


def test_random_folds_reward_knowing_the_speakers_and_speaker_independent_ones_do_not() -> None:
    table, rows = planted()
    cells = [
        Cell("fcn", ("x",), make_folds(table, kind)) for kind in ("random", "speaker-independent")
    ]
    training = TrainingConfig(validation_share=0, learning_rate=3e-3)
    trained = cross_validate(table, {"x": rows}, cells, training=training, workers=1)
    parts = [found for _, found in trained]
    predictions = pd.concat(parts, ignore_index=True).assign(experiment="e", corpus="planted")
    uar = score_table(predictions).set_index("protocol")["unweighted_average_recall"]
    assert uar["random"] > 0.9
    assert abs(uar["speaker-independent"] - 1 / 3) < 0.12  # 60 speakers: a deviation of 0.06
    gaps = gap_table(predictions).set_index("score")
    found = gaps.loc["unweighted_average_recall"]
    assert found["gap"] == pytest.approx(uar["random"] - uar["speaker-independent"])
    assert 0.3 < found["low"] < found["gap"] < found["high"]
    assert (found["unit"], found["units"]) == ("speaker", 60)
    text = gap_text(gap_table(predictions), ["planted"])
    assert text.startswith("planted, random less speaker-independent")
    assert f"{100 * found['gap']:+.1f}" in text
    assert "Synthetic recordings" in text


def test_no_gap_where_one_protocol_was_used() -> None:
    table, rows = corpus()
    cell = Cell("linear", ("x",), make_folds(table, "random", 2))
    ((_, found),) = cross_validate(table, {"x": rows}, [cell], training=CONFIG, workers=1)
    gaps = gap_table(found.assign(experiment="e", corpus="c"))
    assert (len(gaps), gap_text(gaps)) == (0, "")
