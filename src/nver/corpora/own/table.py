"""A person's own corpus as a CSV, TSV or JSONL file: a row a clip."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora.base import CorpusCard
from nver.corpora.own.clips import Roles, clips_of
from nver.corpora.own.rows import read_columns

if TYPE_CHECKING:
    import pandas as pd

OWN = "your own recordings"


def read_table(root: Path, options: Mapping[str, Any]) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """(table, skipped) of a table file; its paths are relative to its folder.

    Columns: file; emotion or label; where there are, clip, speaker, start and end (s, or
    durations like "0 days 00:00:01.5"); every other one is kept.
    """
    columns, malformed = read_columns(root)
    roles = Roles(options["column"], options["speaker_column"])
    folder = root.absolute().parent
    return clips_of(columns, folder, roles=roles, source=root, skipped=malformed)


TABLE = CorpusCard(
    name="table",
    title="Your own: a table (CSV, TSV, JSONL) with the columns file and emotion",
    citation=OWN,
    licence=OWN,
    url=OWN,
    read=read_table,
    options={"column": None, "speaker_column": None},
)
