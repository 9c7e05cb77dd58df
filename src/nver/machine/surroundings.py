"""What nver finds around it: memory, graphics processors, folders with their size and room."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

ON = {"1", "ON", "YES", "TRUE"}  # what huggingface_hub takes for yes in HF_HUB_OFFLINE


@dataclass(frozen=True)
class Place:
    """A folder in which nver writes or looks.

    Attributes:
        bytes: what lies in it; free: what is free on its disk; both in bytes.
        writable: whether a file can be made in it, or where it would be made.
    """

    path: Path
    exists: bool
    bytes: int
    free: int
    writable: bool


def look_at(folder: Path) -> Place:
    """What there is to say of a folder, which need not be there; nothing stays in it."""
    above = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    try:
        TemporaryFile(dir=above).close()  # fails too where it is no folder
        writable = True
    except OSError:
        writable = False
    return Place(folder, folder.is_dir(), _size(folder), shutil.disk_usage(above).free, writable)


def _size(folder: Path) -> int:
    """The bytes of the files below a folder, as far as they can be read."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return total


def memory() -> tuple[int, int] | None:
    """The machine's memory and what is free of it, in bytes; None where the system has no word."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def graphics_processors() -> list[str]:
    """The names of the GPUs that torch can use; none where torch is not installed.

    Raises:
        ImportError, OSError: torch is installed and cannot be loaded.
    """
    if find_spec("torch") is None:
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def hub_cache() -> Path:
    """The folder in which huggingface_hub keeps weights."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ON
