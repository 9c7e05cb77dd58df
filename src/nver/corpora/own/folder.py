"""A person's own corpus as folders: a folder an emotion, files in it however deep."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora.base import CorpusCard
from nver.corpora.file_tree import Skip, foreign_rows, nothing_found, walk
from nver.corpora.own.clips import Roles, clips_of
from nver.corpora.own.table import OWN
from nver.errors import CorpusError, UsageError

if TYPE_CHECKING:
    import pandas as pd

# The folder names that Hugging Face's audiofolder takes for splits, and the split they name.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
EXPECTED = "a folder an emotion with audio files in it"


def read_folder(root: Path, options: Mapping[str, Any]) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """(table, skipped); the first folder of a path is the emotion.

    `speaker_pattern`: a regular expression that is searched in the path relative to `root` ("/"
    between its parts); its group `speaker`, or else its first, is the speaker.
    """
    return read_classes(root, options, splits=False)


def read_classes(
    root: Path, options: Mapping[str, Any], *, splits: bool
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """As `read_folder`; with `splits`, folders like train/ and test/ may lie above the classes."""
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder with {EXPECTED}")
    audio, foreign = walk(root)
    if not audio:
        raise nothing_found(root, EXPECTED, foreign)
    skipped = foreign_rows(root, foreign)
    columns: dict[str, list[str]] = {"file": [], "emotion": [], "split": []}
    for name in audio:
        split, emotion = _place_of(name, splits)
        if emotion:
            columns["file"].append(name)
            columns["emotion"].append(emotion)
            columns["split"].append(split)
        else:
            skipped.append(_stray(root, name))
    if not any(columns["split"]):
        del columns["split"]
    if options["speaker_pattern"]:
        columns["speaker"] = speakers_by(options["speaker_pattern"], columns["file"])
    return clips_of(columns, root.absolute(), roles=Roles(), source=root, skipped=skipped)


def _place_of(name: str, splits: bool) -> tuple[str, str]:
    """(split, emotion) of a file, "" where it has none."""
    folders = name.split("/")[:-1]
    split = SPLITS.get(folders[0].lower(), "") if splits and folders else ""
    inner = folders[1:] if split else folders
    return split, inner[0] if inner else ""


def _stray(root: Path, name: str) -> Skip:
    file = os.path.join(os.path.abspath(root), name)
    return file, "misnamed", "lies in no emotion's folder"


def speakers_by(pattern: str, names: list[str]) -> list[str]:
    """The speaker of each file, "" where the pattern does not fit; it has to fit somewhere."""
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


FOLDER = CorpusCard(
    name="folder",
    title="Your own: a folder an emotion",
    citation=OWN,
    licence=OWN,
    url=OWN,
    read=read_folder,
    options={"speaker_pattern": None},
)
