"""What a kill or a bad copy leaves: a cut-off file is named, half a result blocks nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers_audio_mamba import untrained_folder
from helpers_cli import finish
from helpers_extraction import write_clips
from nver.errors import UsageError
from nver.evaluation.run_folder import layout
from nver.models.model_folder import CONFIG, WEIGHTS, check_out

RECIPE = """
corpora = ["mine"]
roots = {mine = "clips"}
encoders = ["duration-level"]
classifiers = ["linear", "fcn"]
folds = {number = 2}
training = {epochs = 2}
stress = {kinds = ["telephone"]}
store = "store"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, a recipe and its finished run."""
    folder = tmp_path_factory.mktemp("made")
    for number, emotion in enumerate(("joy", "fear")):
        write_clips(folder / "clips" / emotion, 20, 0.1, seed=number)
    (folder / "clips" / "joy" / "bad.wav").write_bytes(b"RIFF")
    (folder / "recipe.toml").write_text(RECIPE)
    done = finish(folder, "run", "recipe.toml", "--out", "run", "--workers", "1")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project"))


Cut = Callable[[bytes], bytes]
CUTS: dict[str, Cut] = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "half": lambda data: data[: len(data) // 2],
    "a line": lambda data: data[: data.rstrip(b"\n").rfind(b"\n") + 1],
    "the last byte": lambda data: data[:-1],
    "NULs": lambda data: bytes(len(data)),
    "a tail of NULs": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
}
WITH_PATHS = (layout.RECIPE, layout.CORPORA, layout.CLIPS, layout.SKIPPED)


def test_every_file_of_a_run_is_measured(made: Path) -> None:
    sizes = json.loads((made / "run" / layout.SIZES).read_text())
    files = [
        f
        for f in (made / "run").rglob("*")
        if f.is_file() and f.name not in (layout.SIZES, layout.PLAN)
    ]
    own = {f.relative_to(made / "run").as_posix() for f in files if "report" not in f.parts}
    assert set(sizes) == own


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", layout.SIZED)
def test_a_cut_off_file_is_named(name: str, cut: str, project: Path) -> None:
    file = project / "run" / name
    whole = file.read_bytes()
    file.write_bytes(CUTS[cut](whole))
    for command in ("report", "status"):
        done = finish(project, command, "run")
        said = done.err if command == "report" else done.out
        assert done.code == (1 if command == "report" else 0)
        assert f"run/{name}: " in said
        assert "cut off" in said or "NUL bytes" in said
        assert "the same `nver run` again" in said.lower()
        assert "Traceback" not in said


@pytest.mark.parametrize("name", layout.SIZED)
def test_the_same_run_mends_it(name: str, project: Path) -> None:
    """All of it, also where the file was not read; a table is the same to the byte."""
    file = project / "run" / name
    whole = file.read_bytes()
    file.write_bytes(CUTS["half"](whole))
    done = finish(project, "run", "recipe.toml", "--out", "run", "--workers", "1")
    assert done.code == 0, done.err
    if name not in (layout.ENVIRONMENT, *WITH_PATHS):  # the time, and the folder's new place
        assert file.read_bytes() == whole
    assert finish(project, "report", "run").code == 0


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("kind", ["", ".trainings", ".stress"])
def test_a_cell_that_is_cut_off_is_trained_again(
    kind: str, cut: str, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = next((project / "run" / "cells").glob(f"????????????????????????????????{kind}.csv"))
    whole = file.read_bytes()
    file.write_bytes(CUTS[cut](whole))
    status = finish(project, "status", "run")
    assert "1 done" in status.out
    assert file.name in status.out
    done = finish(project, "run", "recipe.toml", "--out", "run", "--workers", "1")
    assert done.code == 0, done.err
    assert "it is trained again" in caplog.text
    assert file.read_bytes() == whole


def test_a_cell_of_a_run_under_way_that_is_cut_off_is_seen(project: Path) -> None:
    (project / "run" / layout.SIZES).unlink()
    file = next((project / "run" / "cells").glob("*.trainings.csv"))
    file.write_bytes(CUTS["half"](file.read_bytes()))
    status = json.loads(finish(project, "status", "run", "--json").out)
    assert status["done"] == 1
    assert [file.name in said for said in status["cut_off"]] == [True]


@pytest.mark.parametrize("cut", ["empty", "half", "NULs"])
@pytest.mark.parametrize("name", [layout.SIZES, layout.PLAN])
def test_a_cut_off_list_is_named(name: str, cut: str, project: Path) -> None:
    file = project / "run" / name
    file.write_bytes(CUTS[cut](file.read_bytes()))
    done = finish(project, "status", "run")
    assert (done.code, f"{name}: " in done.err) == (1, True)


def test_a_file_that_was_made_longer_is_taken(project: Path) -> None:
    with (project / "run" / layout.RECIPE).open("a") as recipe:
        recipe.write('\n[families]\ngood = ["joy"]\nbad = ["fear"]\n')
    assert finish(project, "report", "run").code == 0


def test_a_file_that_was_removed_is_named_as_before(project: Path) -> None:
    (project / "run" / layout.PROJECTIONS).unlink()
    done = finish(project, "report", "run")
    page = (project / "run" / "report" / "index.html").read_text()
    assert (done.code, "projections.csv is not in the run folder" in page) == (0, True)


# --- killed while they write


@pytest.mark.parametrize(
    ("left", "accepted"),
    [
        ([], True),
        ([WEIGHTS], True),
        ([WEIGHTS, f".{CONFIG}.x1y2"], True),
        ([f".{WEIGHTS}.x1y2"], True),
        (["notes.txt"], True),
        ([WEIGHTS, "tokenizer.json"], False),
        ([WEIGHTS, "notes.txt"], False),
        ([CONFIG], False),
    ],
)
def test_what_a_killed_training_leaves_blocks_no_other(
    left: list[str], accepted: bool, tmp_path: Path
) -> None:
    for name in left:
        (tmp_path / name).write_text("{}")
    if accepted:
        check_out(tmp_path)
    else:
        with pytest.raises(UsageError, match="give another folder"):
            check_out(tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
import nver.machine.files as files
whole, calls, at = files._write_whole, [], int(sys.argv[1])
def write(file, content):
    calls.append(file)
    if len(calls) == at:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    whole(file, content)
files._write_whole = write
from nver.cli import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize(
    "command",
    [
        "train model.toml --out model --workers 1",
        "convert untrained converted",
        "report run",
        "run recipe.toml --out fresh --workers 1",
        "store export duration-level out --store store",
    ],
)
def test_a_killed_command_blocks_no_other(command: str, at: int, project: Path) -> None:
    model = RECIPE.replace('"linear", "fcn"', '"fcn"').replace("stress", "# stress")
    (project / "model.toml").write_text(model)
    untrained_folder(project / "untrained")
    subprocess.run(
        [sys.executable, "-c", KILLED, str(at), *command.split()],
        cwd=project,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )
    done = finish(project, *command.split())
    assert done.code == 0, done.err
