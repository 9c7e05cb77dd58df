"""Words for a missing value, and clips that stand twice in a table with two labels."""

from pathlib import Path

import pytest

from helpers_corpora import touch
from nver.corpora import Corpus, load_corpus


def table(folder: Path, rows: list[str], **options: str) -> Corpus:
    touch(folder, [f"{name}.wav" for name in "abcdef"])
    (folder / "t.csv").write_text("\n".join(["file,emotion,speaker", *rows]), encoding="utf-8")
    return load_corpus("mine", folder / "t.csv", **options)


@pytest.mark.parametrize("word", ["N/A", "NaN", "nan", "NULL", "#N/A", "<NA>", "NaT"])
def test_an_emotion_that_is_missing_costs_its_row(tmp_path: Path, word: str) -> None:
    corpus = table(tmp_path, ["a.wav,joy,ann", f"b.wav,{word},bob", f"c.wav,{word},bob"])
    assert corpus.emotions == ["joy"]
    assert corpus.skipped["reason"].tolist() == ["no emotion"] * 2
    assert corpus.warnings == (
        f"2 rows have {word!r} as the emotion: skipped, as rows without one",
    )


@pytest.mark.parametrize("word", ["NA", "None", "none", "unknown", "?", "-", "Unbekannt"])
def test_an_emotion_that_may_be_missing_is_kept_and_said(tmp_path: Path, word: str) -> None:
    corpus = table(tmp_path, ["a.wav,joy,ann", f"b.wav,{word},bob"])
    assert set(corpus.emotions) == {"joy", word}
    said = f"1 row has {word!r} as the emotion: kept"
    assert any(warning.startswith(said) for warning in corpus.warnings)


@pytest.mark.parametrize(
    "word",
    ["NA", "N/A", "nan", "NULL", "None", "#N/A", "unknown", "Unknown", "?", "-", "–", ".", "<NA>"],
)
def test_a_speaker_that_is_missing_is_unknown_and_said(tmp_path: Path, word: str) -> None:
    rows = ["a.wav,joy,ann", f"b.wav,joy,{word}", f"c.wav,awe,{word}", "d.wav,awe,ann"]
    corpus = table(tmp_path, rows)
    assert corpus.table["speaker"].isna().tolist() == [False, True, True, False]
    assert f"2 rows have {word!r} as the speaker: read as unknown" in corpus.warnings
    assert any("the speaker of 2 of 4 clips is unknown" in warning for warning in corpus.warnings)


def test_a_pattern_may_find_a_word_for_nobody(tmp_path: Path) -> None:
    touch(tmp_path, ["ann/1.wav", "unknown/1.wav"])
    rows = ["ann/1.wav,joy,x", "unknown/1.wav,awe,x"]
    corpus = table(tmp_path, rows, speaker_pattern="^([^/]+)/")
    assert corpus.table["speaker"].isna().tolist() == [False, True]
    assert "1 row has 'unknown' as the speaker: read as unknown" in corpus.warnings


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a.wav,awe,ann", "emotion; the first row of a clip is used: a ('joy', then 'awe')"),
        ("./a.wav,AWE,ann", "emotion; the first row of a clip is used: a ('joy', then 'AWE')"),
        ("a.wav,joy,bob", "speaker; the first row of a clip is used: a ('ann', then 'bob')"),
        ("a.wav,joy,", "speaker; the first row of a clip is used: a ('ann', then 'none')"),
    ],
)
def test_a_clip_with_two_labels_is_said(tmp_path: Path, row: str, says: str) -> None:
    corpus = table(tmp_path, ["a.wav,joy,ann", "b.wav,awe,bob", row])
    assert len(corpus.table) == 2
    assert corpus.skipped["reason"].tolist() == ["duplicate name"]
    (warning,) = (warning for warning in corpus.warnings if "repeats" in warning)
    assert warning == f"1 row repeats a clip with another {says}"


def test_a_clip_twice_with_one_label_needs_no_warning(tmp_path: Path) -> None:
    corpus = table(tmp_path, ["a.wav,joy,ann", "a.wav,Joy,ann"])
    assert corpus.skipped["message"].tolist() == ["the clip a is in a row above"]
    assert not any("repeats" in warning for warning in corpus.warnings)
