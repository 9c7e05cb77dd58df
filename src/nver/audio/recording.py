"""Read a recording or an array as mono float32 at a given rate."""

import math
import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from nver.audio.containers import HEADERLESS_SUFFIXES, NO_HEADER, container_of
from nver.audio.media import read_media
from nver.errors import AudioError, UsageError

FloatArray = npt.NDArray[np.float32]

SILENT_PEAK = 3e-4  # of full scale (our choice): EmoGator's one silent file peaks at 2e-4 to 3e-4


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
        recording = as_recording(audio, source_rate or sampling_rate)
        name = f"array of shape {audio.shape}"
    else:
        recording = read_recording(audio, start=start, end=end)
        name = str(audio)
    return prepare(recording, sampling_rate, name)


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
    mono = checked_mono(recording, name)
    resampled = resample(mono, recording.rate, sampling_rate)
    if resampled.size == 0:
        raise AudioError(f"{name}: no sample of {mono.size} is left at {sampling_rate} Hz", "empty")
    return np.ascontiguousarray(resampled)  # torch takes no array that is read backwards


def read_recording(
    file: str | PathLike[str], *, start: float | None = None, end: float | None = None
) -> Recording:
    """Decode a file, or its span from `start` to `end` (seconds; None or NaN: no bound).

    WAV, FLAC, OGG, Opus, MP3 and AIFF, by libsndfile. A span is cut at the end of the file; one
    that begins behind the end has no samples.

    Raises:
        AudioError: "missing", "empty" (zero bytes), or "unreadable" with the decoder's words.
        UsageError: a negative `start`.
    """
    return _decode(Path(file), start, end)[0]


def read_with_remark(
    file: str | PathLike[str], *, start: float | None = None, end: float | None = None
) -> tuple[Recording, str]:
    """As `read_recording`, and a remark on what is missing of the file; "": nothing is known."""
    recording, _, remark = _decode(Path(file), start, end)
    return recording, remark


def read_start(file: str | PathLike[str], longest_s: float) -> tuple[Recording, float]:
    """The first `longest_s` seconds of a file, and the duration (s) of the whole file.

    Raises:
        AudioError: as `read_recording`.
    """
    return _decode(Path(file), None, longest_s)[:2]


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


def _decode(path: Path, start: float | None, end: float | None) -> tuple[Recording, float, str]:
    """A span of a file, the duration of the whole file in s, and a remark on what is missing."""
    if not os.path.isfile(path):  # `Path.is_file` raises, for example for a name that is too long
        if os.path.exists(path):
            raise AudioError(f"{path}: a folder or a device, not a file", "unreadable")
        raise AudioError(f"{path}: no such file", "missing")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file has zero bytes", "empty")
    if path.suffix.lower() in HEADERLESS_SUFFIXES:
        raise AudioError(f"{path}: {NO_HEADER}", "no header")
    try:
        if container_of(path):
            found = read_media(path, start, end)
            return Recording(found.samples, found.rate, found.note), found.duration_s, found.missing
        with soundfile.SoundFile(sound_name(path)) as sound:
            first, last = _bounds(start, end, sound.frames, sound.samplerate)
            seconds = sound.frames / sound.samplerate
            return Recording(_read(sound, first, last), sound.samplerate), seconds, ""
    except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
        raise AudioError(f"{path}: cannot be decoded ({_detail(error)})", "unreadable") from error


def sound_name(path: Path) -> Path | bytes:
    """A path as soundfile takes it: as bytes, which keep a name that is not UTF-8 (POSIX)."""
    return os.fsencode(path) if os.name == "posix" else path


def _bounds(start: float | None, end: float | None, frames: int, rate: int) -> tuple[int, int]:
    """First and last sample of a span, within the file."""
    begin = 0.0 if start is None or math.isnan(start) else start * rate
    stop = float(frames) if end is None or math.isnan(end) else end * rate
    if begin < 0:
        raise UsageError(f"a span starts at 0 s or later; got {start} s")
    last = round(max(0.0, min(stop, frames)))
    return round(min(begin, last)), last


def _read(sound: soundfile.SoundFile, first: int, last: int) -> FloatArray:
    """(samples, channels) from sample `first` to `last`.

    MP3 is decoded from its beginning: in a file of variable bit rate libmpg123 seeks inexactly (we
    saw it miss by 2,000 samples).
    """
    skip = 0 if sound.format == "MP3" else first
    if skip:
        sound.seek(skip)
    # soundfile seeks to its own position before and after each read, which costs a fifth of the
    # decoding of Opus, unless it is told that the file cannot seek.
    sound.seekable = lambda: False
    samples: FloatArray = sound.read(last - skip, dtype="float32", always_2d=True)
    return samples[first - skip :]


def _detail(error: Exception) -> str:
    """The decoder's words, but for a broken MP3, which libsndfile says does not exist."""
    words = str(error).rpartition(": ")[2] or str(error)
    return "not audio of a known format" if "does not exist" in words else words.rstrip(".")


def check_waveform(mono: FloatArray, name: str) -> None:
    """Raise `AudioError` for audio with nothing to recognise: empty, not finite, silent."""
    if mono.size == 0:
        raise AudioError(f"{name}: no samples", "empty")
    if not np.isfinite(mono).all():
        bad = int((~np.isfinite(mono)).sum())
        raise AudioError(f"{name}: {bad} of {mono.size} samples are NaN or infinite", "not finite")
    peak = float(mono.max() - mono.min()) / 2  # a constant level is not heard
    if peak < SILENT_PEAK:
        raise AudioError(
            f"{name}: silent (peak {peak:.1e} of full scale, under {SILENT_PEAK:.0e})", "silent"
        )


def checked_mono(recording: Recording, name: str) -> FloatArray:
    """The mean of the channels (samples,), checked as by `check_waveform`.

    Raises:
        AudioError: "channels cancel" where the channels are not silent and their mean is.
    """
    mono = recording.mono
    try:
        check_waveform(mono, name)
    except AudioError as error:
        peaks = np.ptp(recording.samples, axis=0) / 2 if error.reason == "silent" else np.zeros(1)
        if peaks.max() < SILENT_PEAK:
            raise
        raise AudioError(
            f"{name}: the {len(peaks)} channels cancel each other (one is the other upside down): "
            "their mean, which is used, is silent; keep one channel",
            "channels cancel",
        ) from None
    return mono


def resample(mono: FloatArray, source_rate: int, sampling_rate: int) -> FloatArray:
    """(samples,) at `sampling_rate`, by soxr's high-quality setting; both rates in Hz."""
    if source_rate == sampling_rate:
        return mono
    resampled: FloatArray = soxr.resample(mono, source_rate, sampling_rate, quality="HQ")
    return resampled
