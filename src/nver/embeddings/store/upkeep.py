"""Looking after a store: what is in it, and whether it is whole."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nver.embeddings.store.index import FILE_NAME, NOT_THERE, Index, open_index
from nver.embeddings.store.keys import PERTURBED
from nver.embeddings.store.shards import faults_of, open_shard, write_shard
from nver.embeddings.store.store import SHARDS, EmbeddingStore
from nver.encoders.base import EncoderIdentity

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


TEMPORARY_S = 3600.0  # a temporary file lives for milliseconds; an old one's process was killed
MERGED_BYTES = 32 * 2**20  # small shards are merged up to this size (our choice)


@dataclass(frozen=True)
class Tidied:
    """What `collect_garbage` did: files removed, their bytes, identities dropped, shards merged."""

    files: int
    bytes: int
    identities: tuple[str, ...]
    merged: int


def collect_garbage(
    store: EmbeddingStore,
    drop: Sequence[EncoderIdentity] = (),
    *,
    superseded: bool = False,
) -> Tidied:
    """Remove what nobody can use, and merge small shards. Extraction may go on meanwhile.

    Args:
        drop: identities whose embeddings are not wanted any more.
        superseded: drop also what an older version of an encoder's code computed, where there are
            embeddings of a newer one.
    """
    unwanted = {identity.fingerprint for identity in drop}
    if superseded:
        unwanted |= superseded_fingerprints(store)
    before = _size(store.root)
    for fingerprint in unwanted:
        _drop(store, fingerprint)
    merged = sum(_merge(store, entry.fingerprint) for entry in stats(store))
    for path in list(_leftovers(store)):
        path.unlink(missing_ok=True)
    after = _size(store.root)
    return Tidied(before[0] - after[0], before[1] - after[1], tuple(sorted(unwanted)), merged)


def superseded_fingerprints(store: EmbeddingStore) -> set[str]:
    """Identities that differ from a newer one only by a lower `code_version` (and its dim)."""
    newest: dict[str, int] = {}
    found = []
    for entry in stats(store):
        facts = dict(entry.identity)
        version, _ = facts.pop("code_version"), facts.pop("dim")
        rest = json.dumps(facts, sort_keys=True)
        newest[rest] = max(version, newest.get(rest, version))
        found.append((entry.fingerprint, rest, version))
    return {fingerprint for fingerprint, rest, version in found if version < newest[rest]}


def _size(root: Path) -> tuple[int, int]:
    """Files and bytes of a store; a file may go while we look."""
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
    for _, file, _ in shards:
        (store.root / SHARDS / file).unlink(missing_ok=True)


def _leftovers(store: EmbeddingStore) -> Iterator[Path]:
    """Old temporary files, indexes and shards set aside, and shards whose every row is elsewhere.

    A shard that another process is about to enter has rows that are nowhere else.
    """
    old = time.time() - TEMPORARY_S
    for path in (store.root / SHARDS).glob("*/.*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < old:
                yield path
    yield from store.root.glob(f"{FILE_NAME}.damaged-*")
    yield from (store.root / DAMAGED).glob("*")
    for file in store.unknown_shards():
        path = store.root / SHARDS / file
        if not faults_of(path):
            shard = open_shard(path)
            with open_index(store.root) as index:
                places = index.places(shard.fingerprint, shard.keys())
            if (places[:, 0] != NOT_THERE).all():
                yield path


def _merge(store: EmbeddingStore, fingerprint: str) -> int:
    """Merge an identity's small shards; how many there were. Damaged ones are left to `verify`."""
    with open_index(store.root) as index:
        small = [shard for shard in index.shards(fingerprint) if shard[2] < MERGED_BYTES // 2]
    merged = 0
    for group in _groups(small):
        paths = [store.root / SHARDS / file for _, file, _ in group]
        if len(group) > 1 and not any(faults_of(path) for path in paths):
            try:
                with open_index(store.root) as index, index.transaction():
                    _merge_group(store, index, fingerprint, group)
            except FileNotFoundError:  # another process was faster
                continue
            for path in paths:
                path.unlink(missing_ok=True)
            merged += len(group)
    return merged


def _groups(shards: Sequence[tuple[int, str, int]]) -> Iterator[list[tuple[int, str, int]]]:
    group: list[tuple[int, str, int]] = []
    for shard in shards:
        if group and sum(size for _, _, size in group) + shard[2] > MERGED_BYTES:
            yield group
            group = []
        group.append(shard)
    if group:
        yield group


def _merge_group(
    store: EmbeddingStore, index: Index, fingerprint: str, group: Sequence[tuple[int, str, int]]
) -> None:
    """Write one shard for several, and enter it in their place; the old files are not touched."""
    keys, vectors = [], []
    for number, file, _ in group:
        shard = open_shard(store.root / SHARDS / file)
        mine = np.flatnonzero(index.places(fingerprint, shard.keys())[:, 0] == number)
        keys.append(shard.keys()[mine])
        vectors.append(shard.read(mine))
    together = np.concatenate(keys)
    path = write_shard(shard.path.parent, shard.identity, together, np.concatenate(vectors))
    file, numbers = path.relative_to(store.root / SHARDS).as_posix(), [n for n, _, _ in group]
    index.replace(fingerprint, numbers, file, path.stat().st_size, together)
