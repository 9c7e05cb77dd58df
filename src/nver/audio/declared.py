"""The sampling rate and the channels in the header of a file that libsndfile does not open."""

import struct
from pathlib import Path

from nver.audio.chunks import AU_KINDS, CONTAINERS, form_chunk

WAVE = {b"RIFF": "<2xHI", b"RF64": "<2xHI", b"RIFX": ">2xHI"}  # of a "fmt " chunk


def rate_and_channels(path: Path, head: bytes) -> tuple[int, int] | None:
    """What a WAV, AIFF, AU or FLAC says, in Hz and as a number; None for other files."""
    kind = head[:4]
    if kind in AU_KINDS and len(head) >= 24:
        rate, channels = struct.unpack_from(f"{AU_KINDS[kind]}II", head, 16)
        return rate, channels
    if kind == b"fLaC" and len(head) >= 22:  # RFC 9639, 8.2: 20 bits of rate, 3 of channels
        bits = int.from_bytes(head[18:22], "big")
        return bits >> 12, (bits >> 9 & 7) + 1
    content = b""
    if kind in CONTAINERS:
        with path.open("rb") as stream:
            content = form_chunk(stream, CONTAINERS[kind])
    if kind in WAVE and len(content) >= 8:
        channels, rate = struct.unpack_from(WAVE[kind], content)
        return rate, channels
    if kind == b"FORM" and len(content) >= 18:
        return _extended(content[8:18]), int.from_bytes(content[:2], "big")
    return None


def _extended(ten: bytes) -> int:
    """A number of 80 bits as AIFF has it (IEEE 754), rounded down; -1 for a negative one."""
    exponent, mantissa = struct.unpack(">HQ", ten)
    if exponent & 0x8000:
        return -1
    shift = exponent - 16383 - 63
    return mantissa >> -shift if shift <= 0 else mantissa << min(shift, 64)
