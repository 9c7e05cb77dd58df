"""A user's own corpus as a CSV, TSV or JSONL file: a row a clip."""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.own import own_card
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.rows import read_columns


def read_table(root: Path, options: Options) -> Tables:
    """The tables of a table file, whose paths are relative to its folder.

    Columns: file; emotion or label; if there are any, clip, speaker, start and end (s, or
    durations like "0 days 00:00:01.5"); all others are kept.
    """
    columns, malformed = read_columns(root)
    folder = root.absolute().parent
    return corpus_tables(columns, folder, options, source=root, skipped=malformed)


TABLE = own_card(
    name="table",
    title="Your own: a table (CSV, TSV, JSONL) with the columns file and emotion",
    read=read_table,
    options={"column": None, "speaker_column": None},
)
