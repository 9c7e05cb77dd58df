"""Spans of time in a table: seconds ("1.5") or audformat's durations ("0 days 00:00:01.5")."""

import math

Span = tuple[float, float]  # start and end in s; NaN: from the start, to the end of the file
NO_TIME = ("", "nan", "nat", "none", "null")


def read_spans(starts: list[str], ends: list[str]) -> tuple[list[Span], list[str]]:
    """The span of each row, and its fault ("" for a good span)."""
    spans = list(zip(_seconds(starts), _seconds(ends), strict=True))
    return spans, [_fault(*row) for row in zip(spans, starts, ends, strict=True)]


def span_suffix(span: Span) -> str:
    """What a span adds to a clip's id: "@0.5-1.25", "@0.5-" to the end, "" for the whole file."""
    start, end = (None if math.isnan(time) else time for time in span)
    if end is None and not start:
        return ""
    return f"@{_short(start or 0.0)}-{'' if end is None else _short(end)}"


def _seconds(texts: list[str]) -> list[float]:
    """Times in s: NaN where the text is empty or says so, infinity where it cannot be read."""
    times = [_number(text) for text in texts]
    others = [i for i, time in enumerate(times) if time is None]
    if others:
        import pandas as pd

        durations = pd.to_timedelta(pd.Series([texts[i] for i in others]), errors="coerce")
        for i, seconds in zip(others, durations.dt.total_seconds(), strict=True):
            times[i] = math.inf if math.isnan(seconds) else seconds
    return [math.nan if time is None else time for time in times]


def _number(text: str) -> float | None:
    """A number of seconds, NaN for no time; None: not a number."""
    if text.lower() in NO_TIME:
        return math.nan
    try:
        return float(text)
    except ValueError:
        return None


def _fault(span: Span, start_text: str, end_text: str) -> str:
    start, end = span
    if math.isinf(start) or math.isinf(end):
        return f"start {start_text!r} or end {end_text!r} is no time; expected seconds"
    if start < 0 or end < 0:
        return f"start {start_text!r} or end {end_text!r} is negative"
    if end <= (0.0 if math.isnan(start) else start):
        return f"end {end_text!r} is not after start {start_text!r}"
    return ""


def _short(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")  # 1 µs: finer than any sampling rate
