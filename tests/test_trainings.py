"""The trainings table: written, read back, joined."""

from pathlib import Path

import pandas as pd
import pytest

from nver.errors import NverError
from nver.evaluation.run_folder.trainings import (
    TRAINING_COLUMNS,
    diagnostic_columns,
    join_trainings,
    no_trainings,
    read_trainings,
    write_trainings,
)

ROW = {
    **dict.fromkeys(TRAINING_COLUMNS, "x"),
    "seed": 0,
    "fold": 1,
    "clips": 90,
    "epochs": 20,
    "best_epoch": 7,
    "validation_loss": 1.5,
    "auxiliary": 0.25,
    "tuned": "",
    "candidates": "",
}


def test_it_reads_back(tmp_path: Path) -> None:
    excess = 1.25e-07
    rows = [ROW | {"classifier": "NA", "excess": excess}, ROW | {"validation_loss": None}]
    write_trainings(pd.DataFrame(rows), tmp_path / "t.csv")
    again = read_trainings(tmp_path / "t.csv")
    assert again["classifier"].tolist() == ["NA", "x"]
    assert again["tuned"].tolist() == ["", ""]
    assert again["excess"].tolist()[0] == excess
    assert again["excess"].isna().tolist() == [False, True]
    assert again["validation_loss"].isna().tolist() == [False, True]
    assert diagnostic_columns(again) == ["excess"]


def test_joined_rows_keep_each_others_diagnostics() -> None:
    one, two = pd.DataFrame([ROW | {"a": 1.0}]), pd.DataFrame([ROW | {"b": 2.0}])
    joined = join_trainings([no_trainings(), one, two])
    assert diagnostic_columns(joined) == ["a", "b"]
    assert joined["a"].isna().tolist() == [False, True]
    assert len(join_trainings([])) == 0


def test_an_empty_table_reads_back(tmp_path: Path) -> None:
    write_trainings(no_trainings(), tmp_path / "t.csv")
    assert list(read_trainings(tmp_path / "t.csv").columns) == list(TRAINING_COLUMNS)


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n1,2\n", "no column experiment"), ("", "damaged"), (None, "damaged")],
)
def test_a_damaged_table_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(NverError, match=said):
        read_trainings(file)
