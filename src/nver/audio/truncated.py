"""How much audio a file says it holds, to find one that was cut short.

libsndfile reads a WAV, AIFF, Ogg or MP3 that ends too early as far as it goes, and says nothing.
"""

import struct
from pathlib import Path

from nver.audio.chunks import (
    AU_KINDS,
    CONTAINERS,
    UNKNOWN_SIZE,
    Container,
    chunks,
    find_samples,
)
from nver.audio.mp3_frames import is_mp3, mp3_frames

OGG_PAGE = 65307  # bytes, the largest page (RFC 3533)
# Samples of an MP3 that a decoder may drop: delay and padding (LAME: under 3 frames).
MP3_SLACK = 3 * 1152
ID3V1 = 128  # bytes of a tag at the end of an MP3
AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # of a sample, by encoding
UNKNOWN_FRAMES = 2**62  # libsndfile says 2^63 - 1 where a FLAC has no number of samples


def missing_frames(samples: int, promised: int, slack: int = 0) -> str:
    """ "1,000 of 2,000 samples are there", "" where none is missing or no number was promised."""
    if samples >= promised - slack or promised >= UNKNOWN_FRAMES:
        return ""
    return f"{samples:,} of {promised:,} samples are there"


def shortfall(file: Path, samples: int) -> str:
    """How much is missing of a file from which `samples` were decoded, in words.

    For example "1,000 of 2,000 samples are there"; "" if nothing is known to be missing.
    """
    with file.open("rb") as stream:
        head = stream.read(64)
    promised, slack = None, 0
    if head[:4] in CONTAINERS:
        promised = _chunks_samples(file, CONTAINERS[head[:4]])
    elif head[:4] == b"OggS":
        return "" if _ogg_ends(file) else "the stream has no end"
    elif head[:4] == b"fLaC" and len(head) >= 26:  # RFC 9639, 8.2: 36 bits
        promised = int.from_bytes(head[18:26], "big") & 2**36 - 1
    elif head[:4] in AU_KINDS and len(head) >= 24:
        promised = _au_samples(head)
    elif is_mp3(head) and (mp3 := mp3_frames(file)):
        promised = max(mp3.audio_frames, mp3.counted or 0) * mp3.samples
        slack = MP3_SLACK
    return "" if promised is None else missing_frames(samples, promised, slack)


def _chunks_samples(file: Path, kind: Container) -> int | None:
    """Samples per channel according to the header of a WAV, RF64, W64, AIFF or CAF."""
    with file.open("rb") as stream:
        frame_bytes = 0
        for chunk in chunks(stream, kind):
            stream.seek(chunk.place)
            if chunk.name == b"COMM" and len(content := stream.read(6)) == 6:
                (frames,) = struct.unpack(">2xI", content)
                return frames if 0 < frames < UNKNOWN_SIZE else None
            if chunk.name[:4] == b"fmt " and len(content := stream.read(14)) == 14:
                frame_bytes = struct.unpack(f"{kind.form[0]}12xH", content)[0]
        samples = find_samples(stream, kind) if frame_bytes else None
    return samples.size // frame_bytes if samples and samples.size else None


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


def _au_samples(head: bytes) -> int | None:
    """Samples per channel according to the header of an AU."""
    size, encoding, _, channels = struct.unpack_from(f"{AU_KINDS[head[:4]]}4I", head, 8)
    frame_bytes = AU_BYTES.get(encoding, 0) * channels
    return size // frame_bytes if frame_bytes and 0 < size < UNKNOWN_SIZE else None


def mp3_samples(file: Path, claimed: int) -> int:
    """Samples per channel of an MP3 that claims so many: less, if its frames end the file before.

    Where there is a gap between its frames, a decoder may find more behind it.
    """
    there = whole_mp3_samples(file)
    return claimed if there is None else min(claimed, there)


def whole_mp3_samples(file: Path) -> int | None:
    """Samples per channel of an MP3 whose frames go to its end, or to a tag there; else None."""
    mp3 = mp3_frames(file)
    if mp3 is None or file.stat().st_size - mp3.end > ID3V1 + mp3.length:
        return None
    return mp3.audio_frames * mp3.samples
