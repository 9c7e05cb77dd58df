"""What the report shows of the trainings."""

from pathlib import Path

import pandas as pd
import pytest

from helpers_report import make_predictions, make_run_folder, make_trainings
from nver.evaluation.run_folder.trainings import write_trainings
from nver.report import read_run, write_report
from nver.report.chapters.training_log import chosen, spread, training_parts
from nver.report.formats.sections import sections
from nver.results.metrics import score_table


def parts_of(folder: Path) -> list:
    run = read_run(folder)
    return training_parts(run, sections(score_table(run.predictions)))


def test_a_row_a_system_with_what_lies_above_the_floor(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=2)
    parts = parts_of(folder)
    assert [part.title for part in parts] == [
        "toy, speaker-independent folds",
        "toy, random folds (speakers shared)",
    ]
    (grid,) = parts[0].grids
    assert grid.head[-4:] == ("Divergence", "Floor", "Excess", "Tuned")
    reno = next(row for row in grid.rows if row[1] == "reno")
    assert reno[-4:] == ("3.96 ± 0.00158", "3.96", "0.003 ± 0.00158", "lambda_=0.3 (5)")
    fcn = next(row for row in grid.rows if row[1] == "fcn")
    assert fcn[-4:] == ("–",) * 4
    assert fcn[2] == "5"
    page = write_report(folder).read_text("utf-8")
    assert 'id="trainings"' in page
    assert "0.003 ± 0.00158" in page


def test_a_section_without_divergence_has_no_such_columns(tmp_path: Path) -> None:
    systems = [("logmel-stats", "fcn")]
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1, systems=systems)
    (part,) = parts_of(folder)
    assert part.grids[0].head[-1] == "Validation loss"


def test_a_run_of_before_has_no_such_table(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1)
    (folder / "trainings.csv").unlink()
    page = write_report(folder).read_text("utf-8")
    assert 'id="trainings"' not in page
    assert "trainings.csv is not in the run folder" in page


def test_trainings_without_validation_clips(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1)
    rows = make_trainings(make_predictions(emotions=3)).assign(validation_loss=None)
    write_trainings(rows, folder / "trainings.csv")
    (part,) = parts_of(folder)
    assert {row[5] for row in part.grids[0].rows} == {"–"}


@pytest.mark.parametrize(
    ("values", "text"),
    [([1.0, 2.0], "1.5 ± 0.7"), ([1.0], "1.0"), ([0.1] * 3, "0.1"), ([None], "–"), ([], "–")],
)
def test_spread(values: list, text: str) -> None:
    assert spread(pd.Series(values, dtype=float), ".1f") == text


def test_chosen() -> None:
    assert chosen(pd.Series(["a=1", "a=2", "a=2", ""])) == "a=2 (2), a=1 (1)"
    assert chosen(pd.Series(["", ""])) == "–"
