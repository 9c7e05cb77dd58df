"""A Hugging Face audiofolder: metadata.csv or metadata.jsonl with file_name, or class folders."""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip
from nver.corpora.own import own_card
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.folder import (
    OPTIONS,
    has_emotion_folders,
    or_folders,
    read_emotion_folders,
)
from nver.corpora.own.folder_names import SPLITS
from nver.corpora.own.other_tables import METADATA, audio_in_no_row, columns_of, lacks
from nver.corpora.own.patterns import found_by
from nver.corpora.own.rows import Columns, read_columns
from nver.errors import CorpusError, UsageError


def read_audiofolder(root: Path, options: Options) -> Tables:
    """The tables of an audiofolder; folders like train/ and test/ become a column `split`.

    Where no metadata table names files and emotions, and folders do, the folders are read.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {' or '.join(METADATA)}")
    tables = metadata_files(root)
    other = all(lacks(columns_of(table), options["column"]) for table in tables)
    if not tables or (other and has_emotion_folders(root)):
        if options["column"] or options["speaker_column"]:
            raise UsageError(f"{root} has no metadata table in which a column could be chosen")
        return read_emotion_folders(root, options)
    if options["layout"] or options["emotion_pattern"]:
        raise UsageError(
            f"{root} has a metadata table, and layout and emotion_pattern are for folders; give "
            "form='folder' to read the folders"
        )
    with or_folders(root):
        return _read_tables(root, tables, options)


def _read_tables(root: Path, tables: list[Path], options: Options) -> Tables:
    columns, skipped = _joined(root, tables)
    if options["speaker_pattern"]:
        files = columns["file_name"]
        columns["speaker"] = found_by(options["speaker_pattern"], "speaker", files)
    found = corpus_tables(columns, root.absolute(), options, source=root, skipped=skipped)
    in_rows = [*found.table["file"], *found.skipped["file"]]
    return found._replace(warnings=(*found.warnings, *audio_in_no_row(root, in_rows)))


def metadata_files(root: Path) -> list[Path]:
    """The metadata tables right in the folder and in the folders right below it."""
    folders = [root, *sorted(f for f in root.iterdir() if f.is_dir())]
    return [folder / name for folder in folders for name in METADATA if (folder / name).is_file()]


def _joined(root: Path, tables: list[Path]) -> tuple[Columns, list[Skip]]:
    """The rows of all tables; file names are relative to `root`, and each row has its split."""
    import pandas as pd

    parts, skipped = list[pd.DataFrame](), list[Skip]()
    for table in tables:
        columns, malformed = read_columns(table)
        skipped += malformed
        parts.append(pd.DataFrame(_relative_to(root, table, columns), dtype=object))
    joined = pd.concat(parts, ignore_index=True).fillna("")
    if not any(joined["split"]):
        del joined["split"]
    return {str(name): cells.tolist() for name, cells in joined.items()}, skipped


def _relative_to(root: Path, table: Path, columns: Columns) -> Columns:
    if "file_name" not in columns:
        raise CorpusError(f"{table}: has no column file_name; columns: {', '.join(columns)}")
    prefix = "" if table.parent == root else f"{table.parent.name}/"
    files = [prefix + name if name else "" for name in columns["file_name"]]
    splits = [SPLITS.get(name.split("/")[0].lower(), "") for name in files]
    return {"split": splits, **columns, "file_name": files}


AUDIOFOLDER = own_card(
    name="audiofolder",
    title="Your own: a Hugging Face audiofolder",
    url="https://huggingface.co/docs/datasets/audio_dataset",
    read=read_audiofolder,
    options={"column": None, "speaker_column": None, **OPTIONS},
)
