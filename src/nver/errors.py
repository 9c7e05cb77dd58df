"""Errors a user can act on: what was got, what was expected, what to do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from reprlib import Repr
from sys import float_info
from typing import Any

MOST = 2**31 - 1  # of a count that has no bound of its own (our choice)
LISTED = 40  # known names that a message lists (our choice)
LONGEST_NAME = 100  # characters of a value that a message shows (our choice)

# Reasons of skipped clips: one that ends the process which decodes it, or needs too much memory.
CRASHED, MEMORY = "crashed", "memory"
TOO_LARGE = "decoding it takes more memory than is free"
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class NverError(Exception):
    """Base of every error that nver raises on purpose; the CLI shows its text and exits with 1."""


class UsageError(NverError):
    """The request itself is wrong (a name, an option, a recipe key); the CLI exits with 2."""


class AudioError(NverError):
    """One recording cannot be used.

    `reason` is one of "missing", "unreadable", "empty", "not finite", "silent", "too long", and
    "encoder" where an encoder fails on it, "model" where a classifier does: words that fit in a
    table's column. Tables of skipped clips also have "memory" and "crashed", for clips that fill
    the memory or end the process.
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


class DiskFullError(NverError):
    """Something cannot be written because the disk, or the user's share of it, is full."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(
            f"{path}{': ' if path else ''}the disk is full ({detail}); free some space and run the "
            "same command again: what was finished is kept"
        )
        self.path, self.detail = path, detail

    def __reduce__(self) -> tuple[type["DiskFullError"], tuple[str, str]]:
        return type(self), (self.path, self.detail)


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


def shown(value: Any) -> str:
    """The value as Python writes it, shortened where it is long or deep."""
    short = Repr()
    short.maxstring = short.maxother = short.maxlong = LONGEST_NAME
    short.maxlist = short.maxtuple = short.maxdict = 12
    try:
        return short.repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return f"a {type(value).__name__} that is too long to show"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a misspelt name: it names the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(name[:LONGEST_NAME], names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {first_few(names, LISTED)}"
    return UsageError(f"unknown {kind} {shown(name)}; {hint}")


@contextmanager
def said_of(where: str) -> Iterator[None]:
    """Around a check: its `UsageError` begins with the key that it speaks of."""
    try:
        yield
    except UsageError as error:
        if str(error).startswith((where, f"[{where}")):  # it was said already
            raise
        raise UsageError(f"{where}: {error}") from error


def check_count(what: str, value: Any, least: int = 1, most: int = MOST) -> None:
    """`value` must be an integer of at least `least` and at most `most`."""
    count = isinstance(value, int) and not isinstance(value, bool)
    if not count or not least <= value <= most:
        bound = f"from {least} to {most:,}" if count and value > most else f"of at least {least}"
        raise UsageError(f"{what} must be an integer {bound}; got {shown(value)}")


def check_number(what: str, value: Any, holds: Callable[[float], bool], must: str) -> None:
    """`value` must be a finite number for which `holds` is true; `must` says that in words."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= float_info.max or not holds(value):
        raise UsageError(f"{what} must be a number {must}; got {shown(value)}")


def check_choice(what: str, value: Any, choices: Sequence[str]) -> None:
    """`value` must be one of the choices; a misspelt one is answered with the nearest."""
    if value not in choices:
        raise unknown_name(what, str(value), choices)


def check_flag(what: str, value: Any) -> None:
    """`value` must be true or false."""
    if not isinstance(value, bool):
        raise UsageError(f"{what} must be true or false; got {shown(value)}")


def check_option(what: str, value: Any, default: Any, *also: type) -> None:
    """`value` must be of the type of an option's default: a text where that is None.

    Args:
        also: types that the option takes beside it.
    """
    kinds = (str if default is None else type(default), *also)
    kinds += (int,) if isinstance(default, float) else ()
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        words = " or ".join(KINDS.get(kind, kind.__name__) for kind in kinds)
        raise UsageError(f"{what} is {words}; got {shown(value)}")


def check_dropout(value: Any) -> None:
    check_number("dropout", value, lambda share: 0 <= share < 1, "in [0, 1)")
