"""A temporary folder that a killed process does not leave behind for ever."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: there a killed process leaves its folder
    fcntl = None  # type: ignore[assignment]

PREFIX = "nver-"
LOCK = "lock"  # locked as long as the process lives, however it ends
YOUNG_S = 60.0  # our choice: a folder as new as that may not be locked yet


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder for a while; folders of processes that were killed are removed first."""
    _remove_stale(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name,
        open(Path(name, LOCK), "w") as lock,
    ):
        if fcntl:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Path(name)


def _remove_stale(place: Path) -> None:
    for file in place.glob(f"{PREFIX}*/{LOCK}") if fcntl else ():
        with suppress(OSError), open(file, "r+") as lock:
            if time.time() - os.fstat(lock.fileno()).st_mtime > YOUNG_S:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error: it is in use
                shutil.rmtree(file.parent, ignore_errors=True)
