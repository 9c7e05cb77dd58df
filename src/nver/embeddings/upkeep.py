"""Looking after a store: what is in it, and whether it is whole."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nver.embeddings.index import FILE_NAME, NOT_THERE, open_index
from nver.embeddings.keys import PERTURBED
from nver.embeddings.shards import faults_of, open_shard
from nver.embeddings.store import SHARDS, EmbeddingStore

DAMAGED = "damaged"  # the folder for shards set aside


@dataclass(frozen=True)
class IdentityStats:
    """What a store holds of one encoder identity; `bytes` of its shards on disk.

    `perturbed` of the rows are of clips that a stress test made worse.
    """

    fingerprint: str
    identity: dict[str, Any]
    rows: int
    perturbed: int
    shards: int
    bytes: int


@dataclass(frozen=True)
class Verification:
    """What `verify` looked at and found: no fault, and the store is whole.

    `damaged` are the shards that cannot be used; a fault names its file.
    """

    shards: int
    rows: int
    faults: tuple[str, ...]
    damaged: tuple[Path, ...]


def stats(store: EmbeddingStore) -> list[IdentityStats]:
    """One entry an identity, sorted by encoder name."""
    sql = (
        "SELECT i.fingerprint, i.json, (SELECT count(*) FROM vectors v WHERE v.identity = i.id),"
        " (SELECT count(*) FROM vectors v WHERE v.identity = i.id AND substr(v.key, ?) = ?),"
        " count(*), sum(s.bytes) FROM identities i JOIN shards s ON s.identity = i.id GROUP BY i.id"
    )
    with open_index(store.root) as index:
        rows = index.query(sql, [-len(PERTURBED), PERTURBED])
    found = [IdentityStats(p, json.loads(text), *counts) for p, text, *counts in rows]
    return sorted(found, key=lambda s: (s.identity["name"], s.fingerprint))


def verify(store: EmbeddingStore, *, show_progress_bar: bool = False) -> Verification:
    """Read every shard, compare its checksum, and compare the index with it."""
    from tqdm import tqdm

    faults, damaged = list(_index_faults(store)), []
    entries = _entries(store)
    for entry in tqdm(entries, unit="shard", disable=None if show_progress_bar else True):
        path = store.root / SHARDS / entry.file
        found = faults_of(path)
        if found:
            damaged.append(path)
        else:
            found = list(_entry_faults(store, path, entry))
        faults += found
    for file in store.unknown_shards():
        path = store.root / SHARDS / file
        found = faults_of(path)
        if found and path.exists():
            faults += found
            damaged.append(path)
    entered = sum(entry.entered for entry in entries)
    return Verification(len(entries), entered, tuple(faults), tuple(damaged))


class _Entry(NamedTuple):
    """What the index says of a shard; `entered` is how many clips it sends there."""

    number: int
    file: str
    rows: int
    fingerprint: str
    identity: str
    entered: int


def _entries(store: EmbeddingStore) -> list[_Entry]:
    """In one statement, and so of one moment, while others write."""
    sql = (
        "SELECT s.id, s.file, s.rows, i.fingerprint, i.json, coalesce(v.entered, 0) FROM shards s"
        " JOIN identities i ON i.id = s.identity LEFT JOIN"
        " (SELECT shard, count(*) AS entered FROM vectors GROUP BY shard) v ON v.shard = s.id"
    )
    with open_index(store.root) as index:
        return [_Entry(*row) for row in index.query(sql)]


def _index_faults(store: EmbeddingStore) -> Iterator[str]:
    path = store.root / FILE_NAME
    lost = "SELECT count(*) FROM vectors WHERE shard NOT IN (SELECT id FROM shards)"
    with open_index(store.root) as index:
        for (said,) in index.query("PRAGMA integrity_check"):
            if said != "ok":
                yield f"{path}: {said}"
        ((count,),) = index.query(lost)
    if count:
        yield f"{path}: {count} rows of shards that it does not know"


def _entry_faults(store: EmbeddingStore, path: Path, entry: _Entry) -> Iterator[str]:
    """Whether the index says of a whole shard what is in it. A key may lie in several shards."""
    shard = open_shard(path)
    if (shard.rows, shard.identity) != (entry.rows, entry.identity):
        yield f"{path}: the index has other facts of it ({entry.rows} rows, {entry.identity})"
        return
    with open_index(store.root) as index:
        places = index.places(entry.fingerprint, shard.keys())
    absent = int((places[:, 0] == NOT_THERE).sum())
    mine = np.flatnonzero(places[:, 0] == entry.number)
    if absent or len(mine) != entry.entered or (places[mine, 1] != mine).any():
        yield f"{path}: its {entry.rows} rows are not as the index has them"


def repair(store: EmbeddingStore, found: Verification) -> list[Path]:
    """Set damaged shards aside and make the index again; where the damaged ones lie now.

    The next extraction computes what was in them.
    """
    aside = []
    for path in found.damaged:
        if path.exists():
            aside.append(store.root / DAMAGED / path.name)
            aside[-1].parent.mkdir(exist_ok=True)
            os.replace(path, aside[-1])
    if found.faults:
        forget_shards(store)
        store.open()
    return aside


def forget_shards(store: EmbeddingStore) -> None:
    """Empty the index, but for the hashes of files; opening the store fills it again."""
    with open_index(store.root) as index, index.transaction():
        for table in ("vectors", "shards", "identities"):
            index.connection.execute(f"DELETE FROM {table}")
