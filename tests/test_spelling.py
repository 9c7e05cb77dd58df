"""Emotions and speakers in several spellings: one with a warning, or two with one."""

from unicodedata import normalize

import pandas as pd
import pytest

from nver.corpora.spelling import one_spelling

NFC, NFD = (normalize(form, "Überraschung") for form in ("NFC", "NFD"))


def spelt(
    emotions: list[str], speakers: list[str | None] | None = None
) -> tuple[list, list, tuple]:
    frame = pd.DataFrame({"emotion": emotions})
    frame["speaker"] = pd.Series(speakers or [None] * len(emotions), dtype=object)
    table, warnings = one_spelling(frame)
    known = [name if isinstance(name, str) else None for name in table["speaker"]]
    return table["emotion"].tolist(), known, warnings


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (["Anger", "anger", "anger"], "anger"),
        (["anger", "ANGER", "Anger"], "ANGER"),  # equally frequent: the first
        (["joy", "joy.", "joy"], "joy"),
        (["very  happy", "very happy", "very happy"], "very happy"),
        (["joy\u200b", "joy", "joy"], "joy"),
        (["\ufeffjoy", "joy", "joy"], "joy"),
        (["joy\u00a0", "joy", "joy\t", "joy"], "joy"),
        (["Ärger", "ärger", normalize("NFD", "ärger")], "ärger"),
    ],
)
def test_spellings_of_one_name_are_one_and_are_said(names: list[str], one: str) -> None:
    emotions, speakers, warnings = spelt([*names, "awe"], [*names, "x"])
    assert emotions == [one] * len(names) + ["awe"]
    assert speakers == [one] * len(names) + ["x"]
    assert len(warnings) == 2
    assert all("differ in case, blanks or dots alone are one" in warning for warning in warnings)
    assert f"{one!r} (" in warnings[0]


@pytest.mark.parametrize(
    ("names", "one"),
    [
        ([NFC, NFD], NFC),
        ([NFD, NFD], NFC),
        (["joy\u200b", "joy\u200b"], "joy"),
        ([" joy", " joy"], "joy"),
    ],
)
def test_what_no_reader_sees_is_left_out_without_a_word(names: list[str], one: str) -> None:
    assert spelt(names) == ([one] * len(names), [None] * len(names), ())


@pytest.mark.parametrize(
    "names",
    [
        *(["1", "001"], ["s1", "s01"], ["1", "1.0"], ["very_happy", "very happy"]),
        *(
            ["very-happy", "Very_Happy"],
            ["ﬁne", "fine"],
            ["ｊｏｙ", "joy"],
            ["STRASSE", "straße"],
            ["S 1", "s-01"],
            ["S 1", "S1"],
            ["Ann Lee", "AnnLee"],
            ["Speaker 1", "speaker1"],
            ["sad ness", "sadness"],
            ["S.1", "S1"],
            ["S–01", "s_1"],
            ["cry…", "cry..."],
            ["O’Neil", "ONeil"],
        ),
    ],
)
def test_names_that_are_alike_stay_two_and_are_said(names: list[str]) -> None:
    emotions, speakers, warnings = spelt(names, [*names])
    assert (emotions, speakers) == (names, names)
    assert [w.split(" ")[0] for w in warnings] == ["emotions", "speakers"]
    assert all("stay two: " in warning for warning in warnings)
    assert all(repr(name) in warning for name in names for warning in warnings)


@pytest.mark.parametrize(
    ("names", "bare"),
    [
        (['"joy"', "joy"], "joy"),
        (["'joy'", "'joy'"], "joy"),
        (["“joy”", "joy"], "joy"),
        (["„joy“", "joy"], "joy"),
        (["« joy »", "joy"], "joy"),
        (["'\"joy\"'", "joy"], "joy"),
    ],
)
def test_quotes_around_a_name_are_left_out_and_said(names: list[str], bare: str) -> None:
    emotions, speakers, warnings = spelt(names, [*names])
    assert (emotions, speakers) == ([bare] * 2, [bare] * 2)
    assert [w.partition(" are left out")[0] for w in warnings] == [
        "quotes around emotions",
        "quotes around speakers",
    ]


@pytest.mark.parametrize("name", ["'", '""', "o'", "'tis", '5"', "“”"])
def test_a_quote_alone_is_part_of_a_name(name: str) -> None:
    assert spelt([name, "x"]) == ([name, "x"], [None, None], ())


@pytest.mark.parametrize(
    "names", [["1", "10", "100"], ["s1_2", "s12"], ["a", "b"], ["0", "1.5", "1"], ["...", "?"]]
)
def test_other_names_are_left_alone(names: list[str]) -> None:
    assert spelt(names, [*names]) == (names, names, ())


def test_unknown_speakers_stay_unknown_and_a_table_without_faults_is_itself() -> None:
    assert spelt(["a", "a", "a"], ["S1", None, "s1"])[1] == ["S1", None, "S1"]
    frame = pd.DataFrame({"emotion": ["a", "b"], "speaker": ["x", "y"]})
    assert one_spelling(frame)[0] is frame


def test_a_long_list_of_spellings_is_cut() -> None:
    names = [f"s{k}" for k in range(20)]
    _, _, (warning,) = spelt(["a"] * 40, [*names, *(name.upper() for name in names)])
    assert warning.endswith("; and 15 more")
