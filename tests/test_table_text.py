"""Tables as programs write them: encodings, quotes, delimiters; a bad line costs that line."""

import json
from pathlib import Path

import pytest

from helpers_corpora import touch
from nver.corpora import load_corpus
from nver.corpora.own.rows import read_columns, read_header
from nver.errors import CorpusError

PLAIN = {"file": ["a", "b"], "emotion": ["joy", "awe"]}


def read(folder: Path, content: bytes, name: str = "t.csv") -> tuple[dict, list[int], tuple]:
    """The columns, the lines of malformed rows and the warnings."""
    (folder / name).write_bytes(content)
    columns, skipped, warnings = read_columns(folder / name)
    return columns, [int(file.rpartition(":")[2]) for file, _, _ in skipped], warnings


@pytest.mark.parametrize(
    "content",
    [
        b"file,emotion\na,joy\nb,awe\n",
        b"file;emotion\r\na;joy\r\nb;awe",
        b"file\temotion\ra\tjoy\rb\tawe\r",
        b"file|emotion\na|joy\nb|awe\n",
        b"sep=;\nfile;emotion\na;joy\nb;awe\n",
        b"\n \nfile,emotion\n\na,joy\n,\nb,awe\n\n",
        b"file,emotion,\na,joy,\nb,awe,\n",
        b"file,emotion\na,joy,\nb,awe,,\n",
        b",file,emotion\n0,a,joy\n1,b,awe\n",
        b"# made by hand\n# on Monday, late\nfile,emotion\na,joy\nb,awe\n",
        b"#file,emotion\na,joy\nb,awe\n",
        b'"file","emotion"\n"a","joy"\n"b","awe"\n',
        b'"file", "emotion"\n"a", "joy"\nb, "awe"\n',
        b'file,emotion\na, "joy" \n "b" ,awe\n',
        b'file; emotion\na;  "joy"\n"b" ; "awe"\n',
        "file,emotion\na,joy\nb,awe\n".encode("utf-8-sig"),
        "file\temotion\r\na\tjoy\r\nb\tawe\r\n".encode("utf-16"),
        b"\xfe\xff" + "file,emotion\na,joy\nb,awe\n".encode("utf-16-be"),
        "file,emotion\na,joy\nb,awe\n".encode("utf-32"),
        "file,emotion\na\u200b,\u00a0joy\n\ufeffb,awe \n".encode(),
    ],
)
def test_a_table_is_read_as_it_was_written(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == (PLAIN, [], ())
    assert [name for name in read_header(tmp_path / "t.csv") if name] == list(PLAIN)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"x\0,joy", "NUL"),
        (b"x,j\xffoy", "not UTF-8"),
        (b"x,\x80\x81", "not UTF-8"),
        (b"x,\xc3(", "not UTF-8"),
        (b'x,"joy', "a quote is opened"),
        (b'"x,joy', "a quote is opened"),
        (b"x", "1 cells under 2 columns"),
        (b"x,joy,2,3", "4 cells under 2 columns"),
        (b"x," + b"j" * 140_000, "a cell of more than 131,072 characters"),
        (b'x,"' + b"j" * 140_000 + b'"', "a cell of more than 131,072 characters"),
        (b'x,"joy\nmore', "a quote is opened"),
        (b'x,"joy"ful', "goes on after its closing quote"),
        (b'"x"y,joy', "goes on after its closing quote"),
        (b'x, "joy" and more', "goes on after its closing quote"),
    ],
)
def test_a_bad_line_of_csv_costs_that_line(tmp_path: Path, bad: bytes, says: str) -> None:
    columns, lines, _ = read(tmp_path, b"file,emotion\na,joy\n" + bad + b"\nb,awe\n")
    assert columns == PLAIN
    assert lines[0] == 3
    assert says in read_columns(tmp_path / "t.csv").skipped[0][2]


@pytest.mark.parametrize(
    "bad",
    [
        *(b"{oops", b"[1, 2]", b"null", b"3", b"[" * 100_000, b'{"file": ' + b"1" * 5000 + b"}"),
        *(b'{"file": "a", "file": "b"}', b'{"file": "\xff"}', b'{"file": "x"}\0', b"joy,sad"),
    ],
)
def test_a_bad_line_of_json_costs_that_line(tmp_path: Path, bad: bytes) -> None:
    first, last = b'{"file": "a", "emotion": "joy"}', b'{"emotion": "awe", "file": "b"}'
    content = b"\n".join([first, bad, b"", last])
    assert read(tmp_path, content, "t.jsonl") == (PLAIN, [2], ())


def test_a_single_backslash_in_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'{"file": "wav\\a.wav", "emotion": "joy"}\n')
    ((_, _, message),) = read_columns(tmp_path / "t.jsonl").skipped
    assert "write a backslash twice, or as /" in message


def test_a_number_that_is_none_in_json_is_an_empty_cell(tmp_path: Path) -> None:
    content = b'{"file": "a", "emotion": NaN}\n{"file": "b", "emotion": 3, "note": [1]}\n'
    columns, _, _ = read(tmp_path, content, "t.ndjson")
    assert columns == {"file": ["a", "b"], "emotion": ["", "3"], "note": ["", "[1]"]}


def test_a_list_is_no_emotion(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav", "b.wav"])
    rows = [{"file": "a.wav", "emotion": ["joy"]}, {"file": "b.wav", "emotion": "joy"}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    corpus = load_corpus("mine", tmp_path / "t.jsonl")
    assert corpus.emotions == ["joy"]
    assert "no single emotion" in corpus.skipped["message"][0]


@pytest.mark.parametrize(
    "cell", ["one\ntwo", "one, two\nthree", 'he said "no"\nand left', "a\n\nb"]
)
def test_a_cell_may_go_over_lines(tmp_path: Path, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    text = f"file,emotion,said\na.wav,joy,{quoted}\nb.wav,awe,\n"
    columns, lines, _ = read(tmp_path, text.encode())
    assert columns["said"] == [cell, ""]
    assert (columns["file"], lines) == (["a.wav", "b.wav"], [])


@pytest.mark.parametrize(
    "rows",
    [
        'a.wav,"joy\nb.wav,awe\nc.wav,"sad"',
        '"a.wav,joy\nb.wav,awe\n"c.wav",sad',
        'a.wav,"joy\nb.wav,awe"\nc.wav,sad',
        'a.wav,"joy\nb.wav,awe\nc.wav,sad"',
    ],
)
def test_a_stray_quote_swallows_no_rows(tmp_path: Path, rows: str) -> None:
    columns, lines, _ = read(tmp_path, f"file,emotion\n{rows}\n".encode())
    assert columns["file"] == ["b.wav", "c.wav"]
    assert lines == [2]


@pytest.mark.parametrize("word", ["Überraschung", "dégoût", "alegría", "señor’s joy"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_of_excel_in_windows_1252_is_read_and_said(
    tmp_path: Path, word: str, end: str
) -> None:
    text = end.join(["file,emotion", f"a,{word}", f"b,{word}", ""])
    columns, lines, (warning,) = read(tmp_path, text.encode("cp1252"))
    assert columns["emotion"] == [word, word]
    assert lines == []
    assert "Windows-1252" in warning
    assert word in warning


@pytest.mark.parametrize("word", ["rire é", "à", "joie – forte", "è allegria", "å"])
def test_a_sign_alone_is_windows_1252_too(tmp_path: Path, word: str) -> None:
    columns, lines, (warning,) = read(tmp_path, f"file,emotion\na,{word}\n".encode("cp1252"))
    assert (columns["emotion"], lines) == ([word], [])
    assert "Windows-1252" in warning


@pytest.mark.parametrize(
    ("word", "code"), [("гнев", "cp1251"), ("高兴", "gbk"), ("怒り", "shift-jis")]
)
def test_another_script_is_no_windows_1252(tmp_path: Path, word: str, code: str) -> None:
    assert read(tmp_path, f"file,emotion\na,{word}\n".encode(code))[1:] == ([2], ())


def test_a_second_column_of_notes_has_its_own_name(tmp_path: Path) -> None:
    content = b"file,emotion,note,note,note\na,joy,1,2,3\nb,awe,4,5,6\n"
    columns, lines, (warning,) = read(tmp_path, content)
    more = {"note": ["1", "4"], "note.1": ["2", "5"], "note.2": ["3", "6"]}
    assert (columns, lines) == ({**PLAIN, **more}, [])
    assert "'note'" in warning


def test_a_table_without_a_row_that_can_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("joy, sad\n")
    with pytest.raises(CorpusError, match="no row can be read; the first: not JSON"):
        load_corpus("mine", tmp_path / "t.jsonl")


def test_a_bad_line_among_utf8_is_no_other_encoding(tmp_path: Path) -> None:
    text = "file,emotion\na,Ü\nb,caf\udce9\nc,joy\n".encode("utf-8", "surrogateescape")
    columns, lines, warnings = read(tmp_path, text)
    assert (columns["emotion"], lines, warnings) == (["Ü", "joy"], [3], ())


def test_a_column_without_a_name_is_said(tmp_path: Path) -> None:
    columns, _, (warning,) = read(tmp_path, b"file,,emotion\na,x,joy\nb,y,awe\n")
    assert columns == PLAIN
    assert "the columns at place 2 have no name" in warning


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", "file,emotion\na,joy\n".encode("utf-16-le"), "UTF-16 without its mark"),
        ("t.csv", b"\xff\xff,emotion\na,joy\n", "its header cannot be read as a table in UTF-8"),
        ("t.csv", b"file,speaker,speaker\n", "a column name occurs twice: speaker"),
        ("t.xlsx", b"PK", "export it as CSV in UTF-8"),
        ("t.parquet", b"PAR1", "export it as CSV in UTF-8"),
        ("t.jsonl", b'[{"file": "a", "emotion": "joy"}]', "it holds an array"),
        ("t.jsonl", b'\n[\n  {"file": "a", "emotion": "joy"},\n  {"file": "b"}\n]', "an array"),
        ("t.ndjson", b"[]", "export it as CSV in UTF-8"),
        ("t.json", b"[]", "export it as CSV in UTF-8"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(CorpusError, match=says):
        read(tmp_path, content, name)
