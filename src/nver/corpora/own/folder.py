"""A user's own corpus as folders: a folder an emotion, or another layout; files however deep."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip, nothing_found, unreadable_rows, walk
from nver.corpora.own import own_card
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.folder_layout import (
    DEEPER,
    Found,
    Layout,
    deeper_emotions,
    find_layout,
    level_of,
    parse_layout,
)
from nver.corpora.own.folder_names import SPLITS
from nver.corpora.own.folder_remarks import remarks
from nver.corpora.own.patterns import emotion_offer, found_by
from nver.corpora.own.rows import Columns
from nver.errors import CorpusError, UsageError

EXPECTED = "a folder an emotion with audio files in it"
OPTIONS = {"layout": None, "speaker_pattern": None, "emotion_pattern": None}


def read_emotion_folders(root: Path, options: Options) -> Tables:
    """The tables of a folder in which folders, or the files' names, say the emotion.

    `layout`: what each level of folders is, from the root down: "emotion", "speaker", "split" or
    "*" for anything else, for example "speaker/emotion"; without it the layout is found where it
    is evident, and a warning says what was taken for what.

    `speaker_pattern`, `emotion_pattern`: regular expressions that are searched in the path
    relative to `root` ("/" between its parts); the group `speaker` or `emotion`, or else the
    first, is the speaker or the emotion.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {EXPECTED}")
    audio, unreadable = walk(root)
    if not audio:
        raise nothing_found(root, EXPECTED, unreadable)
    layout, said, offered = _layout_of(audio, options)
    columns, misnamed = _columns(root, audio, layout, options)
    if not columns["file"]:
        raise CorpusError(
            f"{root}: no clip found; expected {'/'.join([*layout, 'file'])}, for example not "
            f"{audio[0]!r}; where the names of the files say the emotion, {emotion_offer(audio)}"
        )
    skipped = [*unreadable_rows(root, unreadable), *misnamed]
    said = (*said, *_left_out(misnamed))
    tables = corpus_tables(columns, root.absolute(), options, source=root, skipped=skipped)
    more = remarks(root, columns, layout, options, speakers_said=bool(offered))
    return tables._replace(warnings=(*said, *offered, *more, *tables.warnings))


def has_emotion_folders(root: Path) -> bool:
    """Whether the audio files below a folder lie in folders of at least two emotions."""
    nested = [folders for name in walk(root)[0] if (folders := _folders(name))]
    layout = find_layout(nested, emotions=True, speakers=True).layout
    return len({level_of(layout, "emotion", folders) for folders in nested} - {""}) > 1


@contextmanager
def or_folders(root: Path) -> Iterator[None]:
    """Say, where a table in a folder cannot be read, that the folders there can."""
    try:
        yield
    except CorpusError as error:
        if not root.is_dir() or not has_emotion_folders(root):
            raise
        raise CorpusError(f"{error}; give form='folder' to read the folders there") from error


def _layout_of(audio: Sequence[str], options: Options) -> Found:
    """The layout that is given, or found by the names of the folders."""
    by_pattern = {what: bool(options[f"{what}_pattern"]) for what in ("emotion", "speaker")}
    if options["layout"] is None:
        nested = [folders for name in audio if (folders := _folders(name))]
        return find_layout(
            nested, emotions=not by_pattern["emotion"], speakers=not by_pattern["speaker"]
        )
    layout = parse_layout(options["layout"], emotion_elsewhere=by_pattern["emotion"])
    if "speaker" in layout and by_pattern["speaker"]:
        raise UsageError(
            f"layout {options['layout']!r} has a level speaker, and speaker_pattern finds it too; "
            "give one"
        )
    return Found(layout)


def _columns(
    root: Path, audio: Sequence[str], layout: Layout, options: Options
) -> tuple[Columns, list[Skip]]:
    """The columns of the files that have an emotion, and why the others have none."""
    levels = ["emotion", *(level for level in ("speaker", "split") if level in layout)]
    found = {level: [level_of(layout, level, _folders(name)) for name in audio] for level in levels}
    if "split" in found:
        found["split"] = [SPLITS.get(name.casefold(), name) for name in found["split"]]
    why = f"lies in no folder of an emotion ({'/'.join([*layout, 'file'])})"
    deeper: dict[str, str] = {}
    if options["layout"] is None and "emotion" in layout:
        deeper = deeper_emotions(audio, layout)
        found["emotion"] = [
            "" if name in deeper else emotion
            for name, emotion in zip(audio, found["emotion"], strict=True)
        ]
    for what in ("emotion", "speaker"):
        if pattern := options[f"{what}_pattern"]:
            found[what] = found_by(pattern, what, audio)
    if options["emotion_pattern"]:
        why = f"emotion_pattern {options['emotion_pattern']!r} does not fit"
    kept = [place for place, emotion in enumerate(found["emotion"]) if emotion]
    columns = {level: [values[place] for place in kept] for level, values in found.items()}
    misnamed = [
        (os.path.join(os.path.abspath(root), name), "misnamed", deeper.get(name, why))
        for name, emotion in zip(audio, found["emotion"], strict=True)
        if not emotion
    ]
    return {"file": [audio[place] for place in kept], **columns}, misnamed


def _left_out(misnamed: Sequence[Skip]) -> Iterator[str]:
    """A sentence on the files whose folders name the emotion on a deeper level than others."""
    deeper = [(file, why) for file, _, why in misnamed if why.startswith(DEEPER)]
    if deeper:
        file, why = deeper[0]
        many = f"{len(deeper):,} files are" if len(deeper) > 1 else "one file is"
        yield (
            f"{many} left out, for example {file}: {why}; give every file the same levels of "
            "folders, or --corpus-option emotion_pattern"
        )


def _folders(name: str) -> tuple[str, ...]:
    """The folders that a file lies in, from the root down."""
    return tuple(name.split("/")[:-1])


FOLDER = own_card(
    name="folder",
    title="Your own: folders of recordings",
    read=read_emotion_folders,
    options=OPTIONS,
)
