"""A person's own recordings: class folders, tables, audformat, Hugging Face's audiofolder."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers_corpora import touch
from nver.audio.recording import load_audio
from nver.corpora import Corpus, load_corpus
from nver.corpora.own.spans import read_spans, span_suffix
from nver.errors import CorpusError, MissingExtraError, UsageError

FILES = ("a/1.wav", "a/2.wav", "b/1.wav")


def columns(corpus: Corpus, *names: str) -> list[tuple[Any, ...]]:
    return list(corpus.table[list(names)].itertuples(index=False, name=None))


def skips(corpus: Corpus) -> list[tuple[str, str]]:
    rows = corpus.skipped.itertuples(index=False, name=None)
    return [(Path(file).name, reason) for file, reason, _ in rows]


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


# --- a folder a class


def test_a_folder_an_emotion(tmp_path: Path) -> None:
    touch(tmp_path, ["laugh/p1/x.wav", "laugh/p2/x.wav", "cry/y.flac", "cry/notes.txt", "z.wav"])
    corpus = load_corpus("mine", tmp_path)
    assert (corpus.name, corpus.card.name, corpus.emotions) == ("mine", "mine", ["cry", "laugh"])
    assert columns(corpus, "clip", "emotion") == [
        ("cry/y", "cry"),
        ("laugh/p1/x", "laugh"),
        ("laugh/p2/x", "laugh"),
    ]
    assert corpus.table["file"][0] == str(tmp_path / "cry" / "y.flac")
    assert skips(corpus) == [("z.wav", "misnamed")]
    assert not corpus.has_speakers
    assert corpus.table["speaker"].isna().all()


def test_a_link_that_leads_in_a_circle_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path, ["cry/y.wav"])
    (tmp_path / "cry" / "loop").symlink_to("loop")
    corpus = load_corpus("mine", tmp_path)
    assert corpus.table["clip"].tolist() == ["cry/y"]
    assert skips(corpus) == [("loop", "unreadable")]


@pytest.mark.parametrize("pattern", [r"/(p\d)/", r"(x|y)?/(?P<speaker>p\d)/"])
def test_speakers_by_a_pattern(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path, ["laugh/p1/x.wav", "laugh/p2/x.wav"])
    corpus = load_corpus("mine", tmp_path, speaker_pattern=pattern)
    assert corpus.table["speaker"].tolist() == ["p1", "p2"]
    assert corpus.has_speakers


def test_a_pattern_that_fits_some_files_is_a_warning(tmp_path: Path) -> None:
    touch(tmp_path, ["laugh/p1/x.wav", "laugh/p2/x.wav", "laugh/x.wav", "cry/p1/x.wav"])
    corpus = load_corpus("mine", tmp_path, speaker_pattern=r"/(p\d)/")
    assert not corpus.has_speakers
    assert corpus.warnings == (
        "the speaker of 1 of 4 clips is unknown, for example of laugh/x; "
        "folds cannot be speaker-independent",
    )


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("(", "no regular expression"), (r"p\d", "no group"), (r"/(q\d)/", "fits no file")],
)
def test_a_pattern_that_is_none(tmp_path: Path, pattern: str, says: str) -> None:
    touch(tmp_path, ["laugh/p1/x.wav"])
    with pytest.raises(UsageError, match=says):
        load_corpus("mine", tmp_path, speaker_pattern=pattern)


def test_files_that_differ_in_the_suffix_are_two_clips(tmp_path: Path) -> None:
    touch(tmp_path, ["a/x.wav", "a/x.flac", "a/y.wav"])
    assert load_corpus("mine", tmp_path).table["clip"].tolist() == ["a/x.flac", "a/x.wav", "a/y"]


# --- tables


TABLES: Mapping[str, tuple[str, str]] = {
    "csv": ("t.csv", "file,emotion,speaker,take\na/1.wav,joy,p1,01\na/2.wav,NA,p2,02\n"),
    "semicolons": ("t.csv", "file;emotion;speaker;take\na/1.wav;joy;p1;01\na/2.wav;NA;p2;02\n"),
    "bom": ("t.csv", "\ufefffile,emotion,speaker,take\na/1.wav,joy,p1,01\na/2.wav,NA,p2,02\n"),
    "label": ("t.csv", "file,label,speaker,take\n./a/1.wav, joy ,p1,01\na/2.wav,NA,p2,02\n"),
    "tsv": ("t.tsv", "file\temotion\tspeaker\ttake\na/1.wav\tjoy\tp1\t01\na/2.wav\tNA\tp2\t02\n"),
    "jsonl": (
        "t.jsonl",
        '{"file": "a/1.wav", "emotion": "joy", "speaker": "p1", "take": "01"}\n\n'
        '{"take": "02", "file": "a/2.wav", "label": null, "emotion": "NA", "speaker": "p2"}\n',
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table(tmp_path: Path, kind: str) -> None:
    touch(tmp_path, FILES)
    name, text = TABLES[kind]
    corpus = load_corpus("mine", write(tmp_path / name, text))
    assert columns(corpus, "clip", "speaker", "emotion", "take") == [
        ("a/1", "p1", "joy", "01"),
        ("a/2", "p2", "NA", "02"),
    ]
    assert corpus.table["file"].tolist() == [str(tmp_path / f) for f in FILES[:2]]
    assert corpus.skipped.empty


def test_rows_that_are_no_clip_are_skipped_with_reasons(tmp_path: Path) -> None:
    touch(tmp_path, FILES)
    rows = [
        "file,emotion,start,end",
        "a/1.wav,joy,0.5,1.25",
        "a/1.wav,joy,0.5,1.25",
        "gone.wav,joy,,",
        "a/2.wav,,,",
        ",joy,,",
        "a/2.wav,joy,2,1",
        "a/2.wav,joy,-1,1",
        "a/2.wav,joy,soon,1",
        "a/2.wav,joy",
        "b/1.wav,joy,,",
    ]
    corpus = load_corpus("mine", write(tmp_path / "t.csv", "\n".join(rows)))
    assert corpus.table["clip"].tolist() == ["a/1@0.5-1.25", "b/1"]
    assert sorted(skips(corpus)) == [
        ("1.wav", "duplicate name"),
        ("2.wav", "bad span"),
        ("2.wav", "bad span"),
        ("2.wav", "bad span"),
        ("2.wav", "no emotion"),
        ("gone.wav", "missing"),
        ("t.csv:10", "malformed row"),
        (tmp_path.name, "no file"),
    ]


def test_a_line_that_is_no_json_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path, FILES)
    lines = ['{"file": "a/1.wav", "label": 3}', "{oops", '["a/2.wav", "joy"]']
    corpus = load_corpus("mine", write(tmp_path / "t.jsonl", "\n".join(lines)))
    assert columns(corpus, "clip", "emotion") == [("a/1", "3")]
    assert skips(corpus) == [("t.jsonl:2", "malformed row"), ("t.jsonl:3", "malformed row")]


def test_ids_may_be_given_and_are_unique(tmp_path: Path) -> None:
    touch(tmp_path, FILES)
    text = "clip,file,emotion\nx,a/1.wav,joy\nx,a/2.wav,joy\n,b/1.wav,joy\n"
    corpus = load_corpus("mine", write(tmp_path / "t.csv", text))
    assert columns(corpus, "clip", "file") == [
        ("b/1", str(tmp_path / "b" / "1.wav")),
        ("x", str(tmp_path / "a" / "1.wav")),
    ]
    assert skips(corpus) == [("2.wav", "duplicate name")]


def test_paths_may_be_absolute_or_lie_elsewhere(tmp_path: Path) -> None:
    touch(tmp_path, ["sub/a.wav", "other/b.wav"])
    text = (
        f"file,emotion\n{tmp_path}/sub/a.wav,joy\n../other/b.wav,joy\n{tmp_path}/other/b.wav,joy\n"
    )
    corpus = load_corpus("mine", write(tmp_path / "sub" / "t.csv", text))
    clips = corpus.table["clip"].tolist()
    assert clips == ["../other/b", f"{tmp_path}/other/b", "a"]


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    touch(tmp_path, FILES)
    table = write(tmp_path / "t.csv", "file,feeling,who\na/1.wav,joy,p1\n")
    corpus = load_corpus("mine", table, column="feeling", speaker_column="who")
    assert columns(corpus, "speaker", "emotion") == [("p1", "joy")]
    with pytest.raises(UsageError, match="did you mean 'feeling'"):
        load_corpus("mine", table, column="feelings")
    with pytest.raises(
        CorpusError, match="no column emotion or label; columns: file, feeling, who"
    ):
        load_corpus("mine", table)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column file"),
        (b"file,emotion\n", "no clip found; .* found no row"),
        (b"file,emotion\ngone.wav,joy\n", "gone.wav: no such file"),
        (b"file,file,emotion\na,b,c\n", "a column name occurs twice"),
        (b"file,emotion\n\xff\xfe,joy\n", "table in UTF-8"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        load_corpus("mine", tmp_path / "t.csv", form="table")


def test_a_table_of_another_kind(tmp_path: Path) -> None:
    touch(tmp_path, ["t.xlsx"])
    with pytest.raises(CorpusError, match="not a corpus of a known form"):
        load_corpus("mine", tmp_path / "t.xlsx")
    with pytest.raises(CorpusError, match=r"expected a table: \.csv"):
        load_corpus("mine", tmp_path / "t.xlsx", form="table")


SPANS = [  # start, end, seconds, what it adds to the id ("!" for a bad one)
    ("", "", (None, None), ""),
    ("0", "", (0.0, None), ""),
    ("0.5", "1.25", (0.5, 1.25), "@0.5-1.25"),
    ("0.5", "", (0.5, None), "@0.5-"),
    ("", "2", (None, 2.0), "@0-2"),
    ("NaN", "NaT", (None, None), ""),
    ("0 days", "0 days 00:00:01.500000", (0.0, 1.5), "@0-1.5"),
    ("0 days 00:01:00", "0 days 01:00:00.25", (60.0, 3600.25), "@60-3600.25"),
    ("12345.678901", "12345.678902", (12345.678901, 12345.678902), "@12345.678901-12345.678902"),
    ("1", "1", (1.0, 1.0), "!is not after"),
    ("", "0", (None, 0.0), "!is not after"),
    ("-0.1", "1", (-0.1, 1.0), "!negative"),
    ("0", "inf", (0.0, float("inf")), "!is no time"),
    ("x", "1", (float("inf"), 1.0), "!is no time"),
]


@pytest.mark.parametrize(("start", "end", "seconds", "adds"), SPANS)
def test_spans(start: str, end: str, seconds: tuple[float | None, float | None], adds: str) -> None:
    (span,), (problem,) = read_spans([start], [end])
    assert tuple(None if t != t else t for t in span) == seconds
    if adds.startswith("!"):
        assert adds[1:] in problem
    else:
        assert (problem, span_suffix(span)) == ("", adds)


# --- Hugging Face's audiofolder


def test_an_audiofolder_with_metadata(tmp_path: Path) -> None:
    touch(tmp_path, ["data/1.wav", "data/2.wav"])
    write(tmp_path / "metadata.csv", "file_name,label,age\ndata/1.wav,joy,30\ndata/2.wav,awe,40\n")
    corpus = load_corpus("mine", tmp_path)
    assert columns(corpus, "clip", "emotion", "age") == [
        ("data/1", "joy", "30"),
        ("data/2", "awe", "40"),
    ]
    assert "file_name" not in corpus.table


def test_an_audiofolder_with_a_table_a_split(tmp_path: Path) -> None:
    touch(tmp_path, ["train/1.wav", "valid/1.wav"])
    write(tmp_path / "train" / "metadata.jsonl", '{"file_name": "1.wav", "emotion": "joy"}\n')
    row = {"file_name": "1.wav", "emotion": "awe", "speaker": "p1"}
    write(tmp_path / "valid" / "metadata.jsonl", json.dumps(row))
    corpus = load_corpus("mine", tmp_path)
    assert columns(corpus, "clip", "emotion", "split") == [
        ("train/1", "joy", "train"),
        ("valid/1", "awe", "validation"),
    ]
    assert corpus.table["speaker"].isna().tolist() == [True, False]
    assert len(corpus.warnings) == 1


def test_an_audiofolder_of_classes_with_splits(tmp_path: Path) -> None:
    touch(tmp_path, ["train/joy/1.wav", "test/joy/1.wav", "test/awe/2.wav", "test/stray.wav"])
    corpus = load_corpus("mine", tmp_path)
    assert columns(corpus, "clip", "emotion", "split") == [
        ("test/awe/2", "awe", "test"),
        ("test/joy/1", "joy", "test"),
        ("train/joy/1", "joy", "train"),
    ]
    assert skips(corpus) == [("stray.wav", "misnamed")]


def test_speakers_by_a_pattern_in_an_audiofolder(tmp_path: Path) -> None:
    touch(tmp_path, ["p1/a.wav", "p2/a.wav"])
    write(tmp_path / "metadata.csv", "file_name,label\np1/a.wav,joy\np2/a.wav,joy\n")
    corpus = load_corpus("mine", tmp_path, speaker_pattern=r"(p\d)/")
    assert corpus.table["speaker"].tolist() == ["p1", "p2"]


def test_a_column_without_metadata_is_a_mistake(tmp_path: Path) -> None:
    touch(tmp_path, ["train/joy/a.wav"])
    with pytest.raises(UsageError, match="no metadata table"):
        load_corpus("mine", tmp_path, column="label")


def test_metadata_without_file_names_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "metadata.csv", "name,label\n1.wav,joy\n")
    with pytest.raises(CorpusError, match="no column file_name; columns: name, label"):
        load_corpus("mine", tmp_path)


# --- audformat

INDEXED = """file,start,end,emotion,speaker
a/1.wav,0 days,0 days 00:00:01.5,joy,p1
a/1.wav,0 days 00:00:01.5,,awe,p1
"""


@pytest.mark.parametrize("as_file", [True, False])
def test_an_audformat_table_needs_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_file: bool
) -> None:
    monkeypatch.setitem(sys.modules, "audformat", None)
    touch(tmp_path, FILES)
    table = write(tmp_path / "db.emotion.csv", INDEXED)
    corpus = load_corpus("mine", table if as_file else tmp_path)
    assert columns(corpus, "clip", "emotion", "speaker", "start") == [
        ("a/1@0-1.5", "joy", "p1", 0.0),
        ("a/1@1.5-", "awe", "p1", 1.5),
    ]


def test_of_several_audformat_tables_one_is_chosen(tmp_path: Path) -> None:
    touch(tmp_path, FILES)
    write(tmp_path / "db.one.csv", "file,emotion\na/1.wav,joy\n")
    write(tmp_path / "db.two.csv", "file,emotion\nb/1.wav,awe\n")
    assert load_corpus("mine", tmp_path, table="two").emotions == ["awe"]
    with pytest.raises(UsageError, match="several tables; give table=, one of one, two"):
        load_corpus("mine", tmp_path)
    with pytest.raises(UsageError, match="did you mean 'two'"):
        load_corpus("mine", tmp_path, table="twoo")


def test_an_audformat_database_without_the_package_says_which_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "audformat", None)
    write(tmp_path / "db.yaml", "name: x\n")
    with pytest.raises(MissingExtraError, match=r'pip install "nver\[audformat\]"'):
        load_corpus("mine", tmp_path)


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_an_audformat_database(tmp_path: Path, storage: str) -> None:
    """The emotions in a table of spans, the speakers in a table of files, as in Emo-DB's."""
    audformat = pytest.importorskip("audformat")
    touch(tmp_path, FILES)
    database = audformat.Database("mine")
    for scheme in ("emotion", "speaker"):
        database.schemes[scheme] = audformat.Scheme("str")
    index = audformat.segmented_index(["a/1.wav", "b/1.wav"], [0, 1.5], [1.5, None])
    database["spans"] = audformat.Table(index)
    database["spans"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["spans"]["emotion"].set(["joy", "awe"])
    database["files"] = audformat.Table(audformat.filewise_index(list(FILES)))
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set(["p1", "p1", "p2"])
    database.save(str(tmp_path), storage_format=storage)
    corpus = load_corpus("mine", tmp_path)
    assert columns(corpus, "clip", "emotion", "speaker") == [
        ("a/1@0-1.5", "joy", "p1"),
        ("b/1@1.5-", "awe", "p2"),
    ]


def test_a_pickled_audformat_table_is_never_read(tmp_path: Path) -> None:
    audformat = pytest.importorskip("audformat")
    touch(tmp_path, FILES)
    database = audformat.Database("mine")
    database["files"] = audformat.Table(audformat.filewise_index(list(FILES)))
    database["files"]["emotion"] = audformat.Column()
    database["files"]["emotion"].set(["joy"] * 3)
    database.save(str(tmp_path), storage_format="pkl")
    with pytest.raises(CorpusError, match="pickle is not read"):
        load_corpus("mine", tmp_path)


def test_a_file_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    """As pandas keeps its text by pyarrow, which takes no such name, where that is installed."""
    import soundfile

    (tmp_path / "joy").mkdir()
    name = os.fsencode(tmp_path / "joy") + b"/caf\xe9.wav"
    soundfile.write(tmp_path / "a.wav", np.resize([0.1, -0.1], 1600), 16_000)
    try:
        os.rename(tmp_path / "a.wav", name)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    row = load_corpus("mine", root=tmp_path).table.iloc[0]
    assert (row["clip"], os.fsencode(row["file"])) == (r"joy/caf\udce9", name)
    assert load_audio(row["file"], 16_000).shape == (1600,)
