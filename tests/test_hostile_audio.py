"""Thousands of damaged recordings through every way into nver: no crash, no raw exception.

The long form: `make test-long`, or with other seeds
`python -m pytest -m long tests/test_hostile_audio.py --hostile-seed 7 --hostile-mutants 9000`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers_hostile import visit_all
from hostile_audio import headers, write_all

MOST_SECONDS = 10.0  # of processor time a file
MOST_MEGABYTES = 500.0  # that a file may take
TORCH_MEGABYTES = 1000.0  # of a command that has torch and the tables of thousands of clips
EMOTIONS = ("cry", "laugh")  # the folders of the corpus
RAW = ("Traceback", "Error:", "NVER_DEBUG")  # what no message of ours has


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("hostile_seed"))


@pytest.fixture
def number(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("hostile_mutants"))


def test_there_are_a_hundred_headers_made_by_hand() -> None:
    names = [name for name, _ in headers()]
    assert len(names) == len(set(names)) >= 100


def test_some_damaged_recordings(tmp_path: Path, seed: int) -> None:
    check(write_folders(tmp_path / "corpus", seed, 60), tmp_path)


@pytest.mark.long
def test_thousands_of_damaged_recordings(tmp_path: Path, seed: int, number: int) -> None:
    check(write_folders(tmp_path / "corpus", seed, number), tmp_path)


def write_folders(root: Path, seed: int, number: int) -> list[Path]:
    """The files, in turn in the folder of one emotion and of the other."""
    moved = []
    for n, file in enumerate(write_all(root, seed, number)):
        folder = root / EMOTIONS[n % 2]
        folder.mkdir(exist_ok=True)
        moved.append(file.rename(folder / file.name))
    return moved


def check(files: list[Path], folder: Path) -> None:
    found = visit_all(files)
    faults = [fault for file in files for fault in _faults(file, found[str(file)])]
    refused = {f for f, one in found.items() if one.get("reader")}
    faults += _command_faults(files, refused, folder)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:40])


def _faults(file: Path, found: dict[str, Any]) -> list[str]:
    """What is wrong with how a file was taken."""
    if "crash" in found:
        return [f"{file.name}: the process died ({found['crash']}): {found['stderr']}"]
    faults = [
        f"{file.name}: {way}: {found[way]}"
        for way in ("reader", "measure", "predict")
        if found[way].startswith("RAW")
    ]
    if found["seconds"] > MOST_SECONDS:
        faults.append(f"{file.name}: {found['seconds']:.1f} s of processor time")
    if found["megabytes"] > MOST_MEGABYTES:
        faults.append(f"{file.name}: {found['megabytes']:.0f} MB")
    if found["sure"] and (found["reader"] or found["measure"]):
        faults.append(f"{file.name}: a sure answer, and refused elsewhere: {found}")
    return faults


def _command_faults(files: list[Path], refused: set[str], folder: Path) -> list[str]:
    """What is wrong with `corpus`, `extract` and `predict` over all files: each has a row."""
    root, faults = files[0].parent.parent, list[str]()
    where = ["hostile", "--root", str(root)]
    listed = _nver(folder, faults, "corpus", *where, "--json", codes=(0, 1))
    store = ["--encoder", "duration-level", "--store", str(folder / "store")]
    _nver(folder, faults, "extract", *where, *store)
    answered = _nver(folder, faults, "predict", str(root), "--json", codes=(0, 1))
    if faults:
        return faults
    facts, answers = json.loads(listed), json.loads(answered)["predictions"]
    rows = facts["clips"] + len(facts["skipped"])
    if rows != len(files):
        faults.append(f"corpus: {rows} rows of {len(files)} files")
    if len(answers) != len(files):
        faults.append(f"predict: {len(answers)} answers to {len(files)} files")
    sure = [answer["file"] for answer in answers if answer["sure"]]
    faults += [f"predict: sure of {file}, refused elsewhere" for file in sure if file in refused]
    said = [note["message"] for kind in ("unusable", "skipped") for note in facts[kind]]
    said += [answer["error"] for answer in answers]
    return faults + [f"message: {text}" for text in said if any(raw in text for raw in RAW)]


def _nver(folder: Path, faults: list[str], *args: str, codes: tuple[int, ...] = (0,)) -> str:
    """The stdout of a command; its failure or a high peak of memory is added to the faults."""
    files = {name: folder / f"{args[0]}.{name}" for name in ("out", "err")}
    with files["out"].open("wb") as out, files["err"].open("wb") as err:
        run = subprocess.Popen(
            [sys.executable, "-c", "from nver.cli import main; main()", *args],
            stdout=out,
            stderr=err,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = code = os.waitstatus_to_exitcode(status)
    said = files["err"].read_text(errors="replace")
    if code not in codes or "Traceback" in said:
        faults.append(f"{args[0]}: exit {code}: {said[-2000:]}")
    if usage.ru_maxrss / 1024 > MOST_MEGABYTES + TORCH_MEGABYTES:
        faults.append(f"{args[0]}: {usage.ru_maxrss / 1024:.0f} MB")
    return files["out"].read_text()
