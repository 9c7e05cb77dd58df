"""Spans of time in a table, from its starts, ends and durations."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from nver.corpora.own.times import Marks, is_unclear, marks_of, seconds_of

Span = tuple[float, float]  # start and end in s; NaN: from the start, to the end of the file
Units = Mapping[str, Sequence[float]]  # "start", "end" or "duration" -> s of a bare number, by row
SECONDS = 1.0
KEPT = 100_000  # texts whose time is kept: rows repeat them


def read_spans(
    starts: list[str],
    ends: list[str],
    durations: list[str] | None = None,
    units: Units | None = None,
) -> tuple[list[Span], list[str]]:
    """The span of each row, and its fault ("" for a good span).

    A row with a duration and no end ends so long after its start. A number without a unit is in
    `units`, by default in s.
    """
    lengths = durations or [""] * len(starts)
    marks = marks_of([*starts, *ends, *lengths])
    by_row = units or {}
    start, end, length = (
        list(_seconds(texts, by_row.get(what), marks))
        for what, texts in (("start", starts), ("end", ends), ("duration", lengths))
    )
    spans = [
        (one, (0.0 if math.isnan(one) else one) + long if math.isnan(other) else other)
        for one, other, long in zip(start, end, length, strict=True)
    ]
    texts = zip(starts, (end or long for end, long in zip(ends, lengths, strict=True)), strict=True)
    return spans, [_fault(span, *row, marks) for span, row in zip(spans, texts, strict=True)]


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


def _fault(span: Span, start_text: str, end_text: str, marks: Marks) -> str:
    start, end = span
    if math.isinf(start) or math.isinf(end):
        text = next((t for t in (start_text, end_text) if is_unclear(t, marks)), None)
        if text is not None:
            return f"{text!r} is no time: its mark may be of decimals or of thousands"
        return f"start {start_text!r} or end {end_text!r} is no time; expected seconds"
    if start < 0 or end < 0:
        return f"start {start_text!r} or end {end_text!r} is negative"
    if end <= (0.0 if math.isnan(start) else start):
        return f"end {end_text!r} is not after start {start_text!r}"
    return ""


def _short(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")  # 1 µs: finer than any sampling rate
