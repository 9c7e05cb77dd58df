"""Statistics of a log-mel spectrogram over time: the floor that every encoder must beat.

All constants are our choice, within the usual for speech at 16 kHz; on ten emotions of EmoGator
none of them moved a linear model's score by more than its noise.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nver.encoders.base import Encoder, EncoderCard, EncoderSpec, FloatArray
from nver.encoders.spectra.power_spectra import (
    SAMPLING_RATE,
    clean,
    framed,
    hann,
    power_spectra,
    weightless_identity,
)

WINDOW, HOP = 400, 160  # samples: 25 ms every 10 ms, Hann
FFT_SIZE = 512
BANDS = 40
LOWEST_HZ, HIGHEST_HZ = 50.0, 8000.0  # below is hum, above is nothing at 16 kHz
FLOOR = 1e-6  # added to a band's power before the logarithm; a full-scale sine has about 1e4
QUANTILE = 0.9
STATISTICS = ("mean", "std", "std_of_delta", "p90")
DIMENSIONS = tuple(f"band{band:02}_{name}" for name in STATISTICS for band in range(BANDS))


class LogmelStats(Encoder):
    """(samples,) at 16 kHz -> 160: 40 log-mel bands, four statistics of each over time.

    DC is removed and the peak scaled to 1, so neither offset nor gain matters. The statistics are
    the mean, the standard deviation, the standard deviation of the differences of neighbouring
    frames (0 with one frame) and the 90th percentile (linearly interpolated), in the order of
    `DIMENSIONS`. A clip shorter than 25 ms is padded with zeros at its end.
    """

    code_version = 1

    def __init__(self, spec: EncoderSpec) -> None:
        self.card, self.spec = LOGMEL_STATS, spec
        self.identity = weightless_identity(LOGMEL_STATS, spec, self.code_version)

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([statistics(log_mel(w)) for w in waveforms])


def log_mel(waveform: FloatArray) -> FloatArray:
    """(bands, frames): natural logarithms of the power in each band."""
    frames = framed(clean(waveform), WINDOW, HOP)
    bands = [MEL_BANK @ power.T for power in power_spectra(frames, TAPER, FFT_SIZE)]
    logs: FloatArray = np.log(np.concatenate(bands, axis=1) + np.float32(FLOOR))
    return logs


def statistics(contours: FloatArray) -> FloatArray:
    """(4 x bands,) from (bands, frames)."""
    deltas = np.diff(contours, axis=1) if contours.shape[1] > 1 else np.zeros_like(contours)
    position = QUANTILE * (contours.shape[1] - 1)
    below, above = int(position), int(np.ceil(position))
    ordered = np.sort(contours, axis=1)
    quantile = ordered[:, below] + (ordered[:, above] - ordered[:, below]) * (position - below)
    return np.concatenate(
        [contours.mean(axis=1), contours.std(axis=1), deltas.std(axis=1), quantile]
    ).astype(np.float32)


def mel_of(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mel by HTK's formula, 2595 log10(1 + f / 700) (The HTK Book, 5.4)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0)


def mel_bank() -> FloatArray:
    """(bands, bins): triangles of height 1, linear and equally wide on the mel scale."""
    bins = mel_of(np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLING_RATE))
    corners = np.linspace(mel_of(LOWEST_HZ), mel_of(HIGHEST_HZ), BANDS + 2)
    width = corners[1] - corners[0]
    distance = np.abs(bins[None, :] - corners[1:-1, None]) / width
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)


TAPER, MEL_BANK = hann(WINDOW), mel_bank()
LOGMEL_STATS = EncoderCard(
    name="logmel-stats",
    family="statistics",
    dim=len(DIMENSIONS),
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://pypi.org/project/nver",
    citation="nver's own: statistics of 40 log-mel bands",
    load=LogmelStats,
    kind="handcrafted",
)
