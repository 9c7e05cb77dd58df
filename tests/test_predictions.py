"""The predictions table reads back as it was written, and says what is wrong with a damaged one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers_report import make_predictions
from nver.errors import NverError
from nver.evaluation.run_folder.predictions import (
    PREDICTION_COLUMNS,
    check_predictions,
    emotions_of,
    probability_columns,
    read_predictions,
    write_predictions,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    return make_predictions(emotions=6, takes=1, systems=[("logmel-stats", "fcn")])


def changed(frame: pd.DataFrame, row: int, **values: object) -> pd.DataFrame:
    frame = frame.copy()
    for column, value in values.items():
        frame.loc[row, column] = value
    return frame


def test_columns_come_in_order_and_probabilities_last(frame: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = frame[sorted(frame.columns, reverse=True)]
    write_predictions(shuffled, tmp_path / "p.csv")
    columns = list(read_predictions(tmp_path / "p.csv").columns)
    assert columns[: len(PREDICTION_COLUMNS)] == list(PREDICTION_COLUMNS)
    assert columns[len(PREDICTION_COLUMNS) :] == probability_columns(shuffled)


def test_reads_back_equal(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_predictions(frame, tmp_path / "p.csv")
    back = read_predictions(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(back, frame[back.columns])
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["p.csv"]


def test_every_float32_reads_back_to_the_same_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, np.float32(1).view(np.int32), size=4000, dtype=np.int32)
    share = np.concatenate([bits.view(np.float32), np.float32([0, 1, 1e-45, 1e-38, 0.1])])
    rest = (np.float32(1) - share).astype(np.float32)
    start = make_predictions(takes=1, systems=[("e", "c")]).iloc[[0] * len(share)]
    frame = start[list(PREDICTION_COLUMNS)].reset_index(drop=True)
    frame = frame.assign(clip=[str(i) for i in range(len(share))], emotion="a", predicted="a")
    frame["p:a"], frame["p:b"] = share, rest
    write_predictions(frame, tmp_path / "p.csv")
    back = read_predictions(tmp_path / "p.csv")
    for column, written in (("p:a", share), ("p:b", rest)):
        assert back[column].dtype == np.float32
        np.testing.assert_array_equal(
            back[column].to_numpy().view(np.int32), written.view(np.int32)
        )


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("clip", "000123"),
        ("clip", "1e5"),
        ("clip", "NA"),
        ("clip", 'ha, "ha"\n; ha\r'),
        ("clip", " ha "),
        ("clip", "はは"),
        ("speaker", "007"),
        ("speaker", "NA"),
        ("speaker", "nan"),
        ("speaker", "None"),
        ("encoders", "logmel-stats+prosody-stats"),
    ],
)
def test_ids_come_back_as_they_were(
    frame: pd.DataFrame, tmp_path: Path, column: str, text: str
) -> None:
    write_predictions(changed(frame, 3, **{column: text}), tmp_path / "p.csv")
    assert read_predictions(tmp_path / "p.csv").loc[3, column] == text


def test_a_name_that_is_not_utf8_does_not_stop_a_run(frame: pd.DataFrame, tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    frame = frame.astype({"clip": object})
    write_predictions(changed(frame, 0, clip=name), tmp_path / "p.csv")
    assert read_predictions(tmp_path / "p.csv").loc[0, "clip"] == r"caf\udce9"


def test_an_emotion_called_na_is_an_emotion(frame: pd.DataFrame, tmp_path: Path) -> None:
    renamed = frame.replace("anger", "NA").rename(columns={"p:anger": "p:NA"})
    write_predictions(renamed, tmp_path / "p.csv")
    back = read_predictions(tmp_path / "p.csv")
    assert (back["emotion"] == "NA").sum() == (frame["emotion"] == "anger").sum()


def test_a_missing_speaker_stays_missing(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_predictions(changed(frame, 2, speaker=None), tmp_path / "p.csv")
    speaker = read_predictions(tmp_path / "p.csv")["speaker"]
    assert list(speaker.index[speaker.isna()]) == [2]


def test_two_corpora_in_one_file(tmp_path: Path) -> None:
    one = make_predictions(emotions=6, corpus="one", takes=1)
    two = make_predictions(emotions=10, corpus="two", takes=1)
    both = pd.concat([one, two], ignore_index=True)
    write_predictions(both, tmp_path / "p.csv")
    back = read_predictions(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(back, both[back.columns])
    line = (tmp_path / "p.csv").read_text("utf-8").splitlines()[1]
    assert line.endswith(",")  # a probability that is not of the row's corpus is an empty field
    assert emotions_of(back[back["corpus"] == "one"]) == emotions_of(one)
    assert emotions_of(back[back["corpus"] == "two"]) == emotions_of(two)


DAMAGES = {
    "sums": (lambda f: changed(f, 4, **{"p:fear": 0.9}), r"row 5 .*sum to 1\.\d+, not to 1 \(1 of"),
    "no probability": (
        lambda f: f.assign(**dict.fromkeys(probability_columns(f), np.nan)),
        "sum to 0, not to 1",
    ),
    "unknown prediction": (
        lambda f: changed(f, 1, predicted="joy"),
        r"predicted is 'joy' in row 2 \(clip .*probabilities of achievement, anger",
    ),
    "unknown truth": (lambda f: changed(f, 1, emotion="joy"), "emotion is 'joy' in row 2"),
    "no prediction": (lambda f: changed(f, 1, predicted=None), "predicted is nan in row 2"),
    "twice": (
        lambda f: pd.concat([f, f.iloc[[7]]], ignore_index=True),
        "1 predictions are there twice",
    ),
    "no column": (lambda f: f.drop(columns=["speaker", "fold"]), "it has no column fold, speaker"),
    "no probabilities": (
        lambda f: f[list(PREDICTION_COLUMNS)],
        r"no probability column \(p:EMOTION\)",
    ),
    "empty": (lambda f: f.iloc[:0], "only a header"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_table_of_predictions(frame: pd.DataFrame, tmp_path: Path, damage: str) -> None:
    damaged, words = DAMAGES[damage]
    with pytest.raises(NverError, match=words):
        check_predictions(damaged(frame))
    path = tmp_path / "p.csv"
    write_predictions(frame, path)
    before = path.read_bytes()
    with pytest.raises(NverError, match=words):
        write_predictions(damaged(frame), path)
    assert path.read_bytes() == before


def test_the_prediction_must_be_an_emotion_of_its_own_corpus() -> None:
    one = make_predictions(emotions=6, corpus="one", takes=1)
    two = make_predictions(emotions=10, corpus="two", takes=1)
    both = pd.concat([one, two], ignore_index=True)
    check_predictions(both)
    with pytest.raises(NverError, match=r"predicted is 'Triumph' in row 1"):
        check_predictions(changed(both, 0, predicted="Triumph"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: "", "it has no column experiment"),
        (lambda text: text.split("\n")[0] + "\n", "only a header"),
        (lambda text: text[: len(text) // 2], "last line is cut off"),
        (lambda text: text[:-2], "last line is cut off"),
        (lambda text: text.replace(",0.", ",", 1), "sum to"),
        (lambda text: text.replace(",0,", ",zero,", 1), "damaged"),
        (lambda text: text.replace("p:anger", "p:fear"), "two columns are named 'p:fear'"),
        (lambda text: text[:-1] + ",0.5\n", "damaged"),
        (lambda text: text.replace("\nmade-up", "\n0,made-up"), "damaged"),
        (lambda text: "\0" * 100, "it has no column"),
    ],
)
def test_a_damaged_file(frame: pd.DataFrame, tmp_path: Path, damage: object, words: str) -> None:
    path = tmp_path / "p.csv"
    write_predictions(frame, path)
    path.write_text(damage(path.read_text("utf-8")), "utf-8")  # type: ignore[operator]
    with pytest.raises(NverError, match=words) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NverError, match=r"p\.csv: no such file"):
        read_predictions(tmp_path / "p.csv")


def test_a_failed_write_leaves_nothing(frame: pd.DataFrame, tmp_path: Path) -> None:
    class Bad:
        def __str__(self) -> str:
            raise OSError("disk full")

    broken = frame.astype({"speaker": object})
    broken["speaker"] = [*frame["speaker"].iloc[:-1], Bad()]
    with pytest.raises(OSError, match="disk full"):
        write_predictions(broken, tmp_path / "p.csv")
    assert not [p for p in tmp_path.iterdir() if p.is_file()]
