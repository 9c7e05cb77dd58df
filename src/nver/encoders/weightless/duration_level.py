"""Duration and level of a clip: for the report, and as a floor that an encoder should beat.

A run measures them of every clip while it is decoded for the encoders; the store keeps them.
"""

import numpy as np

from nver.audio.waveform import mean_square
from nver.encoders.base import FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE
from nver.encoders.weightless.weightless_encoder import WeightlessEncoder, weightless_card

DIMENSIONS = ("duration_s", "level_db", "peak_db")
LEAST = 1e-6  # of full scale, -120 dB (our choice): stands for zero under a logarithm


class DurationLevel(WeightlessEncoder):
    """(samples,) at 16 kHz -> 3: duration in s, RMS level and peak in dB of full scale.

    A full-scale square wave has a level of 0 dB, a sine of -3 dB.
    """

    def vector(self, waveform: FloatArray) -> FloatArray:
        rms = np.sqrt(mean_square(waveform))
        levels = _decibel(rms), _decibel(max(waveform.max(), -waveform.min()))
        return np.array([waveform.size / SAMPLING_RATE, *levels], np.float32)


def _decibel(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, LEAST)))


DURATION_LEVEL = weightless_card(
    name="duration-level",
    family="statistics",
    dim=len(DIMENSIONS),
    citation="nver's own: duration, RMS level and peak",
    load=DurationLevel,
)
