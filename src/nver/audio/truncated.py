"""How much audio a file says it holds, to find one that was cut short.

libsndfile reads a WAV, AIFF, Ogg or MP3 that ends too early as far as it goes, and says nothing. It
also stops too early in an MP3 of variable bit rate without a Xing header, whose length it guesses
from the first frame (it read 1.6 s of 7 s of ours).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

# A program that does not know the size, as it writes to a pipe, writes 0 or at least this.
UNKNOWN_SIZE = 0x7FFFF000
OGG_PAGE = 65307  # bytes, the largest page (RFC 3533)
# Samples of an MP3 that a decoder may drop: delay and padding (LAME: under 3 frames).
MP3_SLACK = 3 * 1152


def shortfall(file: Path, samples: int) -> str:
    """How much is missing of a file from which `samples` were decoded, in words.

    For example "1,000 of 2,000 samples are there"; "" if nothing is known to be missing.
    """
    with file.open("rb") as stream:
        head = stream.read(4)
    if head in (b"RIFF", b"FORM"):
        promised, slack = _chunks_samples(file), 0
    elif head == b"OggS":
        return "" if _ogg_ends(file) else "the stream has no end"
    elif head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        promised, slack = _mp3_samples(file.read_bytes()), MP3_SLACK
    else:
        return ""
    if promised is None or samples >= promised - slack:
        return ""
    return f"{samples:,} of {promised:,} samples are there"


def _chunks_samples(file: Path) -> int | None:
    """Samples per channel according to the header of a WAV (RIFF) or AIFF (FORM) file."""
    with file.open("rb") as stream:
        order = "<" if stream.read(12)[:4] == b"RIFF" else ">"
        frame_bytes = 0
        while len(header := stream.read(8)) == 8:
            kind, size = struct.unpack(f"{order}4sI", header)
            if kind == b"data":
                known = frame_bytes and 0 < size < UNKNOWN_SIZE
                return size // frame_bytes if known else None
            if kind in (b"fmt ", b"COMM"):
                body = stream.read(size + size % 2)
                if kind == b"COMM":
                    return int(struct.unpack(">2xI", body[:6])[0]) or None
                frame_bytes = struct.unpack("<12xH", body[:14])[0]
            else:
                stream.seek(size + size % 2, 1)
    return None


def _ogg_ends(file: Path) -> bool:
    """Whether the last page of an Ogg file is marked as the end of the stream (RFC 3533)."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 2 * OGG_PAGE))
        tail = stream.read()
    page = tail.rfind(b"OggS\x00")
    if page < 0 or len(tail) < page + 27:
        return False
    body = page + 27 + tail[page + 26]
    end = body + sum(tail[page + 27 : body])  # the segments' lengths stand before the body
    return len(tail) >= end and bool(tail[page + 5] & 4)


def _mp3_samples(data: bytes) -> int | None:
    """Samples per channel of an MP3, by its frames or its Xing header, whichever gives more."""
    frames = list(_mp3_frames(data))
    if not frames:
        return None
    start, length, samples = frames[0]
    first = data[start : start + length]
    mark = max(first.find(b"Xing"), first.find(b"Info"))
    if mark < 0:
        return len(frames) * samples
    flags, count = struct.unpack(">II", first[mark + 4 : mark + 12])
    return max(len(frames) - 1, count if flags & 1 else 0) * samples


# Layer III bit rates in kbit/s and rates in Hz, ISO 11172-3 and 13818-3.
_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mp3_frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(place, bytes, samples per channel) of each frame, up to the first gap between frames."""
    place = _after_id3(data)
    while place + 4 <= len(data):
        header = int.from_bytes(data[place : place + 4], "big")
        version, layer = header >> 19 & 3, header >> 17 & 3
        bit_rate, rate, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
        is_layer_3 = header >> 21 == 0x7FF and version != 1 and layer == 1
        if not is_layer_3 or rate == 3 or not 0 < bit_rate < 15:
            return
        kbits = (_MPEG1 if version == 3 else _MPEG2)[bit_rate]
        samples = 1152 if version == 3 else 576
        length = samples // 8 * kbits * 1000 // _RATES[version][rate] + padding
        yield place, length, samples
        place += length


def _after_id3(data: bytes) -> int:
    """Where the audio begins: behind an ID3v2 tag, whose size has seven bits a byte."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
