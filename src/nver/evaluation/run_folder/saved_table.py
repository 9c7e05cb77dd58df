"""A table of a run folder: one CSV file, written whole, and read as it was written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nver.errors import NverError
from nver.evaluation.run_folder.sizes import is_table_whole
from nver.machine.files import write_whole


def write_table(table: pd.DataFrame, path: Path, float_format: str | None = None) -> None:
    """Write a table as CSV, whole or not at all; what is missing is an empty field.

    A byte of a name that is not UTF-8 is written as \\udcXX.
    """
    text = table.to_csv(index=False, float_format=float_format, lineterminator="\n")
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
    return table
