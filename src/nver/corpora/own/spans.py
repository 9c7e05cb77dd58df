"""Spans of time in a table, from its starts, ends and durations."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from nver.corpora.own.missing_words import NO_VALUE
from nver.corpora.own.times import Marks, is_unclear, marks_of, seconds_of

Span = tuple[float, float]  # start and end in s; NaN: from the start, to the end of the file
Units = Mapping[str, Sequence[float]]  # "start", "end" or "duration" -> s of a bare number, by row
SECONDS = 1.0
WRITTEN = ("start", "end", "duration")
ROUNDED_S = 0.0015  # what an end less a duration may be below 0: both rounded to ms (our choice)
KEPT = 100_000  # texts whose time is kept: rows repeat them


def read_spans(
    starts: list[str],
    ends: list[str],
    durations: list[str] | None = None,
    units: Units | None = None,
) -> tuple[list[Span], list[str]]:
    """The span of each row, and its fault ("" for a good span).

    A row with a duration and no end ends so long after its start; one with an end and no start
    starts so long before its end. A number without a unit is in `units`, by default in s.
    """
    lengths = durations or [""] * len(starts)
    marks = marks_of([*starts, *ends, *lengths])
    by_row = units or {}
    start, end, length = (
        list(_seconds(texts, by_row.get(what), marks))
        for what, texts in (("start", starts), ("end", ends), ("duration", lengths))
    )
    spans = [_span(*times) for times in zip(start, end, length, strict=True)]
    seconds = [by_row.get(what) or [SECONDS] * len(starts) for what in WRITTEN]
    texts, scales = zip(starts, ends, lengths, strict=True), zip(*seconds, strict=True)
    return spans, [
        _fault(span, _told(row), scale, marks)
        for span, row, scale in zip(spans, texts, scales, strict=True)
    ]


def _span(start: float, end: float, length: float) -> Span:
    """Start and end (s) from what is known of start, end and duration."""
    if math.isnan(length) or not (math.isnan(start) or math.isnan(end)):
        return start, end
    if math.isnan(end):
        return start, (0.0 if math.isnan(start) else start) + length
    begin = end - length
    return (0.0 if -ROUNDED_S <= begin < 0 else begin), end


def times_said(texts: Sequence[str]) -> Iterator[str]:
    """A sentence on how times with commas, and times of minutes and seconds, were read."""
    every = "\n".join(texts)
    if every.isascii() and not set(every) & set(",:'"):
        return
    distinct = sorted(set(texts))
    marks = marks_of(distinct)
    kinds = (re.compile(r"[^:]*[,٫'’][^:]*"), re.compile(r"[^:]+:[^:]+"))
    firsts = [next(filter(kind.fullmatch, distinct), None) for kind in kinds]
    read = [(text, seconds_of(text, SECONDS, marks)) for text in firsts if text is not None]
    known = [f"{text!r} as {seconds:g}" for text, seconds in read if math.isfinite(seconds)]
    if known:
        yield f"times are read so: {', '.join(known)} s; write seconds with a dot to be sure"


def span_suffix(span: Span) -> str:
    """What a span adds to a clip's id: "@0.5-1.25", "@0.5-" to the end, "" for the whole file."""
    start, end = (None if math.isnan(time) else time for time in span)
    if end is None and not start:
        return ""
    return f"@{_short(start or 0.0)}-{'' if end is None else _short(end)}"


def _seconds(texts: list[str], units: Sequence[float] | None, marks: Marks) -> Iterable[float]:
    if not any(texts):
        return [math.nan] * len(texts)
    read = lru_cache(KEPT)(seconds_of)
    if units is None:
        return (read(text, SECONDS, marks) for text in texts)
    return (read(text, unit, marks) for text, unit in zip(texts, units, strict=True))


def _told(texts: Sequence[str]) -> dict[str, str]:
    """What a row says of its span: "start", "end" or "duration" -> the cell."""
    both = all(texts[:2])
    return {
        what: text
        for what, text, used in zip(WRITTEN, texts, (True, True, not both), strict=True)
        if used and text.casefold() not in NO_VALUE
    }


def _fault(span: Span, told: Mapping[str, str], units: Sequence[float], marks: Marks) -> str:
    start, end = span
    if not told:
        return ""
    words = " or ".join(f"{what} {text!r}" for what, text in told.items())
    if math.isinf(start) or math.isinf(end):
        unit_of = dict(zip(WRITTEN, units, strict=True))
        unclear = (text for what, text in told.items() if is_unclear(text, unit_of[what], marks))
        text = next(unclear, None)
        if text is not None:
            return f"{text!r} is no time: its mark may be of decimals or of thousands"
        return f"{words} is no time; expected seconds"
    return _misplaced(span, told, words)


def _misplaced(span: Span, told: Mapping[str, str], words: str) -> str:
    """What is wrong with the order of a span's times (s)."""
    start, end = span
    first = 0.0 if math.isnan(start) else start
    if "duration" in told and not end > first:
        return f"duration {told['duration']!r} is not above 0"
    if start < 0 and "duration" in told and "start" not in told:
        return f"duration {told['duration']!r} is longer than end {told['end']!r}"
    if start < 0 or end < 0:
        return f"{words} is negative"
    if end <= first:
        return f"end {told['end']!r} is not after start {told.get('start', '0')!r}"
    return ""


def _short(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")  # 1 µs: finer than any sampling rate
