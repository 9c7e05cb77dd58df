"""Lines of a CSV file cut into cells; a quote that is not closed costs its own line only."""

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from nver.corpora.own.table_text import fault_of

LONGEST = csv.field_size_limit()  # 131,072 characters: what Python's csv takes in a cell
LINES_A_CELL = 200  # line breaks in a cell, as of a transcript (our choice)
SUFFIX = re.compile(r"\.\w{2,5}(?=[^\w.]|$)")  # of a file's name, in a line
BEFORE_DELIMITER = r'"[ \t]+(?=\s*{}|\s*$)'  # blanks after a quote that closes a cell
AFTER_QUOTE = "a cell goes on after its closing quote"
OPEN_QUOTE = "a quote is opened in this line and not closed in its cell"


class Cut(NamedTuple):
    """Where the rows begin (a line, from 0), what parts the cells, and how many there are."""

    first: int
    delimiter: str
    width: int


def cut_lines(lines: list[str], cut: Cut) -> Iterator[tuple[int, list[str] | str]]:
    """(line from 1, its cells), or (line, what is wrong with it); lines of blanks are passed over.

    A cell in quotes may go over several lines.
    """
    place = cut.first
    while place < len(lines):
        line = lines[place]
        last: int | None = place
        if '"' in line:
            last = _last_line(lines, place, cut)
        row: list[str] | str
        if fault := fault_of(line):
            last, row = place, fault
        elif last is None:
            last, row = place, OPEN_QUOTE
        else:
            row = _row("\n".join(lines[place : last + 1]), cut)
        if line.strip() and (isinstance(row, str) or any(map(str.strip, row))):
            yield place + 1, row
        place = last + 1


def _row(text: str, cut: Cut) -> list[str] | str:
    """The cells of one row, or what is wrong with it."""
    if len(text) > LONGEST and any(len(cell) > LONGEST for cell in text.split(cut.delimiter)):
        return f"a cell of more than {LONGEST:,} characters"
    try:
        cells = _cells(_without_blanks(text, cut.delimiter), cut.delimiter, strict=True)
    except csv.Error as error:
        if "expected after" in str(error):
            return AFTER_QUOTE
        return f"not a row of CSV: {error}"
    if len(cells) < cut.width or any(map(str.strip, cells[cut.width :])):
        return f"{len(cells)} cells under {cut.width} columns"
    return cells[: cut.width]


def _cells(text: str, delimiter: str, *, strict: bool = False) -> list[str]:
    if '"' not in text:
        return text.split(delimiter)
    reader = csv.reader([text], delimiter=delimiter, strict=strict, skipinitialspace=True)
    return next(reader, [])


def _without_blanks(text: str, delimiter: str) -> str:
    """The text of a row without blanks between a closing quote and the end of its cell."""
    if '"' not in text or not _goes_on(text, delimiter):
        return text
    return re.sub(BEFORE_DELIMITER.format(re.escape(delimiter)), '"', text)


def _goes_on(text: str, delimiter: str) -> bool:
    """Whether something stands between a closing quote and the end of its cell."""
    try:
        _cells(text, delimiter, strict=True)
    except csv.Error as error:
        return "expected after" in str(error)
    return False


def _last_line(lines: list[str], first: int, cut: Cut) -> int | None:
    """The line in which the quotes of a row are closed, or None where they are not meant to be.

    They are not, if a later line looks like a row of its own, or the row has not as many cells as
    the header.
    """
    if not _is_open(lines[first], cut.delimiter):
        return first
    for last in range(first + 1, min(first + 1 + LINES_A_CELL, len(lines))):
        if '"' not in lines[last] and not _looks_like_a_row(lines[first], lines[last], cut):
            continue
        if _looks_like_a_row(lines[first], lines[last], cut):
            return None
        text = "\n".join(lines[first : last + 1])
        if _is_open(text, cut.delimiter):
            continue
        try:
            whole = len(_cells(text, cut.delimiter, strict=True)) == cut.width
        except csv.Error:
            whole = False
        return last if whole else None
    return None


def _is_open(text: str, delimiter: str) -> bool:
    """Whether a quote is open at the end of the text."""
    try:
        _cells(text, delimiter, strict=True)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _looks_like_a_row(first: str, later: str, cut: Cut) -> bool:
    """Whether a later line has a header's number of cells, and a file if the first line has one."""
    if later.count(cut.delimiter) != cut.width - 1:
        return False
    return SUFFIX.search(later) is not None or SUFFIX.search(first) is None
