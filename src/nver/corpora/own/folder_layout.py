"""What each level of a folder tree names: by the option `layout`, or found where it is evident."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from nver.corpora.own.folder_names import (
    EMOTION,
    MOST,
    OTHER,
    SPEAKERS,
    SPLIT,
    STRONG,
    UNKNOWN,
    WEAK,
    is_emotion,
    kind_of,
)
from nver.errors import UsageError, check_choice, first_few

LEVELS = ("emotion", "speaker", "split", "*")  # what `layout` may call a level; "*": nothing
FILE = "file"  # may end a layout
DEEPER = "it lies a level deeper than other files, in"  # begins why a file is left out
NAMED = 3  # folders in a sentence (our choice)
Layout = tuple[str, ...]  # from the root down, of `LEVELS`
Folders = tuple[str, ...]  # that a file lies in, from the root down


class Found(NamedTuple):
    """The layout of a tree.

    `said`: sentences on what was taken for what; `offered`: on folders that may be speakers.
    """

    layout: Layout
    said: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


def parse_layout(text: str, *, emotion_elsewhere: bool) -> Layout:
    """The levels of "speaker/emotion" or "speaker/emotion/file".

    Raises:
        UsageError: a level is unknown or there twice, or none is the emotion.
    """
    if not isinstance(text, str):
        raise UsageError(f'layout is a text such as "speaker/emotion"; got {text!r}')
    levels = tuple(part.strip() for part in text.strip("/ ").split("/"))
    levels = levels[:-1] if levels[-1] == FILE else levels
    for level in levels:
        check_choice("level of a layout", level, LEVELS)
    twice = [level for level in LEVELS if level != "*" and levels.count(level) > 1]
    if twice:
        raise UsageError(f"layout {text!r} has the level {twice[0]} twice")
    if ("emotion" in levels) == emotion_elsewhere:
        raise UsageError(
            f"layout {text!r} has no level emotion; add it, or give emotion_pattern"
            if not emotion_elsewhere
            else f"layout {text!r} has a level emotion, and emotion_pattern finds it too; give one"
        )
    return levels


def level_of(layout: Layout, name: str, folders: Folders) -> str:
    """What a file's folders say of `name` (a level), "" where they say nothing."""
    place = layout.index(name) if name in layout else len(folders)
    return folders[place] if place < len(folders) else ""


def deeper_emotions(files: Sequence[str], layout: Layout) -> dict[str, str]:
    """file -> why it is not used, where an emotion of other files is on a deeper level than theirs.

    Of dan/session1/laugh/1.wav beside ann/laugh/1.wav, session1 would be read as an emotion.
    """
    folders = {file: tuple(file.split("/")[:-1]) for file in files}
    found = {file: level_of(layout, "emotion", own) for file, own in folders.items()}
    known = {name.casefold() for name in found.values() if is_emotion(name)}
    place = layout.index("emotion")
    below = {
        file: next((name for name in own[place + 1 :] if name.casefold() in known), "")
        for file, own in folders.items()
        if not is_emotion(found[file])
    }
    return {
        file: f"{DEEPER} {found[file]}, and {name} is an emotion elsewhere"
        for file, name in below.items()
        if name
    }


def find_layout(files: Sequence[Folders], *, emotions: bool, speakers: bool) -> Found:
    """The layout of a tree by the names of its folders.

    The emotions are the first level with names of emotions; without any, the first that does not
    look like splits, speakers, sessions or takes, and recurs below each of those. Speakers are a
    level that is called so, or one of unknown names that recur with every emotion.

    Args:
        emotions, speakers: whether the folders are to say them, or patterns find them.
    """
    tree = _Tree(files)
    first = tree.prefix()
    emotion = tree.emotion_level(first) if emotions else None
    speaker = tree.speaker_level(first, emotion) if speakers else None
    length = max((n for n in (emotion, speaker) if n is not None), default=-1) + 1
    names = {emotion: "emotion", speaker: "speaker"}
    layout = tuple(
        "split" if n < first and tree.kinds[n] == SPLIT else names.get(n, "*")
        for n in range(length)
    )
    offered = _offered(tree, first, emotion) if speakers and speaker is None else ()
    said = (*_said(tree, layout), *_emotions_below(tree, emotion))
    return Found(layout, said, tuple(offered))


class _Tree:
    """The levels of a tree: their names in the order of the files, and the kinds of the names."""

    def __init__(self, files: Sequence[Folders]) -> None:
        self.files = files
        deep = max(map(len, files), default=0)
        reached = [sum(len(own) > n for own in files) for n in range(deep)]
        self.depth = sum(count >= MOST * len(files) for count in reached)
        self.names = [
            list(dict.fromkeys(own[n] for own in files if len(own) > n)) for n in range(deep)
        ]
        self.kinds = [kind_of(names) for names in self.names]

    def kind(self, level: int) -> str:
        """Of a level that no file reaches, `UNKNOWN`."""
        return self.kinds[level] if level < len(self.kinds) else UNKNOWN

    def prefix(self) -> int:
        """The first level that is not a split, and not a lone folder around all others."""
        for n, (names, kind) in enumerate(zip(self.names, self.kinds, strict=True)):
            lone = len(names) == 1 and kind in (UNKNOWN, OTHER) and n + 1 < self.depth
            if kind != SPLIT and not lone:
                return n
        return len(self.names)

    def emotion_level(self, first: int) -> int:
        levels = range(first, self.depth)
        known = next((n for n in levels if self.kinds[n] == EMOTION), None)
        above = range(first, first if known is None else known)
        if known is not None and all(
            self.kinds[n] in (*SPEAKERS, OTHER) or self.recurs(n, n + 1) for n in above
        ):
            return known
        unknown = next((n for n in levels if self.kinds[n] == UNKNOWN), first)
        recurring = all(self.recurs(a, b) for a, b in pairwise(range(first, unknown + 1)))
        return unknown if recurring else first

    def speaker_level(self, first: int, emotion: int | None) -> int | None:
        others = [n for n in range(first, self.depth) if n != emotion]
        strong = [n for n in others if self.kinds[n] == STRONG]
        weak = [
            n
            for n in others
            if self.kinds[n] == WEAK and self._crosses(n, emotion) and not self._counts(n, emotion)
        ]
        unknown = [n for n in others if self.kinds[n] == UNKNOWN and self._crosses(n, emotion)]
        sure = emotion is not None and self.kind(emotion) == EMOTION
        doubtful = emotion is not None and self.kind(emotion) in SPEAKERS
        for fitting in (strong, () if doubtful else weak, unknown if sure else ()):
            if fitting:
                return fitting[0] if len(fitting) == 1 else None
        return None

    def _crosses(self, level: int, emotion: int | None) -> bool:
        """Whether these folders go through the emotions, or the emotions through them."""
        return emotion is None or self.recurs(*sorted((level, emotion)))

    def _counts(self, level: int, emotion: int | None) -> bool:
        """Whether these are numbers below the emotions with a file each: takes, not speakers."""
        if emotion is None or level < emotion or not all(map(str.isdecimal, self.names[level])):
            return False
        places = [own[: level + 1] for own in self.files if len(own) > level]
        return len(set(places)) == len(places)

    def recurs(self, upper: int, lower: int) -> bool:
        """Whether most names of the lower level are below several of the upper level."""
        if len(self.names[upper]) < 2:
            return False
        pairs = {(own[upper], own[lower]) for own in self.files if len(own) > lower}
        below = Counter(name for _, name in pairs)
        return sum(count > 1 for count in below.values()) * 2 > len(below)

    def named(self, level: int) -> str:
        names = sorted(self.names[level]) if level < len(self.names) else ()
        return first_few(names, NAMED) or "missing"


def _said(tree: _Tree, layout: Layout) -> list[str]:
    """A sentence where the layout is more than a folder an emotion."""
    if not set(layout) - {"emotion"}:
        return []
    levels = [f"{level} is {tree.named(n)}" for n, level in enumerate(layout)]
    said = f"the folders are read as {'/'.join([*layout, FILE])}: {'; '.join(levels)}"
    if "split" in layout:
        said += "; the split is kept as a column, and folds are made over all clips"
    other = "/".join("*" if level == "speaker" else level for level in layout)
    example = other if other != "/".join(layout) else "emotion"
    return [f'{said}; if not, for example --corpus-option layout="{example}"']


def _emotions_below(tree: _Tree, emotion: int | None) -> list[str]:
    """A sentence where a level of unknown names is read as the emotions, and a lower one is not."""
    if emotion is None or tree.kind(emotion) == EMOTION:
        return []
    below = range(emotion + 1, len(tree.names))
    return [
        f"the folders {tree.named(emotion)} are read as emotions, and {tree.named(n)} look like "
        f'emotions; if they are: --corpus-option layout="{"/".join(["*"] * n)}/emotion"'
        for n in below
        if tree.kinds[n] == EMOTION
    ]


def _offered(tree: _Tree, first: int, emotion: int | None) -> list[str]:
    """Sentences on levels that may be speakers, where none was taken for them."""
    said = []
    sure = emotion is None or tree.kind(emotion) == EMOTION
    for n in range(first, len(tree.names)):
        if n == emotion or not _may_be_speakers(tree, n, emotion):
            continue
        levels = ["*"] * (max(n, emotion or 0) + 1)
        levels[n] = "speaker"
        if emotion is not None:
            levels[emotion] = "emotion"
        other = "/".join(_EXCHANGED.get(level, level) for level in levels)
        said.append(
            f"the folders {tree.named(n)} may be speakers, and are not used; if they are: "
            f'--corpus-option layout="{"/".join(levels)}"'
            + ("" if sure else f'; if they are emotions: layout="{other}"')
        )
    return said


_EXCHANGED = {"emotion": "speaker", "speaker": "emotion"}


def _may_be_speakers(tree: _Tree, level: int, emotion: int | None) -> bool:
    if tree.kinds[level] in SPEAKERS:
        return True
    unknown = tree.kinds[level] == UNKNOWN and len(tree.names[level]) > 1
    return unknown and (emotion is None or tree.recurs(*sorted((level, emotion))))
