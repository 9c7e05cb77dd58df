"""Units of the times in a table: samples by each file's rate, and times after the files' ends."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nver.audio.not_audio import read_head
from nver.audio.sound_file import opened
from nver.corpora.own.times import UNITS
from nver.errors import AudioError

LOOKED_AT = 8  # files whose headers are read, to see whether times lie after them (our choice)
FAR = 20  # times a file's length at which an end is taken for one of another unit (our choice)
SLACK = 1.05  # of a length: rounded times


def seconds_of_units(
    unit_of: Mapping[str, str], column_of: Mapping[str, str], files: Sequence[str]
) -> tuple[dict[str, list[float]], list[str]]:
    """role -> s of a number without a unit, in each row; and a sentence where these are samples.

    A file whose header cannot be read has infinity: its times cannot be read either.
    """
    rate = cache(_rate)
    units = {
        role: [1 / r if (r := rate(file)) else math.inf for file in files]
        if unit == "samples"
        else [UNITS[unit]] * len(files)
        for role, unit in unit_of.items()
    }
    counted = sorted({column_of[role] for role, unit in unit_of.items() if unit == "samples"})
    said = (
        f"the times in {' and '.join(map(repr, counted))} are counts of samples, at each file's "
        "own rate; if not: --corpus-option unit=s, ms or min"
    )
    return units, [said] if counted else []


def far_spans(clips: Mapping[str, Sequence[Any]], unit_of: Mapping[str, str]) -> Iterator[str]:
    """A sentence if the spans looked at end long after their files: their unit is another one."""
    rows = _last_ends(clips)
    known = [(end, *info) for file, end in rows if (info := _info(file)) is not None]
    found = [(end, frames / rate, rate) for end, frames, rate in known]
    if not found or unit_of or not all(end > FAR * length for end, length, _ in found):
        return
    milliseconds = all(end / 1000 <= SLACK * length for end, length, _ in found)
    samples = all(end / rate <= SLACK * length for end, length, rate in found)
    unit = "ms" if milliseconds else "samples" if samples else None
    likely = f"; if they are {unit}: --corpus-option unit={unit}" if unit else ""
    end, length, _ = found[0]
    yield f"spans end long after their files, for example at {end:g} s of {length:.2f} s{likely}"


def _last_ends(clips: Mapping[str, Sequence[Any]]) -> list[tuple[str, float]]:
    """The latest time in each of a few files."""
    ends: dict[str, float] = {}
    for file, start, end in zip(clips["file"], clips["start"], clips["end"], strict=True):
        time = start if math.isnan(end) else end
        if not math.isnan(time) and (file in ends or len(ends) < LOOKED_AT):
            ends[file] = max(time, ends.get(file, 0.0))
    return list(ends.items())


def _rate(file: str) -> int:
    info = _info(file)
    return info[1] if info else 0


def _info(file: str) -> tuple[int, int] | None:
    """Frames and sampling rate of a file's header, None where it cannot be read."""
    try:
        with opened(Path(file), read_head(Path(file))) as sound:
            return sound.frames, sound.samplerate
    except (AudioError, OSError):
        return None
