"""A file whose header does not know how much sound follows, as libsndfile reads it to its end.

Programs that write to a pipe leave 0 or all ones for the size. libsndfile finds no samples in a WAV
of size 0, none in an AU of nearly all ones, and takes no CAF of unknown size. It believes a Xing
header with too small a number of frames, and in an MP3 of variable bit rate without one it guesses
the length from the first frame (it read 1.6 s of 7 s of ours). It is given the file with the true
number in place.
"""

import io
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from nver.audio.chunks import (
    AU_KINDS,
    CONTAINERS,
    UNKNOWN_SIZE,
    Container,
    ends_with_chunks,
    find_samples,
)
from nver.audio.mp3_frames import COUNTED, Mp3, is_mp3, mp3_frames

Part = bytes | range  # bytes, or the place of bytes of the file
LARGEST = {"I": 2**32 - 1, "Q": 2**63 - 1, "q": 2**63 - 1}  # sizes that libsndfile takes
AU_SIZE = 8  # the place of the size of the samples in an AU
AU_UNKNOWN = b"\xff\xff\xff\xff"


def with_known_size(path: Path, head: bytes) -> "Spliced | None":
    """The file with its size or number of frames set right; None where the header can be trusted.

    Args:
        head: the first bytes of the file.
    """
    parts: list[Part] = []
    if container := CONTAINERS.get(head[:4]):
        samples = find_samples(io.BytesIO(head), container)
        if samples and samples.size is not None:
            return None  # as nearly always: the file need not be opened once more
        with path.open("rb") as stream:
            parts = _sized(stream, container)
    elif head[:4] in AU_KINDS and len(head) >= AU_SIZE + 4:
        (said,) = struct.unpack_from(f"{AU_KINDS[head[:4]]}I", head, AU_SIZE)
        if said == 0 or said >= UNKNOWN_SIZE:
            parts = _replaced(AU_SIZE, AU_UNKNOWN, path.stat().st_size)
    elif is_mp3(head) and (mp3 := mp3_frames(path)):
        parts = _counted(mp3, path.stat().st_size)
    return Spliced(path, parts) if parts else None


def _sized(stream: BinaryIO, kind: Container) -> list[Part]:
    """The parts of a file of chunks whose samples go on to its end; [] if the size is known."""
    size = stream.seek(0, os.SEEK_END)
    samples = find_samples(stream, kind)
    if samples is None or samples.size is not None:
        return []
    rest = size - samples.place
    if samples.is_zero:
        if ends_with_chunks(stream, kind, samples.place + kind.before):
            return []  # it has no samples, and perhaps other chunks
    elif 0 < samples.said <= rest:
        return []  # more than 2 GB, and they are there
    value = struct.pack(samples.form, min(rest + kind.own, LARGEST[samples.form[1]]))
    return _replaced(samples.field, value, size)


def _counted(mp3: Mp3, size: int) -> list[Part]:
    """The parts of an MP3 with as many frames as it has; [] if the decoder reads them all anyway.

    A frame with the number is put in front where the decoder would take the first one's length for
    that of all.
    """
    frames = mp3.audio_frames
    if mp3.xing is not None and mp3.counted is not None:
        number = mp3.xing + 8  # behind "Xing" and the flags
        if mp3.counted >= frames:
            return []
        return _replaced(number, frames.to_bytes(4, "big"), size)
    if (size - mp3.start) // mp3.length >= frames:
        return []
    info = mp3.header + bytes(mp3.side) + b"Info" + struct.pack(">II", COUNTED, frames)
    if len(info) > mp3.length:
        return []
    return [range(mp3.start), info.ljust(mp3.length, b"\0"), range(mp3.start, size)]


def _replaced(place: int, new: bytes, size: int) -> list[Part]:
    return [range(place), new, range(place + len(new), size)]


class Spliced(io.RawIOBase):
    """A file made of parts of another and of bytes, to be read and sought in."""

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        self._parts = [part for part in parts if len(part)]
        self._stream = path.open("rb")
        self._place, self._size = 0, sum(map(len, self._parts))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the parts go; the number of bytes."""
        done, wanted = 0, len(buffer)
        start = 0
        for part in self._parts:
            first, last = self._place - start, self._place + wanted - done - start
            if 0 <= first < len(part):
                content = self._content(part, first, min(last, len(part)))
                buffer[done : done + len(content)] = content
                done += len(content)
                self._place += len(content)
            start += len(part)
        return done

    def _content(self, part: Part, first: int, last: int) -> bytes:
        if isinstance(part, bytes):
            return part[first:last]
        self._stream.seek(part.start + first)
        return self._stream.read(last - first)

    def close(self) -> None:
        self._stream.close()
        super().close()
