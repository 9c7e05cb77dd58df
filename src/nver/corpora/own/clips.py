"""Clips from the columns of a table: paths made absolute, spans read, ids unique, faults named."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora.base import COLUMNS
from nver.corpora.file_tree import Skip, clip_table, nothing_found, skipped_table
from nver.corpora.own.rows import Columns
from nver.corpora.own.spans import Span, read_spans, span_suffix
from nver.errors import CorpusError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

FILE_NAMES = ("file", "file_name", "path")  # audformat's word, Hugging Face's, and a usual one
EMOTION_NAMES = ("emotion", "label")
Problem = tuple[str, str] | None  # reason and message


@dataclass(frozen=True)
class Roles:
    """Which column holds the emotion and the speaker; None: the usual names."""

    emotion: str | None = None
    speaker: str | None = None


def clips_of(
    columns: Columns, folder: Path, *, roles: Roles, source: Path, skipped: list[Skip]
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """(table, skipped) from columns of text; paths are relative to `folder`.

    Columns beside the known ones are kept. A row whose file is missing, that has no emotion or a
    span that is none, is skipped and says why; so is a row that repeats a clip.

    Raises:
        CorpusError: there is no file or emotion column, or no row is left.
        UsageError: a column was asked for by name and there is none.
    """
    named = _rename(columns, roles, source)
    files = [os.path.normpath(os.path.join(folder, name)) for name in named["file"]]
    spans, odd_spans = read_spans(named.get("start"), named.get("end"), len(files))
    clips = _clip_ids(named, spans, folder)
    problems = _problems(named, files, odd_spans, clips)
    rejected = [(files[i], *problem) for i, problem in enumerate(problems) if problem]
    kept = [i for i, problem in enumerate(problems) if not problem]
    if not kept:
        seen = [message for _, _, message in skipped + rejected]
        raise nothing_found(source, "rows with a file and an emotion", seen, nothing="no row")
    table: dict[str, list[Any]] = {
        "clip": clips,
        "file": files,
        "start": [start for start, _ in spans],
        "end": [end for _, end in spans],
        "speaker": [speaker or None for speaker in named.get("speaker", [""] * len(files))],
        "emotion": named["emotion"],
        **{name: cells for name, cells in named.items() if name not in COLUMNS},
    }
    return (
        clip_table({name: [cells[i] for i in kept] for name, cells in table.items()}),
        skipped_table(skipped + rejected),
    )


def _rename(columns: Columns, roles: Roles, source: Path) -> Columns:
    """The columns under nver's names."""
    named = dict(columns)
    for role, asked, usual in (
        ("file", None, FILE_NAMES),
        ("emotion", roles.emotion, EMOTION_NAMES),
        ("speaker", roles.speaker, ("speaker",)),
    ):
        if asked is not None and asked not in columns:
            raise unknown_name(f"column of {source}", asked, columns)
        name = asked or next((name for name in usual if name in columns), None)
        if name is not None:
            named.pop(name, None)
            named[role] = columns[name]
        elif role != "speaker":
            have = ", ".join(columns) or "none"
            raise CorpusError(f"{source}: has no column {' or '.join(usual)}; columns: {have}")
    return named


def _clip_ids(named: Columns, spans: list[Span], folder: Path) -> list[str]:
    """An id a row: its `clip`, else the file without suffix and the span.

    Files that differ in the suffix alone keep it.
    """
    names = [_relative(name, folder) for name in named["file"]]
    short = [os.path.splitext(name)[0] for name in names]
    first: dict[str, str] = {}
    pairs = zip(short, names, strict=True)
    shared = {stem for stem, name in pairs if first.setdefault(stem, name) != name}
    return [
        given or (name if stem in shared else stem) + span_suffix(span)
        for given, stem, name, span in zip(
            named.get("clip", [""] * len(names)), short, names, spans, strict=True
        )
    ]


def _relative(name: str, folder: Path) -> str:
    if os.path.isabs(name) and Path(name).is_relative_to(folder):
        name = os.path.relpath(name, folder)
    return os.path.normpath(name).replace(os.sep, "/") if name else ""


def _problems(
    named: Columns, files: list[str], odd_spans: list[str], clips: list[str]
) -> list[Problem]:
    """For each row the reason and message why it is skipped, or None."""
    present, seen = _Present(), set[str]()
    problems: list[Problem] = []
    for name, emotion, file, odd_span, clip in zip(
        named["file"], named["emotion"], files, odd_spans, clips, strict=True
    ):
        problem = _problem(name, emotion, odd_span)
        if problem is None and file not in present:
            problem = "missing", f"{file}: no such file"
        if problem is None and clip in seen:
            problem = "duplicate name", f"the clip {clip} is in a row above"
        if problem is None:
            seen.add(clip)
        problems.append(problem)
    return problems


def _problem(name: str, emotion: str, odd_span: str) -> Problem:
    if not name:
        return "no file", "the row names no file"
    if not emotion:
        return "no emotion", f"the row of {name} has no emotion"
    return ("bad span", f"{name}: {odd_span}") if odd_span else None


class _Present:
    """The files there are: each folder is listed once, no file is asked for by itself."""

    def __init__(self) -> None:
        self._listed: dict[str, frozenset[str]] = {}

    def __contains__(self, file: str) -> bool:
        folder, name = os.path.split(file)
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._listed[folder] = frozenset()
        return name in self._listed[folder]
