"""Hostile recordings: mutants of good files of every readable format, and headers made by hand.

Everything follows from a seed: the same seed makes the same bytes. Written as files by
`python tests/hostile_audio.py FOLDER --seed 0 --mutants 4500`.
"""

import argparse
import io
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 16000
SECONDS = 0.6
# suffix -> what soundfile is told; every container and codec that libsndfile writes and people use
FORMATS: dict[str, dict[str, str]] = {
    "pcm16.wav": {"format": "WAV", "subtype": "PCM_16"},
    "pcm24.wav": {"format": "WAV", "subtype": "PCM_24"},
    "float.wav": {"format": "WAV", "subtype": "FLOAT"},
    "alaw.wav": {"format": "WAV", "subtype": "ALAW"},
    "ima.wav": {"format": "WAV", "subtype": "IMA_ADPCM"},
    "ms.wav": {"format": "WAV", "subtype": "MS_ADPCM"},
    "gsm.wav": {"format": "WAV", "subtype": "GSM610"},
    "wavex.wav": {"format": "WAVEX", "subtype": "PCM_16"},
    "rf64": {"format": "RF64", "subtype": "PCM_16"},
    "w64": {"format": "W64", "subtype": "PCM_16"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
    "aifc": {"format": "AIFF", "subtype": "ULAW"},
    "au": {"format": "AU", "subtype": "PCM_16"},
    "caf": {"format": "CAF", "subtype": "PCM_16"},
    "alac.caf": {"format": "CAF", "subtype": "ALAC_16"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}
# container by PyAV, codec, rate in Hz: tried where the extra nver[media] is installed
MEDIA: dict[str, tuple[str, str, int]] = {
    "m4a": ("mp4", "aac", 16000),
    "mp4": ("mp4", "alac", 16000),
    "mov": ("mov", "pcm_s16le", 16000),
    "aac": ("adts", "aac", 16000),
    "wma": ("asf", "wmav2", 44100),
    "webm": ("webm", "libopus", 48000),
    "mkv": ("matroska", "flac", 16000),
}
# values that a field of a header may be given, as 32 bits
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
HEADER = 160  # bytes from the beginning in which `_edit` writes

Random = np.random.Generator


def voice(seed: int = 0, rate: int = RATE, seconds: float = SECONDS) -> npt.NDArray[np.float32]:
    """(samples,): a vibrating tone with overtones and breath, in place of a voice."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(rate * seconds)) / rate
    phase = 2 * np.pi * (180 + 60 * seed) * t + 3 * np.sin(2 * np.pi * 5 * t)
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3, 4))
    return (0.2 * tone + 0.02 * rng.standard_normal(t.size)).astype(np.float32)


def good_files() -> dict[str, bytes]:
    """suffix -> a short good file of each format that can be written here."""
    samples, files = voice(), {}
    for suffix, options in FORMATS.items():
        stream = io.BytesIO()
        soundfile.write(stream, samples, RATE, **options)
        files[suffix] = stream.getvalue()
    return files | media_files()


def media_files() -> dict[str, bytes]:
    """suffix -> a good file of each kind that PyAV writes; none without PyAV."""
    try:
        import av
    except ImportError:
        return {}
    files = {}
    for suffix, (container, codec, rate) in MEDIA.items():
        stream = io.BytesIO()
        with av.open(stream, "w", format=container) as out:
            track = out.add_stream(codec, rate=rate, layout="mono")
            track.bit_rate = 64000
            values = (voice(rate=rate) * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
            out.mux([*track.encode(frame), *track.encode(None)])
        files[suffix] = stream.getvalue()
    return files


def mutants(seed: int, number: int) -> Iterator[tuple[str, bytes]]:
    """`number` (file name, content), in turn over the formats and the kinds of damage."""
    rng = np.random.default_rng(seed)
    files = good_files()
    turns = cycle((suffix, kind) for kind in KINDS for suffix in files)
    for n, (suffix, kind) in enumerate(islice(turns, number)):
        content = KINDS[kind](files[suffix], rng, files)
        yield f"{n:05d}-{kind}.{suffix}", content


def _flip(content: bytes, rng: Random, _: dict[str, bytes]) -> bytes:
    """Between 1 and 64 bits turned over, anywhere."""
    data = bytearray(content)
    for place in rng.integers(0, 8 * len(data), rng.integers(1, 65)):
        data[place // 8] ^= 1 << place % 8
    return bytes(data)


def _flip_header(content: bytes, rng: Random, _: dict[str, bytes]) -> bytes:
    """Between 1 and 4 bits of the header turned over."""
    data = bytearray(content)
    for place in rng.integers(0, 8 * min(HEADER, len(data)), rng.integers(1, 5)):
        data[place // 8] ^= 1 << place % 8
    return bytes(data)


def _truncate(content: bytes, rng: Random, _: dict[str, bytes]) -> bytes:
    return content[: rng.integers(0, len(content))]


def _edit(content: bytes, rng: Random, _: dict[str, bytes]) -> bytes:
    """One to three fields of the header with an extreme value, in either order of bytes."""
    data = bytearray(content)
    for _field in range(rng.integers(1, 4)):
        width, order = int(rng.choice([1, 2, 4, 8])), "little" if rng.random() < 0.6 else "big"
        value = int(rng.choice(EXTREMES)) if rng.random() < 0.8 else int(rng.integers(0, 2**32))
        value = value * 0x100000001 if width == 8 else value % (1 << 8 * width)
        place = int(rng.integers(0, min(HEADER, len(data) - width)))
        data[place : place + width] = value.to_bytes(width, order)  # type: ignore[arg-type]
    return bytes(data)


def _join(content: bytes, rng: Random, files: dict[str, bytes]) -> bytes:
    """The beginning of a file and the end of another one, of any format."""
    other = files[str(rng.choice([*files]))]
    cut = int(rng.integers(0, len(content)))
    return content[:cut] + other[int(rng.integers(0, len(other))) :]


def _head_of(content: bytes, rng: Random, files: dict[str, bytes]) -> bytes:
    """The header of a file before the whole of another one."""
    other = files[str(rng.choice([*files]))]
    return content[: int(rng.integers(4, HEADER))] + other


def _splice(content: bytes, rng: Random, _: dict[str, bytes]) -> bytes:
    """A stretch taken out, doubled, zeroed, or filled with noise."""
    first, last = sorted(int(i) for i in rng.integers(0, len(content), 2))
    part = content[first:last]
    filling = (b"", part * 2, bytes(len(part)), rng.bytes(len(part)))[rng.integers(0, 4)]
    return content[:first] + filling + content[last:]


KINDS: dict[str, Callable[[bytes, Random, dict[str, bytes]], bytes]] = {
    "flip": _flip,
    "header-flip": _flip_header,
    "truncate": _truncate,
    "edit": _edit,
    "join": _join,
    "head": _head_of,
    "splice": _splice,
}


# ------------------------------------------------------------------------- headers made by hand


def headers() -> Iterator[tuple[str, bytes]]:
    """(file name, content): files whose header lies in one way each."""
    body = (voice() * 32767).astype("<i2").tobytes()
    frames = len(body) // 2
    for rate in (0, 1, 2, 7, 100, 1999, 768001, 10**6, 2**31 - 1, 2**31, 2**32 - 1):
        yield f"rate-{rate}.wav", wav(body, rate=rate)
    for channels in (0, 2, 3, 7, 255, 256, 1024, 1025, 32767, 65535):
        yield f"channels-{channels}.wav", wav(body, channels=channels)
        yield f"align-{channels}.wav", wav(body, channels=channels, align=2 * channels % 65536)
    for bits in (0, 1, 4, 7, 8, 12, 24, 32, 33, 64, 255, 65535):
        yield f"bits-{bits}.wav", wav(body, bits=bits)
    for tag in (0, 2, 3, 6, 0x11, 0x31, 0x55, 0x161, 0x2000, 0xFFFE, 0xFFFF):
        yield f"codec-{tag}.wav", wav(body, tag=tag)
    for size in (0, 1, 3, len(body) * 1000, 2**31 - 1, 2**31, 0xFFFFFFF0, 0xFFFFFFFF):
        yield f"data-{size}.wav", wav(body, size=size)
        yield f"riff-{size}.wav", wav(body, riff=size)
    for total in (0, 1, 10**6, 10**9, 2**36 - 1):
        yield f"total-{total}.flac", flac_with_total(total)
    for count in (0, 1, 10**6, 2**31 - 1, 2**32 - 1):
        yield f"frames-{count}.aiff", aiff(body, frames=count)
        yield f"xing-{count}.mp3", mp3_with_frames(count)
        yield f"size-{count}.au", au(body, size=count)
    for exponent in (0, 1, 0x3FFF, 0x400E, 0x7FFF, 0xFFFF):
        yield f"rate-{exponent}.aiff", aiff(body, frames=frames, exponent=exponent)
    for rate in (0, 1, 2**31 - 1, 2**32 - 1):
        yield f"rate-{rate}.au", au(body, rate=rate)
    for granule in (0, 1, 2**40, 2**63 - 1, 2**64 - 1):
        yield f"granule-{granule}.ogg", ogg_with_granule(granule)
    for number in (2**20, 2**31 - 1, 2**32 - 1):
        yield f"chunk-{number}.wav", wav(body, extra=b"LIST" + struct.pack("<I", number))
    yield from not_audio()


def not_audio() -> Iterator[tuple[str, bytes]]:
    """What else lies under an audio file's name."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"
    yield "pointer.wav", pointer.encode()
    yield "pointer.flac", pointer.encode()
    yield "annex.wav", b"/annex/objects/SHA256E-s1--" + b"0" * 64 + b".wav\n"
    yield "page.mp3", b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
    yield "error.ogg", b'{"error": "quota exceeded"}'
    yield "zeros.wav", bytes(4096)
    yield "text.wav", b"once upon a time " * 100
    yield "zip.wav", b"PK\x03\x04" + bytes(1000)
    yield "riff.wav", b"RIFF"
    yield "empty.wav", b""


def wav(
    body: bytes,
    *,
    rate: int = RATE,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    align: int = 2,
    size: int | None = None,
    riff: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """A WAV file with a header that says what it is told to say."""
    form = struct.pack("<HHIIHH", tag, channels, rate, 2 * rate % 2**32, align, bits)
    data = b"data" + struct.pack("<I", len(body) if size is None else size) + body
    content = b"WAVEfmt " + struct.pack("<I", len(form)) + form + extra + data
    return b"RIFF" + struct.pack("<I", len(content) if riff is None else riff) + content


def aiff(body: bytes, *, frames: int, exponent: int = 0x400C) -> bytes:
    """An AIFF file; its rate is an 80-bit float of this exponent (0x400C: 16 kHz)."""
    rate = struct.pack(">HQ", exponent, 0xFA00 << 48)
    common = b"COMM" + struct.pack(">IHIH", 18, 1, frames, 16) + rate
    swapped = np.frombuffer(body, "<i2").astype(">i2").tobytes()
    data = b"SSND" + struct.pack(">III", len(swapped) + 8, 0, 0) + swapped
    return b"FORM" + struct.pack(">I", 4 + len(common) + len(data)) + b"AIFF" + common + data


def au(body: bytes, *, size: int = 0xFFFFFFFF, rate: int = RATE) -> bytes:
    swapped = np.frombuffer(body, "<i2").astype(">i2").tobytes()
    return b".snd" + struct.pack(">IIIII", 24, size, 3, rate, 1) + swapped


def flac_with_total(total: int) -> bytes:
    data = bytearray(_written("flac"))
    fields = int.from_bytes(data[18:26], "big")  # rate, channels, bits, total: RFC 9639, 8.2
    data[18:26] = (fields >> 36 << 36 | total).to_bytes(8, "big")
    return bytes(data)


def mp3_with_frames(count: int) -> bytes:
    data = bytearray(_written("mp3"))
    mark = max(data.find(b"Xing"), data.find(b"Info"))
    data[mark + 8 : mark + 12] = count.to_bytes(4, "big")
    return bytes(data)


def ogg_with_granule(granule: int) -> bytes:
    data = bytearray(_written("ogg"))
    page = data.rfind(b"OggS")
    data[page + 6 : page + 14] = granule.to_bytes(8, "little")
    return bytes(data)  # the page's checksum is wrong then, as of a damaged file


def _written(suffix: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, voice(), RATE, **FORMATS[suffix])
    return stream.getvalue()


def write_all(folder: Path, seed: int, number: int) -> list[Path]:
    """The headers and `number` mutants as files; returns their paths, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, content in [*headers(), *mutants(seed, number)]:
        files.append(folder / name)
        files[-1].write_bytes(content)
    return sorted(files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutants", type=int, default=4500)
    given = parser.parse_args()
    print(len(write_all(given.folder, given.seed, given.mutants)), "files in", given.folder)
