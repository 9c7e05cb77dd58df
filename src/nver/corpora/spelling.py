"""Emotions and speakers that are spelt in several ways: one, with a warning, or two, with one."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from unicodedata import category, normalize

if TYPE_CHECKING:
    import pandas as pd

SPELT = ("emotion", "speaker")  # columns of a corpus
NAMED = 5  # groups of spellings in a sentence (our choice)
QUOTED = re.compile(  # a name in a pair of quotes, whatever the language
    r"(?:[\"“”„‟](?=.*[\"“”]$)|['‘’‚`´](?=.*['‘’`´]$)|«(?=.*»$)|»(?=.*«$)|‹(?=.*›$))(?P<inner>.+).",
    re.DOTALL,
)
# Blanks, and marks that stand for them or for nothing; a dash of any length.
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-\u2010-\u2015\u2212]+(?=\d)")
MARKS = re.compile(r"(?<!\d)[\s_.'’\-\u2010-\u2015\u2212]+|[\s_.'’\-\u2010-\u2015\u2212]+(?!\d)")
Counts = Mapping[str, int]


def one_spelling(table: "pd.DataFrame") -> tuple["pd.DataFrame", tuple[str, ...]]:
    """The table with one spelling of each emotion and speaker, and sentences on the others.

    Spellings that differ in case, blanks, invisible signs or trailing dots alone are one: the most
    frequent, of equally frequent ones the first. Names composed and decomposed in Unicode are one
    without a word. Spellings that are alike and stay two are said: 1 and 001, 1 and 1.0, very_happy
    and very happy, and letters that only look alike.
    """
    warnings: list[str] = []
    for column in SPELT:
        counts = {str(name): int(n) for name, n in table[column].value_counts().items()}
        spelling, said = _one_spelling(column, counts)
        warnings += said
        if any(old != new for old, new in spelling.items()):
            table = table.copy()
            table[column] = [spelling.get(cell) for cell in table[column]]
    return table, tuple(warnings)


def _one_spelling(column: str, counts: Counts) -> tuple[dict[str, str], list[str]]:
    """spelling -> the one that is used, and sentences."""
    composed = {name: normalize("NFC", _unquoted(name)) for name in counts}
    clips = _added(composed, counts)
    groups = _grouped(clips, _key)
    most = [min(group, key=lambda name: (-clips[name], name)) for group in groups]
    winner = {
        name: _clean(best) or best
        for best, group in zip(most, groups, strict=True)
        for name in group
    }
    joined = [_counted(group, clips) for group in groups if len(group) > 1]
    used = {name: winner[composed[name]] for name in counts}
    said = []
    quoted = [name for name in counts if _unquoted(name) != name]
    if quoted:
        bare = used[quoted[0]]
        said.append(
            f"quotes around {column}s are left out, for example {quoted[0]} is {bare!r} "
            f"({sum(counts[name] for name in quoted):,} clips)"
        )
    if joined:
        said.append(
            f"{column}s that differ in case, blanks or dots alone are one, as it is spelt most "
            f"often: {_several(joined)}"
        )
    alike = _grouped(_added(used, counts), _likeness)
    apart = [" and ".join(map(repr, group)) for group in alike if len(group) > 1]
    if apart:
        said.append(
            f"{column}s that are spelt alike stay two: {_several(apart)}; "
            "if they are one, write them alike"
        )
    return used, said


def _added(names: Mapping[str, str], counts: Counts) -> dict[str, int]:
    """new name -> the clips of all names that it stands for."""
    clips = defaultdict[str, int](int)
    for old, new in names.items():
        clips[new] += counts[old]
    return dict(clips)


def _grouped(names: Counts, key: Callable[[str], str]) -> list[list[str]]:
    groups = defaultdict[str, list[str]](list)
    for name in sorted(names):
        groups[key(name)].append(name)
    return list(groups.values())


def _counted(group: list[str], clips: Counts) -> str:
    """ "'anger' (5 clips), 'Anger' (3)", the most frequent first."""
    ordered = sorted(group, key=lambda name: (-clips[name], name))
    first, *others = (f"{name!r} ({clips[name]:,}" for name in ordered)
    return ", ".join([f"{first} clips)", *(f"{other})" for other in others)])


def _several(groups: list[str]) -> str:
    more = f"; and {len(groups) - NAMED:,} more" if len(groups) > NAMED else ""
    return "; ".join(groups[:NAMED]) + more


def _clean(name: str) -> str:
    """A name without blanks at its ends, double ones and invisible signs."""
    seen = name if name.isascii() else "".join(sign for sign in name if category(sign) != "Cf")
    return " ".join(seen.split())


def _unquoted(name: str) -> str:
    """A name without the pairs of quotes that it stands in."""
    while (match := QUOTED.fullmatch(name)) and match["inner"].strip():
        name = match["inner"].strip()
    return name


def _key(name: str) -> str:
    """What spellings of one name have in common."""
    plain = _clean(normalize("NFC", name.lower()))
    return plain.rstrip(". ") or plain or name


def _likeness(name: str) -> str:
    """What names have in common that look alike: compatible signs, blanks and marks, zeros.

    A mark between two digits counts: 1_2 is not 12.
    """
    folded = re.sub(r"(?<=\d)\.0+$", "", normalize("NFKC", name).casefold())
    plain = MARKS.sub("", BETWEEN_DIGITS.sub(" ", folded)) or folded
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain)
