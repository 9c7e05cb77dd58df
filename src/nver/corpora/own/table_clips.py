"""The clips of a table, with what is to be said of its speakers and emotions."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nver.corpora.base import COLUMNS, Options, Tables
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.column_names import COLUMN_OPTIONS
from nver.corpora.own.columns import number_warnings
from nver.corpora.own.missing_words import known_speakers
from nver.corpora.own.patterns import found_by
from nver.corpora.own.rows import Read
from nver.corpora.own.speaker_hints import column_hint, speaker_hint
from nver.errors import CorpusError, first_few

if TYPE_CHECKING:
    import pandas as pd

TABLE_OPTIONS: Options = {**COLUMN_OPTIONS, "speaker_pattern": None}
NAMED = 3  # in a sentence


def table_clips(read: Read, folder: Path, options: Options, source: Path) -> Tables:
    """The tables of a corpus from a table's columns; see `corpus_tables`.

    `speaker_pattern`: a regular expression that is searched in each file's path relative to
    `folder`; its group `speaker`, or else its first, is the speaker.
    """
    columns, skipped, warnings = read
    if not columns and skipped:
        raise CorpusError(f"{source}: no row can be read; the first: {skipped[0][2]}")
    tables = corpus_tables(
        columns, folder, options, source=source, skipped=skipped, warnings=warnings
    )
    table, files = tables.table, _paths(tables.table, folder)
    if options.get("speaker_pattern"):
        found = found_by(options["speaker_pattern"], "speaker", files)
        table["speaker"] = table["speaker"].astype(object)
        known, nobody = known_speakers(found)
        table["speaker"] = [speaker or None for speaker in known]
    else:
        nobody = []
    remarks = (*nobody, *number_warnings(table["emotion"].tolist()), *_of_speakers(table, files))
    return tables._replace(warnings=(*tables.warnings, *remarks))


def _paths(table: "pd.DataFrame", folder: Path) -> list[str]:
    """The files relative to the folder, "/" between their parts."""
    start = f"{os.path.normpath(folder)}{os.sep}"
    return [file.removeprefix(start).replace(os.sep, "/") for file in table["file"]]


def _of_speakers(table: "pd.DataFrame", files: list[str]) -> Iterator[str]:
    """A sentence where speakers are unknown and something looks like them."""
    speaker, emotions = table["speaker"], table["emotion"].tolist()
    if speaker.notna().any():
        return
    others = {str(name): table[name].tolist() for name in table if name not in COLUMNS}
    name = column_hint(others, emotions)
    pattern = None if name else speaker_hint(files, emotions)
    if name:
        some = first_few(sorted(set(others[name])), NAMED)
        yield (
            f"no speaker is known; column {name!r} looks like speakers ({some}): if it is, "
            f"--corpus-option speaker_column={name!r}"
        )
    elif pattern:
        some = first_few(sorted(set(found_by(pattern, "speaker", files))), NAMED)
        yield (
            f"no speaker is known; a part of the paths looks like speakers ({some}): if it is, "
            f"--corpus-option speaker_pattern={pattern!r}"
        )
