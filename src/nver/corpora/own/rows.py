"""A table file (CSV, TSV, JSONL) as columns of text: "01" stays "01", "NA" stays "NA"."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from nver.corpora.file_tree import Skip
from nver.errors import CorpusError

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")
Columns = dict[str, list[str]]
Cells = list[tuple[str, str]]  # (column, value) of one row


def read_columns(table: Path) -> tuple[Columns, list[Skip]]:
    """The columns, equally long, "" where a cell is missing; and the malformed rows.

    Raises:
        CorpusError: the file is not a table of a known kind, or a column name occurs twice.
    """
    columns: Columns = {}
    skipped: list[Skip] = []
    count = 0
    for line, row in _rows(table):
        if isinstance(row, str):
            skipped.append((f"{table}:{line}", "malformed row", row))
            continue
        for column, value in row:
            cells = columns.setdefault(column, [])
            cells.extend([""] * (count - len(cells)))
            cells.append(sys.intern(value.strip()))
        count += 1
    for cells in columns.values():
        cells.extend([""] * (count - len(cells)))
    return columns or {name: [] for name in read_header(table)}, skipped


def read_header(table: Path) -> list[str]:
    """The column names of a CSV or TSV file; an empty list for any other file."""
    if table.suffix.lower() == ".jsonl":
        return []
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            return next(_csv_reader(lines), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _rows(table: Path) -> Iterator[tuple[int, Cells | str]]:
    """(line, cells), or (line, what is wrong with it)."""
    if table.suffix.lower() not in TABLE_SUFFIXES:
        raise CorpusError(f"{table}: expected a table: {', '.join(TABLE_SUFFIXES)}")
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            if table.suffix.lower() == ".jsonl":
                yield from (
                    (n, _json_cells(text)) for n, text in enumerate(lines, 1) if text.strip()
                )
            else:
                yield from _csv_rows(_csv_reader(lines))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table}: cannot be read as a table in UTF-8 ({error})") from error


def _csv_reader(lines: TextIO) -> Any:
    """A reader whose delimiter is the comma, tab or semicolon, the most frequent in line 1."""
    first = lines.readline()
    lines.seek(0)
    return csv.reader(lines, delimiter=max(",\t;", key=first.count))


def _csv_rows(reader: Any) -> Iterator[tuple[int, Cells | str]]:
    header = [name.strip() for name in next(reader, [])]
    if len(set(header)) < len(header):
        raise csv.Error(f"a column name occurs twice: {', '.join(header)}")
    for cells in reader:
        if len(cells) == len(header):
            yield reader.line_num, list(zip(header, cells, strict=True))
        elif cells:
            yield reader.line_num, f"{len(cells)} cells under {len(header)} columns"


def _json_cells(line: str) -> Cells | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:  # also of too many digits, and nested too deep
        return f"not JSON: {error}"
    if not isinstance(row, dict):
        return "expected an object of column names and values"
    return [(k, _text(v)) for k, v in row.items() if v is not None]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
