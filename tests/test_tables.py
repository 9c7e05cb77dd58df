"""The recipes of the paper's tables, rehearsed: stand-ins for recordings and weights."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nver
from conftest import SHARED
from helpers_rehearsal import overrides, real_sounds
from nver.classifiers.training.loop import TrainingConfig
from nver.evaluation import Cell, cross_validate
from nver.evaluation.folds.fold_assignment import make_folds
from nver.evaluation.grid.progress import read_progress
from nver.recipe.reading import read_experiment

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
SMALL = {
    "reno_table1": [
        'corpora=["vivae"]',
        'encoders=["audio-mamba-base"]',
        "figures={confusion=[['cnn', 'audio-mamba-base']]}",
    ],
    "reno_table2": [
        'corpora=["jnv"]',
        'encoders=["audio-mamba-tiny", "hubert-base"]',
        "classifiers.concat.encoders=[['audio-mamba-tiny', 'hubert-base']]",
        "classifiers.reno.encoders=[['audio-mamba-tiny', 'hubert-base']]",
    ],
}


def rehearse(name: str, folder: Path, less: list[str], workers: int) -> tuple[Path, pd.DataFrame]:
    """The run folder, and the rows of printed.csv."""
    recipe = EXPERIMENTS / f"{name}.toml"
    sounds = real_sounds(SHARED)
    own = overrides(read_experiment(recipe, less), folder, sounds)
    result = nver.run(recipe, folder / "run", overrides=[*less, *own], workers=workers)
    assert not result.missing
    assert not len(result.skipped)
    assert read_progress(folder / "run").count("done") == len(result.scores)
    page = result.report.read_text("utf-8")
    assert "<title>REHEARSAL: RENO, Table" in page
    assert page.count("REHEARSAL: ") > 5
    assert (result.report.parent / "scores.md").read_text("utf-8").startswith("### REHEARSAL")
    return folder / "run", pd.read_csv(folder / "run" / "report" / "printed.csv")


@pytest.mark.parametrize("name", SMALL)
def test_a_few_cells(name: str, tmp_path: Path) -> None:
    run, rows = rehearse(name, tmp_path, [*SMALL[name], "folds.kind=random"], 1)
    measured = rows[rows["state"] == "measured"]
    assert len(measured) == 2 * 3  # two cells, three scores
    assert measured["difference_low"].notna().all()
    names = {file.name for file in (run / "report").iterdir()}
    if name == "reno_table2":
        assert "pair_jnv_audio-mamba-tiny_hubert-base.png" in names
        assert "confusion_jnv_random_audio-mamba-tiny+hubert-base_reno.svg" in names
    else:
        assert "confusion_vivae_random_audio-mamba-base_cnn.svg" in names


@pytest.mark.long
@pytest.mark.parametrize(("name", "cells"), [("reno_table1", 42), ("reno_table2", 108)])
def test_the_whole_table(name: str, cells: int, tmp_path: Path) -> None:
    """Every cell of both kinds of folds: about ten minutes a table."""
    run, rows = rehearse(name, tmp_path, [], 2)
    assert len(rows) == cells * 2 * 3
    assert set(rows["state"]) == {"measured"}
    assert rows["measured"].between(0, 100).all()
    assert len(list((run / "report").glob("pair_*.png"))) == 3


def test_workers_do_not_change_a_bit() -> None:
    """Each head and fusion of the tables, on two embeddings of different widths."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clip": [f"{i:02d}" for i in range(48)], "speaker": None})
    table["emotion"] = np.resize(["a", "b", "c"], 48)
    embeddings = {
        name: rng.normal(size=(48, dim)).astype(np.float32)
        for name, dim in (("one", 96), ("two", 130))
    }
    folds = make_folds(table, "random", 3)
    cells = [Cell(name, ("one",), folds) for name in ("fcn", "cnn")]
    cells += [Cell(name, ("one", "two"), folds) for name in ("concat", "reno")]
    frames = [
        [
            frame
            for _, frame in cross_validate(
                table, embeddings, cells, training=TrainingConfig(epochs=2), workers=workers
            )
        ]
        for workers in (1, 2)
    ]
    for one, two in zip(*frames, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


RECIPE = """
corpora = [{name = "synthetic", speakers = 4, clips_per_sound = 3}]
encoders = ["logmel-stats", "prosody-stats"]
classifiers = ["fcn", "concat"]
folds = {number = 3, kind = ["random", "speaker-independent"]}
training = {epochs = 3}
store = "store"
"""


def test_killed_and_gone_on_it_has_the_same_numbers(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    command = ["run", "recipe.toml", "--workers", "2", "--out", "stopped"]
    cells = tmp_path / "stopped" / "cells"
    process = subprocess.Popen(
        [sys.executable, "-c", "from nver.cli import main; main()", *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # a cell is whole when the next one has its first file
    while len(list(cells.glob("*.trainings.csv"))) < 2 and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = {f.name: f.stat().st_mtime_ns for f in cells.glob("*.csv")}
    for folder in ("stopped", "whole"):  # here, where everything is imported already
        nver.run(tmp_path / "recipe.toml", tmp_path / folder, workers=1)
    after = {f.name: f.stat().st_mtime_ns for f in cells.glob("*.csv")}
    done = [name for name in kept if f"{name.split('.')[0]}.csv" in kept]
    assert done, "nothing was kept"
    assert all(after[name] == kept[name] for name in done), "what was finished was trained again"
    for name in ("predictions.csv", "trainings.csv"):
        one, two = ((tmp_path / f / name).read_bytes() for f in ("stopped", "whole"))
        assert one == two, name
    shutil.rmtree(tmp_path / "store")
