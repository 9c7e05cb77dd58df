"""Checks of option values: what came from a recipe is named in the error."""

from collections.abc import Callable, Sequence
from typing import Any

from nver.errors import UsageError, unknown_name


def check_count(what: str, value: Any, least: int = 1) -> None:
    """`value` must be an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{what} must be an integer of at least {least}; got {value!r}")


def check_number(what: str, value: Any, holds: Callable[[float], bool], must: str) -> None:
    """`value` must be a number for which `holds` is true; `must` says that in words."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not holds(value):
        raise UsageError(f"{what} must be a number {must}; got {value!r}")


def check_choice(what: str, value: Any, choices: Sequence[str]) -> None:
    """`value` must be one of the choices; a misspelt one is answered with the nearest."""
    if value not in choices:
        raise unknown_name(what, str(value), choices)


def check_dropout(value: Any) -> None:
    check_number("dropout", value, lambda share: 0 <= share < 1, "in [0, 1)")
