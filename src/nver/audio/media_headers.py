"""What the headers of media files state, looked at before FFmpeg is: locks, sizes, the index.

FFmpeg decodes a locked file to noise, lists as many frames as an index states, whatever the file
holds, and takes the size of a file that was cut short for the true one.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from nver.audio.chunks import UNKNOWN_SIZE
from nver.audio.containers import MP4_BOXES, container_of
from nver.errors import AudioError

# The Content Encryption and Extended Content Encryption objects of an ASF header.
LOCKED_ASF = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
ASF_HEAD = 2**16  # bytes in which the header's objects lie (our choice)
# The File Properties object of an ASF header; the file's size stands behind 40 bytes of it.
ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
SLACK = 64  # bytes of padding that a stated size may count (our choice)


def check_header(path: Path) -> str:
    """How many bytes of a file are missing, in words; "" if none are known to be.

    Raises:
        AudioError: the file is locked, or it has an index that is missing or cannot be true.
    """
    kind = container_of(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if kind == "Windows Media" and any(guid in data[:ASF_HEAD] for guid in LOCKED_ASF):
            raise locked(path)
        if kind == "MP4":
            _check_index(data, path)
        stated = _stated_bytes(data)
        return f"{len(data):,} of {stated:,} bytes are there" if stated > len(data) + SLACK else ""


def _stated_bytes(data: mmap.mmap) -> int:
    """The size that the header of an ASF or RIFF file states; 0: unknown."""
    if data[:4] == b"RIFF":
        size = int.from_bytes(data[4:8], "little")
        return 8 + size if size < UNKNOWN_SIZE else 0
    place = data.find(ASF_FILE, 0, ASF_HEAD) + 40
    return int.from_bytes(data[place : place + 8], "little") if place >= 40 else 0


def _check_index(data: mmap.mmap, path: Path) -> None:
    """Refuse an MP4 without an index, or one of more frames than its bytes can hold."""
    if data[4:8] in MP4_BOXES and data.find(b"moov") < 0:
        message = f"{path}: the index (moov) is missing: the recording or the copy was cut off"
        raise AudioError(message, "unreadable")
    for place in _places(data, b"stsz\0\0\0\0"):  # ISO 14496-12, 8.7.3
        each, frames = _two_numbers(data, place + 8)
        if each * frames > len(data):
            raise _impossible(path, frames)
    for place in _places(data, b"trun"):  # 8.8.8; bits 8 to 11: each frame has fields of its own
        flags, frames = _two_numbers(data, place + 4)
        if flags & 0xFEFFFFF0 == 0 and frames > len(data):
            raise _impossible(path, frames)


def _places(data: mmap.mmap, words: bytes) -> Iterator[int]:
    place = data.find(words)
    while place >= 0:
        yield place
        place = data.find(words, place + 1)


def _two_numbers(data: mmap.mmap, place: int) -> tuple[int, int]:
    return struct.unpack(">II", data[place : place + 8].ljust(8, b"\0"))


def locked(path: Path) -> AudioError:
    message = f"{path}: the file is encrypted (DRM); get a copy without protection"
    return AudioError(message, "encrypted")


def _impossible(path: Path, frames: int) -> AudioError:
    message = f"{path}: the header states {frames:,} frames, more than the file can hold"
    return AudioError(message, "unreadable")
