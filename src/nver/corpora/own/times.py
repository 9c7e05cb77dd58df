"""Times as people write them: 1.5, 1,5, 500 ms, 1:02.5, 00:01:02,345, 0 days 00:00:01.5; in s.

What may mean two times is no time: "1,234" alone may be 1.234 or 1234. So may "1.234" where it
counts ms or samples, which people write without decimals.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from nver.corpora.own.missing_words import NO_VALUE

UNITS = {  # a word -> s
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86400.0),
}
# Signs of other scripts that stand for ASCII's.
SIGNS = str.maketrans("−‐‑‒–﹣－＋．，：٫٬’\u00a0\u202f\u2009", "-------+.,:.,'   ")
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
NUMBER = re.compile(r"([\d.,' ]+)([eE][+-]?\d+)?")  # with any marks; then an exponent
QUANTITY = re.compile(r"([\d.,][\d.,' ]*)([a-zµμ]+),? ?", re.IGNORECASE)
CLOCK = re.compile(r"(?:(\d+):([0-5]\d)|(\d+)):([0-5]\d(?:[.,]\d+)?)")
DAYS = re.compile(r"(\d+) days?(?:,? \+?(\d\d?:\d\d:\d\d(?:\.\d+)?))?")  # as pandas writes them
ISO = re.compile(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")  # ISO 8601
BLANKS = re.compile(r"[1-9]\d{0,2}(?:([ '])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")  # 1 234,5 and 1'234.5
# What a number shows of its marks; before three digits alone, a mark may be of groups.
FORMS = {
    "comma groups": re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|[1-9]\d{0,2}(?:,\d{3}){2,}"),
    "dot groups": re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}"),
    "comma unclear": re.compile(r"[1-9]\d{0,2},\d{3}"),
    "dot unclear": re.compile(r"[1-9]\d{0,2}\.\d{3}"),
    "comma decimal": re.compile(r"\d*,\d+"),
    "dot decimal": re.compile(r"\d*\.\d+"),
}
# A number that shows a dot of decimals: not one to three digits before it and three after it.
DECIMAL_DOT = re.compile(
    r"(?<![\d.,])(?:(?:0\d*|\d{4,})?\.\d+|\d+\.(?:\d{1,2}|\d{4,}))(?![\d.,])"
    r"|\d,\d{3}\.\d+(?![\d.,])"
)


class Marks(NamedTuple):
    """What a comma and a dot before three digits mean: "decimal", "groups" or "unclear".

    `dot_shown`: whether another number shows a dot of decimals.
    """

    comma: str = "unclear"
    dot: str = "decimal"
    dot_shown: bool = False


USUAL = Marks()


def marks_of(texts: Sequence[str]) -> Marks:
    """What the marks mean in columns whose other numbers show it."""
    every = "\n".join(texts)
    shown = DECIMAL_DOT.search(every) is not None
    if "," not in every and every.isascii() and not re.search(r"\.\d+\.", every):
        return USUAL._replace(dot_shown=shown)
    distinct = {text for text in texts if ":" not in text}
    numbers = (match for text in distinct for match in re.findall(r"[\d.,]+", plain_signs(text)))
    seen = {_form(number) for number in numbers}
    comma_decimal = bool(seen & {"comma decimal", "dot groups"})
    dot_decimal = bool(seen & {"dot decimal", "comma groups"})
    comma = "groups" if dot_decimal and not comma_decimal else "unclear"
    dot = "groups" if "dot groups" in seen and not dot_decimal else "unclear"
    return Marks(
        "decimal" if comma_decimal and "comma groups" not in seen else comma,
        "decimal" if not comma_decimal or (dot_decimal and "dot groups" not in seen) else dot,
        shown,
    )


def seconds_of(text: str, unit: float = 1.0, marks: Marks = USUAL) -> float:
    """The time in s: NaN where the text is empty or says so, infinity where it is no time.

    Args:
        unit: of a number without one, in s.
        marks: what a comma and a dot before three digits mean.
    """
    given, marks = marks, _of_unit(marks, unit)
    if marks.dot == "decimal" and text.isascii() and PLAIN.fullmatch(text):
        return float(text) * unit
    if text.casefold() in NO_VALUE:
        return math.nan
    text = plain_signs(text)
    sign, bare = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    number = _number(bare, marks)
    if number is not None:
        return sign * number * unit
    readings = (read(bare) for read in (_clock, _days, _iso))
    found = next((time for time in readings if time is not None), None)
    return sign * (_quantities(bare, given) if found is None else found)


def _of_unit(marks: Marks, unit: float) -> Marks:
    """The marks in numbers of a unit (s): below 1 s a dot is of decimals where another shows it."""
    counted = unit < 1.0 and marks.dot == "decimal" and not marks.dot_shown
    return marks._replace(dot="unclear") if counted else marks


def plain_signs(text: str) -> str:
    """The text with ASCII's digits and signs in place of other scripts'."""
    if text.isascii():
        return text
    digits = (unicodedata.decimal(sign, None) for sign in text)
    plain = (s if d is None else str(d) for s, d in zip(text, digits, strict=True))
    return "".join(plain).translate(SIGNS).strip()


def is_unclear(text: str, unit: float, marks: Marks) -> bool:
    """Whether a number may be read in two ways and nothing shows which is meant."""
    unclear = _form(plain_signs(text).lstrip("+-")).endswith("unclear")
    return unclear and math.isinf(seconds_of(text, unit, marks))


def _form(number: str) -> str:
    return next((name for name, form in FORMS.items() if form.fullmatch(number)), "")


def _number(text: str, marks: Marks) -> float | None:
    """A number with any marks; None: it is none, or may be two."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    digits, form = match[1], _form(match[1])
    if BLANKS.fullmatch(digits):
        digits, form = re.sub("[ ']", "", digits), "comma decimal"
    if form == "comma unclear":
        form = f"comma {marks.comma}"
    elif form == "dot unclear":
        form = f"dot {marks.dot}"
    if form.endswith("groups"):
        digits = digits.replace("," if form.startswith("comma") else ".", "")
    plain = digits if form.startswith("comma groups") else digits.replace(",", ".")
    plain += match[2] or ""
    return float(plain) if not form.endswith("unclear") and PLAIN.fullmatch(plain) else None


def _clock(text: str) -> float | None:
    match = CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, many, seconds = match.groups()
    whole = 3600.0 * int(hours or 0) + 60.0 * int(minutes or many)
    return whole + float(seconds.replace(",", "."))


def _days(text: str) -> float | None:
    match = DAYS.fullmatch(text)
    return None if match is None else 86400.0 * int(match[1]) + (_clock(match[2] or "0:00") or 0.0)


def _iso(text: str) -> float | None:
    match = ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    parts = zip(match.groups(), (86400.0, 3600.0, 60.0, 1.0), strict=True)
    return sum(float(number or 0) * unit for number, unit in parts)


def _quantities(text: str, marks: Marks) -> float:
    """The time of "1.5 s" or "1 min 30 s", infinity where the text is no such time."""
    total, before, place = 0.0, math.inf, 0
    while place < len(text):
        match = QUANTITY.match(text, place)
        unit = UNITS.get(match[2].casefold(), math.inf) if match else math.inf
        number = match and _number(match[1].rstrip(" "), _of_unit(marks, unit))
        if match is None or number is None or unit >= before:
            return math.inf
        total, before, place = total + number * unit, unit, match.end()
    return total if place else math.inf
