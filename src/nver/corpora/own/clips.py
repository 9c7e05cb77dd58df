"""From columns of text to clips: paths made absolute, spans read, ids unique, faults named."""

import os
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip, clip_table, nothing_found, skipped_table
from nver.corpora.own.rows import Columns
from nver.corpora.own.spans import Span, read_spans, span_suffix
from nver.errors import CorpusError, check_choice

# The usual names of the columns with the file and the emotion.
FILE_NAMES = ("file", "file_name", "path")  # audformat's word, Hugging Face's, and a usual one
EMOTION_NAMES = ("emotion", "label")
Problem = tuple[str, str] | None  # reason and message


def corpus_tables(
    columns: Columns, folder: Path, options: Options, *, source: Path, skipped: Sequence[Skip]
) -> Tables:
    """The tables of a corpus from columns of text.

    Unknown columns are kept. A row is skipped if its file is missing, it has no emotion, its span
    cannot be read, or it repeats a clip; `skipped` says why.

    Args:
        folder: what the paths are relative to.
        options: `column` and `speaker_column` name the columns of the emotion and the speaker;
            where one is absent or None, the usual names are tried.
        source: the file or folder that was read, for messages.
        skipped: rows that could not be read.

    Raises:
        CorpusError: there is no file or emotion column, or no row is left.
        UsageError: there is no column of a name that the options give.
    """
    named = _with_known_names(columns, options, source)
    files = [os.path.normpath(os.path.join(folder, name)) for name in named["file"]]
    empty = [""] * len(files)
    spans, span_faults = read_spans(named.get("start", empty), named.get("end", empty))
    clips = _clip_ids(named, spans, folder)
    problems = _problems(named, files, span_faults, clips)
    rejected = [(files[i], *problem) for i, problem in enumerate(problems) if problem]
    kept = [i for i, problem in enumerate(problems) if not problem]
    if not kept:
        seen = [message for _, _, message in [*skipped, *rejected]]
        raise nothing_found(source, "rows with a file and an emotion", seen, nothing="no row")
    table: dict[str, list[Any]] = {
        **named,
        "clip": clips,
        "file": files,
        "start": [start for start, _ in spans],
        "end": [end for _, end in spans],
        "speaker": [speaker or None for speaker in named.get("speaker", empty)],
    }
    clips_kept = {name: [cells[i] for i in kept] for name, cells in table.items()}
    return Tables(clip_table(clips_kept), skipped_table([*skipped, *rejected]))


def _with_known_names(columns: Columns, options: Options, source: Path) -> Columns:
    """The columns, with the file, the emotion and the speaker under nver's names."""
    named = dict(columns)
    for known, wanted, usual in (
        ("file", None, FILE_NAMES),
        ("emotion", options.get("column"), EMOTION_NAMES),
        ("speaker", options.get("speaker_column"), ("speaker",)),
    ):
        if wanted is not None:
            check_choice(f"column of {source}", wanted, list(columns))
        name = wanted or next((name for name in usual if name in columns), None)
        if name is not None:
            named.pop(name, None)
            named[known] = columns[name]
        elif known != "speaker":
            have = ", ".join(columns) or "none"
            raise CorpusError(f"{source}: has no column {' or '.join(usual)}; columns: {have}")
    return named


def _clip_ids(named: Columns, spans: list[Span], folder: Path) -> list[str]:
    """An id for each row: its `clip`, else its file without the suffix, and its span.

    Files that differ in the suffix alone keep the suffix.
    """
    names = [_relative(name, folder) for name in named["file"]]
    short = [os.path.splitext(name)[0] for name in names]
    same_stem = Counter(stem for stem, _ in set(zip(short, names, strict=True)))
    return [
        given or (name if same_stem[stem] > 1 else stem) + span_suffix(span)
        for given, stem, name, span in zip(
            named.get("clip", [""] * len(names)), short, names, spans, strict=True
        )
    ]


def _relative(name: str, folder: Path) -> str:
    if os.path.isabs(name) and Path(name).is_relative_to(folder):
        name = os.path.relpath(name, folder)
    return os.path.normpath(name).replace(os.sep, "/") if name else ""


def _problems(
    named: Columns, files: list[str], span_faults: list[str], clips: list[str]
) -> list[Problem]:
    """For each row the reason and message why it is skipped, or None."""

    @cache
    def listed(folder: str) -> frozenset[str]:
        """The names in a folder, which is listed once, so that to ask for many files is fast."""
        try:
            return frozenset(os.listdir(folder))
        except OSError:
            return frozenset()

    seen = set[str]()
    problems: list[Problem] = []
    for name, emotion, file, span_fault, clip in zip(
        named["file"], named["emotion"], files, span_faults, clips, strict=True
    ):
        problem: Problem = None
        if not name:
            problem = "no file", "the row names no file"
        elif not emotion:
            problem = "no emotion", f"the row of {name} has no emotion"
        elif span_fault:
            problem = "bad span", f"{name}: {span_fault}"
        elif os.path.basename(file) not in listed(os.path.dirname(file)):
            problem = "missing", f"{file}: no such file"
        elif clip in seen:
            problem = "duplicate name", f"the clip {clip} is in a row above"
        else:
            seen.add(clip)
        problems.append(problem)
    return problems
