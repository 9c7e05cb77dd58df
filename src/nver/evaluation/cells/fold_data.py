"""What the workers read: a folder with one array a stream, and the clips' codes."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import FloatArray, Stressed

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = -1  # the code of a speaker who is not known


def write_data(
    folder: Path,
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    order: Sequence[str],
) -> None:
    """Write every stream, and each clip's codes: the emotion's place in `order`, the speaker's."""
    codes = {emotion: code for code, emotion in enumerate(order)}
    np.save(folder / "emotion.npy", table["emotion"].map(codes).to_numpy(np.int64))
    np.save(folder / "speaker.npy", table["speaker"].astype("category").cat.codes.to_numpy())
    for name, rows in embeddings.items():
        np.save(folder / _file_name(name), rows)


def write_stress(folder: Path, stress: Mapping[str, Stressed]) -> None:
    """Write the streams of each kind of stress, and which rows of the table they are."""
    for number, one in enumerate(stress.values()):
        own = stress_folder(folder, number)
        own.mkdir()
        np.save(own / "rows.npy", one.rows)
        for name, rows in one.embeddings.items():
            np.save(own / _file_name(name), rows)


def stress_folder(folder: Path, number: int) -> Path:
    """Where the streams of one kind of stress are."""
    return folder / f"stress-{number}"


def read_codes(folder: Path) -> tuple[IntArray, IntArray]:
    """Of every clip (its emotion's code, its speaker's)."""
    return np.load(folder / "emotion.npy"), np.load(folder / "speaker.npy")


def read_rows(folder: Path) -> IntArray:
    """Which rows of the table the streams of a kind of stress are."""
    rows: IntArray = np.load(folder / "rows.npy")
    return rows


def read_streams(folder: Path, encoders: Sequence[str]) -> list[FloatArray]:
    """The streams of some encoders, mapped and not copied."""
    return [_stream(str(folder / _file_name(name))) for name in encoders]


def _file_name(label: str) -> str:
    """A label may hold any character, a file name may not."""
    return f"stream-{hashlib.sha256(label.encode()).hexdigest()[:16]}.npy"


@lru_cache(maxsize=8)
def _stream(file: str) -> FloatArray:
    rows: FloatArray = np.load(file, mmap_mode="r")
    return rows
