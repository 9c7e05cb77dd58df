"""What a reader must know of a folder tree: classes that are no emotions, names that say more."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nver.corpora.base import Options
from nver.corpora.own.folder_layout import NAMED, Layout
from nver.corpora.own.folder_names import (
    EMOTION,
    MOST,
    OTHER,
    SPEAKERS,
    SPLITS,
    is_emotion,
    kind_of,
)
from nver.corpora.own.known_names import published_name
from nver.corpora.own.other_tables import tables_beside
from nver.corpora.own.patterns import class_hint, emotion_hint, emotion_offer, found_by
from nver.corpora.own.rows import Columns
from nver.corpora.own.speaker_hints import speaker_hint
from nver.errors import first_few

WHOLE_NAME = r"([^/]+)\.[^./]+$"


def remarks(
    root: Path, columns: Columns, layout: Layout, options: Options, *, speakers_said: bool
) -> Iterator[str]:
    """Sentences on the emotions, speakers, empty folders and tables of a tree.

    Args:
        columns: file (relative to `root`), emotion, and speaker where it is known.
        layout: as it was found or given.
        speakers_said: whether it was said already which folders may be speakers.
    """
    files, emotions = columns["file"], columns["emotion"]
    given = options["layout"] or options["emotion_pattern"]
    published = published_name(files, root)
    if published and not given:
        yield (
            f"the files are named as in {published}: `nver corpus {published} --root {root}` "
            "reads emotions and speakers from their names"
        )
    doubts = [] if options["emotion_pattern"] else list(_of_classes(files, emotions, published))
    yield from doubts
    unknown = not any(columns.get("speaker", ())) and not options["speaker_pattern"]
    if unknown and not (published or speakers_said or options["layout"] or doubts):
        if not given:
            yield from _no_known_word(files, emotions)
        yield from _speakers_in_names(files, emotions)
    yield from _empty_folders(root, files, layout)
    if not given:
        yield from tables_beside(root)


def _speakers_in_names(files: Sequence[str], emotions: Sequence[str]) -> Iterator[str]:
    """A sentence on the part of the files' names that looks like speakers, with its values."""
    names = [os.path.basename(file) for file in files]  # of the folders it is said already
    if (pattern := speaker_hint(names, emotions)) is None:
        return
    values = sorted(set(found_by(pattern, "speaker", names)) - {""})
    if kind_of(values) != EMOTION:
        yield (
            f"a part of the files' names looks like speakers ({first_few(values, NAMED)}), and is "
            f"not used; if it is: --corpus-option speaker_pattern='{pattern}'"
        )


def _of_classes(
    files: Sequence[str], emotions: Sequence[str], published: str | None
) -> Iterator[str]:
    """Sentences where the folders do not seem to be the emotions, or not all of them."""
    classes = sorted(set(emotions))
    named, kind = first_few(classes, NAMED), kind_of(classes)
    splits = [name for name in classes if name.casefold() in SPLITS]
    if splits and len(splits) < len(classes):
        yield f"the folder {splits[0]} is read as an emotion and looks like a split"
    if ready := class_hint(classes):
        yield (
            f"the folders {named} seem to say more than the emotion; if so: "
            f"--corpus-option emotion_pattern='{ready}'"
        )
    elif len(classes) == 1 or kind in (*SPEAKERS, OTHER):
        looks = "look like speakers or numbers" if kind in SPEAKERS else "are no names of emotions"
        said = f"the folders {named} {looks}"
        said = f"the folder {named} is the only emotion" if len(classes) == 1 else said
        offer = f"; where the names of the files say the emotion, {emotion_offer(files)}"
        yield said + ("" if published else offer)
    elif kind == EMOTION or published:
        return
    elif ready := emotion_hint(files) or _same_names(files, emotions):
        yield (
            f"the names of the files seem to say the emotion, and the folders {named} are read as "
            f"emotions; if so: --corpus-option emotion_pattern='{ready}', and "
            '--corpus-option layout="speaker" where the folders are speakers'
        )


def _no_known_word(files: Sequence[str], emotions: Sequence[str]) -> Iterator[str]:
    """A sentence where no folder is called after an emotion or a sound: they may be speakers."""
    classes = sorted(set(emotions))
    if not any(map(is_emotion, classes)):
        yield (
            f"the folders {first_few(classes, NAMED)} are read as emotions, and none is a known "
            "word for an emotion or a sound; if they are speakers, and the names of the files say "
            f"the emotion, {emotion_offer(files)}"
        )


def _same_names(files: Sequence[str], emotions: Sequence[str]) -> str | None:
    """The pattern of a whole name, where the same names, words and not numbers, are in nearly every
    folder.
    """
    found: dict[str, set[str]] = {}
    for file, emotion in zip(files, emotions, strict=True):
        stem = os.path.splitext(os.path.basename(file))[0].casefold()
        found.setdefault(stem, set()).add(emotion)
    most = MOST * len(set(emotions))
    often = [stem for stem, seen in found.items() if len(seen) >= most]
    words = [stem for stem in often if not any(sign.isdigit() for sign in stem)]
    return WHOLE_NAME if len(words) > 1 and len(words) >= MOST * len(found) else None


def _empty_folders(root: Path, files: Sequence[str], layout: Layout) -> Iterator[str]:
    """A sentence on the folders beside those of the emotions that hold no audio."""
    if "emotion" not in layout:
        return
    level = layout.index("emotion")
    folders = [name.split("/")[:-1] for name in files]
    parents = {tuple(own[:level]) for own in folders}
    full = {own[level] for own in folders}
    empty = sorted(
        {
            entry.name
            for parent in parents
            for entry in os.scandir(root.joinpath(*parent))
            if entry.is_dir() and not entry.name.startswith((".", "__")) and entry.name not in full
        }
    )
    if empty:
        yield (
            f"no clip was found in {first_few(empty, NAMED)}: "
            f"{'it is no emotion' if len(empty) == 1 else 'they are no emotions'}"
        )
