"""Errors a user can act on: what was got, what was expected, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class NverError(Exception):
    """Base of every error that nver raises on purpose; the CLI shows its text and exits with 1."""


class UsageError(NverError):
    """The request itself is wrong (a name, an option, a recipe key); the CLI exits with 2."""


class AudioError(NverError):
    """One recording cannot be used.

    `reason` is one of "missing", "unreadable", "empty", "not finite", "silent", and "encoder" where
    an encoder fails on it: a word that fits in a table's column.
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


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a misspelt name: it names the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {kind} {name!r}; {hint}")
