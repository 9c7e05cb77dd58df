"""Upkeep of a store: statistics, verification, repair, and garbage collection."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nver.embeddings.store.index import FILE_NAME, NOT_THERE, Index, Places, ShardEntry, open_index
from nver.embeddings.store.keys import PERTURBED
from nver.embeddings.store.shards import Shard, faults_of, open_shard, write_shard
from nver.embeddings.store.store import EmbeddingStore, identity_values
from nver.encoders.base import EncoderIdentity
from nver.machine.counting import counted

DAMAGED = "damaged"  # the folder for shards set aside
TEMPORARY_S = 3600.0  # a temporary file lives for milliseconds; an old one's process was killed
MERGED_BYTES = 32 * 2**20  # small shards are merged up to this size (our choice)


@dataclass(frozen=True)
class IdentityStats:
    """What a store holds of one encoder identity.

    `perturbed` of the rows belong to clips that a stress test made worse; `bytes` is the size of
    the shards on disk.
    """

    fingerprint: str
    identity: dict[str, Any]
    rows: int
    perturbed: int
    shards: int
    bytes: int


@dataclass(frozen=True)
class Verification:
    """What `verify` read and found; a store without faults is whole.

    Each fault is a sentence that names a file; `damaged` are the shards that cannot be used.
    """

    shards: int
    rows: int
    faults: tuple[str, ...]
    damaged: tuple[Path, ...]


@dataclass(frozen=True)
class Cleanup:
    """What `collect_garbage` did: files and bytes removed, identities dropped, shards merged."""

    files: int
    bytes: int
    identities: tuple[str, ...]
    merged: int


def stats(store: EmbeddingStore) -> list[IdentityStats]:
    """The statistics of each identity, sorted by encoder name."""
    sql = (
        "SELECT i.fingerprint, i.json, (SELECT count(*) FROM vectors v WHERE v.identity = i.id),"
        " (SELECT count(*) FROM vectors v WHERE v.identity = i.id AND substr(v.key, ?) = ?),"
        " count(*), sum(s.bytes) FROM identities i JOIN shards s ON s.identity = i.id GROUP BY i.id"
    )
    with open_index(store.root) as index:
        rows = index.query(sql, [-len(PERTURBED), PERTURBED])
    found = [IdentityStats(p, identity_values(text), *counts) for p, text, *counts in rows]
    return sorted(found, key=lambda s: (s.identity["name"], s.fingerprint))


# --- verification


class _Recorded(NamedTuple):
    """What the index says of a shard; `clips` is how many clips have their vector in it."""

    number: int
    file: str
    rows: int
    identity: str
    clips: int


def verify(store: EmbeddingStore, *, show_progress_bar: bool = False) -> Verification:
    """Read every shard, and compare it with its checksum and with the index."""
    faults, damaged = list(_index_faults(store)), []
    recorded = _recorded_shards(store)
    for entry in counted(recorded, "verify", len(recorded), "shard", show_progress_bar):
        path = store.shards / entry.file
        found = faults_of(path)
        if found:
            damaged.append(path)
        else:
            found = list(_disagreements(store, path, entry))
        faults += found
    for file in store.unknown_shards():
        path = store.shards / file
        found = faults_of(path)
        if found and path.exists():
            faults += found
            damaged.append(path)
    clips = sum(entry.clips for entry in recorded)
    return Verification(len(recorded), clips, tuple(faults), tuple(damaged))


def _recorded_shards(store: EmbeddingStore) -> list[_Recorded]:
    """One SQL statement reads the state of one moment, while others write."""
    sql = (
        "SELECT s.id, s.file, s.rows, i.json, coalesce(v.clips, 0) FROM shards s"
        " JOIN identities i ON i.id = s.identity LEFT JOIN"
        " (SELECT shard, count(*) AS clips FROM vectors GROUP BY shard) v ON v.shard = s.id"
    )
    with open_index(store.root) as index:
        return [_Recorded(*row) for row in index.query(sql)]


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


def _disagreements(store: EmbeddingStore, path: Path, entry: _Recorded) -> Iterator[str]:
    """Where the index differs from a whole shard. A key may lie in several shards."""
    shard = open_shard(path)
    if (shard.rows, shard.identity) != (entry.rows, entry.identity):
        yield f"{path}: the index records {entry.rows} rows of {entry.identity}"
        return
    places = _places_of(store, shard)
    absent = int((places[:, 0] == NOT_THERE).sum())
    rows = np.flatnonzero(places[:, 0] == entry.number)
    if absent or len(rows) != entry.clips or (places[rows, 1] != rows).any():
        yield f"{path}: its {entry.rows} rows are not as the index has them"


def _places_of(store: EmbeddingStore, shard: Shard) -> Places:
    """Where the index finds the keys of a shard, in it or in others."""
    with open_index(store.root) as index:
        return index.places(shard.fingerprint, shard.keys())


def repair(store: EmbeddingStore, found: Verification) -> list[Path]:
    """Set damaged shards aside and make the index again; return where the damaged shards are now.

    The hashes of files stay in the index. The next extraction computes what the damaged shards had.
    """
    aside = []
    for path in found.damaged:
        if path.exists():
            aside.append(store.root / DAMAGED / path.name)
            aside[-1].parent.mkdir(exist_ok=True)
            os.replace(path, aside[-1])
    if found.faults:
        with open_index(store.root) as index, index.transaction():
            for table in ("vectors", "shards", "identities"):
                index.connection.execute(f"DELETE FROM {table}")
        store.open()
    return aside


# --- garbage collection


def collect_garbage(
    store: EmbeddingStore, drop: Sequence[EncoderIdentity] = (), *, superseded: bool = False
) -> Cleanup:
    """Remove files that nobody can use, and merge small shards. Extraction may go on meanwhile.

    Args:
        drop: identities whose embeddings are not wanted any more.
        superseded: drop also what an older version of an encoder's code computed, if the store has
            embeddings of a newer version.
    """
    unwanted = {identity.fingerprint for identity in drop}
    if superseded:
        unwanted |= _superseded(store)
    files, size = _size(store.root)
    for fingerprint in unwanted:
        _drop(store, fingerprint)
    merged = sum(_merge_small_shards(store, entry.fingerprint) for entry in stats(store))
    for path in list(_leftovers(store)):
        path.unlink(missing_ok=True)
    files_left, size_left = _size(store.root)
    return Cleanup(files - files_left, size - size_left, tuple(sorted(unwanted)), merged)


def _superseded(store: EmbeddingStore) -> set[str]:
    """Identities that differ from a newer one only by a lower `code_version` (and its dim)."""
    newest: dict[str, int] = {}
    found = []
    for entry in stats(store):
        settings = dict(entry.identity)
        version, _ = settings.pop("code_version"), settings.pop("dim")
        rest = json.dumps(settings, sort_keys=True)
        newest[rest] = max(version, newest.get(rest, version))
        found.append((entry.fingerprint, rest, version))
    return {fingerprint for fingerprint, rest, version in found if version < newest[rest]}


def _size(root: Path) -> tuple[int, int]:
    """How many files a store has, and their bytes; a file may vanish meanwhile."""
    sizes = []
    for path in root.rglob("*"):
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return sum(map(bool, sizes)), sum(sizes)


def _drop(store: EmbeddingStore, fingerprint: str) -> None:
    with open_index(store.root) as index:
        shards = index.shards(fingerprint)
        with index.transaction():
            index.drop(fingerprint)
    for shard in shards:
        (store.shards / shard.file).unlink(missing_ok=True)


def _leftovers(store: EmbeddingStore) -> Iterator[Path]:
    """Old temporary files, indexes and shards set aside, and shards whose every row is elsewhere.

    A shard that another process is about to enter has rows that are nowhere else.
    """
    old = time.time() - TEMPORARY_S
    for path in store.shards.glob("*/.*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < old:
                yield path
    yield from store.root.glob(f"{FILE_NAME}.damaged-*")
    yield from (store.root / DAMAGED).glob("*")
    for file in store.unknown_shards():
        path = store.shards / file
        if not faults_of(path) and (_places_of(store, open_shard(path))[:, 0] != NOT_THERE).all():
            yield path


def _merge_small_shards(store: EmbeddingStore, fingerprint: str) -> int:
    """Merge an identity's small shards, but for damaged ones; return how many were merged."""
    with open_index(store.root) as index:
        small = [shard for shard in index.shards(fingerprint) if shard.bytes < MERGED_BYTES // 2]
    merged = 0
    for group in _groups(small):
        paths = [store.shards / shard.file for shard in group]
        if len(group) > 1 and not any(faults_of(path) for path in paths):
            try:
                with open_index(store.root) as index, index.transaction():
                    _merge(store, index, fingerprint, group)
            except FileNotFoundError:  # another process merged or dropped one meanwhile
                continue
            for path in paths:
                path.unlink(missing_ok=True)
            merged += len(group)
    return merged


def _groups(shards: Sequence[ShardEntry]) -> Iterator[list[ShardEntry]]:
    """Shards that follow each other, up to `MERGED_BYTES` in a group."""
    group: list[ShardEntry] = []
    for shard in shards:
        if group and sum(other.bytes for other in group) + shard.bytes > MERGED_BYTES:
            yield group
            group = []
        group.append(shard)
    if group:
        yield group


def _merge(
    store: EmbeddingStore, index: Index, fingerprint: str, group: Sequence[ShardEntry]
) -> None:
    """Write one shard for several, and enter it in their place; the old files are not touched."""
    keys, vectors = [], []
    for entry in group:
        shard = open_shard(store.shards / entry.file)
        rows = np.flatnonzero(index.places(fingerprint, shard.keys())[:, 0] == entry.number)
        keys.append(shard.keys()[rows])
        vectors.append(shard.read(rows))
    together = np.concatenate(keys)
    path = write_shard(shard.path.parent, shard.identity, together, np.concatenate(vectors))
    file = path.relative_to(store.shards).as_posix()
    index.replace(fingerprint, [e.number for e in group], file, path.stat().st_size, together)
