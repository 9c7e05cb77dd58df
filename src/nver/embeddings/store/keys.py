"""The key of an embedding: a hash of the file's content and of the span in it."""

import hashlib
import math
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nver.audio.perturbation import VERSION

KEY_BYTES = 32  # of SHA-256
PERTURBED = b"perturb."  # the last bytes of a perturbed clip's key, after 24 bytes of SHA-256
Keys = npt.NDArray[np.uint8]  # (clips, 32)


def clip_key(content: bytes, start: float | None = None, end: float | None = None) -> bytes:
    """The 32-byte key of a clip: equal for equal content and span, whatever the file is called.

    Args:
        content: SHA-256 of the file's bytes.
        start, end: span in seconds; None or NaN: from the start, to the end.
    """
    first = 0.0 if start is None or math.isnan(start) else float(start or 0.0)  # not -0.0
    last = math.inf if end is None or math.isnan(end) else float(end or 0.0)
    if (first, last) == (0.0, math.inf):
        return content
    return hashlib.sha256(content + struct.pack("<dd", first, last)).digest()


def perturbation_seed(key: bytes, perturbation: str) -> bytes:
    """32 bytes from the key of a clip and the name and version of its perturbation."""
    return hashlib.sha256(key + f"{perturbation} {VERSION}".encode()).digest()


def perturbed_key(seed: bytes) -> bytes:
    """The key of a perturbed clip, from its seed."""
    return seed[: -len(PERTURBED)] + PERTURBED


def is_perturbed(key: bytes) -> bool:
    """Whether a key is the key of a perturbed clip."""
    return key.endswith(PERTURBED)


def as_keys(keys: Sequence[bytes]) -> Keys:
    """(n, 32) from a list of keys."""
    return np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)


def as_bytes(keys: Keys) -> list[bytes]:
    """A list of keys from (n, 32)."""
    data = np.ascontiguousarray(keys).tobytes()
    return [data[i : i + KEY_BYTES] for i in range(0, len(data), KEY_BYTES)]


def equal_keys(keys: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(first, group): the first row of each distinct key, and for each row its key's number."""
    rows = np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return first.astype(np.int64), group.reshape(-1).astype(np.int64)
