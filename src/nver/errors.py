"""Errors a user can act on: what was got, what was expected, what to do."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class NverError(Exception):
    """Base of every error that nver raises on purpose; the CLI shows its text and exits with 1."""


class UsageError(NverError):
    """The request itself is wrong (a name, an option, a recipe key); the CLI exits with 2."""


class AudioError(NverError):
    """One recording cannot be used.

    `reason` is one of "missing", "unreadable", "empty", "not finite", "silent", "too long", and
    "encoder" where an encoder fails on it: words that fit in a table's column.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["AudioError"], tuple[str, str]]:
        """Both arguments, so that the error survives the way back from a worker process."""
        return type(self), (str(self), self.reason)


class CorpusError(NverError):
    """A corpus is not where it was said to be, or is not in the form that was said."""


class WeightsError(NverError):
    """An encoder's weights are absent, incomplete or of another architecture."""


class NotCachedError(WeightsError):
    """Weights of the hub that are not here, where nothing may be fetched."""


class StoreError(NverError):
    """The embedding store is damaged or is not a store."""


class MissingExtraError(NverError):
    """An optional dependency is needed at use and is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an optional dependency: pip install "nver[{extra}]"')
        self.what, self.extra = what, extra

    def __reduce__(self) -> tuple[type["MissingExtraError"], tuple[str, str]]:
        return type(self), (self.what, self.extra)


def first_few(names: Sequence[object], most: int, last: str = " and ") -> str:
    """ "a, b and 4 more": the first `most` by name, and how many more there are."""
    more = f"{last}{len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a misspelt name: it names the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {kind} {name!r}; {hint}")


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
