"""Times as people write them: the right time in s, or none; never silently another."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers_corpora import touch
from nver.corpora import load_corpus
from nver.corpora.own.spans import read_spans, times_said
from nver.corpora.own.times import marks_of, seconds_of

RIGHT = [  # a column, the times of its cells in s
    (["1", "1.5", ".5", "5.", "1e-1", "+2", "0010"], [1, 1.5, 0.5, 5, 0.1, 2, 10]),
    (["1,5", "0,25", "12,345"], [1.5, 0.25, 12.345]),
    (["1.234,5", "1.234", "0,5"], [1234.5, 1234, 0.5]),
    (["1,234.5", "1,234", "0.5"], [1234.5, 1234, 0.5]),
    (["1,234", "0.5"], [1234, 0.5]),
    (["1.234", "1.5"], [1.234, 1.5]),
    (["1,234,567"], [1_234_567]),
    (["1 234,5", "1'234.5", "1\u202f234"], [1234.5, 1234.5, 1234]),
    (["500 ms", "1.5s", "2 min", "1.5 S", "250msec", "1h"], [0.5, 1.5, 120, 1.5, 0.25, 3600]),
    (["1m30s", "1 min 30.5 s", "2h 1m", "3,5 s"], [90, 90.5, 7260, 3.5]),
    (["00:01:02,345", "00:01:02.345", "1:02.5", "75:30"], [62.345, 62.345, 62.5, 4530]),
    (["0 days", "0 days 00:00:01.500000", "1 day 00:00:01"], [0, 1.5, 86401]),
    (["PT1.5S", "P1DT1H", "PT1M"], [1.5, 90_000, 60]),
    (["−1", "–1.5"], [-1, -1.5]),
    (["١٫٥", "１．５", "१.५"], [1.5, 1.5, 1.5]),
    (["", "NaN", "NaT", "n/a", "NULL"], [math.nan] * 5),
]
NO_TIMES = [
    *(["1,234"], ["0,5", "1.234"], ["1,234", "1.234,5", "1,234.5"], ["1_000"], ["0x10"], ["inf"]),
    *(["1e400"], ["-inf"], ["1 5"], ["1 50"], ["1.2.3"], ["1,2,3"], ["0,250,000"], ["1²"], ["½"]),
    *(["1:75"], ["1:2"], ["1:60:00"], ["00:01:02:345"], ["00:01:02;10"], ["12:30 PM"], ["1s 2min"]),
    *(
        ["5 apples"],
        ["1m30"],
        ["true"],
        ["[1]"],
        ["Infinity"],
        ["-"],
        ["--1"],
        [","],
        ["2024-01-01"],
    ),
    *(["1d"], ["2 d"], ["1.234 ms"], ["500 ms", "2.345ms"]),
    *(["ms"], ["1ss"], ["P"], ["PT"], ["1.5 s s"], ["1,,5"], ["1-2"], ["soon"]),
]


@pytest.mark.parametrize(("texts", "seconds"), RIGHT)
def test_a_time_is_read_right(texts: list[str], seconds: list[float]) -> None:
    marks = marks_of(texts)
    found = [seconds_of(text, 1.0, marks) for text in texts]
    assert found == pytest.approx(seconds, nan_ok=True)


@pytest.mark.parametrize("texts", NO_TIMES, ids=str)
def test_what_is_no_time_or_may_be_two_is_refused(texts: list[str]) -> None:
    marks = marks_of(texts)
    refused = [text for text in texts if math.isinf(seconds_of(text, 1.0, marks))]
    assert refused
    faults = read_spans(texts, [""] * len(texts))[1]
    assert all("is no time" in faults[texts.index(text)] for text in refused)


def test_a_unit_is_of_numbers_without_one() -> None:
    assert seconds_of("1500", 1e-3) == 1.5
    assert seconds_of("1.5 s", 1e-3) == 1.5
    assert seconds_of("00:01.5", 1e-3) == 1.5


@pytest.mark.parametrize(
    ("texts", "unclear"),
    [
        (["1.234", "500"], {"1.234"}),
        (["1.234", "3.456", "12.345"], {"1.234", "3.456", "12.345"}),
        (["1.234.567", "1.234"], {"1.234"} - {"1.234"}),
        (["1.234", "0.5"], set()),
        (["1.234", "1234.567"], set()),
        (["1.234", "12.5"], set()),
        (["1.2345", "1.234"], set()),
    ],
)
@pytest.mark.parametrize("unit", [1e-3, 1 / 16_000])
def test_a_dot_in_counts_is_of_decimals_if_one_shows_it(
    texts: list[str], unclear: set[str], unit: float
) -> None:
    marks = marks_of(texts)
    assert {text for text in texts if math.isinf(seconds_of(text, unit, marks))} == unclear
    empty = [""] * len(texts)
    faults = read_spans(empty, texts, empty, {"end": [unit] * len(texts)})[1]
    assert {t for t, f in zip(texts, faults, strict=True) if "of thousands" in f} == unclear


@pytest.mark.parametrize("column", ["end_ms", "end_sample", "end (ms)", "end_frames"])
def test_a_dot_of_thousands_costs_its_row(tmp_path: Path, column: str) -> None:
    touch(tmp_path, ["a.wav", "b.wav"])
    soundfile.write(tmp_path / "b.wav", np.zeros(8000, np.float32), 8000)
    text = f"file;emotion;{column}\na.wav;joy;2.345\nb.wav;joy;900\n"
    (tmp_path / "t.csv").write_text(text)
    corpus = load_corpus("mine", tmp_path / "t.csv")
    assert corpus.table["clip"].str.startswith("b").all()
    assert corpus.skipped["reason"].tolist() == ["bad span"]


@pytest.mark.parametrize(
    ("end", "length", "says"),
    [
        ("", "0", "duration '0' is not above 0"),
        ("", "-1", "duration '-1' is not above 0"),
        ("1", "0", "duration '0' is not above 0"),
        ("1", "2", "duration '2' is longer than end '1'"),
        ("", "soon", "duration 'soon' is no time"),
        ("-1", "", "end '-1' is negative"),
        ("NaN", "NaN", ""),
    ],
)
def test_a_fault_names_the_column_that_has_it(end: str, length: str, says: str) -> None:
    fault = read_spans([""], [end], [length])[1][0]
    assert fault.startswith(says)
    assert bool(fault) == bool(says)


def test_the_fault_of_an_unclear_number_says_why() -> None:
    assert "decimals or of thousands" in read_spans(["1,234"], ["9"])[1][0]


@pytest.mark.parametrize(
    ("start", "end", "length", "span"),
    [
        ("1", "", "0.5", (1.0, 1.5)),
        ("", "", "0.5", (math.nan, 0.5)),
        ("1", "2", "9", (1.0, 2.0)),
        ("1", "", "", (1.0, math.nan)),
        ("", "1.5", "0.5", (1.0, 1.5)),
        ("", "0.5", "0.501", (0.0, 0.5)),
        ("1", "", "0", None),
        ("1", "", "soon", None),
    ],
)
def test_a_duration_is_after_the_start(
    start: str, end: str, length: str, span: tuple[float, float] | None
) -> None:
    (found,), (fault,) = read_spans([start], [end], [length])
    assert bool(fault) == (span is None)
    if span is not None:
        assert found == pytest.approx(span, nan_ok=True)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["1", "1.5", "00:00:01.5", "500 ms"], None),
        (["1,5"], "'1,5' as 1.5 s"),
        (["1:30"], "'1:30' as 90 s"),
        (["1,234", "0.5"], "'1,234' as 1234 s"),
        (["0 days 00:00:01"], None),
        (["00:00:01,5"], None),
    ],
)
def test_readings_that_are_not_plain_are_said(texts: list[str], says: str | None) -> None:
    said = list(times_said(texts))
    assert len(said) == int(says is not None)
    assert says is None or says in said[0]


def test_a_bad_time_costs_its_row(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav"])
    rows = ['"0,5";1', "0x10;1", "1_0;11", "0:00.5;1:00", "0;1"]
    text = "\n".join(["file;emotion;start;end", *(f"a.wav;joy;{row}" for row in rows)])
    (tmp_path / "t.csv").write_text(text)
    corpus = load_corpus("mine", tmp_path / "t.csv")
    assert sorted(corpus.table["start"]) == [0.0, 0.5, 0.5]
    assert corpus.skipped["reason"].tolist() == ["bad span", "bad span"]
