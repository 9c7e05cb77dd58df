"""A table of a run folder: one CSV file, written whole, and read as it was written."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nver.errors import NverError
from nver.evaluation.run_folder.sizes import is_table_whole
from nver.machine.csv_cells import quoted, unquoted
from nver.machine.files import write_whole

ENDS_BARE = re.compile("[;\t\r]")  # pandas leaves them bare where some reader ends a cell


def write_table(table: pd.DataFrame, path: Path, float_format: str | None = None) -> None:
    """Write a table as CSV, whole or not at all; what is missing is an empty field.

    A text that a spreadsheet would run has an apostrophe before it (`nver.machine.csv_cells`). A
    byte of a name that is not UTF-8 is written as \\udcXX.
    """
    cells = _with_texts(table, quoted)
    form: dict[str, Any] = {"index": False, "float_format": float_format, "lineterminator": "\n"}
    text = cells.to_csv(**form)
    if ENDS_BARE.search(text):
        text = cells.to_csv(**form, quoting=csv.QUOTE_NONNUMERIC)
    write_whole(path, text.encode("utf-8", "backslashreplace"))


def read_table(
    path: Path,
    dtype: Mapping[str, Any],
    na_values: Mapping[str, list[str]] | list[str],
    columns: Sequence[str] = (),
    what: str = "",
) -> pd.DataFrame:
    """Read a table; only a field in `na_values` is missing, as an emotion may be called "NA".

    Args:
        columns: the table must have.
        what: the table should be, for the message.

    Raises:
        NverError: it cannot be read, is cut off, or a column is not there.
    """
    if path.exists() and not is_table_whole(path):
        raise NverError(f"{path}: damaged, it is empty or its last line is cut off")
    try:
        table = pd.read_csv(
            path, dtype=dtype, keep_default_na=False, na_values=na_values, encoding="utf-8"
        )
    except (ValueError, OSError) as error:
        raise NverError(f"{path}: damaged, cannot be read{what} ({error})") from error
    if missing := [name for name in columns if name not in table.columns]:
        raise NverError(f"{path}: damaged, it has no column {', '.join(missing)}")
    return _with_texts(table, unquoted)


def _with_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with every text changed, the columns' names too; each different one once."""
    found = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            column = table.iloc[:, place]
            texts = [text for text in column.unique() if isinstance(text, str)]
            if other := {text: new for text in texts if (new := change(text)) != text}:
                cells: Any = column.map(lambda cell, new=other: new.get(cell, cell))
                found.isetitem(place, cells)
    found.columns = pd.Index([change(str(name)) for name in table.columns])
    return found
