"""Files and folders: written whole or not at all, tested before long work, and cleared away."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile

from platformdirs import user_cache_dir

from nver.errors import NverError
from nver.machine.full_disk import full_disk_error, naming_full_disk

try:
    import fcntl
except ImportError:  # not on Windows: there a killed process leaves its folder
    fcntl = None  # type: ignore[assignment]

PREFIX = "nver-"
LOCK = "lock"  # locked as long as the process lives, however it ends
YOUNG_S = 60.0  # our choice: a younger folder may not be locked yet
DEVICES = (Path("/dev"), Path("/dev/fd"))


def check_writable(folder: Path, advice: str = "") -> None:
    """Make the folder if it is absent, and write a test file: before hours of work, not after.

    Raises:
        NverError: it cannot be written; the message ends with `advice`.
        DiskFullError: the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        said = f"{folder}: cannot be written ({error.strerror}){advice}"
        raise full_disk_error(error, folder) or NverError(said) from error


def found_at(path: str | Path) -> Path | None:
    """The path with its "~" resolved, if something lies there; None also where it can be none."""
    try:
        place = Path(path).expanduser()
        return place if place.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long, an unknown user, a NUL in it
        return None


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    Text is encoded as UTF-8; bytes of file names that are not UTF-8 are kept. A pipe or a device
    cannot be replaced: the content is written into it.

    Raises:
        DiskFullError: the disk is full.
        OSError: it cannot be written for another reason.
    """
    with naming_full_disk(file):
        _write_whole(file, content)


def _write_whole(file: Path, content: str | bytes) -> None:
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    is_alias = file.absolute().parent in DEVICES  # /dev/stdout, which may stand for a file
    if file.exists() and (is_alias or not file.is_file()):
        with file.open("ab") as stream:  # "a": what was written to /dev/stdout before stays
            stream.write(data)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            os.chmod(temporary.name, 0o644)
            os.replace(temporary.name, file)
        except BaseException:
            with suppress(FileNotFoundError):  # a signal came right after the rename
                os.unlink(temporary.name)
            raise


def cache_folder() -> Path:
    """nver's folder in the user's cache, or the environment variable NVER_CACHE."""
    return Path(os.environ.get("NVER_CACHE") or user_cache_dir("nver"))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary empty folder; folders that killed processes left are removed first.

    Raises:
        DiskFullError: what is done with it fills the disk.
    """
    place = Path(tempfile.gettempdir())
    _remove_stale(place)
    with (
        naming_full_disk(place),
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
