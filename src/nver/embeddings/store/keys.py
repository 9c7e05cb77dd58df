"""What an embedding is stored under: the content of the file, and the span of it."""

import hashlib
import math
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nver.audio.perturbation import VERSION

KEY_BYTES = 32  # of SHA-256
PERTURBED = b"perturb."  # a key's last bytes if its clip was made worse; 24 of SHA-256 before them
Keys = npt.NDArray[np.uint8]  # (clips, 32)


def clip_key(content: bytes, start: float | None = None, end: float | None = None) -> bytes:
    """The 32-byte key of a clip: equal for equal content and span, whatever the file is called.

    Args:
        content: SHA-256 of the file's bytes.
        start, end: span in seconds; None or NaN: from the start, to the end.
    """
    first = 0.0 if _absent(start) else float(start or 0.0)
    last = math.inf if _absent(end) else float(end or 0.0)
    if (first, last) == (0.0, math.inf):
        return content
    return hashlib.sha256(content + struct.pack("<dd", first, last)).digest()


def perturbation_seed(key: bytes, perturbation: str) -> bytes:
    """32 bytes for a clip made worse: of its name and version beside the clip's own key."""
    return hashlib.sha256(key + f"{perturbation} {VERSION}".encode()).digest()


def perturbed_key(seed: bytes) -> bytes:
    """The key of a clip made worse, from its seed."""
    return seed[: -len(PERTURBED)] + PERTURBED


def is_perturbed(key: bytes) -> bool:
    """Whether a key is of a clip made worse."""
    return key.endswith(PERTURBED)


def _absent(seconds: float | None) -> bool:
    return seconds is None or math.isnan(seconds)


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
