"""Texts as cells of a CSV file that no spreadsheet runs or splits, and back.

The rule is OWASP's ("CSV Injection"): a text that a spreadsheet would take for a formula gets an
apostrophe before it. A text that begins with apostrophes and would be one without them gets one
more, so that every text comes back as it was.
"""

import re
from collections.abc import Iterable
from typing import Any

RUN = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # OWASP's list, with the wide forms of "=+-@"
FORMULA = re.compile(f"'*[{RUN}]")
QUOTED = re.compile(f"'+[{RUN}]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# What ends a cell for some reader: Python's csv leaves "\r" bare, many a spreadsheet splits at ";".
ENDS = re.compile('[",;\t\r\n]')


def quoted(text: str) -> str:
    """The text as a cell; a number stays a number, "-1.5" too."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unquoted(cell: str) -> str:
    """The text that `quoted` was given."""
    return cell[1:] if QUOTED.match(cell) else cell


def csv_line(values: Iterable[Any]) -> str:
    """A line of CSV; None is an empty cell, a number is as Python writes it."""
    cells = (
        quoted(value) if isinstance(value, str) else "" if value is None else str(value)
        for value in values
    )
    return ",".join(_enclosed(cell) if ENDS.search(cell) else cell for cell in cells) + "\n"


def _enclosed(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
