"""Corpora whose file names say everything: the name is declared, the files are read by it.

Names decide, not suffixes, so a re-encoded copy is the same corpus.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nver.corpora.base import LEFT_OUT, Options, Tables
from nver.corpora.file_tree import (
    Skip,
    clip_table,
    nothing_found,
    skipped_table,
    unreadable_rows,
    walk,
)
from nver.errors import CorpusError

Row = dict[str, str | None]  # the columns of one file


@dataclass(frozen=True)
class Naming:
    """How a corpus names its files.

    Attributes:
        pattern: of the whole name without suffix; each named group becomes a column.
        example: a name, for messages.
        codes: group -> code -> word; a file with an unknown code is misnamed.
        words: as `codes`, but an unknown code stays as it is.
        complete: (row, folders) -> more columns, from the row itself or the folders of the file;
            `clip` among them replaces the clip's id, which is else the name without suffix.
        left_out: (row, options) -> what kind of file it is, if the options leave it out.
    """

    pattern: str
    example: str
    codes: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    complete: Callable[[Row, tuple[str, ...]], Row] | None = None
    left_out: Callable[[Row, Options], str | None] | None = None

    def read(self, root: Path, options: Options) -> Tables:
        """The tables of a folder whose files are named like this, however deep they lie.

        Raises:
            CorpusError: no clip was found.
        """
        if not root.is_dir():
            raise CorpusError(f"{root}: expected a folder with names like {self.example!r}")
        clips, skipped = self._read_names(root, options)
        if not clips:
            raise self._nothing_found(root, skipped)
        columns = {column: [row[column] for row in clips] for column in clips[0]}
        return Tables(clip_table(columns), skipped_table(skipped))

    def parse(self, name: str, root: Path) -> Row | str:
        """The row of a file, or why its name does not fit; `name` is relative to `root`."""
        *folders, file = name.split("/")
        match = re.fullmatch(self.pattern, os.path.splitext(file)[0], re.ASCII)
        if match is None:
            return f"expected a name like {self.example!r}"
        row: Row = {"clip": match.string, **match.groupdict()}
        for group, words in self.codes.items():
            code = row[group] or ""
            if code not in words:
                return f"{group} {code!r} is not one of {_listed(words)}"
            row[group] = words[code]
        for group, words in self.words.items():
            row[group] = words.get(row[group] or "", row[group] or "")
        if self.complete:
            row |= self.complete(row, (root.absolute().name, *folders))
        return row

    def _read_names(self, root: Path, options: Options) -> tuple[list[Row], list[Skip]]:
        """The rows of the clips, and of the files that are not a clip."""
        audio, unreadable = walk(root)
        files: dict[str, str] = {}  # by clip
        clips, skipped = list[Row](), unreadable_rows(root, unreadable)
        for name in audio:
            file = os.path.join(os.path.abspath(root), name)
            row = self.parse(name, root)
            if isinstance(row, str):
                skipped.append((file, "misnamed", row))
                continue
            clip = str(row["clip"])
            if kind := self.left_out and self.left_out(row, options):
                skipped.append((file, LEFT_OUT, kind))
            elif clip in files:
                skipped.append((file, "duplicate name", f"{clip} is taken from {files[clip]}"))
            else:
                files[clip] = file
                clips.append({"file": file, **row})
        return clips, skipped

    def _nothing_found(self, root: Path, skipped: list[Skip]) -> CorpusError:
        left_out = Counter(kind for _, reason, kind in skipped if reason == LEFT_OUT)
        if left_out:
            counts = ", ".join(f"{count:,} of {kind}" for kind, count in left_out.items())
            return CorpusError(f"{root}: the options leave no clip; left out: {counts}")
        seen = [os.path.basename(file) for file, _, _ in skipped]
        return nothing_found(root, f"names like {self.example!r}", seen)


def same(words: str) -> dict[str, str]:
    """A code map for words that stand for themselves."""
    return {word: word for word in words.split()}


def _listed(words: Mapping[str, str]) -> str:
    """The codes for a message, without the middle of a long list."""
    codes = list(words)
    return ", ".join(codes if len(codes) <= 12 else [*codes[:3], "...", codes[-1]])
