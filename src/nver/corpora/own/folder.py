"""A user's own corpus as folders: a folder an emotion, files in it however deep."""

import os
import re
from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import nothing_found, unreadable_rows, walk
from nver.corpora.own import own_card
from nver.corpora.own.clips import corpus_tables
from nver.corpora.own.rows import Columns
from nver.errors import CorpusError, UsageError

# The folder names that Hugging Face's audiofolder takes for splits, and the split they name.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
EXPECTED = "a folder an emotion with audio files in it"


def read_emotion_folders(root: Path, options: Options, *, splits: bool = False) -> Tables:
    """The tables of a folder in which each emotion has a folder.

    With `splits`, folders like train/ and test/ may lie above the emotions' folders.

    `speaker_pattern`: a regular expression that is searched in the path relative to `root` ("/"
    between its parts); its group `speaker`, or else its first, is the speaker.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {EXPECTED}")
    audio, unreadable = walk(root)
    if not audio:
        raise nothing_found(root, EXPECTED, unreadable)
    skipped = unreadable_rows(root, unreadable)
    columns: Columns = {"file": [], "emotion": [], "split": []}
    for name in audio:
        split, emotion = _split_and_emotion(name, splits)
        if emotion:
            columns["file"].append(name)
            columns["emotion"].append(emotion)
            columns["split"].append(split)
        else:
            file = os.path.join(os.path.abspath(root), name)
            skipped.append((file, "misnamed", "lies in no emotion's folder"))
    if not any(columns["split"]):
        del columns["split"]
    if options["speaker_pattern"]:
        columns["speaker"] = speakers_of(columns["file"], options["speaker_pattern"])
    return corpus_tables(columns, root.absolute(), options, source=root, skipped=skipped)


def _split_and_emotion(name: str, splits: bool) -> tuple[str, str]:
    """The split and the emotion that a file's folders name, "" where they name none."""
    folders = name.split("/")[:-1]
    split = SPLITS.get(folders[0].lower(), "") if splits and folders else ""
    inner = folders[1:] if split else folders
    return split, inner[0] if inner else ""


def speakers_of(names: list[str], pattern: str) -> list[str]:
    """The speaker of each file, "" where the pattern does not fit.

    Raises:
        UsageError: it is not a regular expression, has no group, or fits no file at all.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"speaker_pattern {pattern!r} is no regular expression: {error}") from None
    if not compiled.groups:
        raise UsageError(f"speaker_pattern {pattern!r} has no group (...) for the speaker")
    group: str | int = "speaker" if "speaker" in compiled.groupindex else 1
    found = (compiled.search(name) for name in names)
    speakers = [(match and match[group]) or "" for match in found]
    if names and not any(speakers):
        raise UsageError(f"speaker_pattern {pattern!r} fits no file, for example not {names[0]!r}")
    return speakers


FOLDER = own_card(
    name="folder",
    title="Your own: a folder an emotion",
    read=read_emotion_folders,
    options={"speaker_pattern": None},
)
