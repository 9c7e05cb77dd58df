"""Export embeddings from a store, in formats that other programs read."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from nver.embeddings.store.clip_keys import key_clips
from nver.embeddings.store.index import open_index
from nver.embeddings.store.keys import Keys, as_keys, is_perturbed
from nver.embeddings.store.store import EmbeddingStore, EmbeddingView
from nver.encoders.base import EncoderIdentity
from nver.errors import StoreError, check_choice
from nver.machine.csv_cells import csv_line
from nver.machine.full_disk import naming_full_disk

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("npy", "csv")


@dataclass(frozen=True)
class Exported:
    """How many clips were written, how many have no embedding, and the files.

    `perturbed` is how many were left out because a stress test made them worse.
    """

    clips: int
    left_out: int
    files: tuple[Path, ...]
    perturbed: int = 0


@dataclass(frozen=True)
class _Clips:
    """The clips to export: column names, a row for each clip, and keys; and how many are not."""

    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    keys: Keys
    left_out: int = 0
    perturbed: int = 0


def export(
    store: EmbeddingStore,
    identity: EncoderIdentity,
    out: Path,
    *,
    table: "pd.DataFrame | None" = None,
    format: str = "npy",
) -> Exported:
    """Write an identity's embeddings, a row a clip, with flat memory.

    Args:
        out: for "npy" a folder, which gets embeddings.npy (clips, dim) float32 and clips.csv with
            the same rows; for "csv" a file, with the columns of the clips and then e0, e1, ...,
            in digits that read back to the same float32.
        table: the clips wanted, in this order, with all its columns; None: all stored clips, with
            their key and the name of a file of that content, if one is known. Clips that a stress
            test made worse are left out.
    """
    check_choice("format", format, FORMATS)
    view = store.view(identity)
    clips = _all_clips(view) if table is None else _clips_of(table, view)
    if not len(clips.keys):
        raise StoreError(f"{store.root}: no {identity.name} embedding of these clips to export")
    with naming_full_disk(out):
        files = (_write_npy if format == "npy" else _write_csv)(out, clips, view)
    return Exported(len(clips.keys), clips.left_out, files, clips.perturbed)


def _clips_of(table: "pd.DataFrame", view: EmbeddingView) -> _Clips:
    keys = key_clips(table, view.store).keys
    missing = view.missing(keys)
    rows = table[~missing].itertuples(index=False)
    return _Clips(list(table.columns), rows, keys[~missing], left_out=int(missing.sum()))


def _all_clips(view: EmbeddingView) -> _Clips:
    sql = (
        "SELECT v.key, min(f.path) FROM vectors v LEFT JOIN files f ON f.sha256 = v.key"
        " WHERE v.identity = ? GROUP BY v.key ORDER BY v.key"
    )
    with open_index(view.store.root) as index:
        stored = index.query(sql, [index.identity(view.identity.fingerprint)])
    found = [(key, path) for key, path in stored if not is_perturbed(key)]
    keys = as_keys([key for key, _ in found])
    rows = ((key.hex(), "" if path is None else os.fsdecode(path)) for key, path in found)
    return _Clips(["key", "file"], rows, keys, perturbed=len(view) - len(keys))


def _write_npy(out: Path, clips: _Clips, view: EmbeddingView) -> tuple[Path, ...]:
    out.mkdir(parents=True, exist_ok=True)
    part = out / "embeddings.npy.part"
    with open(part, "wb") as file:
        shape = len(clips.keys), view.identity.dim
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for batch in view.read_batches(clips.keys):
            file.write(batch.tobytes())
    rows = out / "clips.csv.part"
    with _opened(rows) as text:
        text.writelines(map(csv_line, chain([clips.columns], clips.rows)))
    os.replace(part, out / "embeddings.npy")
    os.replace(rows, out / "clips.csv")
    return out / "embeddings.npy", out / "clips.csv"


def _write_csv(out: Path, clips: _Clips, view: EmbeddingView) -> tuple[Path, ...]:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    vectors = chain.from_iterable(view.read_batches(clips.keys))
    with _opened(part) as text:
        text.write(csv_line([*clips.columns, *(f"e{i}" for i in range(view.identity.dim))]))
        for row, vector in zip(clips.rows, vectors, strict=True):
            text.write(csv_line([*row, *vector]))  # the shortest digits of the float32
    os.replace(part, out)
    return (out,)


def _opened(file: Path) -> TextIO:
    """The file, to be written; a byte of a name that is not UTF-8 is written as \\udcXX."""
    return file.open("w", newline="", encoding="utf-8", errors="backslashreplace")
