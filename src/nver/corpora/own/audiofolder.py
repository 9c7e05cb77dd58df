"""A Hugging Face audiofolder: metadata.csv or metadata.jsonl with file_name, or class folders."""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip
from nver.corpora.own import own_card
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.folder import SPLITS, read_emotion_folders, speakers_of
from nver.corpora.own.rows import Columns, read_columns
from nver.errors import CorpusError, UsageError

METADATA = ("metadata.csv", "metadata.jsonl")


def read_audiofolder(root: Path, options: Options) -> Tables:
    """The tables of an audiofolder; folders like train/ and test/ become a column `split`."""
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {' or '.join(METADATA)}")
    tables = metadata_files(root)
    if not tables:
        if options["column"] or options["speaker_column"]:
            raise UsageError(f"{root} has no metadata table in which a column could be chosen")
        return read_emotion_folders(root, options, splits=True)
    columns, skipped = _joined(root, tables)
    if options["speaker_pattern"]:
        columns["speaker"] = speakers_of(columns["file_name"], options["speaker_pattern"])
    return corpus_tables(columns, root.absolute(), options, source=root, skipped=skipped)


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
    options={"column": None, "speaker_column": None, "speaker_pattern": None},
)
