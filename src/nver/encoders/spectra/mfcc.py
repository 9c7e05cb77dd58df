"""Mel-frequency cepstral coefficients as librosa 0.11 computes them with its defaults.

Every constant is a default of `librosa.feature.mfcc` and of what it calls, at 16 kHz: McFee et al.,
github.com/librosa/librosa. librosa itself is needed only by the script of the golden file.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from nver.encoders.base import FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, framed, hann, power_spectra

WINDOW, HOP = 2048, 512  # samples: n_fft, hop_length
MELS = 128  # n_mels, from 0 Hz to 8 kHz
SMALLEST = 1e-10  # amin of power_to_db
RANGE_DB = 80.0  # top_db: what is further below the clip's loudest band is raised to that
# Slaney's mel scale (his Auditory Toolbox): 3 mels to 200 Hz up to 1 kHz, then 27 to a factor 6.4.
MEL_HZ, BREAK_HZ, BREAK_MEL, STEP = 200 / 3, 1000.0, 15.0, np.log(6.4) / 27


def mfcc(waveform: FloatArray, coefficients: int) -> FloatArray:
    """(frames, coefficients) of a waveform at 16 kHz; frames = 1 + samples // 512.

    Frame k is centred on sample 512 k; beyond the clip's ends there are zeros. In double precision
    inside: the first coefficient is in the hundreds.
    """
    import scipy.fft

    padded = np.pad(waveform.astype(np.float64), WINDOW // 2)
    frames = framed(padded, WINDOW, HOP)
    bank = mel_bank()
    power = np.concatenate([p @ bank.T for p in power_spectra(frames, hann(WINDOW), WINDOW)])
    decibel = 10 * np.log10(np.maximum(power, SMALLEST))
    decibel = np.maximum(decibel, decibel.max() - RANGE_DB)
    return scipy.fft.dct(decibel, axis=1, norm="ortho")[:, :coefficients].astype(np.float32)


@cache
def mel_bank() -> FloatArray:
    """(mels, bins): triangles between neighbours on the mel scale, each of area 1 over Hz."""
    corners = hertz_of(np.linspace(0, mel_of(SAMPLING_RATE / 2), MELS + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)
    slopes = corners[:, None] - bins[None]
    widths = np.diff(corners)[:, None]
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    area = 2 / (corners[2:] - corners[:-2])[:, None]
    return (area * np.maximum(0, np.minimum(rising, falling))).astype(np.float32)


def mel_of(hertz: float) -> float:
    """Slaney's mel of a frequency of 1 kHz or more."""
    return float(BREAK_MEL + np.log(hertz / BREAK_HZ) / STEP)


def hertz_of(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The frequencies of Slaney's mels."""
    return np.where(mels < BREAK_MEL, mels * MEL_HZ, BREAK_HZ * np.exp(STEP * (mels - BREAK_MEL)))
