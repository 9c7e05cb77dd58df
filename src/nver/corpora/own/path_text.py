"""Paths as tables hold them: with backslashes, quotes, percent codes, as addresses, with drives."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from nver.machine.json_text import parse_json

TOP = "/"
AROUND = "\"'`“”„«» "
ADDRESS = re.compile(r"^file:(?://[^/]*)?(/.*)", re.IGNORECASE | re.DOTALL)
DRIVE = re.compile(r"/?([A-Za-z]:)(.*)", re.DOTALL)
PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")

READ: dict[str, Callable[[str], str]] = {
    "quotes": lambda text: text.strip(AROUND),
    "address": lambda text: ADDRESS.sub(r"\1", text),
    "backslashes": lambda text: text.replace("\\", "/"),
}


class Written(NamedTuple):
    """A path in parts, whether it is absolute, and what was read otherwise than it stands."""

    parts: tuple[str, ...]
    absolute: bool
    ways: tuple[str, ...]

    @property
    def top(self) -> tuple[str, ...]:
        """What stands before the parts of an absolute path."""
        return (TOP,) if self.absolute else ()


def written_forms(name: str) -> Iterator[Written]:
    """What a path may mean; first as it stands, then with its percent codes decoded."""
    text, ways = _path_of_object(name), list[str]()
    for way, read in READ.items():
        if (other := read(text)) != text:
            text, ways = other, [*ways, way]
    yield _parted(text, ways)
    if PERCENT.search(text):
        yield _parted(unquote(text, errors="surrogateescape"), [*ways, "percent"])


def is_absolute(name: str) -> bool:
    """Whether a path begins at the top of a machine, this one or another."""
    return next(written_forms(name)).absolute


def _parted(text: str, ways: list[str]) -> Written:
    drive = DRIVE.fullmatch(text)
    parts = list[str]()
    for part in text.removeprefix("/").split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return Written(tuple(parts), text.startswith("/") or drive is not None, tuple(ways))


def _path_of_object(text: str) -> str:
    """The path in an object of the datasets library: {"path": "a.wav", "bytes": null}."""
    if not text.startswith("{"):
        return text
    try:
        found = parse_json(text)
    except ValueError:
        return text
    path = found.get("path") if isinstance(found, dict) else None
    return path if isinstance(path, str) else text
