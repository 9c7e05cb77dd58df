"""What a reader must know of a folder tree: classes that are no emotions, names that say more."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nver.corpora.base import Options
from nver.corpora.own.folder_layout import NAMED, Layout
from nver.corpora.own.folder_names import EMOTION, MOST, SPEAKERS, kind_of
from nver.corpora.own.known_names import published_name
from nver.corpora.own.other_tables import tables_beside
from nver.corpora.own.patterns import class_hint, emotion_hint
from nver.corpora.own.rows import Columns
from nver.corpora.own.speaker_hints import speaker_hint
from nver.errors import first_few


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
    published = published_name(files, root)
    if published:
        yield (
            f"the files are named as in {published}: `nver corpus {published} --root {root}` "
            "reads emotions and speakers from their names"
        )
    if not options["emotion_pattern"]:
        yield from _of_classes(files, emotions, known=published is not None)
    unknown = not any(columns.get("speaker", ())) and not options["speaker_pattern"]
    if unknown and not (published or speakers_said or options["layout"]):
        if pattern := speaker_hint(files, emotions):
            yield (
                "a part of the paths looks like speakers, and is not used: give the option "
                f"speaker_pattern={pattern!r} if it is"
            )
    yield from _empty_folders(root, files, layout)
    if options["layout"] is None and not options["emotion_pattern"]:
        yield from tables_beside(root)


def _of_classes(files: Sequence[str], emotions: Sequence[str], *, known: bool) -> Iterator[str]:
    """A sentence where the folders do not seem to be emotions."""
    classes = sorted(set(emotions))
    named, kind = first_few(classes, NAMED), kind_of(classes)
    ready = class_hint(classes)
    if kind != EMOTION and not known:
        ready = ready or emotion_hint(files)
    offer = f": give the option emotion_pattern={ready!r}" if ready else ""
    if kind in SPEAKERS and len(classes) > 1:
        otherwise = "; the options emotion_pattern or layout say where the emotions are"
        yield f"the folders {named} are read as emotions and look like speakers{offer or otherwise}"
    elif len(classes) == 1:
        otherwise = "; nver expects a folder an emotion, or the option emotion_pattern or layout"
        yield f"there is one emotion only, {named}{offer or otherwise}"
    elif ready:
        yield f"the names of files or folders say more than the emotions {named}{offer}"
    elif kind != EMOTION and (same := _same_names(files, emotions)):
        yield (
            f"the folders {named} are read as emotions and hold files of the same names, {same}: "
            "if the names are the emotions, give the option emotion_pattern"
            r"='([^/]+)\.[^./]+$' and layout=\"speaker\""
        )


def _same_names(files: Sequence[str], emotions: Sequence[str]) -> str:
    """The file names that recur in nearly every folder, where they are words and not numbers."""
    stems: dict[str, set[str]] = {}
    for file, emotion in zip(files, emotions, strict=True):
        stem = os.path.splitext(os.path.basename(file))[0].casefold()
        stems.setdefault(stem, set()).add(emotion)
    often = [stem for stem, seen in stems.items() if len(seen) >= MOST * len(set(emotions))]
    words = [stem for stem in often if not any(sign.isdigit() for sign in stem)]
    enough = len(words) > 1 and len(words) >= MOST * len(stems)
    return first_few(sorted(words), NAMED) if enough else ""


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
