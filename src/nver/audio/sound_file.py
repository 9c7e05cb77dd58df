"""An audio file opened by libsndfile; what its header says is bounded before memory is taken.

A clip has at most `MOST_VALUES` samples over all channels, and at most `LONGEST_CLIP_S`: with the
mean of the channels and a copy at 16 kHz that is less than 500 MB, whatever the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from nver.audio.declared import rate_and_channels
from nver.audio.known_size import with_known_size
from nver.audio.library_prints import no_prints
from nver.audio.not_audio import what_it_may_be
from nver.audio.truncated import UNKNOWN_FRAMES, missing_frames
from nver.errors import AudioError

FloatArray = npt.NDArray[np.float32]

# All our choice. 48 million: 50 min at 16 kHz, 18 min at 44.1 kHz, 8 min at 48 kHz in stereo.
MOST_VALUES = 48_000_000
LONGEST_CLIP_S = 3000.0
LOWEST_RATE = 2_000  # Hz; telephones have 8,000
HIGHEST_RATE = 768_000  # Hz, of the finest converters
MOST_CHANNELS = 64  # of the largest microphone arrays
BLOCK = 1 << 20  # samples over all channels that are decoded at a time where none is kept
SMALL = 1024  # samples that are read at a time of a damaged file
# Bits of a sample at least, where libsndfile's number of samples follows from the bytes of a file.
# In other formats (FLAC, Ogg, MP3, ALAC) it is what the header says.
_BITS = {
    64: "DOUBLE",
    32: "PCM_32 FLOAT",
    24: "PCM_24",
    16: "PCM_16",
    8: "PCM_S8 PCM_U8 ULAW ALAW DPCM_8 DPCM_16",
    4: "IMA_ADPCM MS_ADPCM VOX_ADPCM G721_32 NMS_ADPCM_32",
    3: "G723_24 G723_40 NMS_ADPCM_24",
    1: "GSM610 NMS_ADPCM_16 DWVW_12 DWVW_16 DWVW_24 DWVW_N",
}
BITS = {name: bits for bits, names in _BITS.items() for name in names.split()}


@contextmanager
def opened(path: Path, head: bytes) -> Iterator[soundfile.SoundFile]:
    """An audio file, checked to be of a rate and with channels that a recording may have.

    Args:
        head: the first bytes of the file.

    Raises:
        AudioError: "unreadable": it cannot be opened, or is refused, or cannot be decoded inside.
    """
    try:
        with no_prints(), _sound(path, head) as sound:
            check_form(path, sound.samplerate, sound.channels)
            yield sound
    except (soundfile.SoundFileError, RuntimeError, ValueError, OverflowError, OSError) as error:
        found = rate_and_channels(path, head)
        if found and "SF_INFO" in str(error):  # libsndfile's word for a rate of 0 or above 2^31 - 1
            check_form(path, *found)
        words = f"{detail(error)}{what_it_may_be(path, head)}"
        raise AudioError(f"{path}: cannot be decoded ({words})", "unreadable") from error


@contextmanager
def _sound(path: Path, head: bytes) -> Iterator[soundfile.SoundFile]:
    spliced = with_known_size(path, head)
    try:
        with soundfile.SoundFile(spliced or sound_name(path)) as sound:
            # soundfile seeks to its own position before and after each read, which costs a fifth of
            # the decoding of Opus, and fails in a FLAC of false length, unless it is told that the
            # file cannot seek.
            sound.seekable = lambda: False
            yield sound
    finally:
        if spliced:
            spliced.close()


def sound_name(path: Path) -> Path | bytes:
    """A path as soundfile takes it: as bytes, which keep a name that is not UTF-8 (POSIX)."""
    return os.fsencode(path) if os.name == "posix" else path


def is_counted(sound: soundfile.SoundFile) -> bool:
    """Whether the number of frames follows from the bytes of the file, and is no claim."""
    return sound.format != "FLAC" and sound.subtype in BITS


def claimed_frames(sound: soundfile.SoundFile, file_bytes: int) -> int:
    """The samples per channel that the header claims, at most what the bytes can hold."""
    frames = max(0, int(sound.frames))
    if not is_counted(sound):
        return frames
    return min(frames, file_bytes * 8 // BITS[sound.subtype] // sound.channels)


def most_frames(sound: soundfile.SoundFile, most: int = MOST_VALUES) -> int:
    """The samples per channel that are decoded of one clip at most."""
    return min(most // sound.channels, round(LONGEST_CLIP_S * sound.samplerate))


def read_frames(sound: soundfile.SoundFile, first: int, last: int, most: int) -> FloatArray:
    """(samples, channels) from sample `first` to `last`, or to the end; at most `most` samples.

    Where there are more, `most` + 1 are given. Memory that the decoder does not fill is never
    touched, and is given back.
    """
    if not _seek(sound, first):
        return np.empty((0, sound.channels), np.float32)
    samples = np.empty((min(last - first, most + 1), sound.channels), np.float32)
    found = sound.read(len(samples), out=samples)
    return found.copy() if len(found) < len(samples) // 2 else found


def read_to_fault(path: Path, head: bytes, first: int, last: int, most: int) -> FloatArray:
    """As `read_frames`, of a file that is damaged before `last`: what lies before the damage.

    libsndfile gives nothing of a read in which a FLAC breaks off, so small ones are made.
    """
    parts, place = list[FloatArray](), 0
    with opened(path, head) as sound:
        try:
            while place < min(last, first + most):
                part = sound.read(min(SMALL, last - place), dtype="float32", always_2d=True)
                if not len(part):
                    break
                parts.append(part[max(0, first - place) :])
                place += len(part)
        except soundfile.SoundFileError:
            if not place:
                raise
        return np.concatenate(parts or [np.empty((0, sound.channels), np.float32)])


def _seek(sound: soundfile.SoundFile, first: int) -> bool:
    """Go to a sample; whether it is there.

    MP3 is decoded from its beginning: in a file of variable bit rate libmpg123 seeks inexactly (we
    saw it miss by 2,000 samples).
    """
    there = True
    if first and sound.format != "MP3":
        try:
            sound.seek(first)
        except soundfile.SoundFileError:
            if is_counted(sound):
                raise
            there = False  # only its header says that the file goes on so far
    if first and sound.format == "MP3":
        there = pass_over(sound, first) == first
    return there


def has_end(sound: soundfile.SoundFile, frames: int, tail: int) -> bool:
    """Whether the last `tail` samples that the header claims are there; only they are decoded.

    For formats in which a decoder finds a place exactly: not for MP3.
    """
    if is_counted(sound) or not frames:
        return True
    tail = min(tail, frames)
    if frames >= UNKNOWN_FRAMES:
        return False
    try:
        sound.seek(frames - tail)
        return pass_over(sound, tail) == tail
    except soundfile.SoundFileError:
        return False


def pass_over(sound: soundfile.SoundFile, frames: int) -> int:
    """Decode that many samples, or to the end, and keep none; how many there were."""
    block = np.empty((max(1, BLOCK // sound.channels), sound.channels), np.float32)
    passed = 0
    while passed < frames:
        wanted = min(frames - passed, len(block))
        got = len(sound.read(wanted, out=block))
        passed += got
        if got < wanted:  # the end; to read on would be an error in a FLAC
            break
    return passed


def missing(sound: soundfile.SoundFile, frames: int, claimed: int) -> str:
    """What is missing of a file with so many samples in which the header claims more.

    Not of an MP3, of which a decoder may drop delay and padding: see `shortfall`.
    """
    return "" if sound.format == "MP3" else missing_frames(frames, claimed)


def check_form(path: Path, rate: int, channels: int) -> None:
    """Raise `AudioError` for a rate (Hz) or a number of channels that no recording has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        expected = f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz"
        words = f"its header has a sampling rate of {rate:,} Hz; expected {expected}"
        raise AudioError(f"{path}: {words}", "unreadable")
    if not 0 < channels <= MOST_CHANNELS:
        words = f"its header has {channels:,} channels; expected 1 to {MOST_CHANNELS}"
        raise AudioError(f"{path}: {words}", "unreadable")


def detail(error: Exception) -> str:
    """The decoder's words, but for a broken MP3, which libsndfile says does not exist."""
    words = str(error).rpartition(": ")[2] or str(error)
    return "not audio of a known format" if "does not exist" in words else words.rstrip(".")
