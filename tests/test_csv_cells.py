"""Every CSV that nver writes: no cell that a spreadsheet runs, and every text comes back."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers_cli import finish
from nver.evaluation.run_folder.saved_table import read_table, write_table
from nver.machine.csv_cells import FORMULA, NUMBER, quoted, unquoted
from nver.models.prediction import Prediction, write_predictions

HOSTILE = [
    "=SUM(A1)",
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-laugh",
    "--",
    "@joy",
    "\tx",
    "\rx",
    "\n=x",
    "＝SUM(A1)",
    "'=x",
    "''=x",
    "-1e5x",
    "+-5",
]
HARMLESS = ["laugh", "'quoted", "''", "a=b", "", " ", "é", "1", "-1", "+1.5", "-.5e-3", "x\n=y"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_would_run_is_quoted_and_comes_back(text: str) -> None:
    assert quoted(text) == f"'{text}"
    assert unquoted(quoted(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_all_else_stays_as_it_is(text: str) -> None:
    assert quoted(text) == text
    assert unquoted(text) == text


def test_quoting_twice_comes_back_in_two_steps() -> None:
    for text in HOSTILE + HARMLESS:
        assert unquoted(unquoted(quoted(quoted(text)))) == text


def formulas(file: Path) -> list[str]:
    """The cells of a CSV file that a spreadsheet would run."""
    with file.open(newline="", encoding="utf-8") as lines:
        cells = [cell for row in csv.reader(lines) for cell in row]
    return [c for c in cells if FORMULA.match(c) and c[0] != "'" and not NUMBER.fullmatch(c)]


def test_a_table_of_a_run_reads_as_it_was_written(tmp_path: Path) -> None:
    texts = [text for text in HOSTILE + HARMLESS if text]
    table = pd.DataFrame({"clip": texts, "=n": np.linspace(-1, 1, len(texts)), "note": texts[0]})
    write_table(table, tmp_path / "t.csv")
    assert formulas(tmp_path / "t.csv") == []
    again = read_table(tmp_path / "t.csv", {"clip": str}, [])
    assert list(again.columns) == list(table.columns)
    assert again["clip"].tolist() == texts
    assert again["=n"].tolist() == pytest.approx(table["=n"].tolist())  # numbers, negative too


def test_answers_have_no_formula(tmp_path: Path) -> None:
    rows = [
        Prediction(name, "-laugh", 0.5, (("-laugh", 0.5), ("@joy", 0.25)), "=F(1)", 0.5, True, 1.5)
        for name in HOSTILE
    ]
    write_predictions(tmp_path / "p.csv", [*rows, Prediction("a", error="=x", note="+y")])
    assert formulas(tmp_path / "p.csv") == []
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as lines:
        found = list(csv.DictReader(lines))
    assert [unquoted(row["file"]) for row in found[:-1]] == HOSTILE
    assert {row["probability"] for row in found[:-1]} == {"0.5"}


RECIPE = """
corpora = ["=mine"]
encoders = [{name = "duration-level", label = "-level"}]
classifiers = [{name = "linear", label = "@linear"}]
store = "store"
[roots]
"=mine" = "c"
[folds]
kind = "random"
number = 2
[training]
epochs = 1
[families]
"+F" = ["=SUM(A1)"]
"'G" = ["-laugh"]
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on hostile names: emotions, clips, a corpus, labels, families."""
    folder = tmp_path_factory.mktemp("csv")
    for number, emotion in enumerate(("=SUM(A1)", "-laugh")):
        for clip, name in enumerate(("@a", "+b", "-c", "=d")):
            file = folder / "c" / emotion / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            time = np.arange(4000 * (number + 1)) / 16000
            soundfile.write(file, 0.3 * np.sin(2 * np.pi * (200 + 40 * clip) * time), 16000)
        (folder / "c" / emotion / "=bad.wav").write_bytes(b"no audio")
    (folder / "r.toml").write_text(RECIPE)
    done = finish(folder, "run", "r.toml", "--out", "o", "--workers", "1")
    assert done.code == 0, done.err
    return folder


def test_no_csv_of_a_run_has_a_formula(run_folder: Path) -> None:
    files = sorted(run_folder.rglob("*.csv"))
    assert len(files) > 15
    assert {file.name: formulas(file) for file in files if formulas(file)} == {}


def test_a_run_reads_its_hostile_names_back(run_folder: Path) -> None:
    done = finish(run_folder, "report", "o")
    assert done.code == 0, done.err
    again = finish(run_folder, "run", "r.toml", "--out", "o", "--workers", "1")
    assert again.code == 0, again.err
    from nver.evaluation.run_folder.saved_run import read_run

    run = read_run(run_folder / "o")
    assert set(run.predictions["emotion"]) == {"=SUM(A1)", "-laugh"}
    assert set(run.predictions["corpus"]) == {"=mine"}
    assert set(run.predictions["classifier"]) == {"@linear"}
    assert set(run.predictions["clip"]) == {
        f"{emotion}/{name}" for emotion in ("=SUM(A1)", "-laugh") for name in ("@a", "+b", "-c")
    } | {"=SUM(A1)/=d", "-laugh/=d"}


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_an_export_of_the_store_has_no_formula(run_folder: Path, form: str) -> None:
    out = f"export-{form}" + (".csv" if form == "csv" else "")
    command = ("store", "export", "duration-level", out, "--format", form, "--store", "store")
    done = finish(run_folder, *command, "--corpus", "=mine", "--root", "c")
    assert done.code == 0, done.err
    for file in run_folder.rglob("export-*/*.csv" if form == "npy" else out):
        assert formulas(file) == []
