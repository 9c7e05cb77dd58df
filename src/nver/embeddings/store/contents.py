"""The content of files: SHA-256 of the bytes, remembered by path, size and modification time."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from nver.embeddings.store.index import CHUNK, open_index
from nver.errors import AudioError

# A file that changed within this time before its hashing could change again and keep its time (git
# calls that racily clean); FAT keeps times to 2 s. Such a file is hashed anew the next time.
FRESH_NS = 2_000_000_000
SMALL = 2**20  # bytes; small files are read at once: hashlib.file_digest clears a buffer per file
SAVE_EVERY_S = 10.0  # how much of a long hashing a kill loses at most

Contents = dict[str, "Content | AudioError"]


class Content(NamedTuple):
    """SHA-256 of a file's bytes, and the file's size and modification time (ns) at that moment."""

    sha256: bytes
    size: int
    mtime_ns: int


def read_contents(root: Path, files: Iterable[str], *, rehash: bool = False) -> Contents:
    """The content of each file, or why it has none: "missing" or "unreadable".

    A remembered hash is used if path, size and modification time are unchanged, unless `rehash`.
    """
    files = list(files)
    found: Contents = {}
    fresh: list[tuple[str, Content, int]] = []
    remembered = {} if rehash else _remembered(root, files)
    saved = time.monotonic()
    for file in files:
        known, now = remembered.get(_name(file)), time.time_ns()
        found[file] = content = _content(file, known)
        if isinstance(content, Content) and content is not known:
            fresh.append((file, content, now))
        if time.monotonic() - saved > SAVE_EVERY_S:
            _remember(root, fresh)
            fresh, saved = [], time.monotonic()
    _remember(root, fresh)
    return found


def _content(file: str, known: Content | None) -> Content | AudioError:
    try:
        now = os.stat(file)
        if not stat.S_ISREG(now.st_mode):  # reading a pipe would wait for ever
            return AudioError(f"{file}: not a regular file", "unreadable")
        if known and (now.st_size, now.st_mtime_ns) == known[1:]:
            return known
        with open(file, "rb", buffering=0) as raw:
            now = os.fstat(raw.fileno())
            if now.st_size <= SMALL:
                digest = hashlib.sha256(raw.read()).digest()
            else:
                digest = hashlib.file_digest(raw, "sha256").digest()
        return Content(digest, now.st_size, now.st_mtime_ns)
    except FileNotFoundError:
        return AudioError(f"{file}: no such file", "missing")
    except OSError as error:
        return AudioError(f"{file}: cannot be read ({error.strerror})", "unreadable")


def _remembered(root: Path, files: list[str]) -> dict[bytes, Content]:
    known: dict[bytes, Content] = {}
    with open_index(root) as index:
        for start in range(0, len(files), CHUNK):
            names = [_name(file) for file in files[start : start + CHUNK]]
            placeholders = ",".join("?" * len(names))
            sql = f"SELECT path, sha256, size, mtime_ns FROM files WHERE path IN ({placeholders})"
            sql += f" AND mtime_ns + {FRESH_NS} < hashed_ns"
            known |= {path: Content(*content) for path, *content in index.query(sql, names)}
    return known


def _remember(root: Path, fresh: list[tuple[str, Content, int]]) -> None:
    if not fresh:
        return
    with open_index(root) as index, index.transaction():
        index.connection.executemany(
            "INSERT OR REPLACE INTO files (path, sha256, size, mtime_ns, hashed_ns)"
            " VALUES (?, ?, ?, ?, ?)",
            ((_name(file), *content, hashed_ns) for file, content, hashed_ns in fresh),
        )


def _name(file: str) -> bytes:
    """The path under which a file is remembered; bytes, as a name may not be UTF-8."""
    return os.fsencode(os.path.abspath(file))
