"""What a recipe lacks is listed and the rest is run; how far a run is; what one would take."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import nver.cli
from helpers_cli import Finished, finish
from nver.errors import NverError, UsageError
from nver.evaluation.grid.cells import step_seconds, steps_of
from nver.evaluation.grid.plan import read_plan, write_plan
from nver.evaluation.grid.progress import read_progress
from nver.evaluation.run_folder import layout

RECIPE = """
corpora = [{name = "synthetic", speakers = 3, clips_per_sound = 2}, "vivae"]
encoders = ["logmel-stats", "prosody-stats", "audio-mamba-tiny"]
classifiers = ["linear", "concat"]
folds = {number = 2, kind = "random"}
training = {epochs = 1}
store = "store"
"""


def call(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        nver.cli.main(list(args))
    out, err = capfd.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def finished(project: Path) -> Finished:
    """A run of which a corpus and an encoder were missing."""
    return finish(project, "run", "recipe.toml", "--out", "run", "--workers", "1")


@pytest.fixture(scope="module")
def ran(finished: Finished) -> Path:
    """The folder of that run."""
    return finished.folder / "run"


@pytest.fixture(autouse=True)
def in_project(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("NVER_CACHE", str(project / "cache"))


def test_the_rest_is_run_and_what_is_missing_is_listed(
    finished: Finished, ran: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    err = finished.err
    assert finished.code == 0, err
    assert "concat" in finished.out
    for said in (
        "missing corpus vivae: 6 cells wait for it.",
        "get the corpus at https://zenodo.org/records/4066235",
        "--set roots.vivae=DIR",
        "missing encoder audio-mamba-tiny: 6 cells wait for it: linear on audio-mamba-tiny, "
        "concat on logmel-stats + audio-mamba-tiny, concat on prosody-stats + audio-mamba-tiny.",
        "drive.google.com",
        "--set encoders.audio-mamba-tiny.weights=DIR",
    ):
        assert said in err, err
    args = ("run", "recipe.toml", "--out", str(ran), "--workers", "1", "--strict", "--json")
    code, out, _ = call(capfd, *args)
    assert code == 1
    assert [(m["kind"], m["cells"]) for m in json.loads(out)["missing"]] == [
        ("corpus", 6),
        ("encoder", 6),
    ]
    page = (ran / "report" / "index.html").read_text("utf-8")
    assert "Not run, the corpus vivae was not there (6 cells)" in page
    saved = pd.read_csv(ran / "missing.csv")
    assert saved["name"].tolist() == ["vivae", "audio-mamba-tiny"]
    rows = pd.read_csv(ran / "predictions.csv")
    assert set(rows["encoders"]) == {
        "logmel-stats", "prosody-stats", "logmel-stats+prosody-stats",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('corpora=["vivae", "jnv"]', ["missing corpus vivae: 6 cells", "missing corpus jnv"]),
        ('encoders=["audio-mamba-tiny", "audio-mamba-base"]', ["missing encoder audio-mamba-base"]),
        ('encoders=["logmel-stats", "audio-mamba-tiny"]', ["every cell waits for an encoder"]),
    ],
)
def test_nothing_that_can_be_run_is_a_failure(
    capfd: pytest.CaptureFixture[str], key: str, said: list[str]
) -> None:
    only = ["--set", 'classifiers=["concat"]'] if "logmel" in key else []
    code, _, err = call(capfd, "run", "recipe.toml", "--out", "none", "--set", key, *only)
    assert code == 1
    for text in said:
        assert text in err
    assert "Traceback" not in err
    code, _, _ = call(capfd, "run", "recipe.toml", "--dry-run", "--set", key, *only)
    assert code == 1


def test_a_dry_run_counts_what_was_finished_under_another_recipe(
    ran: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def dry(*changed: str) -> tuple[int, int, int]:
        sets = [word for change in changed for word in ("--set", change)]
        args = ("run", "recipe.toml", "--out", str(ran), "--dry-run", "--json", *sets)
        found = json.loads(call(capfd, *args)[1])
        return tuple(found[key]["cells"] for key in ("finished", "to_do", "waiting"))

    assert dry() == (3, 0, 9)
    more = 'encoders=["logmel-stats", "prosody-stats", "duration-level", "audio-mamba-tiny"]'
    finished, to_do, _ = dry(more)
    assert (finished, to_do > 0) == (3, True)
    assert dry("training.epochs=3")[0] == 0


def test_every_file_of_a_run_folder_is_named_in_one_place(ran: Path) -> None:
    named = {v for name, v in vars(layout).items() if name.isupper() and isinstance(v, str)}
    assert {file.name for file in ran.iterdir()} == named - {"stress.csv"} | {"report"}


def test_status(ran: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capfd, "status", str(ran))
    assert code == 0
    assert "12 cells: 3 done, 0 running, 0 waiting, 9 missing" in out
    assert "missing: vivae, audio-mamba-tiny (3 cells)" in out
    _, out, _ = call(capfd, "status", str(ran), "--json")
    found = json.loads(out)
    assert (found["done"], found["missing"], found["remaining_s"]) == (3, 9, 0)
    assert [c["state"] for c in found["cells"]] == ["done"] * 3 + ["missing"] * 9


def test_status_of_a_run_that_goes_on_and_of_a_stopped_one(ran: Path, tmp_path: Path) -> None:
    """The first of three cells is done: made up from the plan of a whole run."""
    cells = [c for c in read_plan(ran).cells if not c.waits_for]
    (tmp_path / "cells").mkdir()
    write_plan(tmp_path, [replace(c, cost=10.0) for c in cells], 1)
    before = read_progress(tmp_path)
    assert [state for _, state in before.cells] == ["running", "waiting", "waiting"]
    assert before.remaining_s == 30
    assert "no cell of this run is finished" in before.basis
    started = read_plan(tmp_path).started
    for suffix in (".trainings.csv", ".csv"):
        file = tmp_path / "cells" / f"{cells[0].key}{suffix}"
        file.write_text("a table\n")
        os.utime(file, (started + 4, started + 4))
    during = read_progress(tmp_path)
    assert [state for _, state in during.cells] == ["done", "running", "waiting"]
    assert 0 < during.remaining_s <= 8  # 4 s a cell, two are left
    tree = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(tree | {"pid": 2**22 + 1}))
    stopped = read_progress(tmp_path)
    assert stopped.alive is False
    assert [state for _, state in stopped.cells] == ["done", "waiting", "waiting"]
    assert stopped.remaining_s == pytest.approx(8)


def test_status_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_progress(tmp_path / "nowhere")
    with pytest.raises(NverError, match="no run was started"):
        read_progress(tmp_path)
    (tmp_path / "plan.json").write_text('{"cells": 3}')
    with pytest.raises(NverError, match="damaged"):
        read_progress(tmp_path)


def test_a_dry_run_says_what_it_would_take_and_does_nothing(
    capfd: pytest.CaptureFixture[str], project: Path
) -> None:
    key = ("--set", "store=another", "--set", "training.epochs=3")
    args = ("run", "recipe.toml", "--out", "dry", "--dry-run", "--workers", "2", *key)
    code, out, err = call(capfd, *args)
    assert code == 0, err
    assert "to do: 3 cells, 6 trainings, about" in out
    assert "waiting for what is missing: 9 cells, 18 trainings" in out
    assert "nothing was extracted or trained" in out
    assert "missing corpus vivae" in err
    assert not (project / "dry").exists()
    assert not (project / "another").exists()
    code, out, _ = call(capfd, *args, "--strict", "--json")
    found = json.loads(out)
    assert code == 1
    clips = found["extraction"][0]["clips"]
    assert clips > 20
    assert found["disk"]["embeddings"] == 4 * clips * (160 + 65 + 960)


def test_a_dry_run_knows_what_is_finished(ran: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capfd, "run", "recipe.toml", "--out", str(ran), "--dry-run")
    assert "finished already: 3 cells, 6 trainings" in out
    assert "to do: 0 cells" in out
    other = ("--set", "training.epochs=2")
    _, out, _ = call(capfd, "run", "recipe.toml", "--out", str(ran), "--dry-run", *other)
    assert "finished already: 0 cells" in out


def test_the_model_of_a_step_is_what_was_measured() -> None:
    """Milliseconds of one step on one core, as measured at these widths."""
    table = {
        "cnn": {(768,): 20, (960,): 25, (1920,): 39, (3840,): 74},
        "concat": {(768, 768): 35, (960, 768): 38, (1920, 768): 55, (3840, 768): 90},
        "reno": {(768, 768): 46, (960, 768): 52, (1920, 768): 67, (3840, 768): 99},
    }
    for name, row in table.items():
        for dims, measured in row.items():
            step = 1000 * step_seconds(name, dims)
            assert step == pytest.approx(measured, rel=0.09), (name, dims)
    assert steps_of(868, 32) == 25  # VIVAE: four fifths of 1,085, less a tenth
