"""Statistics of pitch, voicing, energy, rhythm and spectral shape, without weights.

Names and definitions follow the usual sets (Eyben et al. (2016), The Geneva Minimalistic Acoustic
Parameter Set, IEEE TAC 7(2)) where they have the same; the selection and every constant without
another source are our choice. Nothing depends on the recording's gain or offset.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nver.encoders.base import FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE, clean
from nver.encoders.weightless.prosody_contours import (
    FRAMES_A_SECOND,
    SHAPE,
    Contours,
    Mask,
    contours_of,
)
from nver.encoders.weightless.weightless_encoder import WeightlessEncoder, weightless_card

BURST_DB = -15.0  # of the loudest frame: a burst of energy is a run of frames above it
MODULATION_HZ = (1.0, 2.0, 4.0, 8.0, 16.0)  # octaves of the energy's rhythm
MODULATION_FRAMES = 256  # at least, for a resolution of 0.3 Hz
JUMP_OCTAVES = 0.25  # between neighbouring frames: yodels, breaks and octave errors

DIMENSIONS = (
    "duration_log2_s",
    "crest_db",
    *(f"{name}_mean" for name in SHAPE),
    *(f"{name}_std" for name in SHAPE),
    *(f"{name}_voiced_mean" for name in SHAPE[:7]),
    *(f"level_db_{name}" for name in ("mean", "std", "p10", "p50", "p90", "delta_std", "slope")),
    "level_peak_position",
    "loud_fraction",
    *(f"bursts_{name}" for name in ("per_s", "mean_s", "std_s", "longest_s", "gap_mean_s")),
    *(f"modulation_{low:.0f}_to_{2 * low:.0f}_hz" for low in MODULATION_HZ[:-1]),
    *(f"f0_octaves_{name}" for name in ("mean", "std", "p10", "p50", "p90", "slope")),
    *(f"f0_octaves_{name}" for name in ("start", "end", "delta_mean", "delta_abs_median")),
    "f0_jumps_per_s",
    "hnr_db_mean",
    "hnr_db_std",
    "voiced_fraction",
    *(f"voiced_segments_{name}" for name in ("per_s", "mean_s", "std_s", "longest_s")),
)


class ProsodyStats(WeightlessEncoder):
    """(samples,) at 16 kHz -> one number for each of `DIMENSIONS`.

    From frames of 50 ms every 12.5 ms. Statistics of the spectral shape are over the loud frames
    (within 30 dB of the loudest), statistics of F0 over the voiced ones; a statistic over no frame,
    and a slope or difference over one, is 0. F0 is in octaves above 60 Hz, times are in seconds. A
    clip shorter than 50 ms is padded with zeros at its end.
    """

    def vector(self, waveform: FloatArray) -> FloatArray:
        signal = clean(waveform)
        contours = contours_of(signal)
        numbers = [
            np.log2(waveform.size / SAMPLING_RATE),
            _crest(signal),
            *_shape_statistics(contours),
            *_level_statistics(contours),
            *_burst_statistics(contours),
            *_modulation(contours.level),
            *_f0_statistics(contours),
            *_voicing_statistics(contours),
        ]
        return np.array(numbers, np.float32)


def _crest(signal: FloatArray) -> float:
    """Peak over rms in dB; the peak of a clean signal is 1, or 0 where there is none."""
    mean_square = float(np.mean(signal**2))
    return -10 * np.log10(mean_square) if mean_square > 0 else 0.0


def _shape_statistics(contours: Contours) -> list[float]:
    voiced = contours.shape[contours.voiced[contours.loud], :7]
    return [*_mean(contours.shape), *_std(contours.shape), *_mean(voiced)]


def _level_statistics(contours: Contours) -> list[float]:
    level = contours.level
    return [
        float(level.mean()),
        float(level.std()),
        *_quantiles(level),
        float(np.diff(level).std()) if len(level) > 1 else 0.0,
        _slope(level, np.arange(len(level))),
        float(level.argmax()) / max(len(level) - 1, 1),
        float(contours.loud.mean()),
    ]


def _burst_statistics(contours: Contours) -> list[float]:
    bursts, gaps = _runs(contours.loud & (contours.level > BURST_DB))
    return [*_segment_statistics(bursts, contours.seconds), float(gaps.mean()) if gaps.size else 0]


def _modulation(level: FloatArray) -> list[float]:
    """Shares of the energy contour's variation (1 to 16 Hz) in four octaves of rhythm."""
    import scipy.fft

    amplitude = 10 ** (level / 20)
    size = scipy.fft.next_fast_len(max(level.size, MODULATION_FRAMES), real=True)
    power = np.abs(scipy.fft.rfft(amplitude - amplitude.mean(), size)) ** 2
    edges = np.ceil(np.array(MODULATION_HZ) * size / FRAMES_A_SECOND).astype(int)
    parts = [float(power[low:high].sum()) for low, high in pairwise(edges)]
    total = sum(parts)
    return [part / total if total > 0 else 0.0 for part in parts]


def _f0_statistics(contours: Contours) -> list[float]:
    where = np.flatnonzero(contours.voiced)
    if not where.size:
        return [0.0] * 11
    f0 = contours.f0[where]
    mean, quarter = float(f0.mean()), -(-f0.size // 4)
    steps = np.diff(f0)[np.diff(where) == 1]  # only between neighbouring frames
    return [
        mean,
        float(f0.std()),
        *_quantiles(f0),
        _slope(f0, where),
        float(f0[:quarter].mean()) - mean,
        float(f0[-quarter:].mean()) - mean,
        float(steps.mean()) * FRAMES_A_SECOND if steps.size else 0.0,
        float(np.median(np.abs(steps))) if steps.size else 0.0,
        float((np.abs(steps) > JUMP_OCTAVES).sum()) / contours.seconds,
    ]


def _voicing_statistics(contours: Contours) -> list[float]:
    repeats = contours.shape[contours.voiced[contours.loud], -1]
    hnr = 10 * np.log10(repeats / (1 - repeats))
    segments, _ = _runs(contours.voiced)
    return [
        float(hnr.mean()) if hnr.size else 0.0,
        float(hnr.std()) if hnr.size else 0.0,
        float(contours.voiced.sum()) / max(int(contours.loud.sum()), 1),
        *_segment_statistics(segments, contours.seconds),
    ]


def _segment_statistics(lengths: FloatArray, seconds: float) -> list[float]:
    """How many segments per second; mean, deviation and maximum of their lengths in s."""
    if not lengths.size:
        return [0.0] * 4
    lasting = float(lengths.mean()), float(lengths.std()), float(lengths.max())
    return [lengths.size / seconds, *lasting]


def _runs(mask: Mask) -> tuple[FloatArray, FloatArray]:
    """Lengths in s of the runs where the mask holds, and of the gaps between them."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    return (
        ((ends - starts) / FRAMES_A_SECOND).astype(np.float32),
        ((starts[1:] - ends[:-1]) / FRAMES_A_SECOND).astype(np.float32),
    )


def _quantiles(values: FloatArray) -> list[float]:
    """The 10th, 50th and 90th percentile: the nearest value below."""
    ordered = np.sort(values)
    return [float(ordered[int(q * (values.size - 1))]) for q in (0.1, 0.5, 0.9)]


def _slope(values: FloatArray, frames: npt.NDArray[np.integer]) -> float:
    """The slope of the least-squares line, per second."""
    if values.size < 2:
        return 0.0
    time = (frames - frames.mean()) / FRAMES_A_SECOND
    return float(time @ (values - values.mean()) / (time @ time))


def _mean(rows: FloatArray) -> FloatArray:
    return rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)


def _std(rows: FloatArray) -> FloatArray:
    return rows.std(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)


PROSODY_STATS = weightless_card(
    name="prosody-stats",
    family="statistics",
    dim=len(DIMENSIONS),
    citation="nver's own: statistics of pitch, voicing, energy, rhythm and spectral shape",
    load=ProsodyStats,
)
