"""Contours of level, spectral shape, F0 and voicing, frame by frame.

Definitions as in F. Eyben et al. (2016), The Geneva Minimalistic Acoustic Parameter Set, IEEE
Transactions on Affective Computing 7(2), where it has the same.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nver.encoders.base import FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, framed, power_spectra
from nver.encoders.weightless.pitch import (
    FFT_SIZE,
    LOWEST_F0,
    TAPER,
    TINY,
    VOICED,
    WINDOW,
    f0_and_periodicity,
)

Mask = npt.NDArray[np.bool_]

HOP = 200  # samples, 12.5 ms: 0.75 / lowest F0, as in Praat
FRAMES_A_SECOND = SAMPLING_RATE / HOP
BANDS, BINS_A_BAND = 64, 8  # 125 Hz each, from 8 Hz to 8 kHz
LOWEST_DB = -60.0  # of the loudest frame: what is fainter counts as this
LOUD_DB = -30.0  # of the loudest frame: Praat's silence threshold, 0.03 of the amplitude
PERHAPS_LOUD = 0.9 * 10 ** (LOUD_DB / 10)  # as power, and with room for rounding
ROLL_OFF = 0.85  # share of the power below the roll-off frequency
ALPHA_HZ = (1000.0, 5000.0)  # alpha ratio: 1-5 kHz over what is below (Eyben et al.)
HAMMARBERG_HZ = (2000.0, 5000.0)  # strongest peak below 2 kHz over that of 2-5 kHz (the same)

SHAPE = (
    "centroid_khz",
    "bandwidth_khz",
    "roll_off_khz",
    "flatness_db",
    "slope_db_per_khz",
    "alpha_ratio_db",
    "hammarberg_db",
    "flux",
    "zero_crossings_khz",
    "periodicity",
)


@dataclass(frozen=True)
class Contours:
    """A clip frame by frame; `level` in dB of the loudest frame, `f0` in octaves above 60 Hz.

    `shape` has a row for each loud frame, the others one entry for each frame.
    """

    level: FloatArray
    shape: FloatArray  # (loud frames, len(SHAPE))
    f0: FloatArray
    loud: Mask
    voiced: Mask
    seconds: float  # at least one window


def contours_of(signal: FloatArray) -> Contours:
    bands, pitches, loudest = [], [], TINY
    for power in power_spectra(framed(signal, WINDOW, HOP), TAPER, FFT_SIZE):
        bands.append(power @ BAND_SUM)
        energy = bands[-1].sum(axis=1)
        loudest = max(loudest, energy.max())
        pitches.append(_pitch_where(energy > loudest * PERHAPS_LOUD, power))
    in_bands = np.concatenate(bands)
    energy = in_bands.sum(axis=1)
    share = in_bands / np.maximum(energy, TINY)[:, None]  # of each band in its frame
    f0, periodicity = np.concatenate(pitches, axis=1)
    level = np.maximum(_decibel(energy / loudest), LOWEST_DB)
    loud = level > LOUD_DB
    columns = (_spectral_shape(share, loud), _zero_crossings(signal, loud), periodicity[loud])
    return Contours(
        level=level,
        shape=np.column_stack(columns),
        f0=np.log2(f0 / np.float32(LOWEST_F0)),
        loud=loud,
        voiced=loud & (periodicity >= VOICED),
        seconds=max(signal.size, WINDOW) / SAMPLING_RATE,
    )


def _pitch_where(mask: Mask, power: FloatArray) -> FloatArray:
    """(2, frames): F0 and periodicity, of the masked frames only, as it is most of the work."""
    found = np.zeros((2, len(power)), np.float32)
    found[0] = LOWEST_F0
    if mask.any():
        found[:, mask] = f0_and_periodicity(power[mask])
    return found


def _spectral_shape(share: FloatArray, loud: Mask) -> FloatArray:
    """(loud frames, 8): the first eight of SHAPE, from the shares of the bands (frames, 64)."""
    flux = np.zeros(len(share), np.float32)
    flux[1:] = 0.5 * np.abs(share[1:] - share[:-1]).sum(axis=1)
    flux, share = flux[loud], share[loud]
    moments = share @ MOMENTS
    centroid = moments[:, 0]
    bandwidth = np.sqrt(np.maximum(moments[:, 1] - centroid**2, 0.0))
    decibels = _decibel(share + np.float32(1e-8))
    flatness = decibels.mean(axis=1) - _decibel(1 / BANDS)
    alpha = _decibel(share[:, ALPHA].sum(axis=1)) - _decibel(share[:, BELOW_ALPHA].sum(axis=1))
    low, high = share[:, BELOW_HAMMARBERG].max(axis=1), share[:, HAMMARBERG].max(axis=1)
    return np.column_stack(
        [
            centroid,
            bandwidth,
            _roll_off(share),
            flatness,
            decibels @ SLOPE,
            np.clip(alpha, LOWEST_DB, -LOWEST_DB),
            np.clip(_decibel(low) - _decibel(high), LOWEST_DB, -LOWEST_DB),
            flux,
        ]
    )


def _roll_off(share: FloatArray) -> FloatArray:
    """kHz under which `ROLL_OFF` of the power lies, linear within a band."""
    below = np.cumsum(share, axis=1)
    band = np.minimum((below < ROLL_OFF).sum(axis=1), BANDS - 1)
    rows = np.arange(len(share))
    inside = np.maximum(share[rows, band], TINY)
    part = 1.0 - np.clip((below[rows, band] - ROLL_OFF) / inside, 0.0, 1.0)
    return ((band + part) * BAND_KHZ).astype(np.float32)


def _zero_crossings(signal: FloatArray, loud: Mask) -> FloatArray:
    """Thousands of sign changes a second in each loud frame."""
    negative = np.signbit(signal)
    changes = np.zeros(max(signal.size, WINDOW) + 1, np.int32)
    np.cumsum(negative[1:] != negative[:-1], out=changes[2 : signal.size + 1])
    changes[signal.size + 1 :] = changes[signal.size]
    start = np.flatnonzero(loud) * HOP
    crossings = changes[start + WINDOW] - changes[start + 1]
    return (crossings * (SAMPLING_RATE / WINDOW / 1000)).astype(np.float32)


def _decibel(power: npt.ArrayLike) -> FloatArray:
    return 10 * np.log10(np.maximum(np.asarray(power, np.float32), TINY))


def _bands_between(low_hz: float, high_hz: float) -> slice:
    return slice(round(low_hz / 1000 / BAND_KHZ), round(high_hz / 1000 / BAND_KHZ))


BAND_KHZ = BINS_A_BAND * SAMPLING_RATE / FFT_SIZE / 1000
ALPHA, BELOW_ALPHA = _bands_between(*ALPHA_HZ), _bands_between(0, ALPHA_HZ[0])
HAMMARBERG, BELOW_HAMMARBERG = _bands_between(*HAMMARBERG_HZ), _bands_between(0, HAMMARBERG_HZ[0])
_MIDDLE_KHZ = (np.arange(BANDS) + 0.5) * BAND_KHZ
MOMENTS = np.column_stack([_MIDDLE_KHZ, _MIDDLE_KHZ**2]).astype(np.float32)
_CENTRED = _MIDDLE_KHZ - _MIDDLE_KHZ.mean()
SLOPE = (_CENTRED / (_CENTRED @ _CENTRED)).astype(np.float32)
BAND_SUM = np.zeros((FFT_SIZE // 2 + 1, BANDS), np.float32)
BAND_SUM[1:] = np.repeat(np.eye(BANDS, dtype=np.float32), BINS_A_BAND, axis=0)
