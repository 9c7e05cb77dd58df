"""Corpora whose file names say everything: the name is declared, the files are read by it.

Names decide, not suffixes, so a re-encoded copy is the same corpus.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora.base import LEFT_OUT
from nver.corpora.file_tree import (
    Skip,
    clip_table,
    foreign_rows,
    nothing_found,
    skipped_table,
    stem_of,
    walk,
)
from nver.errors import CorpusError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, str | None]


@dataclass(frozen=True)
class Naming:
    """How a corpus names its files.

    Attributes:
        pattern: of the whole name without suffix; each named group becomes a column.
        example: a name, for messages.
        codes: group -> code -> word; a code that is not here makes the file misnamed.
        words: as `codes`, but an unknown code stays as it is.
        complete: (row, folders) -> more columns, from the row itself or the folders of the file;
            `clip` among them replaces the clip's id, which is else the name without suffix.
        left_out: (row, options) -> what the file is, if the options leave it out.
    """

    pattern: str
    example: str
    codes: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    complete: Callable[[Row, tuple[str, ...]], Row] | None = None
    left_out: Callable[[Row, Mapping[str, Any]], str | None] | None = None

    @property
    def reader(
        self,
    ) -> "Callable[[Path, Mapping[str, Any]], tuple[pd.DataFrame, pd.DataFrame]]":
        """`CorpusCard.read` of a corpus that is named like this."""
        return partial(read_named, self)

    def parse(self, name: str, root: Path) -> Row | str:
        """The row of a file, or why its name does not fit; `name` is relative to `root`."""
        match = re.fullmatch(self.pattern, stem_of(name), re.ASCII)
        if match is None:
            return f"expected a name like {self.example!r}"
        row: Row = {"clip": match.string, **match.groupdict()}
        for group, words in self.codes.items():
            code = row[group] or ""
            if code not in words:
                return f"{group} {code!r} is not one of {_few(words)}"
            row[group] = words[code]
        for group, words in self.words.items():
            row[group] = words.get(row[group] or "", row[group] or "")
        folders = (root.absolute().name, *name.split("/")[:-1])
        return {**row, **self.complete(row, folders)} if self.complete else row


def read_named(
    naming: Naming, root: Path, options: Mapping[str, Any]
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """(table, skipped) of a folder whose files are named that way, however deep they lie.

    Raises:
        CorpusError: no clip was found.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with names like {naming.example!r}")
    rows, skipped = _sort(naming, root, options)
    if not rows:
        raise _nothing(naming, root, skipped)
    first = next(iter(rows.values()))
    columns = {column: [row[column] for row in rows.values()] for column in first}
    return clip_table(columns), skipped_table(skipped)


def choose(option: str, value: Any, known: Iterable[str]) -> str:
    """The value of an option that has a few; any other raises `UsageError`."""
    names = list(known)
    if value not in names:
        raise unknown_name(f"value of {option}", str(value), names)
    return str(value)


def same(words: str) -> dict[str, str]:
    """A code map for words that stand for themselves."""
    return {word: word for word in words.split()}


def _sort(
    naming: Naming, root: Path, options: Mapping[str, Any]
) -> tuple[dict[str, Row], list[Skip]]:
    """The rows of the clips by clip, and the rows of what is no clip."""
    audio, foreign = walk(root)
    rows: dict[str, Row] = {}
    skipped = foreign_rows(root, foreign)
    for name in audio:
        file = os.path.join(os.path.abspath(root), name)
        row = naming.parse(name, root)
        if isinstance(row, str):
            skipped.append((file, "misnamed", row))
            continue
        clip = str(row["clip"])
        if what := naming.left_out and naming.left_out(row, options):
            skipped.append((file, LEFT_OUT, what))
        elif clip in rows:
            skipped.append((file, "duplicate name", f"{clip} is taken from {rows[clip]['file']}"))
        else:
            rows[clip] = {"file": file, **row}
    return rows, skipped


def _nothing(naming: Naming, root: Path, skipped: list[Skip]) -> CorpusError:
    left_out = Counter(what for _, reason, what in skipped if reason == LEFT_OUT)
    if left_out:
        counts = ", ".join(f"{count:,} of {what}" for what, count in left_out.items())
        return CorpusError(f"{root}: the options leave no clip; left out: {counts}")
    seen = [os.path.basename(file) for file, _, _ in skipped]
    return nothing_found(root, f"names like {naming.example!r}", seen)


def _few(words: Mapping[str, str]) -> str:
    """The codes for a message, the middle of a long list left out."""
    codes = list(words)
    return ", ".join(codes if len(codes) <= 12 else [*codes[:3], "...", codes[-1]])
