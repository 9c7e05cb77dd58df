"""A full disk, recognised in whatever a library says of it."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nver.errors import DiskFullError, NverError

CODES = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name)}
# What is said without a code: SQLite, safetensors (Rust's words), and numpy of a short write.
WORDS = re.compile(
    r"no space left|disk is full|disk quota exceeded|StorageFull|os error (28|122)\b"
    r"|\bcode: (28|122)\b|\d+ requested and \d+ written",
    re.IGNORECASE,
)


def full_disk_error(error: BaseException, path: Path | str = "") -> DiskFullError | None:
    """The error that says that the disk is full, if that is the cause of another error.

    `path` is what was written; "": what the error itself names, if it does.
    """
    for cause in _causes(error):
        if isinstance(cause, DiskFullError):
            return cause
        worded = not isinstance(cause, NverError) and WORDS.search(str(cause))
        if getattr(cause, "errno", None) in CODES or worded:
            named = path or getattr(cause, "filename", None) or ""
            said = getattr(cause, "strerror", None) or str(cause)
            return DiskFullError(str(named), str(said))
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from or while that was handled."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is not None and not any(cause is known for known in seen):
            seen.append(cause)
            waiting += [cause.__cause__, cause.__context__]
            yield cause


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Raise `DiskFullError`, which names the path, where writing to it fills the disk."""
    try:
        yield
    except Exception as error:
        if full := full_disk_error(error, path):
            raise full from error
        raise
