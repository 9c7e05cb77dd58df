"""Tables that lie in the folder of a corpus: whether they say the emotions, and what they leave."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nver.corpora.file_tree import walk
from nver.corpora.own.clips import EMOTION_NAMES, FILE_NAMES
from nver.corpora.own.rows import TABLE_SUFFIXES, read_header
from nver.errors import first_few

METADATA = ("metadata.csv", "metadata.jsonl")  # of a Hugging Face audiofolder
NAMED = 6  # columns in a sentence (our choice)


def columns_of(table: Path) -> list[str]:
    """The names of a table's columns; of JSONL those of its first line; none of another file."""
    if table.suffix.lower() != ".jsonl":
        return [name.strip() for name in read_header(table)]
    try:
        with table.open(encoding="utf-8-sig") as lines:
            first = json.loads(next((line for line in lines if line.strip()), "null"))
    except (ValueError, RecursionError):
        return []
    return list(first) if isinstance(first, dict) else []


def lacks(columns: Sequence[str], emotion: str | None = None) -> str:
    """Which columns a table of clips would need beside these: "a file", "an emotion", or ""."""
    known = {name.casefold() for name in columns}
    needed = {"a file": FILE_NAMES, "an emotion": (emotion,) if emotion else EMOTION_NAMES}
    absent = [what for what, names in needed.items() if not known & {n.casefold() for n in names}]
    return " and ".join(absent)


def tables_beside(root: Path) -> Iterator[str]:
    """A sentence on each table in a folder whose folders are read instead."""
    tables = [f for f in sorted(root.iterdir()) if f.suffix.lower() in TABLE_SUFFIXES]
    tables += sorted(table for name in METADATA for table in root.glob(f"*/{name}"))
    for table in tables:
        columns = columns_of(table)
        if not columns or not table.is_file():
            continue
        missing = lacks(columns)
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


def audio_in_no_row(root: Path, files: Sequence[str]) -> tuple[str, ...]:
    """A sentence where audio files below `root` are not among these files, paths of a table."""
    known = {os.path.normpath(file) for file in files}
    place = os.path.abspath(root)
    left = [name for name in walk(root)[0] if os.path.normpath(f"{place}/{name}") not in known]
    if not left:
        return ()
    many = f"{len(left):,} audio files" if len(left) > 1 else "one audio file"
    verb = "are" if len(left) > 1 else "is"
    return (f"{many} below {root} {verb} in no row of the table, for example {left[0]}",)
