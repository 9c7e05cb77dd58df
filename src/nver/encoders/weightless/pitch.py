"""Fundamental frequency and periodicity of frames, by normalised autocorrelation.

After P. Boersma (1993), Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound, IFA Proceedings 17: the autocorrelation of a tapered
frame, divided by that of the taper. Does not include his path finding over frames and his sinc
interpolation: the power spectrum is cut at 4 kHz instead, where a parabola is exact enough.

Our own, as no library fits: pyworld has no wheels, Parselmouth is GPL, openSMILE non-commercial,
librosa heavy.
"""

import numpy as np

from nver.encoders.base import FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, hann

LOWEST_F0, HIGHEST_F0 = 60.0, 1600.0  # Hz, our choice: from groans to screams
WINDOW = 800  # samples, 50 ms: three periods of the lowest F0, as Boersma advises
FFT_SIZE = 1024  # a lag of 60 Hz wraps onto one of 757 samples, where the taper leaves 1e-5
RUMBLE_HZ, CUTOFF_HZ = 40.0, 4000.0  # our choice: what of the power spectrum is correlated
LEAKAGE = 1e-4  # share of all power, our choice: less of it between those is no voice but leakage
VOICED = 0.45  # Boersma's (Praat's) voicing threshold on the normalised autocorrelation
OCTAVE_COST = 0.03  # per octave of longer lag, our choice (Praat 0.01): no subharmonics
SMOOTHEST = 0.9999  # periodicity is cut here, so that its logarithm stays finite (40 dB)

TINY = np.float32(1e-30)
TAPER = hann(WINDOW)
_FIRST_BIN, _LAST_BIN = (round(f * FFT_SIZE / SAMPLING_RATE) for f in (RUMBLE_HZ, CUTOFF_HZ))
_SHORTEST, _LONGEST = int(SAMPLING_RATE / HIGHEST_F0), int(SAMPLING_RATE / LOWEST_F0) + 1
_LAGS = np.arange(_SHORTEST, _LONGEST + 1)  # and one beyond at either end, for the parabola
_COST = (OCTAVE_COST * np.log2(_LAGS / _SHORTEST)).astype(np.float32)


def _correlation_matrix() -> FloatArray:
    """(bins, lags and one more at either end): power spectrum -> autocorrelation over the taper's.

    A matrix product for the lags that are needed is faster than an inverse FFT for all.
    """
    lags = np.arange(_SHORTEST - 1, _LONGEST + 2)
    taper = np.abs(np.fft.rfft(TAPER.astype(np.float64), 2 * FFT_SIZE)) ** 2
    of_taper = np.fft.irfft(taper)
    cosines = np.cos(2 * np.pi * np.outer(np.arange(_FIRST_BIN, _LAST_BIN), lags) / FFT_SIZE)
    return (cosines * (of_taper[0] / of_taper[lags])).astype(np.float32)


_TO_CORRELATION = _correlation_matrix()


def f0_and_periodicity(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """F0 in Hz and periodicity (0 to 1) of each frame, from power spectra (frames, 513).

    The periodicity is the normalised autocorrelation at the period: the share of the power between
    40 Hz and 4 kHz that repeats. A frame is voiced where it reaches `VOICED`; elsewhere F0 means
    nothing.
    """
    heard = power[:, _FIRST_BIN:_LAST_BIN]
    least = np.maximum(LEAKAGE * power.sum(axis=1, keepdims=True), TINY)
    around = (heard @ _TO_CORRELATION) / np.maximum(heard.sum(axis=1, keepdims=True), least)
    middle = around[:, 1:-1]
    row, lag = np.nonzero((middle >= around[:, :-2]) & (middle > around[:, 2:]))
    # Heights between the samples, or a multiple of the period that falls on a sample would win.
    _, height = _parabola(around[row, lag], around[row, lag + 1], around[row, lag + 2])
    score = np.full(middle.shape, -np.inf, np.float32)
    score[row, lag] = height - _COST[lag]
    best = score.argmax(axis=1)
    rows = np.arange(len(power))
    found = np.isfinite(score[rows, best])
    shift, top = _parabola(*(around[rows, best + i] for i in range(3)))
    f0 = np.where(found, SAMPLING_RATE / (_LAGS[best] + shift), LOWEST_F0)
    return f0.astype(np.float32), np.where(found, np.clip(top, 0.0, SMOOTHEST), np.float32(0))


def _parabola(
    left: FloatArray, middle: FloatArray, right: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Where between -1/2 and 1/2 the parabola through three points has its top, and how high."""
    curvature = np.minimum(left - 2 * middle + right, -1e-9)
    shift = np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
    return shift, middle - 0.25 * (left - right) * shift
