"""A user's own corpus as a CSV, TSV or JSONL file: a row a clip."""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.own import own_card
from nver.corpora.own.rows import read_columns
from nver.corpora.own.table_clips import TABLE_OPTIONS, table_clips


def read_table(root: Path, options: Options) -> Tables:
    """The tables of a table file, whose paths are relative to its folder.

    Columns: file; emotion; if there are any, clip, speaker, start, end and duration (s, or times
    like 500 ms and 00:00:01.5); they may have other names, see `choose_columns`. All others are
    kept.
    """
    return table_clips(read_columns(root), root.absolute().parent, options, root)


TABLE = own_card(
    name="table",
    title="Your own: a table (CSV, TSV, JSONL) with the columns file and emotion",
    read=read_table,
    options=TABLE_OPTIONS,
)
