"""Texts of a recipe: names to be shown, names of files, paths; and what no recipe holds."""

import os
from collections.abc import Iterator
from math import isfinite
from typing import Any
from unicodedata import category

from nver.errors import UsageError, shown

LARGEST = 2**63  # what TOML, JSON and SQLite have in common
DEEPEST = 16  # tables and lists in one another; our choice, a recipe has 6
LONGEST = 200  # characters of a name, bytes of a file's: 255 less what is put before and after it
LONGEST_PART, LONGEST_PATH = 255, 4095  # bytes, of Linux: NAME_MAX, PATH_MAX less the end
LINE_ENDS = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of what is no part of a line of text
KEPT = ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)))


def name_of(value: Any, where: str) -> str:
    """The value, if it is a name that tables can show: one line, not blank."""
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected str, got {shown(value)}")
    lines = any(category(character) in LINE_ENDS for character in value)
    if lines or not value.strip() or len(value) > LONGEST:
        raise UsageError(
            f"{where}: expected a name of one line and 1 to {LONGEST} characters, "
            f"got {shown(value)}"
        )
    return value


def file_name_of(value: Any, where: str) -> str:
    """The value, if a folder of that name can be made inside another one, on every system."""
    name = name_of(value, where)
    if (
        set(name) & set("/\\:")
        or name != name.strip().rstrip(".")
        or name.partition(".")[0].strip().casefold() in KEPT
        or len(os.fsencode(name)) > LONGEST
    ):
        raise UsageError(
            f"{where}: expected the name of a folder, without / \\ : and without a dot or blank at "
            f"its end, and none that Windows keeps (con, nul, ...); got {shown(name)}"
        )
    return name


def path_of(value: Any, where: str) -> str:
    """The value, if it can be a path or the id of a repository."""
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected str, got {shown(value)}")
    parts = [os.fsencode(part) for part in value.split("/")]
    long = len(os.fsencode(value)) > LONGEST_PATH or max(map(len, parts)) > LONGEST_PART
    if long or not value.strip() or any(category(character) == "Cc" for character in value):
        raise UsageError(f"{where}: expected a path, got {shown(value)}")
    return value


def check_plain(tree: Any) -> None:
    """Raise `UsageError` for what no key of a recipe takes, wherever it stands.

    That is a date or time, NaN and infinity, a number beyond 64 bits, a control character other
    than tab and line feed, and tables or lists that are nested deeper than any recipe.
    """
    waiting: list[tuple[str, Any, int]] = [("", tree, 0)]
    while waiting:
        where, value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST:
                raise UsageError(f"{where}: nested deeper than {DEEPEST} tables and lists")
            waiting += [(f"{where}.{key}".lstrip("."), own, depth + 1) for key, own in _of(value)]
        elif wrong := _wrong(value):
            raise UsageError(f"{where}: {wrong}, got {shown(value)}")


def _of(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """The values of a table or list, each with its key, its label or its number."""
    if isinstance(value, dict):
        for key, own in value.items():
            if wrong := _wrong(key):
                raise UsageError(f"a key: {wrong}, got {shown(key)}")
            yield shown(key)[1:-1], own
    else:
        for number, own in enumerate(value):
            label = own.get("label", own.get("name")) if isinstance(own, dict) else None
            yield (shown(label)[1:-1] if isinstance(label, str) else str(number)), own


def _wrong(value: Any) -> str:
    """What was expected in the place of a value; "" where nothing is wrong with it."""
    if isinstance(value, str):
        odd = any(category(c) == "Cc" and c not in "\t\n" for c in value)
        return "expected text without control characters" if odd else ""
    if isinstance(value, int):
        return "expected a number of at most 64 bits" if abs(value) >= LARGEST else ""
    if isinstance(value, float):
        return "" if isfinite(value) else "expected a finite number"
    return f"expected no {type(value).__name__}"
