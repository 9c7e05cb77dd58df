"""The audio files below a folder, and the two tables that every adapter returns."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.audio.containers import HEADERLESS_SUFFIXES, MEDIA_SUFFIXES
from nver.corpora.base import COLUMNS, SKIPPED_COLUMNS
from nver.errors import CorpusError

if TYPE_CHECKING:
    import pandas as pd

# What libsndfile decodes and people record in.
SNDFILE_SUFFIXES = {
    *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus"),
    *(".mp3", ".mp2", ".mpga", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd"),
    *(".voc", ".sph", ".nist", ".sf", ".ircam", ".svx", ".8svx", ".paf", ".pvf", ".avr"),
}
# All that is audio of a corpus; the reader says what it cannot read. Other files are passed over.
SUFFIXES = SNDFILE_SUFFIXES | set(MEDIA_SUFFIXES) | HEADERLESS_SUFFIXES

Skip = tuple[str, str, str]  # file, reason, message: a row of `Corpus.skipped`


def walk(root: Path) -> tuple[list[str], list[str]]:
    """(audio, unreadable): sorted paths relative to `root`, with "/" between the parts.

    Unreadable are links that lead in a circle and folders without permission. Hidden files and
    folders (.git, ._x.wav of a Mac) and all other files are passed over. No file is opened: a
    million files take seconds.
    """
    audio: list[str] = []
    unreadable: list[str] = []
    for name, closed in _files(os.path.abspath(root), "", set()):
        suffix = os.path.splitext(name)[1].lower()
        if suffix in SUFFIXES:
            audio.append(name)
        elif closed:
            unreadable.append(name)
    return sorted(audio), sorted(unreadable)


def _files(folder: str, prefix: str, linked: set[str]) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a link that leads in a circle or a folder without permission)."""
    try:
        opened = os.scandir(folder)
    except PermissionError:
        if not prefix:
            raise
        yield prefix.rstrip("/"), True
        return
    with opened as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            try:
                is_folder = entry.is_dir()
            except NotADirectoryError:
                is_folder = False  # a link through a file: it leads nowhere
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.EACCES):
                    raise
                yield prefix + entry.name, True
                continue
            if not is_folder:
                yield prefix + entry.name, False
            elif not entry.is_symlink() or _first_visit(entry.path, linked):
                yield from _files(entry.path, f"{prefix}{entry.name}/", linked)


def _first_visit(link: str, linked: set[str]) -> bool:
    """Whether a link leads to a new folder, and not to one that it lies in itself (a loop)."""
    target = os.path.realpath(link)
    if target in linked or Path(link).parent.resolve().is_relative_to(target):
        return False
    linked.add(target)
    return True


def unreadable_rows(root: Path, names: Iterable[str]) -> list[Skip]:
    """Rows of `Corpus.skipped` for what `walk` found unreadable."""
    why = "a link that leads in a circle, or a folder without permission"
    return [(os.path.join(os.path.abspath(root), name), "unreadable", why) for name in names]


def clip_table(columns: Mapping[str, Sequence[Any]]) -> "pd.DataFrame":
    """The table of a corpus, sorted by clip; `start`, `end` and `speaker` may be missing.

    A byte that is not UTF-8 stays as it is in `file` alone; elsewhere it is written as \\udcXX.
    """
    import pandas as pd

    table = pd.DataFrame({name: [_utf8(v) for v in values] for name, values in columns.items()})
    # pandas' own str, where pyarrow is installed, holds no name that is not UTF-8
    table["file"] = pd.Series(list(columns["file"]), dtype=object)
    for name in ("start", "end"):
        table[name] = table[name].astype(float) if name in table else float("nan")
    if "speaker" not in table:
        table["speaker"] = pd.Series([None] * len(table), dtype=object)
    others = [name for name in table if name not in COLUMNS]
    return table[[*COLUMNS, *others]].sort_values("clip", kind="stable", ignore_index=True)


def _utf8(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def skipped_table(rows: Sequence[Skip]) -> "pd.DataFrame":
    """`Corpus.skipped`, sorted by file."""
    import pandas as pd

    return pd.DataFrame(sorted(rows), columns=list(SKIPPED_COLUMNS), dtype=object)


def nothing_found(
    root: Path, expected: str, seen: Sequence[str], nothing: str = "no audio file at all"
) -> CorpusError:
    """The error for a root without a single clip: what was expected, and what is there."""
    found = f"{len(seen):,} others, for example {seen[0]!r}" if seen else nothing
    return CorpusError(f"{root}: no clip found; expected {expected}; found {found}")
