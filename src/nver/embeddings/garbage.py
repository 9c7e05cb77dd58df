"""Tidying a store: left-over files go, unwanted identities go, small shards become large ones."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nver.embeddings.index import FILE_NAME, NOT_THERE, Index, open_index
from nver.embeddings.shards import faults_of, open_shard, write_shard
from nver.embeddings.store import SHARDS, EmbeddingStore
from nver.embeddings.upkeep import DAMAGED, stats
from nver.encoders.base import EncoderIdentity

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
