"""The frames of an MP3, found by their headers: how many there are, whatever the file says."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

# Layer III bit rates in kbit/s and rates in Hz, ISO 11172-3 and 13818-3.
_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
BLOCK = 1 << 18  # bytes that are read at a time (our choice)
COUNTED = 1  # the flag of a Xing header that has a number of frames


@dataclass(frozen=True)
class Mp3:
    """What the frames of an MP3 say.

    Attributes:
        start, length: the place of the first frame and its bytes.
        header: the four bytes that the first frame begins with.
        samples: per channel in a frame.
        frames: how many follow each other without a gap, the Xing header's among them.
        end: the place behind the last of them.
        xing: the place of the Xing (or Info) header in the file; None: there is none.
        counted: the number of frames that it says; None where it says none.
    """

    start: int
    length: int
    header: bytes
    samples: int
    frames: int
    end: int
    xing: int | None
    counted: int | None

    @property
    def audio_frames(self) -> int:
        """The frames that hold sound."""
        return self.frames - (self.xing is not None)

    @property
    def side(self) -> int:
        """The bytes between a frame's header and its content: a checksum and side information."""
        mpeg1, mono = self.header[1] >> 3 & 3 == 3, self.header[3] >> 6 == 3
        checksum = 0 if self.header[1] & 1 else 2
        return checksum + ((17 if mono else 32) if mpeg1 else (9 if mono else 17))


def is_mp3(head: bytes) -> bool:
    """Whether a file begins as an MP3: with an ID3v2 tag, or with a frame of MPEG audio."""
    return head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def mp3_frames(path: Path) -> Mp3 | None:
    """Walk through the frames of an MP3; None: its first frame is not where it should be."""
    with path.open("rb") as stream:
        start = after_id3(stream.read(10))
        walk = _frames(stream, start)
        first = next(walk, None)
        if first is None:
            return None
        length, samples = first
        frames, end = 1, start + length
        for more, _ in walk:
            frames, end = frames + 1, end + more
        stream.seek(start)
        return Mp3(
            start, length, stream.read(4), samples, frames, end, *_xing(stream, start, length)
        )


def _xing(stream: BinaryIO, start: int, length: int) -> tuple[int | None, int | None]:
    """The place of a Xing header in the first frame, and its number of frames."""
    stream.seek(start)
    first = stream.read(length)
    mark = max(first.find(b"Xing"), first.find(b"Info"))
    if mark < 0 or len(first) < mark + 12:
        return None, None
    flags, count = struct.unpack(">II", first[mark + 4 : mark + 12])
    return start + mark, count if flags & COUNTED else None


def _frames(stream: BinaryIO, place: int) -> Iterator[tuple[int, int]]:
    """(bytes, samples per channel) of each frame, up to the first gap between frames."""
    stream.seek(place)
    start, block = place, stream.read(BLOCK)
    while True:
        four = block[place - start : place - start + 4]
        if len(four) < 4:
            stream.seek(place)
            start, block = place, stream.read(BLOCK)
            four = block[:4]
        frame = _frame(four)
        if frame is None:
            return
        yield frame
        place += frame[0]


@lru_cache(maxsize=1024)  # a file has few different headers
def _frame(four: bytes) -> tuple[int, int] | None:
    """(bytes, samples per channel) of a frame by its header; None: it is none of layer III."""
    if len(four) < 4:
        return None  # the file ends in a header
    header = int.from_bytes(four, "big")
    version, layer = header >> 19 & 3, header >> 17 & 3
    bit_rate, rate, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    is_layer_3 = header >> 21 == 0x7FF and version != 1 and layer == 1
    if not is_layer_3 or rate == 3 or not 0 < bit_rate < 15:
        return None
    kbits = (_MPEG1 if version == 3 else _MPEG2)[bit_rate]
    samples = 1152 if version == 3 else 576
    return samples // 8 * kbits * 1000 // _RATES[version][rate] + padding, samples


def after_id3(tag: bytes) -> int:
    """Where the audio begins: behind an ID3v2 tag, whose size has seven bits a byte."""
    if tag[:3] != b"ID3" or len(tag) < 10:
        return 0
    size = 0
    for byte in tag[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
