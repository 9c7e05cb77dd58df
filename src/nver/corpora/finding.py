"""What a person's word for a corpus means: a known name, or the place of their own recordings."""

import os
import re
import shlex
import unicodedata
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from nver.corpora.own.forms import FORMS, NEAR
from nver.corpora.own.rows import TABLE_SUFFIXES
from nver.errors import UsageError, unknown_name
from nver.registry import names

LONGEST = 64  # characters of a name that is made of a folder's: it becomes a file's (our choice)
LIKE = 0.6  # difflib's ratio from which a name is offered for another, as in `unknown_name`


class Place(NamedTuple):
    """A corpus as `load_corpus` takes it: its name and its root.

    `note` says which of two things was meant, where the word could mean both.
    """

    name: str
    root: Path | None
    note: str = ""


def find_corpus(word: str, root: Path | None = None) -> Place:
    """The corpus that a word names: one of `nver list corpora`, or a folder or table of one's own.

    With a root the word is a name. A known name comes before a folder of that name. The name of a
    person's own corpus is its folder's, or its table's without the suffix; where that is nearly a
    known name, with "-recordings" behind it.

    Raises:
        UsageError: it is neither; it names what is near.
    """
    path = Path(word)
    if root is not None:
        if path.name != word:
            raise UsageError(f"{word!r} is a path, and a root is given too: {root}; give one")
        return Place(word, root)
    if word in names("corpora") and not (word in FORMS and path.exists()):
        here = f"{word!r} is taken as the known corpus; for the folder here write ./{word}"
        return Place(word, None, here if path.exists() else "")
    if not path.exists():
        raise unknown_corpus(word)
    name = safe_name(path)
    known = near_known(name)
    note = f"{word} is taken as recordings of your own; if they are {known}: {known} --root {word}"
    if known or name in names("corpora"):
        name = f"{name}-recordings"
    return Place(name, path, note if known and path.is_dir() else "")


def safe_name(path: Path) -> str:
    """The name of a folder, or of a file without its suffix, of letters, digits, "-" and "_"."""
    place = Path(os.path.abspath(path))
    text = unicodedata.normalize("NFC", place.stem if place.is_file() else place.name)
    return re.sub(r"[^\w-]+", "-", text).strip("-")[:LONGEST] or "recordings"


def near_known(name: str) -> str:
    """The published corpus whose name is nearly this one, or ""."""
    known = [known for known in names("corpora") if known not in FORMS]
    return next(iter(get_close_matches(name.casefold(), known, n=1, cutoff=NEAR)), "")


def unknown_corpus(word: str) -> UsageError:
    """The error for a word that is no known corpus: what is near it, among names and folders."""
    path = Path(word)
    if path.exists():
        return UsageError(f"unknown corpus {word!r}; {offer_root(safe_name(path), path)}")
    folder = path.parent
    places = [entry.name for entry in _entries(folder)]
    near = [
        f"./{name}" if folder == Path(".") else str(folder / name)
        for name in get_close_matches(path.name, places, n=1, cutoff=LIKE)
    ]
    if folder == Path(".") and path.suffix.lower() not in TABLE_SUFFIXES:
        known = get_close_matches(word.casefold(), names("corpora"), n=1, cutoff=LIKE)
        choices = " or ".join([*map(repr, known), *(f"the folder {place}" for place in near)])
        if choices:
            return UsageError(f"unknown corpus {word!r}; did you mean {choices}?")
        error = unknown_name("corpus", word, names("corpora"))
        return UsageError(f"{error}; or give the path of a folder or table of your recordings")
    hint = f"; did you mean {near[0]}?" if near else f", and no {folder}" * (not folder.exists())
    return UsageError(f"{word}: there is no such folder or table{hint}")


def _entries(folder: Path) -> list[Path]:
    """The folders and tables in a folder, as far as it can be read."""
    try:
        found = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []
    return [e for e in found if e.is_dir() or e.suffix.lower() in TABLE_SUFFIXES]


def offer_root(name: str, path: Path, folder: Path = Path()) -> str:
    """How a root is given in Python, in a recipe and to a command, for a place that is there."""
    import tomli_w

    line = tomli_w.dumps({name: str(path)}).strip()
    kind = "file" if (folder / path).is_file() else "folder"
    return (
        f"a {kind} of that name is here: give root={str(path)!r}, or in a recipe [roots] {line}, "
        f"or beside the name on the command line --root {shlex.quote(str(path))}"
    )
