"""The command line: what it says, where, and with which exit code."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nver.cli
from helpers_cli import Finished, finish


def call(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        nver.cli.main(list(args))
    out, err = capfd.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--version"], 0, "nver"),
        (["--help"], 0, "Commands:"),
        ([], 2, "Usage:"),
        (["lst"], 2, "did you mean 'list'"),
        (["list"], 2, "Missing argument"),
        (["list", "encoder"], 2, "encoder"),
        (["run", "no-such.toml"], 2, "no-such.toml"),
        (["run", "--nonsense"], 2, "--nonsense"),
        (["corpus", "emogatr", "--root", "."], 2, "did you mean the corpus 'emogator'"),
        (["corpus", "jnv", "--root", "no-such-folder"], 1, "no-such-folder"),
        (["report", "."], 1, "predictions.csv"),
    ],
)
def test_exit_codes_and_messages(
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, out, err = call(capfd, *args)
    assert (got, said in out + err) == (code, True), out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", nver.cli.COMMANDS)
def test_every_command_has_help_and_the_group_says_the_same(
    capfd: pytest.CaptureFixture[str], command: str
) -> None:
    code, out, _ = call(capfd, command, "--help")
    assert code == 0
    assert "Usage:" in out


@pytest.mark.parametrize("kind", ["corpora", "encoders", "classifiers"])
def test_list_for_people_and_machines(capfd: pytest.CaptureFixture[str], kind: str) -> None:
    from nver.registry import names

    _, text, _ = call(capfd, "list", kind)
    _, out, _ = call(capfd, "list", kind, "--json")
    rows = json.loads(out)
    assert [row["name"] for row in rows] == names(kind)
    assert len(text.splitlines()) == len(rows) + 1


def test_an_unexpected_error_is_a_message(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("wires crossed")

    monkeypatch.setattr("nver.cli.list.describe", broken)
    code, _, err = call(capfd, "list", "corpora")
    assert code == 1
    assert "wires crossed" in err
    assert "Traceback" not in err


RECIPE = """
corpora = ["mine"]
roots = {mine = "clips"}
encoders = ["logmel-stats", "prosody-stats"]
classifiers = ["linear", "reno"]
folds = {number = 2}
training = {epochs = 2}
store = "store"
hypotheses = [{claim = "fusion > single"}]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run in `run` of a table of clips among which two are bad, which --strict reports."""
    folder = tmp_path_factory.mktemp("finished")
    corpus = nver.load_corpus("synthetic", folder / "synthetic", speakers=4, clips_per_sound=2)
    table = corpus.table[["clip", "file", "speaker", "emotion"]]
    (folder / "clips").mkdir()
    (folder / "clips" / "bad.wav").write_bytes(b"RIFF nonsense")
    (folder / "clips" / "empty.wav").write_bytes(b"")
    rows = table.to_csv(index=False) + "bad,bad.wav,S9,cry\nempty,empty.wav,S9,laugh\n"
    (folder / "clips" / "metadata.csv").write_text(rows.replace("clip,file,", "clip,file_name,"))
    (folder / "recipe.toml").write_text(RECIPE)
    return finish(folder, "run", "recipe.toml", "--out", "run", "--strict", "--workers", "1")


@pytest.fixture
def project(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, where the test is."""
    copy = shutil.copytree(finished.folder, tmp_path / "project")
    monkeypatch.chdir(copy)
    return copy


def test_run_then_report(
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    finished: Finished,
    project: Path,
) -> None:
    out, err = finished.out, finished.err
    assert "reno" in out
    assert "fusion > single [" in out
    assert "skipped 2: " in err
    assert (project / "run" / "report" / "index.html").exists()
    page = (project / "run" / "report" / "index.html").read_bytes()
    before = sorted((p.name, p.stat().st_mtime_ns) for p in (project / "run" / "cells").iterdir())

    code, again, _ = call(capfd, "run", "recipe.toml", "--out", "run", "--workers", "1", "--json")
    assert code == 0, "a skipped clip is no failure without --strict"
    after = sorted((p.name, p.stat().st_mtime_ns) for p in (project / "run" / "cells").iterdir())
    assert after == before, "finished cells were trained again"
    summary = json.loads(again)
    assert [s["classifier"] for s in summary["scores"]] == ["linear", "linear", "reno"]
    assert {s["clip"] for s in summary["skipped"]} == {"bad", "empty"}
    assert [h["claim"] for h in summary["hypotheses"]] == ["fusion > single"] * 2

    trainings = (project / "run" / "trainings.csv").read_text().splitlines()
    assert len(trainings) == 1 + 3 * 2, "a row a classifier's training"
    assert "divergence_excess" in trainings[0]

    cell = min(f for f in (project / "run" / "cells").iterdir() if "trainings" not in f.name)
    whole = cell.read_bytes()
    cell.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    code, _, _ = call(capfd, "run", "recipe.toml", "--out", "run", "--workers", "1")
    assert (code, cell.read_bytes()) == (0, whole)
    assert "it is trained again" in caplog.text

    code, _, _ = call(capfd, "report", "run")
    assert code == 0
    assert len(page) > 10_000


def test_a_run_that_fails_leaves_the_folder_as_it_was(
    capfd: pytest.CaptureFixture[str], project: Path
) -> None:
    before = {f: f.read_bytes() for f in (project / "run").glob("*.*")}
    assert before
    changed = ["--set", "title=Changed", "--set", "roots.mine=nowhere"]
    code, _, err = call(capfd, "run", "recipe.toml", "--out", "run", *changed)
    assert (code, "nowhere" in err) == (1, True)
    assert {f: f.read_bytes() for f in (project / "run").glob("*.*")} == before


def test_a_renamed_corpus_is_renamed_everywhere(
    capfd: pytest.CaptureFixture[str], project: Path
) -> None:
    recipe = (project / "recipe.toml").read_text().replace("mine", "yours")
    (project / "other.toml").write_text(recipe)
    call(capfd, "run", "other.toml", "--out", "run", "--workers", "1")
    rows = (project / "run" / "predictions.csv").read_text().splitlines()[1:]
    assert {row.split(",")[1] for row in rows} == {"yours"}


def test_strict_makes_a_skip_a_failure(finished: Finished) -> None:
    assert finished.code == 1
    assert "bad.wav" in finished.err
    assert (finished.folder / "run" / "report" / "index.html").exists()


def test_a_foreign_folder_is_left_alone(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    code, _, err = call(capfd, "run", "recipe.toml", "--out", "clips")
    assert code == 1
    assert "no run folder" in err
    assert not (project / "clips" / "recipe.toml").exists()


def test_workers_do_not_change_the_numbers(
    capfd: pytest.CaptureFixture[str], project: Path
) -> None:
    """With 1 it was run above; with 2 nothing is taken from that run or its store."""
    anew = ("--out", "run2", "--set", "store=store2")
    code, _, err = call(capfd, "run", "recipe.toml", *anew, "--workers", "2")
    assert code == 0, err
    one, two = ((project / run / "predictions.csv").read_bytes() for run in ("run", "run2"))
    assert one == two


def test_help_of_the_installed_program_is_the_same() -> None:
    program = Path(sys.executable).parent / "nver"
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert "run" in done.stdout


def test_a_reader_that_had_enough_is_no_failure() -> None:
    start = [sys.executable, "-c", "import nver.cli; nver.cli.main(['list', 'encoders'])"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(start, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
