"""Embeddings out of a store, in forms that other programs read."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nver.embeddings.store.clip_keys import key_clips
from nver.embeddings.store.index import open_index
from nver.embeddings.store.keys import KEY_BYTES, Keys, as_keys, is_perturbed
from nver.embeddings.store.shards import FloatArray
from nver.embeddings.store.store import BATCH_ROWS, EmbeddingStore, EmbeddingView
from nver.encoders.base import EncoderIdentity
from nver.errors import StoreError, unknown_name

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
        table: the clips wanted, in this order, with all its columns; None: all that are stored,
            with their key and the name of a file of that content, where one is known. Clips that
            a stress test made worse are left out.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    view = store.view(identity)
    if table is None:
        header, rows, keys = _all_clips(view)
        left_out, perturbed = 0, len(view) - len(keys)
    else:
        clips = key_clips(table, store)
        there = ~view.missing(clips.keys)
        header, keys, perturbed = list(table.columns), clips.keys[there], 0
        rows, left_out = table[there].itertuples(index=False), int((~there).sum())
    if not len(keys):
        raise StoreError(f"{store.root}: no {identity.name} embedding of these clips to export")
    write = _write_npy if format == "npy" else _write_csv
    return Exported(len(keys), left_out, write(out, header, rows, keys, view), perturbed)


def _all_clips(view: EmbeddingView) -> tuple[list[str], Iterator[Sequence[object]], Keys]:
    sql = (
        "SELECT v.key, min(f.path) FROM vectors v LEFT JOIN files f ON f.sha256 = v.key"
        " WHERE v.identity = ? GROUP BY v.key ORDER BY v.key"
    )
    with open_index(view.store.root) as index:
        stored = index.query(sql, [index.identity(view.identity.fingerprint)])
    found = [(key, path) for key, path in stored if not is_perturbed(key)]
    keys = as_keys([key for key, _ in found]).reshape(-1, KEY_BYTES)
    rows = ((key.hex(), "" if path is None else os.fsdecode(path)) for key, path in found)
    return ["key", "file"], rows, keys


def _write_npy(
    out: Path,
    header: Sequence[str],
    rows: Iterator[Sequence[object]],
    keys: Keys,
    view: EmbeddingView,
) -> tuple[Path, ...]:
    out.mkdir(parents=True, exist_ok=True)
    part = out / "embeddings.npy.part"
    with open(part, "wb") as file:
        shape = {"descr": "<f4", "fortran_order": False, "shape": (len(keys), view.identity.dim)}
        np.lib.format.write_array_header_1_0(file, shape)
        for batch in view.read_batches(keys):
            file.write(batch.tobytes())
    os.replace(part, out / "embeddings.npy")
    with open(out / "clips.csv", "w", newline="", encoding="utf-8") as text:
        csv.writer(text, lineterminator="\n").writerows(chain([header], rows))
    return out / "embeddings.npy", out / "clips.csv"


def _write_csv(
    out: Path,
    header: Sequence[str],
    rows: Iterator[Sequence[object]],
    keys: Keys,
    view: EmbeddingView,
) -> tuple[Path, ...]:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    vectors = chain.from_iterable(view.read_batches(keys, BATCH_ROWS))
    with open(part, "w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*header, *(f"e{i}" for i in range(view.identity.dim))])
        writer.writerows(
            [*row, *_digits(vector)] for row, vector in zip(rows, vectors, strict=True)
        )
    os.replace(part, out)
    return (out,)


def _digits(vector: FloatArray) -> list[str]:
    """The shortest digits that read back to the same float32."""
    return [str(value) for value in vector]
