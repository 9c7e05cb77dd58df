"""The files that a table's paths mean, also where they were written on another machine."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple
from unicodedata import normalize

from nver.corpora.file_tree import SUFFIXES
from nver.corpora.own.path_text import TOP, Written, written_forms
from nver.errors import first_few

MOST_FOLDERS = 1000  # right below the table's folder, that are looked into (our choice)
EXAMPLES = 3  # names in a message
# way -> what is said of the paths that were read so; another Unicode form needs no word.
WAYS = {
    "quotes": "quotes or blanks around, which are left out",
    "address": "the form of an address (file:), read as a path",
    "backslashes": "backslashes, read as the ends of folders",
    "percent": "percent codes (%20), which are decoded",
    "case": "another case than the file",
    "letters": "joined or special letters (ﬁ for fi, ß for ss) that differ from the file's",
    "suffix": "another suffix than the file, or none",
    "elsewhere": "a beginning that is not here; the rest was found",
    "subfolder": "no folder; the file was found in a folder below",
}
Parts = tuple[str, ...]


class FoundFile(NamedTuple):
    """What a path means.

    Attributes:
        file: the absolute path of the file, or where it was looked for.
        ways: in which ways the path was read otherwise than it stands.
        dropped: the parts at the path's beginning that were left out; None: it is as it stands.
        problem: why there is no such file, "" where there is one.
    """

    file: str
    ways: Parts = ()
    dropped: Parts | None = None
    problem: str = ""


def find_files(names: Sequence[str], folder: str) -> dict[str, FoundFile]:
    """path as it stands -> what it means; each folder is listed once.

    Args:
        names: paths, relative to `folder` or absolute; "" is passed over.
        folder: absolute.
    """
    finder = Finder(folder)
    found = {name: finder.find(name) for name in dict.fromkeys(names) if name}
    return _without_chance(found)


def path_warnings(
    names: Sequence[str], found: Mapping[str, FoundFile], folder: str
) -> Iterator[str]:
    """A sentence on each way in which paths were read otherwise than they stand."""
    read = {name: one.ways for name, one in found.items() if one.ways and not one.problem}
    if not read:
        return
    rows = Counter(name for name in names if name in read)
    for way, what in WAYS.items():
        ours = [name for name in rows if way in read[name]]
        if ours:
            count = sum(rows[name] for name in ours)
            file = os.path.relpath(found[ours[0]].file, folder)
            paths = "path has" if count == 1 else "paths have"
            yield f"{count:,} {paths} {what}: {ours[0]!r} is read as {file!r}"


class Listing:
    """The names in a folder."""

    def __init__(self, folder: str) -> None:
        try:
            self.names = frozenset(os.listdir(folder))
        except OSError:
            self.names = frozenset()

    @cached_property
    def plain(self) -> dict[str, list[str]]:
        """A name without case and Unicode form -> the names."""
        found = defaultdict[str, list[str]](list)
        for name in sorted(self.names):
            found[_plain(name)].append(name)
        return found

    @cached_property
    def stems(self) -> dict[str, list[str]]:
        """An audio file's name without its suffix, case and Unicode form -> the names."""
        found = defaultdict[str, list[str]](list)
        for name in sorted(self.names):
            stem, suffix = os.path.splitext(name)
            if _is_audio(suffix):
                found[_plain(stem)].append(name)
        return found

    def fitting(self, part: str, *, last: bool) -> tuple[list[str], Parts]:
        """The names that a part of a path may mean, and in which way it was read."""
        if part in self.names:
            return [part], ()
        same = self.plain.get(_plain(part), [])
        composed = [name for name in same if normalize("NFC", name) == normalize("NFC", part)]
        if same or not last:
            of_case = any(_lower(name) == _lower(part) for name in same)
            return composed or same, () if composed else ("case" if of_case else "letters",)
        stem, suffix = os.path.splitext(part)
        return self.stems.get(_plain(stem if _is_audio(suffix) else part), []), ("suffix",)


class Match(NamedTuple):
    """The file found, in which ways; or "" and the several that fit."""

    file: str
    ways: Parts = ()
    several: Parts = ()


class Finder:
    """Paths of one table, looked for in its folder and below."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.listed = cache(Listing)

    def find(self, name: str) -> FoundFile:
        file = os.path.normpath(os.path.join(self.folder, name))
        place, last = os.path.split(file)
        if last in self.listed(place).names:
            return FoundFile(file)
        several: Parts = ()
        for written in written_forms(name):
            for ways, dropped, match in self._readings(written):
                if match.file:
                    return FoundFile(match.file, (*written.ways, *ways, *match.ways), dropped)
                several = several or match.several
        fit = f"; {first_few(several, EXAMPLES)} fit" if several else ""
        if next(written_forms(name)).absolute and not os.path.isabs(name):
            file = name
            fit = fit or f", and none below {self.folder} fits its end"
        return FoundFile(file, problem=f"{file}: no such file{fit}")

    def _readings(self, written: Written) -> Iterator[tuple[Parts, Parts | None, Match]]:
        """(ways, dropped, match): where a path is, the likeliest first."""
        base, parts = self._base(written)
        yield (), None, self._match(base, parts)
        for place in range(1, len(written.parts)):
            tail, dropped = written.parts[place:], (*written.top, *written.parts[:place])
            if len(tail) == 1 or _plain(tail[0]) in self.listed(self.folder).plain:
                yield ("elsewhere",), dropped, self._match(self.folder, tail)
        if not written.absolute and written.parts:
            first = written.parts[0]
            stem, suffix = os.path.splitext(first)
            names = {_plain(first), _plain(stem if _is_audio(suffix) else first)}
            below = sorted({folder for name in names for folder in self.children.get(name, ())})
            matches = [self._match(os.path.join(self.folder, c), written.parts) for c in below]
            found = [match for match in matches if match.file]
            several = tuple(match.file for match in found)
            yield ("subfolder",), (), found[0] if len(found) == 1 else Match("", (), several)

    def _base(self, written: Written) -> tuple[str, Parts]:
        """The folder where a path begins, and its parts from there."""
        if not written.absolute:
            up = sum(part == ".." for part in written.parts)
            return os.path.normpath(os.path.join(self.folder, *[".."] * up)), written.parts[up:]
        own = tuple(part for part in self.folder.split(os.sep) if part)
        if written.parts[: len(own)] == own:
            return self.folder, written.parts[len(own) :]
        return os.path.abspath(os.sep), written.parts

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """A name or an audio file's stem, without case and form -> the folders that hold it."""
        found = defaultdict[str, list[str]](list)
        folders = [name for name in sorted(self.listed(self.folder).names) if name[0] != "."]
        folders = [name for name in folders if os.path.isdir(os.path.join(self.folder, name))]
        for folder in folders[:MOST_FOLDERS]:
            listing = self.listed(os.path.join(self.folder, folder))
            for name in {*listing.plain, *listing.stems}:
                found[name].append(folder)
        return found

    def _match(self, base: str, parts: Parts) -> Match:
        """The file that the parts lead to from a folder."""
        ways: Parts = ()
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            fits, way = self.listed(base).fitting(part, last=last)
            if len(fits) != 1:
                return Match("", (), tuple(os.path.join(base, name) for name in fits))
            base, ways = os.path.join(base, fits[0]), (*ways, *(w for w in way if w not in ways))
        return Match(base, ways) if parts else Match("")


def _without_chance(found: dict[str, FoundFile]) -> dict[str, FoundFile]:
    """What was found, less what was perhaps found by chance.

    A path whose beginning was left out is refused, if another one leads to the same file, or if of
    another one less was left out: spk1/a.wav is not a.wav beside spk2/a.wav.
    """
    relative = {() for name, one in found.items() if not one.problem and _stands(name, one)}
    kept = relative | {one.dropped for one in found.values() if one.dropped}
    beginnings = defaultdict[str, set[str]](set)
    for one in found.values():
        if not one.problem:
            beginnings[one.file].add("/".join(one.dropped or ()).casefold())

    def is_shared(one: FoundFile) -> bool:
        return len(beginnings[one.file]) > 1

    def is_chance(one: FoundFile) -> bool:
        if not one.dropped:
            return False
        first = int(one.dropped[0] == TOP)
        shorter = (one.dropped[:place] for place in range(first, len(one.dropped)))
        return is_shared(one) or any(less in kept for less in shorter)

    return {
        name: one._replace(
            problem=f"{name}: no such file; {one.file} fits by its end only, and "
            + ("another path leads to it too" if is_shared(one) else "other paths fit with more")
            + "; if it is meant, write its path from the table's folder"
        )
        if is_chance(one)
        else one
        for name, one in found.items()
    }


def _stands(name: str, one: FoundFile) -> bool:
    return one.dropped is None and not os.path.isabs(name)


def _plain(name: str) -> str:
    if name.isascii():
        return name.casefold()
    return normalize("NFC", normalize("NFC", name).casefold())


def _lower(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).lower())


def _is_audio(suffix: str) -> bool:
    return suffix.lower() in SUFFIXES
