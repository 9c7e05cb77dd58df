"""Checks and sums of a waveform in blocks, which bound the memory that they take."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nver.errors import AudioError

FloatArray = npt.NDArray[np.float32]

SILENT_PEAK = 3e-4  # of full scale (our choice): EmoGator's one silent file peaks at 2e-4 to 3e-4
BLOCK = 1 << 21  # samples (our choice: two minutes at 16 kHz)


def blocks(samples: FloatArray) -> Iterator[FloatArray]:
    """Stretches of an array, in order: a copy of each needs little memory."""
    for first in range(0, len(samples), BLOCK):
        yield samples[first : first + BLOCK]


def mean_square(samples: FloatArray) -> float:
    """The mean of the squares of (samples,), in float64."""
    if len(samples) <= BLOCK:
        return float(np.mean(np.square(samples, dtype=np.float64)))
    squares = (np.square(block, dtype=np.float64) for block in blocks(samples))
    return sum(float(square.sum()) for square in squares) / len(samples)


def check_waveform(mono: FloatArray, name: str) -> None:
    """Raise `AudioError` for audio with nothing to recognise: empty, not finite, silent."""
    if mono.size == 0:
        raise AudioError(f"{name}: no samples", "empty")
    if bad := sum(int((~np.isfinite(block)).sum()) for block in blocks(mono)):
        raise AudioError(f"{name}: {bad} of {mono.size} samples are NaN or infinite", "not finite")
    peak = (float(mono.max()) - float(mono.min())) / 2  # a constant level is not heard
    if peak < SILENT_PEAK:
        raise AudioError(
            f"{name}: silent (peak {peak:.1e} of full scale, under {SILENT_PEAK:.0e})", "silent"
        )


def check_mono(mono: FloatArray, samples: FloatArray, name: str) -> None:
    """Raise as `check_waveform` for `mono`, the mean of the channels of (samples, channels).

    Raises:
        AudioError: also "channels cancel" where the channels are not silent and their mean is.
    """
    try:
        check_waveform(mono, name)
    except AudioError as error:
        peaks = np.ptp(samples, axis=0) / 2 if error.reason == "silent" else np.zeros(1)
        if peaks.max() < SILENT_PEAK:
            raise
        raise AudioError(
            f"{name}: the {len(peaks)} channels cancel each other (one is the other upside down): "
            "their mean, which is used, is silent; keep one channel",
            "channels cancel",
        ) from None
