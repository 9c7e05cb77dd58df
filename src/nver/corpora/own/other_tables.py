"""Tables that lie in the folder of a corpus: whether they say the emotions, and what they leave."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import walk
from nver.corpora.own.column_names import fitting, wanted_column
from nver.corpora.own.rows import JSON_SUFFIXES, TABLE_SUFFIXES, read_header
from nver.errors import first_few

METADATA = ("metadata.csv", "metadata.jsonl")  # of a Hugging Face audiofolder
SURELY = (".csv", ".tsv", *JSON_SUFFIXES)  # a .txt may be a table, and is mostly none
BOTH = "a file and an emotion"
NAMED = 6  # columns in a sentence (our choice)


def columns_of(table: Path) -> list[str]:
    """The names of a table's columns; of JSON lines those of the first; none of another file."""
    if table.suffix.lower() not in JSON_SUFFIXES:
        return read_header(table)
    try:
        with table.open(encoding="utf-8-sig") as lines:
            first = json.loads(next((line for line in lines if line.strip()), "null"))
    except (OSError, ValueError, RecursionError):
        return []
    return list(first) if isinstance(first, dict) else []


def lacks(columns: Sequence[str], options: Options) -> str:
    """Which columns a table of clips would need beside these: "a file and an emotion", or ""."""
    absent = [
        what
        for role, what in (("file", "a file"), ("emotion", "an emotion"))
        if wanted_column(role, options) not in columns and not fitting(role, columns)
    ]
    return " and ".join(absent)


def tables_beside(root: Path) -> Iterator[str]:
    """A sentence on each table in a folder whose folders are read instead."""
    tables = [f for f in sorted(root.iterdir()) if f.suffix.lower() in TABLE_SUFFIXES]
    tables += sorted(table for name in METADATA for table in root.glob(f"*/{name}"))
    for table in tables:
        columns = columns_of(table) if table.is_file() else []
        missing = lacks(columns, {})
        plain_text = table.suffix.lower() not in SURELY and missing == BOTH
        if not columns or plain_text:
            continue
        if missing:
            yield (
                f"{table.relative_to(root)} is passed over, and the folders are read: it has no "
                f"column of {missing}; its columns are {first_few(columns, NAMED)}"
            )
        else:
            yield (
                f"{table.relative_to(root)} is passed over, and the folders are read; to read the "
                f"table, give {table} as the root"
            )


def with_audio_in_no_row(root: Path, tables: Tables) -> Tables:
    """The tables, with a sentence where audio files below a folder are in none of their rows."""
    if not root.is_dir():
        return tables
    known = {os.path.normpath(file) for file in (*tables.table["file"], *tables.skipped["file"])}
    place = os.path.abspath(root)
    left = [name for name in walk(root)[0] if os.path.normpath(f"{place}/{name}") not in known]
    if not left:
        return tables
    many = f"{len(left):,} audio files" if len(left) > 1 else "one audio file"
    said = (
        f"{many} below {root} {'are' if len(left) > 1 else 'is'} in no row of the table, for "
        f"example {left[0]}"
    )
    return tables._replace(warnings=(*tables.warnings, said))
