"""Headers are claims: sizes, rates and channels that are not true, and what is read anyhow."""

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from nver.audio.chunks import CONTAINERS, chunks
from nver.audio.known_size import Spliced
from nver.audio.length import missing_by_header
from nver.audio.recording import (
    load_audio,
    read_recording,
    read_start,
    read_with_remark,
)
from nver.audio.sound_file import MOST_VALUES
from nver.corpora.measurement import measure
from nver.errors import AudioError

RATE = 16000
Edit = Callable[[bytearray], None]


def sound(seconds: float = 1.0, rate: int = RATE) -> Any:
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (150 + 100 * t) * t)).astype(np.float32)


def encoded(kind: str, seconds: float = 1.0, **options: Any) -> bytearray:
    """A sound as a file of a format, "OGG/OPUS", for example."""
    file = io.BytesIO()
    major, _, subtype = kind.partition("/")
    soundfile.write(file, sound(seconds), RATE, format=major, subtype=subtype or None, **options)
    return bytearray(file.getvalue())


def put(file: bytearray, mark: bytes, offset: int, form: str, value: int) -> None:
    """Write a number at an offset from the first place of a mark."""
    struct.pack_into(form, file, file.index(mark) + offset, value)


def wav(size: int, riff: int = 36, fmt: tuple[int, ...] = (1, 1, RATE, 32000, 2, 16)) -> bytearray:
    """A WAV of 1 s whose header has this size of its samples, of the file, and this format."""
    samples = (32767 * sound()).astype("<i2").tobytes()
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, *fmt)
    return bytearray(head + b"data" + struct.pack("<I", size) + samples)


def edited(kind: str, *edits: tuple[bytes, int, str, int]) -> bytearray:
    file = encoded(kind)
    for edit in edits:
        put(file, *edit)
    return file


ALL_ONES, ALL_ONES_64 = 0xFFFFFFFF, 2**64 - 1
FLAC_TOTAL = 10  # behind "fLaC", the header of the block and its sizes: 20 bits of rate begin here


def flac(**fields: int) -> bytearray:
    """A FLAC whose STREAMINFO says something else (RFC 9639, 8.2)."""
    file = encoded("FLAC")
    bits = int.from_bytes(file[18:26], "big")
    if "total" in fields:
        bits = bits >> 36 << 36 | fields["total"]
    if "rate" in fields:
        bits = bits & (1 << 44) - 1 | fields["rate"] << 44
    file[18:26] = bits.to_bytes(8, "big")
    return file


def mp3(frames: int | None) -> bytearray:
    """An MP3 whose Xing header has this number of frames; None: without that header."""
    file = encoded("MP3", bitrate_mode="VARIABLE")
    if frames is None:
        return file[file.index(b"\xff\xf3", 4) :]
    put(file, b"Xing", 8, ">I", frames)
    return file


UNKNOWN = {
    **{f"wav, {n:#x}": wav(n) for n in (0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, ALL_ONES - 1)},
    **{f"wav, 0, file {n:#x}": wav(0, n) for n in (0, 32036, ALL_ONES)},
    "wav, all ones": wav(ALL_ONES, ALL_ONES),
    "rf64, 0": edited("RF64", (b"ds64", 16, "<Q", 0)),
    "rf64, all ones": edited(
        "RF64", (b"ds64", 8, "<Q", ALL_ONES_64), (b"ds64", 16, "<Q", ALL_ONES_64)
    ),
    "w64, 0": edited("W64", (b"data\xf3\xac", 16, "<Q", 0)),
    "w64, all ones": edited("W64", (b"data\xf3\xac", 16, "<Q", ALL_ONES_64)),
    "aiff, 0": edited("AIFF", (b"SSND", 4, ">I", 0), (b"COMM", 10, ">I", 0)),
    "aiff, 8": edited("AIFF", (b"SSND", 4, ">I", 8), (b"COMM", 10, ">I", 0)),
    "aiff, all ones": edited("AIFF", (b"SSND", 4, ">I", ALL_ONES), (b"COMM", 10, ">I", ALL_ONES)),
    **{f"au, {n:#x}": edited("AU", (b".snd", 8, ">I", n)) for n in (0, 0x7FFFFFFF, ALL_ONES)},
    "caf, -1": edited("CAF", (b"data", 4, ">q", -1)),
    "caf, 0": edited("CAF", (b"data", 4, ">q", 0)),
    "flac, 0": flac(total=0),
    **{f"mp3, {n}": mp3(n) for n in (0, 1, 7)},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_file_of_unknown_length_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    """The same by every way that reads, spans too, and nothing is called missing."""
    file = tmp_path / "a.wav"
    file.write_bytes(UNKNOWN[name])
    whole, remark = read_with_remark(file)
    assert (len(whole.samples), remark) == (RATE, "")
    assert load_audio(file, RATE).size == RATE
    span = read_recording(file, start=0.25, end=0.5).samples
    assert np.array_equal(span, whole.samples[RATE // 4 : RATE // 2])
    assert len(read_recording(file, start=2.0, end=3.0).samples) == 0
    assert read_start(file, 0.5)[1:] == (1.0, "")
    assert measure(str(file)).duration_s == 1.0
    assert missing_by_header(file) == ""
    kind = name.split(",")[0].upper()
    good = tmp_path / "good"
    good.write_bytes(encoded(kind, **({"bitrate_mode": "VARIABLE"} if kind == "MP3" else {})))
    assert np.abs(whole.samples - read_recording(good).samples).max() < 1e-4


@pytest.mark.parametrize(
    "after", [b"", b"LIST\x04\x00\x00\x00INFO", b"junk\x03\x00\x00\x00abc\x00"]
)
def test_no_samples_are_no_unknown_length(tmp_path: Path, after: bytes) -> None:
    """A size of 0 with nothing behind it, or with other chunks, is true."""
    file = tmp_path / "a.wav"
    file.write_bytes(wav(0)[:44] + after)
    with pytest.raises(AudioError, match="no samples"):
        load_audio(file, RATE)


def test_what_follows_the_samples_is_no_sound(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(wav(2 * RATE) + b"LIST" + struct.pack("<I", 4000) + bytes(4000))
    assert len(read_recording(file).samples) == RATE


def test_an_mp3_of_variable_bit_rate_without_a_number_is_read_to_its_end(tmp_path: Path) -> None:
    """Its length is guessed from its first frame: the decoder stopped after a fourth of these."""
    file = tmp_path / "a.mp3"
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * RATE)
    samples *= np.repeat([1.0, 0.001, 1.0], RATE)
    soundfile.write(file, samples, RATE, bitrate_mode="VARIABLE")
    content = file.read_bytes()
    file.write_bytes(content[content.index(b"\xff\xf3", content.index(b"Xing")) :])
    with soundfile.SoundFile(file) as guessed:
        assert guessed.frames < 2 * RATE
    recording, remark = read_with_remark(file)
    assert (len(recording.samples) >= 3 * RATE, remark) == (True, "")


TOO_MUCH = {
    **{f"flac, {n}": flac(total=n) for n in (16001, 10**6, 10**10, 2**36 - 1)},
    **{f"mp3, {n}": mp3(n) for n in (10**4, 10**6, ALL_ONES)},
    **{f"wav, {n}": wav(n) for n in (64000, 10**9)},
    **{f"au, {n}": edited("AU", (b".snd", 8, ">I", n)) for n in (64000, 10**9)},
    "aiff": edited("AIFF", (b"COMM", 10, ">I", 10**9)),
    "rf64": edited("RF64", (b"ds64", 16, "<Q", 10**12)),
    "w64": edited("W64", (b"data\xf3\xac", 16, "<Q", 10**12)),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_length_that_is_not_there_is_said_and_not_believed(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.flac"
    file.write_bytes(TOO_MUCH[name])
    recording, remark = read_with_remark(file)
    decoded = len(recording.samples)
    assert decoded == pytest.approx(RATE, abs=1200)  # of an MP3 with its padding
    assert remark.startswith(f"{decoded:,} of ")
    assert remark.endswith("samples are there")
    start, duration, said = read_start(file, 30.0)
    assert (len(start.samples), duration) == (decoded, decoded / RATE)
    assert said == f"cut short: {remark}"
    assert missing_by_header(file)
    assert measure(str(file)).cut_short == remark


def crc(page: bytes) -> bytes:
    """An Ogg page with its checksum set right (RFC 3533)."""
    value = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        value ^= byte << 24
        for _ in range(8):
            value = value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)
        value &= 0xFFFFFFFF
    return page[:22] + struct.pack("<I", value) + page[26:]


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("granule", [10**6, 10**9, 2**40])
def test_a_position_that_an_ogg_does_not_reach(tmp_path: Path, codec: str, granule: int) -> None:
    content = encoded(f"OGG/{codec}", 15.0)
    last = content.rindex(b"OggS")
    page = content[last : last + 6] + struct.pack("<Q", granule) + content[last + 14 :]
    file = tmp_path / "a.ogg"
    file.write_bytes(content[:last] + crc(bytes(page)))
    recording, remark = read_with_remark(file)
    assert len(recording.samples) == pytest.approx(15 * RATE, abs=400)
    assert "samples are there" in remark
    assert read_start(file, 2.0)[1] == len(recording.samples) / RATE


def aiff_rate(ten: bytes) -> bytearray:
    file = encoded("AIFF")
    place = file.index(b"COMM") + 16
    file[place : place + 10] = ten
    return file


REFUSED = {
    **{
        f"its header has a sampling rate of {n:,} Hz": wav(32000, fmt=(1, 1, n, 32000, 2, 16))
        for n in (0, 1, 1999, 768_001, 2**31, ALL_ONES)
    },
    "sampling rate of 1,048,575 Hz; expected 2,000 to 768,000 Hz": flac(rate=1048575),
    "sampling rate of 12 Hz": flac(rate=12),
    "sampling rate of 800,000,000 Hz": aiff_rate(b"\x40\x1c\xbe\xbc\x20\x00\x00\x00\x00\x00"),
    "sampling rate of 2 Hz": aiff_rate(b"\x40\x00\x80" + bytes(7)),
    "sampling rate of 3,000,000,000 Hz": edited("AU", (b".snd", 16, ">I", 3 * 10**9)),
    "its header has 1,024 channels; expected 1 to 64": wav(32000, fmt=(1, 1024, RATE, 0, 2048, 16)),
    "its header has 65 channels": wav(32000, fmt=(1, 65, RATE, 0, 130, 16)),
    "Channel count is zero": wav(32000, fmt=(1, 0, RATE, 0, 2, 16)),
    "Too many channels": wav(32000, fmt=(1, 65535, RATE, 0, 2, 16)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_no_recording_has_is_refused_by_name(tmp_path: Path, words: str) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(REFUSED[words])
    for read in (read_recording, lambda f: read_start(f, 30.0), lambda f: load_audio(f, RATE)):
        with pytest.raises(AudioError, match=words) as caught:
            read(file)
        assert caught.value.reason == "unreadable"
    assert measure(str(file)).reason == "unreadable"


@pytest.mark.parametrize("rate", [2_000, 4_000, 192_000, 768_000])
def test_the_rates_of_recorders_are_read(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", sound(0.5, rate), rate)
    assert len(load_audio(tmp_path / "a.wav", RATE)) == RATE // 2


def long_file(file: Path, rate: int, channels: int, seconds: int, kind: str) -> None:
    """A second of noise, and then nothing."""
    with soundfile.SoundFile(file, "w", rate, channels, format=kind) as out:
        out.write(np.random.default_rng(0).uniform(-0.1, 0.1, (rate, channels)))
        minute = np.zeros((60 * rate, channels), np.int16)
        for first in range(1, seconds, 60):
            out.write(minute[: (seconds - first) * rate])


@pytest.mark.parametrize(
    ("kind", "rate", "channels", "seconds", "words"),
    [
        ("WAV", 2000, 1, 3001, "50 min at 2,000 Hz, 1 channel; at most 50 min"),
        ("FLAC", 16000, 1, 3060, "51 min at 16,000 Hz, 1 channel; at most 50 min"),
        ("FLAC", 96000, 8, 63, "63 s at 96,000 Hz, 8 channels; at most 62 s of that are read"),
    ],
)
def test_a_clip_that_is_too_long_says_how_long(
    tmp_path: Path, kind: str, rate: int, channels: int, seconds: int, words: str
) -> None:
    file = tmp_path / "a.wav"
    long_file(file, rate, channels, seconds, kind)
    with pytest.raises(AudioError, match=words) as caught:
        read_recording(file)
    assert caught.value.reason == "too long"
    assert "give the spans" in str(caught.value)
    assert len(read_recording(file, start=10.0, end=11.0).samples) == rate
    assert read_start(file, 5.0)[1] == seconds


def test_45_minutes_are_read(tmp_path: Path) -> None:
    long_file(tmp_path / "a.flac", RATE, 1, 2700, "FLAC")
    assert 2700 * RATE < MOST_VALUES
    assert len(read_recording(tmp_path / "a.flac").samples) == 2700 * RATE


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(("rate", "channels", "seconds"), [(16000, 1, 2999), (8000, 2, 2999)])
def test_the_longest_clip_takes_less_than_500_mb(
    tmp_path: Path, rate: int, channels: int, seconds: int
) -> None:
    """A small file of silence, measured as in `nver corpus`: with a print and all copies."""
    file = tmp_path / "a.flac"
    long_file(file, rate, channels, seconds, "FLAC")
    code = (
        "import sys; from nver.corpora.measurement import measure; "
        "assert not measure(sys.argv[1]).reason; "
        "print(*(line for line in open('/proc/self/status') if 'VmHWM' in line))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[1]) / 1000 < 500  # kB


def test_the_length_of_a_long_file_is_found_by_decoding_on(tmp_path: Path) -> None:
    long_file(tmp_path / "a.flac", 8000, 1, 100, "FLAC")
    content = bytearray((tmp_path / "a.flac").read_bytes())
    bits = int.from_bytes(content[18:26], "big") >> 36 << 36
    content[18:26] = (bits | 8000 * 3600).to_bytes(8, "big")
    (tmp_path / "a.flac").write_bytes(content)
    start, duration, remark = read_start(tmp_path / "a.flac", 30.0)
    assert (len(start.samples), duration) == (30 * 8000, 100.0)
    assert remark == "cut short: 800,000 of 28,800,000 samples are there"


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
def test_the_length_of_a_long_ogg_is_not_its_last_position(tmp_path: Path, codec: str) -> None:
    content = encoded(f"OGG/{codec}", 40.0)
    file = tmp_path / "a.ogg"
    file.write_bytes(content)
    assert read_start(file, 5.0)[1:] == (40.0, "")
    last = content.rindex(b"OggS")
    page = content[last : last + 6] + struct.pack("<Q", 10**8) + content[last + 14 :]
    file.write_bytes(content[:last] + crc(bytes(page)))
    start, duration, remark = read_start(file, 5.0)
    assert len(start.samples) == 5 * RATE
    assert duration == pytest.approx(40, abs=0.03)
    assert "samples are there" in remark


def test_the_length_of_a_long_mp3_is_that_of_its_frames(tmp_path: Path) -> None:
    file = tmp_path / "a.mp3"
    for frames, length in ((None, 40.0), (10**6, 40.0), (3, 40.0)):
        content = encoded("MP3", 40.0, bitrate_mode="VARIABLE")
        if frames is not None:
            put(content, b"Xing", 8, ">I", frames)
        file.write_bytes(content)
        _, duration, remark = read_start(file, 5.0)
        assert duration == pytest.approx(length, abs=0.1)
        assert bool(remark) == (frames == 10**6)


@pytest.mark.parametrize("place", [0.5, 0.9])
def test_what_cannot_be_decoded_behind_the_start_is_said(tmp_path: Path, place: float) -> None:
    file = tmp_path / "a.flac"
    soundfile.write(file, np.random.default_rng(0).uniform(-0.5, 0.5, 8 * RATE), RATE)
    content = file.read_bytes()
    file.write_bytes(content[: int(place * len(content))])
    start, _, remark = read_start(file, 2.0)
    assert len(start.samples) == 2 * RATE
    assert "cut short" in remark


def test_a_walk_through_rubbish_ends() -> None:
    """Chunks without content lead nowhere; one of a size beyond the file is the last."""
    rubbish = io.BytesIO(b"RIFF\x00\x00\x00\x00WAVE" + bytes(8 * 100_000))
    assert len(list(chunks(rubbish, CONTAINERS[b"RIFF"]))) == 1000
    assert len(list(chunks(io.BytesIO(bytes(12) + b"\xff" * 80), CONTAINERS[b"RIFF"]))) == 1


def test_a_file_of_parts_reads_like_their_sum(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(bytes(range(100)))
    parts = [range(10), b"abc", range(40, 50), b"", range(50, 100)]
    whole = bytes(range(10)) + b"abc" + bytes(range(40, 100))
    with Spliced(file, parts) as spliced:
        assert spliced.read() == whole
        for place, number in ((0, 5), (8, 4), (11, 30), (70, 10), (80, 1), (0, 73)):
            spliced.seek(place)
            assert spliced.read(number) == whole[place : place + number]
            assert spliced.tell() == min(place + number, max(place, len(whole)))
        assert spliced.seek(-3, 2) == len(whole) - 3
        assert spliced.read() == whole[-3:]
