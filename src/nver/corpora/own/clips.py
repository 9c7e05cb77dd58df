"""From columns of text to clips: files found, spans read, ids unique, faults named."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip, clip_table, nothing_found, skipped_table
from nver.corpora.own.columns import Chosen, choose_columns
from nver.corpora.own.found_files import FoundFile, find_files, path_warnings
from nver.corpora.own.missing_words import (
    emotion_words_said,
    is_missing_emotion,
    known_speakers,
)
from nver.corpora.own.rows import Columns
from nver.corpora.own.span_units import far_spans, seconds_of_units
from nver.corpora.own.spans import Span, read_spans, span_suffix, times_said
from nver.errors import CorpusError, first_few

NAMED = 5  # names in a message
DUPLICATE = "duplicate name"
Problem = tuple[str, str] | None  # reason and message


def corpus_tables(
    columns: Columns,
    folder: Path,
    options: Options,
    *,
    source: Path,
    skipped: Sequence[Skip],
    warnings: Sequence[str] = (),
) -> Tables:
    """The tables of a corpus from columns of text.

    Unknown columns are kept. A row is skipped if its file is missing, it has no emotion, its span
    cannot be read, or it repeats a clip; `skipped` says why.

    Args:
        folder: what the paths are relative to.
        options: name the columns of the file, the emotion and so on, see `choose_columns`.
        source: the file or folder that was read, for messages.
        skipped: rows that could not be read.
        warnings: sentences on the reading.

    Raises:
        CorpusError: there is no file or emotion column, or no row is left.
        UsageError: there is no column of a name that the options give.
    """
    chosen = choose_columns(columns, options, source)
    named = _with_known_names(columns, chosen)
    named["speaker"], nobody = known_speakers(named.get("speaker", [""] * len(named["file"])))
    words = emotion_words_said(named["emotion"])
    found = find_files(named["file"], os.path.normpath(folder))
    files = [found[name].file if name else str(folder) for name in named["file"]]
    spans, faults, said = _spans(named, chosen, files)
    clips = _clip_ids(named, spans, found, folder)
    problems = _problems(named, found, faults, clips)
    other_labels = _other_labels(named, clips, problems)
    rejected = [(files[i], *problem) for i, problem in enumerate(problems) if problem]
    kept = [i for i, problem in enumerate(problems) if not problem]
    if not kept:
        raise _nothing(source, folder, [*skipped, *rejected], found)
    clips_kept = _cells_of(kept, named, clips, files, spans)
    moved = path_warnings(named["file"], found, os.path.normpath(folder))
    far = far_spans(clips_kept, chosen.unit_of)
    return Tables(
        clip_table(clips_kept),
        skipped_table([*skipped, *rejected]),
        (*warnings, *chosen.warnings, *moved, *said, *far, *nobody, *words, *other_labels),
    )


def _cells_of(
    rows: Sequence[int],
    named: Columns,
    clips: Sequence[str],
    files: Sequence[str],
    spans: Sequence[Span],
) -> dict[str, list[Any]]:
    """The columns of the corpus's table, with these rows alone."""
    table: dict[str, Sequence[Any]] = {
        **named,
        "clip": clips,
        "file": files,
        "start": [start for start, _ in spans],
        "end": [end for _, end in spans],
        "speaker": [speaker or None for speaker in named["speaker"]],
    }
    return {name: [cells[row] for row in rows] for name, cells in table.items()}


def _with_known_names(columns: Columns, chosen: Chosen) -> Columns:
    """The columns, with those of a role under nver's names; a duration stays where it is, too."""
    named = dict(columns)
    for role, name in chosen.column_of.items():
        if role != "duration":
            named.pop(name, None)
    return {**named, **{role: columns[name] for role, name in chosen.column_of.items()}}


def _spans(
    named: Columns, chosen: Chosen, files: Sequence[str]
) -> tuple[list[Span], list[str], tuple[str, ...]]:
    """The span of each row, its fault, and sentences on how times were read."""
    empty = [""] * len(files)
    starts, ends, lengths = (
        named[role] if role in chosen.column_of else empty for role in ("start", "end", "duration")
    )
    units, said = seconds_of_units(chosen.unit_of, chosen.column_of, files)
    spans, faults = read_spans(starts, ends, lengths, units)
    return spans, faults, (*said, *times_said([*starts, *ends, *lengths]))


def _clip_ids(
    named: Columns, spans: list[Span], found: Mapping[str, FoundFile], folder: Path
) -> list[str]:
    """An id for each row: its `clip`, else its file without the suffix, and its span.

    Files that differ in the suffix alone keep the suffix.
    """
    relative = {name: _relative(name, one, folder) for name, one in found.items()}
    names = [relative.get(name, "") for name in named["file"]]
    stems = {name: os.path.splitext(name)[0] for name in set(names)}
    same_stem = Counter(stems.values())
    return [
        given or (name if same_stem[stems[name]] > 1 else stems[name]) + span_suffix(span)
        for given, name, span in zip(
            named.get("clip", [""] * len(names)), names, spans, strict=True
        )
    ]


def _relative(name: str, one: FoundFile, folder: Path) -> str:
    """The path of a clip's id: as it stands in the table, or to the file that it means."""
    if one.ways or (one.problem == "" and os.path.basename(name) != os.path.basename(one.file)):
        name = one.file
    if os.path.isabs(name) and Path(name).is_relative_to(folder):
        name = os.path.relpath(name, folder)
    return normalize("NFC", os.path.normpath(name).replace(os.sep, "/")) if name else ""


def _problems(
    named: Columns, found: Mapping[str, FoundFile], span_faults: list[str], clips: list[str]
) -> list[Problem]:
    """For each row the reason and message why it is skipped, or None."""
    seen = dict[str, str]()
    problems: list[Problem] = []
    for name, emotion, span_fault, clip in zip(
        named["file"], named["emotion"], span_faults, clips, strict=True
    ):
        problem: Problem = None
        if not name:
            problem = "no file", "the row names no file"
        elif not emotion or is_missing_emotion(emotion):
            problem = "no emotion", f"the row of {name} has no emotion"
        elif emotion[0] in "[{":
            problem = "no emotion", f"the row of {name} has no single emotion: {emotion}"
        elif span_fault:
            problem = "bad span", f"{name}: {span_fault}"
        elif found[name].problem:
            problem = "missing", found[name].problem
        elif clip in seen:
            other = "" if _same(seen[clip], emotion) else f", as {seen[clip]!r}, here {emotion!r}"
            problem = DUPLICATE, f"the clip {clip} is in a row above{other}"
        else:
            seen[clip] = emotion
        problems.append(problem)
    return problems


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _other_labels(
    named: Columns, clips: Sequence[str], problems: Sequence[Problem]
) -> Iterator[str]:
    """A sentence on each of emotion and speaker in which rows of one clip differ."""
    repeats = [i for i, problem in enumerate(problems) if problem and problem[0] == DUPLICATE]
    first = {clips[i]: i for i in reversed(range(len(clips))) if not problems[i]}
    for what in ("emotion", "speaker"):
        cells = named[what]
        differ = [i for i in repeats if not _same(cells[i], cells[first[clips[i]]])]
        if differ:
            some = [
                f"{clips[i]} ({cells[first[clips[i]]] or 'none'!r}, then {cells[i] or 'none'!r})"
                for i in differ
            ]
            yield (
                f"{len(differ):,} row{'s repeat' if len(differ) > 1 else ' repeats'} a clip with "
                f"another {what}; the first row of a clip is used: {first_few(some, NAMED)}"
            )


def _nothing(
    source: Path, folder: Path, skips: Sequence[Skip], found: Mapping[str, FoundFile]
) -> CorpusError:
    """The error for a table without a clip; it says where the files were looked for."""
    seen = [message for _, _, message in skips]
    error = nothing_found(source, "rows with a file and an emotion", seen, nothing="no row")
    if not found or not all(reason == "missing" for _, reason, _ in skips):
        return error
    there = sorted(os.listdir(folder))
    holds = first_few(there, NAMED) if there else "nothing"
    return CorpusError(
        f"{error}. Paths are relative to {folder}, which holds {holds}; move the table, or write "
        "the paths from there"
    )
