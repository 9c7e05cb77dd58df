"""A shard: an immutable safetensors file of keys and vectors, with their provenance."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from nver.audio.recording import FloatArray
from nver.embeddings.store.keys import KEY_BYTES, Keys
from nver.encoders.base import EncoderIdentity
from nver.errors import StoreError
from nver.machine.files import write_whole
from nver.machine.json_text import parse_json

FORMAT = "nver-embeddings-1"
SUFFIX = ".safetensors"
BLOCK_ROWS = 4096  # rows read at a time when all of a shard is read: bounds memory
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shard:
    """A shard's header; `keys_at` and `vectors_at` are byte offsets in the file."""

    path: Path
    identity: str
    rows: int
    dim: int
    sha256: str
    keys_at: int
    vectors_at: int

    @property
    def fingerprint(self) -> str:
        """The identity's fingerprint, see `EncoderIdentity.fingerprint`."""
        return hashlib.sha256(self.identity.encode()).hexdigest()

    def keys(self) -> Keys:
        """All keys (rows, 32)."""
        data = np.fromfile(self.path, np.uint8, self.rows * KEY_BYTES, offset=self.keys_at)
        return data.reshape(self.rows, KEY_BYTES)

    def read(self, rows: Rows) -> FloatArray:
        """The vectors (len(rows), dim) of these rows, in their order.

        The file is mapped into memory only during the call.
        """
        vectors = np.memmap(self.path, np.dtype("<f4"), "r", self.vectors_at, (self.rows, self.dim))
        return np.asarray(vectors[rows])

    def blocks(self) -> Iterator[FloatArray]:
        """All vectors, some thousand rows at a time."""
        for start in range(0, self.rows, BLOCK_ROWS):
            yield self.read(np.arange(start, min(start + BLOCK_ROWS, self.rows)))


def write_shard(folder: Path, identity: str, keys: Keys, vectors: FloatArray) -> Path:
    """Write keys (n, 32) and vectors (n, dim) as a new shard in `folder`, whole or not at all.

    `identity` is the encoder identity in its JSON form.
    """
    from safetensors.numpy import save

    digest = hashlib.sha256(keys.tobytes())
    digest.update(np.ascontiguousarray(vectors).data)
    metadata = {"format": FORMAT, "identity": identity, "sha256": digest.hexdigest()}
    path = folder / f"{uuid4().hex}{SUFFIX}"
    write_whole(path, save({"keys": keys, "vectors": vectors}, metadata))
    _sync(folder)
    return path


def folder_name(identity: EncoderIdentity) -> str:
    """The name of an identity's folder of shards, for people; nver reads the shards' headers."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', identity.name)}-{identity.fingerprint[:16]}"


def open_shard(path: Path) -> Shard:
    """Read a shard's header.

    Raises:
        FileNotFoundError: the file is gone.
        StoreError: the file is not a shard, or not whole.
    """
    try:
        return _read_header(path)
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise StoreError(
            f"{path}: not a whole shard of embeddings ({error}); "
            "`nver store verify --repair` sets it aside, the next extraction makes it again"
        ) from error


def _read_header(path: Path) -> Shard:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= size - 8:
            raise ValueError(f"{size} bytes, a header of {length} announced")
        header = parse_json(file.read(length))
    metadata, keys, vectors = header["__metadata__"], header["keys"], header["vectors"]
    rows, dim = vectors["shape"]
    if metadata["format"] != FORMAT:
        raise ValueError(f"format {metadata['format']!r}, expected {FORMAT!r}")
    if not all(isinstance(metadata[key], str) for key in ("identity", "sha256")):
        raise ValueError("its identity and its checksum are no texts")
    if not all(isinstance(number, int) and number >= 0 for number in (rows, dim)):
        raise ValueError(f"{rows} rows of {dim} values")
    if keys["shape"] != [rows, KEY_BYTES] or keys["dtype"] != "U8" or vectors["dtype"] != "F32":
        raise ValueError(f"keys {keys['shape']}, vectors {vectors['shape']}")
    start = 8 + length
    spans = (keys["data_offsets"], rows * KEY_BYTES), (vectors["data_offsets"], rows * dim * 4)
    expected = start + sum(n for _, n in spans)
    if any(b - a != n for (a, b), n in spans) or size != expected:
        raise ValueError(f"{size} bytes, expected {expected}")
    at = [start + offsets[0] for offsets, _ in spans]
    return Shard(path, metadata["identity"], rows, dim, metadata["sha256"], *at)


def faults_of(path: Path) -> list[str]:
    """Read all of a shard and say what is wrong with it: one sentence for each fault."""
    try:
        shard = open_shard(path)
    except FileNotFoundError:
        return [f"{path}: the shard is gone"]
    except StoreError as error:
        return [str(error)]
    digest = hashlib.sha256(shard.keys().tobytes())
    finite = True
    for block in shard.blocks():
        digest.update(block.data)
        finite = finite and bool(np.isfinite(block).all())
    faults = []
    if digest.hexdigest() != shard.sha256:
        faults.append(f"{path}: the checksum of the content does not match the one written with it")
    if not finite:
        faults.append(f"{path}: holds vectors that are NaN or infinite")
    return faults


def _sync(folder: Path) -> None:
    """Make a rename durable (POSIX; other systems cannot open a folder)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
