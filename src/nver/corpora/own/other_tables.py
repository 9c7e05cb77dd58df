"""Tables that lie in the folder of a corpus: whether they say the emotions, and what they leave."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import walk
from nver.corpora.own.column_names import fitting, wanted_column
from nver.corpora.own.rows import JSON_SUFFIXES, TABLE_SUFFIXES, read_header
from nver.errors import first_few
from nver.machine.json_text import parse_json

METADATA = ("metadata.csv", "metadata.jsonl")  # of a Hugging Face audiofolder
SURELY = (".csv", ".tsv", *JSON_SUFFIXES)  # a .txt may be a table, and is mostly none
BOTH = "a file and an emotion"
MOST_TABLES = 5  # that have a sentence each (our choice)
NAMED = 6  # columns in a sentence (our choice)


def columns_of(table: Path) -> list[str]:
    """The names of a table's columns; of JSON lines those of the first; none of another file."""
    if table.suffix.lower() not in JSON_SUFFIXES:
        return read_header(table)
    try:
        with table.open(encoding="utf-8-sig") as lines:
            first = parse_json(next((line for line in lines if line.strip()), "null"))
    except (OSError, ValueError):
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
    """A sentence on each table in a folder, or a folder below, whose folders are read instead."""
    tables = [f for f in sorted(root.iterdir()) if f.suffix.lower() in TABLE_SUFFIXES]
    tables += sorted(f for f in root.glob("*/*") if f.suffix.lower() in SURELY)
    for table in tables[:MOST_TABLES]:
        if table.is_file() and not table.name.startswith("."):
            yield from _passed_over(root, table)
    if len(tables) > MOST_TABLES:
        yield f"{len(tables) - MOST_TABLES:,} more tables are passed over below {root}"


def _passed_over(root: Path, table: Path) -> Iterator[str]:
    """A sentence on a table, or on a file that is called one and is none."""
    columns = columns_of(table)
    missing, sure = lacks(columns, {}), table.suffix.lower() in SURELY
    said = f"{table.relative_to(root)} is passed over, and the folders are read"
    speakers = fitting("speaker", columns)
    if not columns and sure:
        yield f"{said}: it cannot be read as a table"
    elif missing and speakers:
        yield (
            f"{said}: it has no column of {missing}. Its column {speakers[0].column!r} may be the "
            "speaker: for it, write a table with a file, an emotion and a speaker in each row, and "
            "give that as the root"
        )
    elif missing and sure | (missing != BOTH):
        yield (
            f"{said}: it has no column of {missing}; its columns are {first_few(columns, NAMED)}"
        )
    elif not missing:
        yield f"{said}; to read the table, give {table} as the root"


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
