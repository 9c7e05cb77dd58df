"""Mel-frequency cepstral coefficients as librosa 0.11 computes them with its defaults.

Every constant is a default of `librosa.feature.mfcc` and of what it calls, at 16 kHz: McFee et al.,
github.com/librosa/librosa. librosa itself is needed only by the script of the golden file.
"""

from functools import cache

import numpy as np
import scipy.fft

from nver.encoders.base import FloatArray
from nver.encoders.spectra.mel import slaney_hertz, slaney_mel, triangles
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, framed, hann, power_spectra

WINDOW, HOP = 2048, 512  # samples: n_fft, hop_length
MELS = 128  # n_mels, from 0 Hz to 8 kHz
SMALLEST = 1e-10  # amin of power_to_db
RANGE_DB = 80.0  # top_db: what is further below the clip's loudest band is raised to that


def mfcc(waveform: FloatArray, coefficients: int) -> FloatArray:
    """(frames, coefficients) of a waveform at 16 kHz; frames = 1 + samples // 512.

    Frame k is centred on sample 512 k; beyond the clip's ends there are zeros. In double precision
    inside: the first coefficient is in the hundreds.
    """
    padded = np.pad(waveform.astype(np.float64), WINDOW // 2)
    frames = framed(padded, WINDOW, HOP)
    bank = mel_bank()
    power = np.concatenate([p @ bank.T for p in power_spectra(frames, hann(WINDOW), WINDOW)])
    decibel = 10 * np.log10(np.maximum(power, SMALLEST))
    decibel = np.maximum(decibel, decibel.max() - RANGE_DB)
    return scipy.fft.dct(decibel, axis=1, norm="ortho")[:, :coefficients].astype(np.float32)


@cache
def mel_bank() -> FloatArray:
    """(mels, bins): triangles between neighbours on Slaney's mel scale, each of area 1 over Hz."""
    corners = slaney_hertz(np.linspace(0, slaney_mel(SAMPLING_RATE / 2), MELS + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)
    area = 2 / (corners[2:] - corners[:-2])
    return np.ascontiguousarray((area * triangles(bins, corners)).T, np.float32)
