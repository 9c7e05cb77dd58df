"""The folder that the workers read: an array a stream, and the codes of the clips."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import FloatArray, Stressed

UNKNOWN = -1  # the code of a speaker who is not known


def write_data(
    folder: Path,
    table: pd.DataFrame,
    embeddings: Mapping[str, FloatArray],
    order: Sequence[str],
    stress: Mapping[str, Stressed] | None = None,
) -> None:
    """Write every stream, each clip's codes (of its emotion: its place in `order`), and the streams
    of each kind of stress, with the rows of the table that they are.
    """
    codes = {emotion: code for code, emotion in enumerate(order)}
    np.save(folder / "emotion.npy", table["emotion"].map(codes).to_numpy(np.int64))
    np.save(folder / "speaker.npy", table["speaker"].astype("category").cat.codes.to_numpy())
    _write_streams(folder, embeddings)
    for number, stressed in enumerate((stress or {}).values()):
        own = stress_folder(folder, number)
        own.mkdir()
        np.save(own / "rows.npy", stressed.rows)
        _write_streams(own, stressed.embeddings)


def _write_streams(folder: Path, embeddings: Mapping[str, FloatArray]) -> None:
    for name, rows in embeddings.items():
        np.save(folder / _file_name(name), rows)


def stress_folder(folder: Path, number: int) -> Path:
    """Where the streams of one kind of stress are."""
    return folder / f"stress-{number}"


def read_codes(folder: Path) -> tuple[IntArray, IntArray]:
    """(codes of the clips' emotions, codes of their speakers), each (clips,)."""
    return np.load(folder / "emotion.npy"), np.load(folder / "speaker.npy")


def read_rows(folder: Path) -> IntArray:
    """The rows of the table that the streams of a kind of stress are."""
    return np.load(folder / "rows.npy")


def read_streams(folder: Path, encoders: Sequence[str]) -> list[FloatArray]:
    """The streams of some encoders, mapped and not copied."""
    return [_stream(str(folder / _file_name(name))) for name in encoders]


def _file_name(label: str) -> str:
    """A label may hold any character, a file name may not."""
    return f"stream-{hashlib.sha256(label.encode()).hexdigest()[:16]}.npy"


@lru_cache(maxsize=8)
def _stream(file: str) -> FloatArray:
    return np.load(file, mmap_mode="r")
