"""Regular expressions that find the speaker or the emotion in a path, and ready ones to offer."""

import os
import re
from collections.abc import Iterator, Sequence

from nver.corpora.own.folder_names import HALF, MOST, is_emotion
from nver.errors import UsageError
from nver.machine.signals import time_limit

SEPARATORS = "_-. "  # between the parts of a file's name
LONGEST_S = 2.0  # for some paths; our choice: a search that ends takes microseconds
TOGETHER = 1000  # paths under one limit: to set one takes as long as several searches
LOOKED_AT = 2000  # names that a hint is made from: a folder of a million answers at once


def found_by(pattern: str, what: str, names: Sequence[str]) -> list[str]:
    """What the option `WHAT_pattern` finds in each path, "" where it does not fit.

    The expression is searched in the path ("/" between its parts); its group WHAT, or else its
    first, is the speaker or the emotion.

    Raises:
        UsageError: it is not a regular expression, has no group, fits no file at all, or takes so
            long on a path that it may not end.
    """
    option = f"{what}_pattern"
    if not isinstance(pattern, str):
        raise UsageError(f"{option} is a text, a regular expression; got {pattern!r}")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{option} {pattern!r} is no regular expression: {error}") from None
    if not compiled.groups:
        raise UsageError(f"{option} {pattern!r} has no group (...) for the {what}")
    group: str | int = what if what in compiled.groupindex else 1
    found: list[str] = []
    try:
        for first in range(0, len(names), TOGETHER):
            with time_limit(LONGEST_S):
                for name in names[first : first + TOGETHER]:
                    match = compiled.search(name)
                    found.append((match and match[group]) or "")
    except TimeoutError:
        raise UsageError(
            f"{option} {pattern!r}: more than {LONGEST_S:g} s are not enough to search it in "
            f"{names[len(found)]!r}; a repeat of a repeat, such as (a+)+, tries all ways to share "
            "the text out: write it as one repeat, a+"
        ) from None
    if names and not any(found):
        raise UsageError(f"{option} {pattern!r} fits no file, for example not {names[0]!r}")
    return found


def emotion_hint(files: Sequence[str]) -> str | None:
    """A ready `emotion_pattern` where a part of the files' names is a known emotion or sound."""
    names = files[:: max(1, len(files) // LOOKED_AT)]
    return next(
        (
            pattern
            for pattern in _patterns_of_parts(names)
            if (found := [match and match[1] for match in map(re.compile(pattern).search, names)])
            and sum(bool(word and is_emotion(word)) for word in found) >= MOST * len(names)
            and len(set(found)) > 1
        ),
        None,
    )


def emotion_offer(files: Sequence[str]) -> str:
    """Words that offer an `emotion_pattern` made from these files' names, or another way."""
    file = files[0]
    pattern = emotion_hint(files) or _first_word(file)
    match = re.search(pattern, file)
    if match is None or not any(map(str.isalpha, match[1])):
        return (
            f"--corpus-option emotion_pattern='(...)' would find it; {file!r} names none: put the "
            "files into a folder an emotion, or write a table"
        )
    return f"--corpus-option emotion_pattern='{pattern}' finds {match[1]!r} in {file!r}"


def _first_word(file: str) -> str:
    """A pattern for the part of this file's name before its first separator."""
    stem = os.path.splitext(os.path.basename(file))[0]
    separator = next((sign for sign in SEPARATORS if sign in stem), "_")
    if separator in stem or stem[:1].isdecimal():
        return rf"([^/{separator}]+){_literal(separator)}[^/]*$"
    return r"([^/\d]+)\d*\.[^./]+$"


def class_hint(classes: Sequence[str]) -> str | None:
    """A ready `emotion_pattern` where several folders hold one emotion: OAF_angry, YAF_angry."""
    for separator in SEPARATORS:
        parts = [name.split(separator) for name in classes]
        if len({len(own) for own in parts}) != 1 or len(parts[0]) == 1:
            continue
        for place, values in enumerate(zip(*parts, strict=True)):
            known = sum(map(is_emotion, values)) >= HALF * len(values)
            if known and 1 < len({value.casefold() for value in values}) < len(classes):
                sign = _literal(separator)
                before = rf"[^/{separator}]+{sign}" * place
                after = sign if place < len(parts[0]) - 1 else "/"
                return rf"(?:^|/){before}([^/{separator}]+){after}"
    return None


def _patterns_of_parts(names: Sequence[str]) -> Iterator[str]:
    """Patterns for the first, second, ... part of a file's name, then for its letters alone."""
    stems = [os.path.splitext(os.path.basename(name))[0] for name in names]
    for separator in SEPARATORS:
        parts = min((stem.count(separator) for stem in stems), default=0) + 1
        sign = _literal(separator)
        for place in range(parts if parts > 1 else 0):
            before = rf"[^/{separator}]+{sign}" * place
            yield rf"(?:^|/){before}([^/{separator}]+?)\d*(?:{sign}[^/]*)?\.[^./]+$"
    yield r"(?:^|/)([^/\W\d_]+)[^/]*$"
    yield r"(?:^|/)[^/]*?[a-z\d]([A-Z][a-z]+)[^/]*$"  # annCry1.wav
    yield r"(?:^|/)([A-Z]?[a-z]+)[A-Z\d][^/]*$"  # cryAnn1.wav


def _literal(separator: str) -> str:
    """The separator outside of brackets."""
    return separator.replace(".", "[.]")
