"""A Hugging Face audiofolder: metadata.csv or metadata.jsonl with file_name, or class folders."""

import re
from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip
from nver.corpora.own import own_card
from nver.corpora.own.column_names import COLUMN_OPTIONS
from nver.corpora.own.columns import file_column
from nver.corpora.own.folder import (
    OPTIONS,
    has_emotion_folders,
    or_folders,
    read_emotion_folders,
)
from nver.corpora.own.folder_names import SPLITS
from nver.corpora.own.other_tables import METADATA, columns_of, lacks, with_audio_in_no_row
from nver.corpora.own.path_text import is_absolute
from nver.corpora.own.rows import Columns, Read, read_columns
from nver.corpora.own.table_clips import TABLE_OPTIONS, table_clips
from nver.errors import CorpusError, UsageError


def read_audiofolder(root: Path, options: Options) -> Tables:
    """The tables of an audiofolder; folders like train/ and test/ become a column `split`.

    Where no metadata table names files and emotions, and folders do, the folders are read.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {' or '.join(METADATA)}")
    tables = metadata_files(root)
    other = all(lacks(columns_of(table), options) for table in tables)
    if not tables or (other and has_emotion_folders(root)):
        if any(options[name] for name in COLUMN_OPTIONS):
            raise UsageError(f"{root} has no metadata table in which a column could be chosen")
        return read_emotion_folders(root, options)
    if options["layout"] or options["emotion_pattern"]:
        raise UsageError(
            f"{root} has a metadata table, and layout and emotion_pattern are for folders; give "
            "form='folder' to read the folders"
        )
    with or_folders(root):
        read = _joined(root, tables, options)
        joined = {**options, "file_column": "file_name"}  # as `_joined` calls it
        return with_audio_in_no_row(root, table_clips(read, root.absolute(), joined, root))


def metadata_files(root: Path) -> list[Path]:
    """The metadata tables right in the folder and in the folders right below it."""
    folders = [root, *sorted(f for f in root.iterdir() if f.is_dir())]
    return [folder / name for folder in folders for name in METADATA if (folder / name).is_file()]


def _joined(root: Path, tables: list[Path], options: Options) -> Read:
    """The rows of all tables; file names are relative to `root`, and each row has its split."""
    import pandas as pd

    parts, skipped, warnings = list[pd.DataFrame](), list[Skip](), list[str]()
    for table in tables:
        columns, malformed, said = read_columns(table)
        name, more = file_column(columns, options, table)
        skipped += malformed
        warnings += [*said, *more]
        parts.append(pd.DataFrame(_relative_to(root, table, columns, name), dtype=object))
    joined = pd.concat(parts, ignore_index=True).fillna("")
    if not any(joined["split"]):
        del joined["split"]
    columns = {str(name): cells.tolist() for name, cells in joined.items()}
    return Read(columns, skipped, tuple(dict.fromkeys(warnings)))


def _relative_to(root: Path, table: Path, columns: Columns, name: str) -> Columns:
    """The columns with the files, relative to `root`, as file_name, and their split."""
    prefix = "" if table.parent == root else f"{table.parent.name}/"
    files = [prefix + cell if cell and not is_absolute(cell) else cell for cell in columns[name]]
    split = SPLITS.get(prefix.rstrip("/").lower(), "")
    splits = [split or SPLITS.get(re.split(r"[/\\]", file)[0].lower(), "") for file in files]
    others = {other: cells for other, cells in columns.items() if other != name}
    return {"split": splits, **others, "file_name": files}


AUDIOFOLDER = own_card(
    name="audiofolder",
    title="Your own: a Hugging Face audiofolder",
    url="https://huggingface.co/docs/datasets/audio_dataset",
    read=read_audiofolder,
    options={**TABLE_OPTIONS, **OPTIONS},
)
