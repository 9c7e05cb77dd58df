"""Duration and level of a clip: facts for the report, and a floor that an encoder should beat.

A run measures them of every clip while it is decoded for the encoders; the store keeps them.
"""

from collections.abc import Sequence

import numpy as np

from nver.encoders.base import Encoder, EncoderCard, EncoderSpec, FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, weightless_identity

DIMENSIONS = ("duration_s", "level_db", "peak_db")
LEAST = 1e-6  # of full scale, -120 dB (our choice): stands for zero under a logarithm


class DurationLevel(Encoder):
    """(samples,) at 16 kHz -> 3: duration in s, RMS level and peak in dB of full scale.

    A full-scale square wave has a level of 0 dB, a sine of -3 dB.
    """

    code_version = 1

    def __init__(self, spec: EncoderSpec) -> None:
        self.card, self.spec = DURATION_LEVEL, spec
        self.identity = weightless_identity(DURATION_LEVEL, spec, self.code_version)

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.array([_facts(w) for w in waveforms], np.float32).reshape(-1, len(DIMENSIONS))


def _facts(waveform: FloatArray) -> tuple[float, float, float]:
    rms = np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    return waveform.size / SAMPLING_RATE, _decibel(rms), _decibel(np.abs(waveform).max())


def _decibel(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, LEAST)))


DURATION_LEVEL = EncoderCard(
    name="duration-level",
    family="statistics",
    dim=len(DIMENSIONS),
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://pypi.org/project/nver",
    citation="nver's own: duration, RMS level and peak",
    load=DurationLevel,
    kind="handcrafted",
)
