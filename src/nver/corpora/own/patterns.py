"""Regular expressions that find the speaker or the emotion in a path, and ready ones to offer."""

import os
import re
from collections.abc import Iterator, Sequence

from nver.corpora.own.folder_names import HALF, MOST, is_emotion
from nver.errors import UsageError

SEPARATORS = "_-. "  # between the parts of a file's name
LOOKED_AT = 2000  # names that a hint is made from: a folder of a million answers at once


def found_by(pattern: str, what: str, names: Sequence[str]) -> list[str]:
    """What the option `WHAT_pattern` finds in each path, "" where it does not fit.

    The expression is searched in the path ("/" between its parts); its group WHAT, or else its
    first, is the speaker or the emotion.

    Raises:
        UsageError: it is not a regular expression, has no group, or fits no file at all.
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
    matches = (compiled.search(name) for name in names)
    found = [(match and match[group]) or "" for match in matches]
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


def emotion_example(file: str) -> str:
    """A pattern that finds the first word of this file's name: an example for a message."""
    stem = os.path.splitext(os.path.basename(file))[0]
    separator = next((sign for sign in SEPARATORS if sign in stem), None)
    if separator is None:
        return r"([^/\d]+)\d*\.[^./]+$"
    return rf"([^/{re.escape(separator)}]+){re.escape(separator)}[^/]*$"


def class_hint(classes: Sequence[str]) -> str | None:
    """A ready `emotion_pattern` where several folders hold one emotion: OAF_angry, YAF_angry."""
    for separator in SEPARATORS:
        parts = [name.split(separator) for name in classes]
        if len({len(own) for own in parts}) != 1 or len(parts[0]) == 1:
            continue
        for place, values in enumerate(zip(*parts, strict=True)):
            known = sum(map(is_emotion, values)) >= HALF * len(values)
            if known and 1 < len({value.casefold() for value in values}) < len(classes):
                sign = re.escape(separator)
                before = rf"[^/{sign}]+{sign}" * place
                after = sign if place < len(parts[0]) - 1 else "/"
                return rf"(?:^|/){before}([^/{sign}]+){after}"
    return None


def _patterns_of_parts(names: Sequence[str]) -> Iterator[str]:
    """Patterns for the first, second, ... part of a file's name, then for its letters alone."""
    stems = [os.path.splitext(os.path.basename(name))[0] for name in names]
    for separator in SEPARATORS:
        parts = min((stem.count(separator) for stem in stems), default=0) + 1
        sign = re.escape(separator)
        for place in range(parts if parts > 1 else 0):
            before = rf"(?:[^/{sign}]+{sign}){{{place}}}" if place else ""
            yield rf"(?:^|/){before}([^/{sign}]+?)\d*(?:{sign}[^/]*)?\.[^./]+$"
    yield r"(?:^|/)([^/\W\d_]+)[^/]*$"
