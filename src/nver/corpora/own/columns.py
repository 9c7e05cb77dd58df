"""Which column of a person's table is the file, the emotion, the speaker, the start and the end."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nver.corpora.base import Options
from nver.corpora.own.column_names import (
    EVIDENT,
    NAMES,
    OFFSET,
    OPTION_OF,
    SILENT,
    TIMES,
    Named,
    fitting,
    folded,
    unit_in,
    wanted_column,
    words_of,
)
from nver.corpora.own.rows import Columns
from nver.corpora.own.times import seconds_of
from nver.corpora.speakers import are_sexes
from nver.errors import CorpusError, UsageError, check_choice, first_few

UNITS = ("s", "ms", "min", "samples")  # of a time without one, the values of the option `unit`
# Words in names of columns that may hold times (our choice), and whole names of one column.
TIME_WORDS = {
    "start": re.compile(r"start\w*|begin\w*|onset\w*|anfang\w*|from|von|de|desde"),
    "end": re.compile(r"end|end(?:e|ing|zeit|time|frame|sample)|stop\w*|until|till|to|bis|hasta"),
}
BARE_TIMES = {
    "start": ("t", "t0", "t1", "time", "times", "timestamp", "zeit", "temps", "tiempo", "in"),
    "end": ("t1", "t2", "out"),
}
NEEDED = ("file", "emotion")
A_FILE = re.compile(r".*[/\\].+|.+\.(?:wav|mp3|flac|ogg|opus|m4a|aiff?)", re.IGNORECASE)
WHOLE_NUMBER = re.compile(r"-?\d+(?:\.0)?")


class Chosen(NamedTuple):
    """The column of each role by nver's names, the units of the times, and sentences on both."""

    column_of: Mapping[str, str]
    unit_of: Mapping[str, str]
    warnings: tuple[str, ...]


def choose_columns(columns: Columns, options: Options, source: Path) -> Chosen:
    """The column of each role that a table has one for.

    An option names it; else it is the column with the most exact name that is not empty. A
    sentence says which one is used if it has not the usual name, or if there are others.

    Raises:
        CorpusError: there is no column for the file or the emotion.
        UsageError: there is no column of a name that the options give, or no such unit.
    """
    chosen: dict[str, str] = {}
    units: dict[str, str] = {}
    warnings: list[str] = []
    for role in ("file", "emotion", "speaker", *TIMES, "clip"):
        if role == "speaker" and options.get("speaker_pattern"):
            continue
        free = [name for name in columns if name not in chosen.values()]
        found, said = _choice(role, columns, free, options, source)
        if found is None and role in NEEDED:
            raise _no_column(role, columns, source)
        if found is not None:
            chosen[role] = found.column
        warnings += said
        if found is not None and found.unit is not None:
            units[role] = found.unit
    chosen, of_offset = _with_offset(chosen, columns)
    chosen, of_duration = _with_duration(chosen, options)
    warnings += [*of_offset, *of_duration, *_unused_times(chosen, columns)]
    return Chosen(chosen, _units(chosen, units, options), tuple(warnings))


def file_column(columns: Columns, options: Options, source: Path) -> tuple[str, list[str]]:
    """The column of the file in one of several tables, and what is to be said of the choice.

    Raises:
        CorpusError: there is none.
    """
    found, said = _choice("file", columns, list(columns), options, source)
    if found is None:
        raise _no_column("file", columns, source)
    return found.column, said


def _choice(
    role: str, columns: Columns, free: Sequence[str], options: Options, source: Path
) -> tuple[Named | None, list[str]]:
    """The column of a role, and what is to be said of the choice."""
    wanted = wanted_column(role, options)
    if wanted is not None:
        check_choice(f"column of {source}", wanted, list(columns))
        return Named(0, False, wanted, unit_in(wanted) if role in TIMES else None), []
    fits = [one for one in fitting(role, free) if role in NEEDED or any(columns[one.column])]
    fits.sort(key=lambda one: not any(columns[one.column]))
    if role == "emotion":
        fits.sort(key=lambda one: _is_numbers(columns[one.column]))
    if role == "clip":
        fits = [one for one in fits if not one.said or _are_ids(columns[one.column])]
    named = [one.column for one in fits if role == "speaker" and one.said]
    sexes = [name for name in named if are_sexes(columns[name])]
    fits = [one for one in fits if one.column not in sexes]
    of_sexes = [f"column {name!r} says the speakers' sex, and is no speaker" for name in sexes]
    if not fits:
        return None, of_sexes
    first = fits[0]
    cells = columns[first.column]
    others = [one.column for one in fits[1:] if _rivals(role, one.column, columns, cells)]
    return first, [*of_sexes, *_said(role, first, others)]


def _rivals(role: str, other: str, columns: Columns, cells: Sequence[str]) -> bool:
    """Whether another column may be meant as well, and says something else."""
    theirs = columns[other]
    if role == "file":
        paths = sum(A_FILE.fullmatch(cell) is not None for cell in theirs)
        return folded(other) not in NAMES["clip"] and 2 * paths > len(theirs) and theirs != cells
    pairs = set(zip(cells, theirs, strict=True))
    return any(theirs) and not len(pairs) == len(set(cells)) == len(set(theirs))


def _said(role: str, first: Named, others: Sequence[str]) -> Iterator[str]:
    """A sentence on a column that is not the only one, or not of the usual name."""
    option = OPTION_OF.get(role)
    another = f"; another: --corpus-option {option}=NAME" if option else ""
    if others and option:
        several = ", ".join(map(repr, [first.column, *others]))
        yield (
            f"columns {several} may be the {role}; {first.column!r} is used, the most exact "
            f"name{another}"
        )
    elif first.said and folded(first.column) in EVIDENT.get(role, ()):
        yield f"the {role}s are read from the column {first.column!r}"
    elif first.said and role != "duration":
        yield f"column {first.column!r} is used as the {role}{another}"


def _no_column(role: str, columns: Columns, source: Path) -> CorpusError:
    have = ", ".join(columns) or "none"
    usual = " or ".join(("file_name",) if "metadata." in source.name else SILENT[role][:3])
    said = f"{source}: has no column {usual}; columns: {have}"
    headless = any(A_FILE.fullmatch(name) for name in columns)
    if headless:
        return CorpusError(
            f"{said}; its first line looks like a clip: write a line with the names of the columns "
            "above it, for example file,emotion,speaker"
        )
    return CorpusError(f"{said}; if another one is it: --corpus-option {OPTION_OF[role]}=NAME")


def _with_offset(chosen: dict[str, str], columns: Columns) -> tuple[dict[str, str], list[str]]:
    """The columns with `offset` as the start beside a duration, as the end beside an onset."""
    free = [name for name in columns if name not in chosen.values()]
    offset = next((name for name in free if _is_offset(name) and any(columns[name])), None)
    if offset is None or "end" in chosen:
        return chosen, []
    onset = folded(chosen.get("start", "")).startswith("onset")
    role = "end" if onset else "start" if "duration" in chosen else None
    if role is None:
        return chosen, [
            f"column {offset!r} may be a start or an end and is not used; say which: "
            f"--corpus-option start_column={offset} or end_column={offset}"
        ]
    if role in chosen:
        return chosen, []
    beside = chosen["start" if onset else "duration"]
    return {**chosen, role: offset}, [
        f"column {offset!r} is used as the {role}, as it stands beside {beside!r}; another: "
        f"--corpus-option {OPTION_OF[role]}=NAME"
    ]


def _with_duration(chosen: dict[str, str], options: Options) -> tuple[dict[str, str], list[str]]:
    """The columns without a duration that counts for nothing.

    It counts beside a start or an end, where the other is unknown; alone it is what the file lasts.

    Raises:
        UsageError: the options give it beside a start and an end.
    """
    wanted = options.get(OPTION_OF["duration"]) is not None
    if "duration" not in chosen:
        return chosen, []
    name = chosen["duration"]
    if "start" in chosen and "end" in chosen:
        if wanted:
            raise UsageError(
                f"duration_column={name} counts for nothing beside the start "
                f"{chosen['start']!r} and the end {chosen['end']!r}: leave one of them out"
            )
        return {role: column for role, column in chosen.items() if role != "duration"}, []
    if "end" in chosen:
        return chosen, [
            f"column {name!r} is used: a clip starts so long before its end "
            f"({chosen['end']!r}); another start: --corpus-option start_column=NAME"
        ]
    if "start" in chosen:
        return chosen, [
            f"column {name!r} is used: a clip ends so long after its start; another end: "
            "--corpus-option end_column=NAME"
        ]
    return (chosen if wanted else {role: c for role, c in chosen.items() if role != "duration"}), []


def _unused_times(chosen: Mapping[str, str], columns: Columns) -> Iterator[str]:
    """A sentence on each column of times whose name has a word for a start or an end."""
    said = set(chosen.values())
    for role in TIME_WORDS:
        for name, cells in columns.items():
            if role in chosen or name in said or not _may_be_time(role, name):
                continue
            if any(cells) and not any(math.isinf(seconds_of(cell)) for cell in set(cells)):
                said.add(name)
                yield (
                    f"column {name!r} may be the {role} and is not used; if it is: --corpus-option "
                    f"{OPTION_OF[role]}={name!r}"
                )
                if folded(name) in BARE_TIMES[role]:
                    break


def _may_be_time(role: str, name: str) -> bool:
    words = words_of(name)
    bare = "".join(words[:-1]) if unit_in(name) and len(words) > 1 else folded(name)
    return bare in BARE_TIMES[role] or any(TIME_WORDS[role].fullmatch(word) for word in words)


def _is_offset(name: str) -> bool:
    words = words_of(name)
    return words[:1] == [OFFSET] and (len(words) == 1 or unit_in(name) is not None)


def _units(chosen: Mapping[str, str], found: Mapping[str, str], options: Options) -> dict[str, str]:
    """The unit of each time: of the option, or of the column's name."""
    unit = options.get("unit")
    if unit is not None:
        check_choice("unit", unit, UNITS)
    times = {role: name for role, name in chosen.items() if role in TIMES}
    if unit is not None and not times:
        raise UsageError(f"unit={unit} is for times, and no column has the start or the end")
    offset = {role: unit_in(name) for role, name in times.items() if _is_offset(name)}
    named = {role: unit or found.get(role) or offset.get(role) for role in times}
    return {role: known for role, known in named.items() if known and known != "s"}


def _is_numbers(cells: Sequence[str]) -> bool:
    filled = {cell for cell in cells if cell}
    return bool(filled) and all(WHOLE_NUMBER.fullmatch(cell) for cell in filled)


def _are_ids(cells: Sequence[str]) -> bool:
    """Whether no cell is empty or occurs twice."""
    return all(cells) and len(set(cells)) == len(cells)


def number_warnings(emotions: Sequence[str]) -> Iterator[str]:
    """A sentence where emotions are numbers."""
    if len(set(emotions)) > 1 and _is_numbers(emotions):
        yield (
            f"the emotions are numbers ({first_few(sorted(set(emotions)), 5)}); if another column "
            "has their names: --corpus-option emotion_column=NAME"
        )
