"""Read a recording or an array as mono float32 at a given rate."""

import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from soundfile import SoundFile, SoundFileError

from nver.audio.containers import HEADERLESS_SUFFIXES, NO_HEADER, container_of
from nver.audio.length import cut_short, whole_length
from nver.audio.media import read_media
from nver.audio.not_audio import read_head
from nver.audio.sound_file import (
    MOST_VALUES,
    claimed_frames,
    is_counted,
    missing,
    most_frames,
    opened,
    read_frames,
    read_to_fault,
)
from nver.audio.truncated import UNKNOWN_FRAMES, shortfall
from nver.audio.waveform import check_mono
from nver.errors import AudioError, UsageError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """Decoded audio before resampling.

    Attributes:
        samples: (samples, channels) float32.
        rate: in Hz.
        note: what of the file was not decoded on purpose, such as a second track; "": nothing.
    """

    samples: FloatArray
    rate: int
    note: str = ""

    @property
    def mono(self) -> FloatArray:
        """(samples,): the mean over channels, never over time."""
        if self.samples.shape[1] == 1:
            return self.samples[:, 0]
        with np.errstate(invalid="ignore", over="ignore"):  # `check_waveform` says so
            return self.samples.mean(axis=1)


def load_audio(
    audio: str | PathLike[str] | npt.NDArray[Any],
    sampling_rate: int,
    *,
    start: float | None = None,
    end: float | None = None,
    source_rate: int | None = None,
) -> FloatArray:
    """Mono float32 samples at `sampling_rate` (Hz) of a file, a span of it, or an array.

    Args:
        audio: a path, or an array of shape (samples,) or (samples, channels), as soundfile gives.
        start, end: span in seconds, only that is decoded; None or NaN: from the start, to the end.
        source_rate: the rate of an array in Hz; None means `sampling_rate`. Files know theirs.

    Raises:
        AudioError: missing, unreadable, empty, not finite, silent (half peak to peak below 3e-4).
    """
    for rate in (sampling_rate, source_rate):
        check_rate(rate)
    check_kind(audio)
    if isinstance(audio, np.ndarray):
        if start is not None or end is not None:
            raise UsageError("start and end are for files; give the part of the array itself")
        name = f"array of shape {audio.shape}"
        return prepare(as_recording(audio, source_rate or sampling_rate), sampling_rate, name)
    return prepare(read_recording(audio, start=start, end=end), sampling_rate, str(audio))


def check_rate(rate: Any) -> None:
    """Raise `UsageError` unless `rate` is a sampling rate in Hz, or None for a known rate."""
    number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    if rate is not None and not (number and 0 < rate < math.inf):
        raise UsageError(f"a sampling rate is a number of Hz above 0; got {rate!r}")


def check_kind(audio: Any) -> None:
    """Raise `UsageError` unless `audio` is a path or a numpy array."""
    if not isinstance(audio, str | PathLike | np.ndarray):
        raise UsageError(f"audio is a path or an array; got {type(audio).__name__}")


def prepare(recording: Recording, sampling_rate: int, name: str) -> FloatArray:
    """Mono samples, checked, at `sampling_rate` (Hz); `name` is for the errors."""
    mono, rate = checked_mono(recording, name), recording.rate
    del recording  # its channels are not needed beside the copies
    resampled = resample(mono, rate, sampling_rate)
    if resampled.size == 0:
        raise AudioError(f"{name}: no sample of {mono.size} is left at {sampling_rate} Hz", "empty")
    return np.ascontiguousarray(resampled)  # torch takes no array that is read backwards


def read_recording(
    file: str | PathLike[str], *, start: float | None = None, end: float | None = None
) -> Recording:
    """Decode a file, or its span from `start` to `end` (seconds; None or NaN: no bound).

    WAV, FLAC, OGG, Opus, MP3 and AIFF by libsndfile; M4A, WebM, WMA and others by PyAV. A span is
    cut at the end of the file; one that begins behind the end has no samples. What is decoded has
    at most 48 million samples over all channels, and at most 50 minutes: less than 500 MB with the
    copies that nver makes.

    Raises:
        AudioError: "missing", "empty" (zero bytes), "too long", or "unreadable" with the decoder's
            words: also a rate that is not within 2 to 768 kHz, or more than 64 channels.
        UsageError: a negative `start`.
    """
    return _decode(Path(file), start, end).recording


def read_with_remark(
    file: str | PathLike[str], *, start: float | None = None, end: float | None = None
) -> tuple[Recording, str]:
    """As `read_recording`, and a remark on what is missing of a whole file; "": nothing known."""
    path = Path(file)
    decoded = _decode(path, start, end)
    is_part = any(bound is not None and not math.isnan(bound) for bound in (start, end))
    if is_part or decoded.by_media:
        return decoded.recording, decoded.remark
    return decoded.recording, decoded.remark or shortfall(path, decoded.frames)


def read_start(file: str | PathLike[str], longest_s: float) -> tuple[Recording, float, str]:
    """The first `longest_s` seconds of a file, the duration (s) of the whole file, and a remark.

    The duration is that of what can be decoded, as `whole_length` finds it; the remark says what
    is missing of the file.

    Raises:
        AudioError: as `read_recording`.
    """
    path = Path(file)
    decoded = _decode(path, None, longest_s, MOST_VALUES // 2, count_rest=True)
    recording, frames = decoded.recording, decoded.frames
    remark = cut_short(decoded.remark)
    if not decoded.is_true:
        frames, remark = whole_length(path, frames)
    if not decoded.by_media:
        remark = remark or cut_short(shortfall(path, frames))
    return recording, frames / recording.rate, "; ".join(filter(None, (recording.note, remark)))


def as_recording(array: npt.NDArray[Any], rate: int) -> Recording:
    """An array of shape (samples,) or (samples, channels), float in -1..1, at `rate` Hz."""
    if not np.issubdtype(array.dtype, np.floating):
        raise UsageError(f"audio arrays are float in -1..1; got {array.dtype}")
    with np.errstate(over="ignore"):  # `check_waveform` says that it is not finite
        samples = array.astype(np.float32, copy=False)
    if array.ndim == 1:
        return Recording(samples[:, None], rate)
    if array.ndim == 2 and array.shape[1] <= max(array.shape[0], 1):
        return Recording(samples, rate)
    raise UsageError(
        f"an audio array has the shape (samples,) or (samples, channels); got {array.shape}"
    )


@dataclass(frozen=True)
class _Decoded:
    """A span of a file, and what is known of the whole file.

    Attributes:
        frames: samples per channel of the whole file.
        is_true: whether so many are known to be there; else the header says so.
        remark: how many are missing, "" if none is known to be.
        by_media: whether PyAV read it, which finds itself what is missing.
    """

    recording: Recording
    frames: int
    is_true: bool
    remark: str = ""
    by_media: bool = False


def _decode(
    path: Path,
    start: float | None,
    end: float | None,
    most: int = MOST_VALUES,
    *,
    count_rest: bool = False,
) -> _Decoded:
    """A span of a file, with at most `most` samples over all channels.

    Args:
        count_rest: decode on behind the span where only that tells the length of the whole file.
    """
    head = read_head(path)
    if path.suffix.lower() in HEADERLESS_SUFFIXES:
        raise AudioError(f"{path}: {NO_HEADER}", "no header")
    if container_of(path):
        return _decode_media(path, start, end, count_rest)
    with opened(path, head) as sound:
        rate, frames = sound.samplerate, claimed_frames(sound, path.stat().st_size)
        first, last = _bounds(start, end, frames, rate)
        try:
            samples = _read(path, sound, first, last, most)
        except SoundFileError:
            if sound.format != "FLAC":
                raise
            samples = read_to_fault(path, head, first, last, most_frames(sound, most))
        there = first + len(samples)
        if there >= last:
            return _Decoded(Recording(samples, rate), frames, is_counted(sound) or there >= frames)
        remark = "" if first else missing(sound, there, frames)
        return _Decoded(Recording(samples, rate), there, True, remark)


def _decode_media(path: Path, start: float | None, end: float | None, count_rest: bool) -> _Decoded:
    """As `_decode`, of a file that PyAV reads."""
    found = read_media(path, start, end, count_rest=count_rest)
    recording = Recording(found.samples, found.rate, found.note)
    frames = round(found.duration_s * found.rate)
    return _Decoded(recording, frames, True, found.missing, by_media=True)


def _read(path: Path, sound: SoundFile, first: int, last: int, most: int) -> FloatArray:
    """(samples, channels) from sample `first` to `last`, as far as they are there."""
    room = most_frames(sound, most)
    if is_counted(sound) and last - first > room:
        raise _too_long(path, last - first, room, sound)
    samples = read_frames(sound, first, last, room)
    if len(samples) > room:
        raise _too_long(path, last - first, room, sound)
    return samples


def _too_long(path: Path, frames: int, room: int, sound: SoundFile) -> AudioError:
    rate, channels = sound.samplerate, sound.channels
    length = _length(frames / rate) if frames < UNKNOWN_FRAMES else "of unknown length"
    return AudioError(
        f"{path}: too long for one clip: {length} at {rate:,} Hz, {channels} channel"
        f"{'s' if channels > 1 else ''}; at most {_length(room / rate)} of that are read: cut it, "
        "or give the spans (start and end) of the clips in it",
        "too long",
    )


def _length(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _bounds(start: float | None, end: float | None, frames: int, rate: int) -> tuple[int, int]:
    """First and last sample of a span, within the file."""
    begin = 0.0 if start is None or math.isnan(start) else start * rate
    if begin < 0:
        raise UsageError(f"a span starts at 0 s or later; got {start} s")
    last = frames
    if end is not None and end * rate < frames:  # NaN is not
        last = round(max(0.0, end * rate))
    return last if begin >= last else round(begin), last


def checked_mono(recording: Recording, name: str) -> FloatArray:
    """The mean of the channels (samples,), checked by `check_mono`."""
    mono = recording.mono
    check_mono(mono, recording.samples, name)
    return mono


def resample(mono: FloatArray, source_rate: int, sampling_rate: int) -> FloatArray:
    """(samples,) at `sampling_rate`, by soxr's high-quality setting; both rates in Hz."""
    if source_rate == sampling_rate:
        return mono
    resampled: FloatArray = soxr.resample(mono, source_rate, sampling_rate, quality="HQ")
    return resampled
