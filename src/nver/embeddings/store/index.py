"""The index: which shard and row holds which clip, and what content a file had."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nver.embeddings.store.keys import Keys, as_bytes
from nver.errors import DiskFullError, StoreError
from nver.machine.full_disk import full_disk_error

# The number is the index's version. All tables but `files` can be made again from the shards, so
# that another version simply makes its own index.
FILE_NAME = "index-1.sqlite"
BUSY_S = 120.0  # how long to wait for another process's transaction (some milliseconds each)
CHUNK = 1000  # keys per query; SQLite takes at most 32,766 parameters
CACHE_KIB = 32 * 1024  # of SQLite's pages; the default of 2 MiB thrashes at a million clips
NOT_THERE = -1
# "disk I/O error" and "unable to open database file" may mean that a quota or the disk is full.
UNCLEAR = (10, 14)  # SQLITE_IOERR and SQLITE_CANTOPEN, https://sqlite.org/rescode.html
PROBE_BYTES = 2**16  # what must fit then (our choice: a journal of some pages)

TABLES = ("identities", "shards", "vectors", "files")
SCHEMA = """
CREATE TABLE IF NOT EXISTS identities (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shards (
    id INTEGER PRIMARY KEY AUTOINCREMENT, identity INTEGER NOT NULL, file TEXT NOT NULL UNIQUE,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (
    identity INTEGER NOT NULL, key BLOB NOT NULL, shard INTEGER NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (identity, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    hashed_ns INTEGER NOT NULL, sha256 BLOB NOT NULL) WITHOUT ROWID;
"""

Places = npt.NDArray[np.int64]  # (clips, 2): shard and row, or NOT_THERE twice


class ShardEntry(NamedTuple):
    """A shard in the index: its number, its file and the file's size."""

    number: int
    file: str
    bytes: int


class Index:
    """One connection to the index; see `open_index`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; other writers wait."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # SQLite has ended it itself where the disk is full
                self.connection.execute("ROLLBACK")
            raise

    def identity(self, fingerprint: str) -> int:
        """The number of an identity; NOT_THERE when nothing was ever stored for it."""
        found = self.query("SELECT id FROM identities WHERE fingerprint = ?", [fingerprint])
        return int(found[0][0]) if found else NOT_THERE

    def places(self, fingerprint: str, keys: Keys) -> Places:
        """Where each key's vector lies."""
        identity = self.identity(fingerprint)
        places = np.full((len(keys), 2), NOT_THERE, np.int64)
        for start in range(0, len(keys) if identity != NOT_THERE else 0, CHUNK):
            names = as_bytes(keys[start : start + CHUNK])
            marks = ",".join("?" * len(names))
            sql = f"SELECT key, shard, row FROM vectors WHERE identity = ? AND key IN ({marks})"
            found = {key: (shard, row) for key, shard, row in self.query(sql, [identity, *names])}
            nowhere = NOT_THERE, NOT_THERE
            places[start : start + CHUNK] = [found.get(name, nowhere) for name in names]
        return places

    def add(
        self, fingerprint: str, identity_json: str, file: str, size: int, keys: Keys
    ) -> int | None:
        """Enter a shard, inside a transaction, and return how many of its keys are new.

        A key that is in the index keeps its place. A shard without a new key is not entered. None:
        another process has entered this file.
        """
        self.connection.execute(
            "INSERT OR IGNORE INTO identities (fingerprint, json) VALUES (?, ?)",
            [fingerprint, identity_json],
        )
        identity = self.identity(fingerprint)
        shard = self._insert_shard(identity, file, size, keys)
        if shard is None:
            return None
        before = self.connection.total_changes
        self._insert_vectors("IGNORE", identity, shard, keys)
        new = self.connection.total_changes - before
        if not new:
            self.connection.execute("DELETE FROM shards WHERE id = ?", [shard])
        return new

    def shards(self, fingerprint: str) -> list[ShardEntry]:
        """The shards of an identity, oldest first."""
        sql = "SELECT id, file, bytes FROM shards WHERE identity = ? ORDER BY id"
        return [ShardEntry(*row) for row in self.query(sql, [self.identity(fingerprint)])]

    def replace(
        self, fingerprint: str, numbers: Sequence[int], file: str, size: int, keys: Keys
    ) -> None:
        """Put one new shard in the place of several, inside a transaction."""
        identity = self.identity(fingerprint)
        shard = self._insert_shard(identity, file, size, keys)
        self._insert_vectors("REPLACE", identity, shard, keys)
        self.connection.executemany("DELETE FROM shards WHERE id = ?", [[n] for n in numbers])

    def _insert_shard(self, identity: int, file: str, size: int, keys: Keys) -> int | None:
        """The number of the new shard; None: the file is in the index."""
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO shards (identity, file, rows, bytes) VALUES (?, ?, ?, ?)",
            [identity, file, len(keys), size],
        )
        return cursor.lastrowid if cursor.rowcount > 0 else None

    def _insert_vectors(self, otherwise: str, identity: int, shard: int | None, keys: Keys) -> None:
        """Enter the rows in the order of the keys, which is the order of the SQL table."""
        rows = sorted(zip(as_bytes(keys), range(len(keys)), strict=True))
        self.connection.executemany(
            f"INSERT OR {otherwise} INTO vectors (identity, key, shard, row) VALUES (?, ?, ?, ?)",
            ((identity, key, shard, row) for key, row in rows),
        )

    def drop(self, fingerprint: str) -> None:
        """Forget an identity, inside a transaction."""
        identity = self.identity(fingerprint)
        for table in ("vectors", "shards"):
            self.connection.execute(f"DELETE FROM {table} WHERE identity = ?", [identity])


@contextmanager
def open_index(root: Path) -> Iterator[Index]:
    """A connection to the index of a store, for one operation.

    It keeps a rollback journal, not a WAL: a store may lie on a network file system or a read-only
    one, and writes are rare. Each operation has its own connection: there is no state that a fork,
    a thread or a deleted index could spoil.

    Raises:
        StoreError: the index cannot be opened, read or written, or other processes keep it locked.
        DiskFullError: the disk is full.
    """
    path = root / FILE_NAME
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA synchronous = FULL")
            yield Index(connection)
    except sqlite3.Error as error:
        if full := _full_disk(error, root):
            raise full from error
        if not os.access(root, os.W_OK) or "readonly" in str(error):
            raise StoreError(
                f"{root}: the store cannot be written ({error}); make the folder and its files "
                "writable, or give another store (--store; in a recipe: store = ...)"
            ) from error
        raise StoreError(
            f"{path}: {error}; the index can be deleted, the next use makes it again from the "
            "shards beside it"
        ) from error


def _full_disk(error: sqlite3.Error, root: Path) -> DiskFullError | None:
    """The error that says that the disk is full, where SQLite says so or cannot tell."""
    if full := full_disk_error(error, root):
        return full
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in UNCLEAR:
        try:
            with TemporaryFile(dir=root) as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as cause:
            return full_disk_error(cause, root)
    return None


def create_tables(root: Path) -> None:
    """Make the index's tables where they are not there yet."""
    with open_index(root) as index:
        names = {name for (name,) in index.query("SELECT name FROM sqlite_master")}
        if not names.issuperset(TABLES):
            with index.transaction():
                for statement in filter(str.strip, SCHEMA.split(";")):
                    index.connection.execute(statement)


def is_damaged(root: Path) -> bool:
    """Whether there is an index file that cannot be read as one."""
    path = root / FILE_NAME
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            for table in TABLES:
                connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        except sqlite3.OperationalError:  # locked, or without the tables yet: not damaged
            return False
        except sqlite3.DatabaseError:
            return True
    return False
