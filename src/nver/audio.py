"""Read a recording or an array as mono float32 at a given rate."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.errors import AudioError, UsageError

FloatArray = npt.NDArray[np.float32]

SILENT_PEAK = 3e-4  # of full scale (our choice): EmoGator's one silent file peaks at 2e-4 to 3e-4
QUIET_RMS = 1e-3  # of full scale (our choice): listed by `nver corpus`, not skipped


@dataclass(frozen=True)
class Recording:
    """Decoded audio before resampling: `samples` is (samples, channels) float32, `rate` in Hz."""

    samples: FloatArray
    rate: int

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
        start, end: span in seconds; only the span is decoded. None: from the start, to the end.
        source_rate: the rate of an array in Hz; None means `sampling_rate`. Files know theirs.

    Raises:
        AudioError: missing, unreadable, empty, not finite or silent (peak under 3e-4).
    """
    if isinstance(audio, np.ndarray):
        recording = Recording(_as_columns(audio), source_rate or sampling_rate)
        name = f"array of shape {audio.shape}"
    else:
        recording = read_recording(audio, start=start, end=end)
        name = str(audio)
    return prepare(recording, sampling_rate, name)


def prepare(recording: Recording, sampling_rate: int, name: str) -> FloatArray:
    """Mono, checked, and resampled in memory to `sampling_rate` (Hz); `name` is for the errors."""
    mono = recording.mono
    check_waveform(mono, name)
    return resample(mono, recording.rate, sampling_rate)


def read_recording(
    file: str | PathLike[str], *, start: float | None = None, end: float | None = None
) -> Recording:
    """Decode a file, or its span from `start` to `end` (seconds), at its own rate.

    WAV, FLAC, OGG, Opus, MP3 and AIFF, by libsndfile.

    Raises:
        AudioError: "missing" or "unreadable", with the decoder's own words; "empty" for a span
            that lies beyond the end.
    """
    import soundfile

    path = Path(file)
    if not path.is_file():
        raise AudioError(f"{path}: no such file", "missing")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file has zero bytes", "empty")
    try:
        with soundfile.SoundFile(path) as sound:
            first = round((start or 0.0) * sound.samplerate)
            last = sound.frames if end is None else round(end * sound.samplerate)
            if first > 0:
                sound.seek(min(first, sound.frames))
            samples = sound.read(max(0, last - first), dtype="float32", always_2d=True)
            return Recording(samples, sound.samplerate)
    except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
        detail = str(error).rpartition(": ")[2] or str(error)
        raise AudioError(f"{path}: cannot be decoded ({detail})", "unreadable") from error


def check_waveform(mono: FloatArray, name: str) -> None:
    """Raise `AudioError` for audio that has nothing to recognise: empty, not finite, silent."""
    if mono.size == 0:
        raise AudioError(f"{name}: no samples", "empty")
    if not np.isfinite(mono).all():
        bad = int((~np.isfinite(mono)).sum())
        raise AudioError(f"{name}: {bad} of {mono.size} samples are NaN or infinite", "not finite")
    peak = float(np.abs(mono).max())
    if peak < SILENT_PEAK:
        raise AudioError(
            f"{name}: silent (peak {peak:.1e} of full scale, under {SILENT_PEAK:.0e})", "silent"
        )


def resample(mono: FloatArray, source_rate: int, sampling_rate: int) -> FloatArray:
    """(samples,) at `sampling_rate`, by soxr's high-quality setting; both rates in Hz."""
    if source_rate == sampling_rate:
        return mono
    import soxr

    resampled: FloatArray = soxr.resample(mono, source_rate, sampling_rate, quality="HQ")
    return resampled


def _as_columns(array: npt.NDArray[Any]) -> FloatArray:
    if not np.issubdtype(array.dtype, np.floating):
        raise UsageError(f"audio arrays are float in -1..1; got {array.dtype}")
    if array.ndim == 1:
        return array.astype(np.float32, copy=False)[:, None]
    if array.ndim == 2 and array.shape[1] <= max(array.shape[0], 1):
        return array.astype(np.float32, copy=False)
    raise UsageError(
        f"an audio array has the shape (samples,) or (samples, channels); got {array.shape}"
    )
