"""A table file (CSV, TSV, JSONL) as columns of text: "01" stays "01", "NA" stays "NA"."""

import csv
import json
import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from nver.corpora.file_tree import Skip
from nver.corpora.own.column_names import NAMES, fitting
from nver.corpora.own.quotes import Cut, cut_lines
from nver.corpora.own.table_text import Text, fault_of, read_text
from nver.errors import CorpusError
from nver.machine.json_text import parse_json

JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", *JSON_SUFFIXES)
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".parquet", ".feather", ".json")
DELIMITERS = ",\t;|"
# Signs without a width, which a cell may begin or end with: no reader sees them.
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad"
HEADER_BYTES = 65536  # enough for the names of some thousand columns
AN_ARRAY = (
    "it holds an array; expected JSON lines, an object a line: jq -c '.[]' in.json > out.jsonl, or "
    "export it as CSV in UTF-8"
)
Columns = dict[str, list[str]]
Cells = list[tuple[str, str]]  # (column, value) of one row


class Read(NamedTuple):
    """The columns of a table, equally long; the malformed rows; and sentences on the file."""

    columns: Columns
    skipped: list[Skip]
    warnings: tuple[str, ...] = ()


def read_columns(table: Path) -> Read:
    """The columns, equally long, "" where a cell is missing; and the malformed rows.

    Raises:
        CorpusError: the file is no table of a known kind, or a needed column name occurs twice.
    """
    suffix = table.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        kinds = f"expected a table: {', '.join(TABLE_SUFFIXES)}"
        export = "; export it as CSV in UTF-8" if suffix in WORKBOOKS else ""
        raise CorpusError(f"{table}: {kinds}{export}")
    text = read_text(table)
    if suffix in JSON_SUFFIXES:
        columns, faults = _json_columns(text.lines)
        rows = max(map(len, columns.values()), default=0)
        first = next(filter(str.strip, text.lines), "").lstrip()
        if first.startswith("[") and len(faults) > rows:
            raise CorpusError(f"{table}: {AN_ARRAY}")
        left_out = ""
    else:
        columns, faults, left_out = _csv_columns(table, text)
    skipped = [(f"{table}:{line}", "malformed row", why) for line, why in faults]
    return Read(columns, skipped, (*text.warnings, *([left_out] if left_out else [])))


def read_header(table: Path) -> list[str]:
    """The column names of a CSV or TSV file; an empty list for any other file."""
    if table.suffix.lower() in JSON_SUFFIXES:
        return []
    try:
        lines = read_text(table, HEADER_BYTES).lines
        header = _header(lines)
    except (CorpusError, csv.Error):
        return []
    return [] if header is None or fault_of(lines[header.line]) else header.names


class Header(NamedTuple):
    """The column names, the line (from 0) that they stand in, and the delimiter."""

    names: list[str]
    line: int
    delimiter: str


def _header(lines: list[str]) -> Header | None:
    """The header: the first line that is no remark, not blank and not Excel's `sep=;`."""
    full = (i for i, line in enumerate(lines) if line.strip(INVISIBLE + " \t"))
    line = next(full, None)
    told = None if line is None else re.fullmatch(r'"?sep=(.)"?[,;\s]*', lines[line])
    if told:
        line = next(full, None)
    while line is not None and lines[line].startswith("#") and _is_remark(lines[line]):
        line = next(full, None)
    if line is None:
        return None
    text = lines[line].removeprefix("#")
    delimiter = told[1] if told else max(DELIMITERS, key=text.count)
    names = [
        tidy(name)
        for name in next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    ]
    while names and not names[-1]:
        names.pop()
    return Header(names, line, delimiter)


def _is_remark(line: str) -> bool:
    """Whether a line with # is a remark before the header, and names no column that is needed."""
    names = re.split(f"[{re.escape(DELIMITERS)}]", line)
    return not (fitting("file", names) or fitting("emotion", names))


def _csv_columns(table: Path, text: Text) -> tuple[Columns, list[tuple[int, str]], str]:
    """The columns, (line, what is wrong with it), and a sentence on columns without a name."""
    header = _header(text.lines)
    if header is None:
        return {}, [], ""
    if fault := fault_of(text.lines[header.line]):
        raise CorpusError(f"{table}: its header cannot be read as a table in UTF-8 ({fault})")
    names, renamed = _own_names(table, header.names)
    rows, faults = list[list[str]](), list[tuple[int, str]]()
    for line, cells in cut_lines(
        text.lines, Cut(header.line + 1, header.delimiter, len(header.names))
    ):
        if isinstance(cells, str):
            faults.append((line, cells))
        else:
            rows.append(cells)
    by_column = list(zip(*rows, strict=True)) or [()] * len(header.names)
    columns = {name: tidied(cells) for name, cells in zip(names, by_column, strict=True) if name}
    return columns, faults, "; ".join(filter(None, (renamed, _unnamed(names, by_column))))


def _own_names(table: Path, names: list[str]) -> tuple[list[str], str]:
    """The names of the columns, each with its own: note and note.1; and a sentence on these.

    Raises:
        CorpusError: a name that occurs twice is of a file, an emotion and so on.
    """
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if needed := [name for name in twice if any(fitting(role, [name]) for role in NAMES)]:
        several = ", ".join(needed)
        raise CorpusError(f"{table}: a column name occurs twice: {several}; give each its own")
    own = list[str]()
    for name in names:
        more = (f"{name}.{count}" for count in range(1, len(names) + 1))
        taken = name and name in own
        own.append(next(new for new in more if new not in {*names, *own}) if taken else name)
    several = ", ".join(map(repr, twice))
    return own, f"a column name occurs twice, the second is called NAME.1: {several}" * bool(twice)


def _unnamed(names: list[str], by_column: list[Any]) -> str:
    """A sentence on columns that hold something and have no name, but for an index before all."""
    full = [
        place
        for place, (name, cells) in enumerate(zip(names, by_column, strict=True))
        if not name and any(map(str.strip, cells))
    ]
    if full in ([], [0]):
        return ""
    places = ", ".join(str(place + 1) for place in full)
    return f"the columns at place {places} have no name in the header and are left out"


def _json_columns(lines: list[str]) -> tuple[Columns, list[tuple[int, str]]]:
    columns: Columns = {}
    faults = list[tuple[int, str]]()
    count = 0
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        row = fault_of(text) or _json_cells(text)
        if isinstance(row, str):
            faults.append((line, row))
            continue
        for column, value in row:
            cells = columns.setdefault(column, [])
            cells.extend([""] * (count - len(cells)))
            cells.append(sys.intern(tidy(value)))
        count += 1
    for cells in columns.values():
        cells.extend([""] * (count - len(cells)))
    return columns, faults


def _json_cells(line: str) -> Cells | str:
    try:
        row = parse_json(line)
    except ValueError as error:
        escape = "Invalid \\escape" in str(error)
        return f"not JSON: {error}{'; write a backslash twice, or as /' if escape else ''}"
    if not isinstance(row, dict):
        return "expected an object of column names and values"
    return [(tidy(k), _text(v)) for k, v in row.items() if not _is_nothing(v)]


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tidied(cells: Iterable[str]) -> list[str]:
    return [sys.intern(tidy(cell)) for cell in cells]


def tidy(cell: str) -> str:
    """A cell without blanks and invisible signs at its ends."""
    cell = cell.strip()
    if cell.isascii():
        return cell
    while cell != (bare := cell.strip(INVISIBLE).strip()):
        cell = bare
    return cell
