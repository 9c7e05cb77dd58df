"""A clean signal, its frames and their power spectra, in numpy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.encoders.base import FloatArray

SAMPLING_RATE = 16_000
FRAMES_A_CHUNK = 128  # stays in a core's cache, and bounds the memory of a long clip


def clean(waveform: FloatArray) -> FloatArray:
    """(samples,) with DC removed and the peak scaled to 1; zeros where nothing is left."""
    signal = waveform - waveform.mean(dtype=np.float64).astype(np.float32)
    peak = np.abs(signal).max()
    # A constant clip leaves rounding errors of its mean, which are no signal.
    if peak <= 1e-6 * np.abs(waveform).max():
        return np.zeros_like(signal)
    return signal / peak


def framed(signal: npt.NDArray[Any], window: int, hop: int) -> npt.NDArray[Any]:
    """(frames, window), a view: every `hop` samples as long as they last.

    A signal shorter than a window is padded with zeros at its end to one; up to hop - 1 samples at
    the end of a longer one are in no frame.
    """
    if signal.size < window:
        signal = np.pad(signal, (0, window - signal.size))
    return np.lib.stride_tricks.sliding_window_view(signal, window)[::hop]


def power_spectra(
    frames: npt.NDArray[Any], taper: FloatArray, size: int
) -> Iterator[npt.NDArray[Any]]:
    """(at most 128, size // 2 + 1) at a time: squared magnitudes of the tapered frames.

    In the precision of the frames.
    """
    import scipy.fft

    buffer = np.zeros((min(len(frames), FRAMES_A_CHUNK), size), frames.dtype)
    for start in range(0, len(frames), FRAMES_A_CHUNK):
        chunk = frames[start : start + FRAMES_A_CHUNK]
        padded = buffer[: len(chunk)]
        np.multiply(chunk, taper, out=padded[:, : taper.size])
        spectrum = scipy.fft.rfft(padded, axis=1)
        yield spectrum.real**2 + spectrum.imag**2


def hann(size: int) -> FloatArray:
    """The periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
