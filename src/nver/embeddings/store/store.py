"""The embedding store: vectors with provenance, found by content."""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.audio.recording import FloatArray
from nver.embeddings.store.contents import Contents, read_contents
from nver.embeddings.store.index import FILE_NAME, NOT_THERE, create_tables, is_damaged, open_index
from nver.embeddings.store.keys import Keys
from nver.embeddings.store.shards import SUFFIX, folder_name, open_shard, write_shard
from nver.encoders.base import EncoderIdentity
from nver.errors import StoreError, UsageError, shown
from nver.machine.files import cache_folder
from nver.machine.full_disk import full_disk_error
from nver.machine.json_text import parse_json

SHARDS = "shards"
BATCH_ROWS = 8192  # rows looked up and read at a time: bounds memory
RETRIES = 3  # rows of a shard that `gc` merged away between look-up and read are looked up again
log = logging.getLogger("nver")


class EmbeddingStore:
    """A folder of embeddings, which several processes may use at once.

    Args:
        root: the folder; None: a folder in the user's cache.
        create: make the folder if it is absent; with False an absent store is a `StoreError`.
    """

    def __init__(self, root: str | Path | None = None, *, create: bool = True) -> None:
        self.root = Path(root) if root is not None else cache_folder() / "embeddings"
        self.shards = self.root / SHARDS
        if not create and not self.shards.is_dir():
            raise StoreError(f"{self.root}: no embedding store; `nver extract` makes one")
        try:
            self.shards.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"{self.root}: cannot be a store ({error.strerror})"
            raise full_disk_error(error, self.root) or StoreError(said) from error
        self.open()

    def open(self) -> None:
        """Make the index if it is absent or damaged, and enter the shards that it lacks."""
        if is_damaged(self.root):
            aside = f"{FILE_NAME}.damaged-{time.time_ns()}"
            os.replace(self.root / FILE_NAME, self.root / aside)
            log.warning("%s: the index was damaged; made again from the shards", self.root)
        create_tables(self.root)
        for file in self.unknown_shards():
            try:
                self.adopt(file)
            except StoreError as error:
                log.warning("%s", error)

    def content_hashes(self, files: Iterable[str], *, rehash: bool = False) -> Contents:
        """file -> its content, or the `AudioError` that says why it has none.

        Hashes are remembered by path, size and modification time; with `rehash` all files are
        read again.
        """
        return read_contents(self.root, files, rehash=rehash)

    def view(self, identity: EncoderIdentity) -> "EmbeddingView":
        """The embeddings of one encoder identity."""
        return EmbeddingView(self, identity)

    def identities(self) -> list[EncoderIdentity]:
        """All identities with stored embeddings, sorted by name."""
        with open_index(self.root) as index:
            texts = index.query("SELECT json FROM identities WHERE id IN"
                                " (SELECT identity FROM shards)")  # fmt: skip
        found = (_identity_from_json(text) for (text,) in texts)
        return sorted((i for i in found if i is not None), key=lambda i: i.to_json())

    def find(self, text: str) -> EncoderIdentity:
        """The identity of an encoder name, or with a fingerprint that begins with `text`.

        Raises:
            UsageError: there is no such identity, or there are several.
        """
        known = self.identities()
        found = [i for i in known if text and (i.name == text or i.fingerprint.startswith(text))]
        if len(found) == 1:
            return found[0]
        choice = "\n".join(
            f"  {i.fingerprint[:12]}  {i.name}  {facts_of(asdict(i))}" for i in found or known
        )
        what = "several identities" if found else "nothing"
        raise UsageError(f"{self.root}: {what} for {text!r}; give a fingerprint of:\n{choice}")

    def unknown_shards(self) -> list[str]:
        """Shards on disk that the index lacks: a process was killed before it entered them."""
        with open_index(self.root) as index:
            known = {file for (file,) in index.query("SELECT file FROM shards")}
        found = {
            path.relative_to(self.shards).as_posix() for path in self.shards.glob(f"*/*{SUFFIX}")
        }
        return sorted(found - known)

    def adopt(self, file: str) -> int | None:
        """Enter a shard into the index, and return how many of its rows are new.

        None: the index had it already, or the file is gone.
        """
        path = self.shards / file
        try:
            shard = open_shard(path)
        except FileNotFoundError:
            return None
        keys, size = shard.keys(), path.stat().st_size
        with open_index(self.root) as index, index.transaction():
            return index.add(shard.fingerprint, shard.identity, file, size, keys)


class EmbeddingView:
    """The embeddings of one encoder identity in a store."""

    def __init__(self, store: EmbeddingStore, identity: EncoderIdentity) -> None:
        self.store, self.identity = store, identity

    def __len__(self) -> int:
        sql = "SELECT count(*) FROM vectors WHERE identity = ?"
        with open_index(self.store.root) as index:
            return int(index.query(sql, [index.identity(self.identity.fingerprint)])[0][0])

    def missing(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """(n,): which of the keys (n, 32) have no vector."""
        with open_index(self.store.root) as index:
            return index.places(self.identity.fingerprint, keys)[:, 0] == NOT_THERE

    def add(self, keys: Keys, vectors: FloatArray) -> None:
        """Store vectors (n, dim) under keys (n, 32): one shard, whole or not at all.

        A key that has a vector keeps it.
        """
        if vectors.shape != (len(keys), self.identity.dim) or vectors.dtype != np.float32:
            raise ValueError(
                f"{len(keys)} keys of {self.identity.name}: expected float32 "
                f"({len(keys)}, {self.identity.dim}), got {vectors.dtype} {vectors.shape}"
            )
        if not len(keys):
            return
        folder = self.store.shards / folder_name(self.identity)
        try:
            path = write_shard(folder, self.identity.to_json(), keys, vectors)
        except OSError as error:
            said = f"{folder}: cannot be written ({error.strerror})"
            raise full_disk_error(error, folder) or StoreError(said) from error
        if self.store.adopt(path.relative_to(self.store.shards).as_posix()) == 0:
            path.unlink(missing_ok=True)  # other processes stored all these keys meanwhile

    def read(self, keys: Keys) -> FloatArray:
        """The vectors (n, dim) in the order of the keys.

        Raises:
            StoreError: a key has no vector.
        """
        vectors = np.empty((len(keys), self.identity.dim), np.float32)
        row = 0
        for batch in self.read_batches(keys):
            vectors[row : row + len(batch)] = batch
            row += len(batch)
        return vectors

    def read_batches(self, keys: Keys, rows: int = BATCH_ROWS) -> Iterator[FloatArray]:
        """The vectors as in `read`, some thousand rows at a time, so that memory stays flat."""
        for start in range(0, len(keys), rows):
            yield self._read(keys[start : start + rows], RETRIES)

    def _read(self, keys: Keys, retries: int) -> FloatArray:
        with open_index(self.store.root) as index:
            places = index.places(self.identity.fingerprint, keys)
            files = dict(index.query("SELECT id, file FROM shards"))
        absent = int((places[:, 0] == NOT_THERE).sum())
        if absent:
            raise StoreError(
                f"{self.store.root}: no {self.identity.name} embedding for {absent} of "
                f"{len(keys)} clips; `nver extract` computes what is missing"
            )
        vectors = np.empty((len(keys), self.identity.dim), np.float32)
        try:
            for shard in np.unique(places[:, 0]):
                rows = np.flatnonzero(places[:, 0] == shard)
                path = self.store.shards / files[int(shard)]
                vectors[rows] = open_shard(path).read(places[rows, 1])
        except FileNotFoundError as error:
            if retries:
                return self._read(keys, retries - 1)
            raise StoreError(
                f"{error.filename}: the shard is gone; `nver store verify --repair` forgets it"
            ) from error
        return vectors


def facts_of(identity: Mapping[str, Any]) -> str:
    """The settings of an identity, for people: "layer=last pooling=mean ..."."""
    shown = (f"{k}={v}" for k, v in identity.items() if k not in ("name", "dim") and v != {})
    return " ".join(shown)


def identity_values(text: str) -> dict[str, Any]:
    """The fields of an identity as the index has them.

    Raises:
        StoreError: they are damaged.
    """
    try:
        values = parse_json(text)
        if isinstance(values, dict) and isinstance(values.get("name"), str):
            return values
    except ValueError:
        pass
    raise StoreError(
        f"the index has an identity that is damaged: {shown(text)}; the index can be deleted, the "
        "next use makes it again from the shards beside it"
    )


def _identity_from_json(text: str) -> EncoderIdentity | None:
    """An identity from its JSON form; None: another version of nver wrote it."""
    values = identity_values(text)
    known = {field.name for field in fields(EncoderIdentity)}
    return EncoderIdentity(**values) if set(values) == known else None
