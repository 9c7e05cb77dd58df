"""A sound's print: equal for equal recordings, nearly equal when encoded, scaled or cut anew.

A print is the compressed power in 16 bands of a window of 1.6 s. The window lies around the middle
of the clip's energy, so that silence added or trimmed at the ends does not move it. Similar prints
only propose a pair; the `alignment` of the two waveforms decides.

All constants are our choice, made on 719 clips of EmoGator that exist as published MP3 and as
16 kHz Opus, and on 5,490 clips of EmoGator and RAVDESS for the false alarms (docs/evaluation.md).
"""

import numpy as np
import numpy.typing as npt

from nver.audio.waveform import FloatArray, blocks

SAMPLING_RATE = 16_000
WINDOW, HOP, FRAMES = 1024, 800, 32  # samples: 64 ms every 50 ms
BANDS = 16
LOWEST_HZ, HIGHEST_HZ = 200.0, 4000.0  # codecs cut below and above, and hum lies below
EXPONENT = 0.2  # of the power; a logarithm would show the noise of the codec
LONGEST = 120 * SAMPLING_RATE  # samples: of a longer recording its middle is compared
LOUDEST = 1e12  # times full scale: a damaged float; its power times 2^20 samples is still finite
DIM = FRAMES * BANDS

_EDGES = np.searchsorted(
    np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE), np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
)
_TAPER = np.hanning(WINDOW).astype(np.float32)


def sound_print(waveform: FloatArray) -> FloatArray:
    """(512,) from (samples,) at 16 kHz: 32 frames of 16 band powers, the loudest 1, compressed."""
    import scipy.fft

    waveform = _comparable(waveform)
    size = scipy.fft.next_fast_len(max(len(waveform), WINDOW), real=True)
    signal: FloatArray = scipy.fft.irfft(_band(waveform, size), size)
    peak = np.abs(signal).max()
    signal = signal / peak if peak > 0 else signal
    power = np.square(signal, dtype=np.float64)
    middle = power @ np.arange(len(signal)) / power.sum() if peak > 0 else len(signal) / 2
    frames = np.lib.stride_tricks.sliding_window_view(_around(signal, round(middle)), WINDOW)[::HOP]
    spectra = scipy.fft.rfft(frames * _TAPER, axis=1)
    bins = np.square(spectra.real) + np.square(spectra.imag)
    bands = np.add.reduceat(bins[:, : _EDGES[-1]], _EDGES[:-1], axis=1)
    compressed: FloatArray = (bands / max(bands.max(), 1e-30)) ** np.float32(EXPONENT)
    return compressed.astype(np.float32).ravel()


def alignment(one: FloatArray, other: FloatArray) -> float:
    """From 0 to 1: the highest correlation of two waveforms (samples,) at 16 kHz over all lags.

    From 200 to 4,000 Hz, whatever the gain and polarity; 1 is the same recording. A square root
    flattens the magnitudes: without it two people humming one note correlate at 0.98.
    """
    import scipy.fft

    one, other = _comparable(one), _comparable(other)
    size = scipy.fft.next_fast_len(len(one) + len(other), real=True)
    a, b = (_flattened(_band(w, size)) for w in (one, other))
    return float(size / 2 * np.abs(scipy.fft.irfft(a * np.conj(b), size)).max())


def _comparable(waveform: FloatArray) -> FloatArray:
    """The `LONGEST` samples around the middle of a longer waveform's energy: they bound memory.

    A waveform of which a spectrum would be infinite is scaled down.
    """
    if len(waveform) <= LONGEST:
        peak = max(waveform.max(initial=0), -waveform.min(initial=0))
        return waveform / peak if peak > LOUDEST else waveform
    first = energy = moment = 0.0
    for block in blocks(waveform):
        power = np.square(block, dtype=np.float64)
        energy += float(power.sum())
        moment += float(power @ np.arange(first, first + len(block)))
        first += len(block)
    middle = moment / energy if energy > 0 else len(waveform) / 2
    start = min(max(0, round(middle) - LONGEST // 2), len(waveform) - LONGEST)
    return _comparable(waveform[start : start + LONGEST])


def _band(waveform: FloatArray, size: int) -> npt.NDArray[np.complex64]:
    """The spectrum of (size,) samples, padded with zeros; only 200 to 4,000 Hz are left."""
    import scipy.fft

    spectrum: npt.NDArray[np.complex64] = scipy.fft.rfft(waveform, size)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLING_RATE)
    spectrum[(hertz < LOWEST_HZ) | (hertz > HIGHEST_HZ)] = 0
    return spectrum


def _flattened(spectrum: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """The phases with square roots of the magnitudes, scaled to length 1 (zeros stay zeros)."""
    magnitude = np.abs(spectrum)
    rooted = spectrum / np.sqrt(np.maximum(magnitude, np.float32(1e-20)))
    length = max(float(np.sqrt(magnitude.sum(dtype=np.float64))), 1e-20)
    return (rooted / length).astype(np.complex64)


def _around(signal: FloatArray, middle: int) -> FloatArray:
    """The samples of the window around `middle`, with zeros outside the clip."""
    size = (FRAMES - 1) * HOP + WINDOW
    start = middle - size // 2
    window = np.zeros(size, np.float32)
    first, last = max(0, start), min(len(signal), start + size)
    window[first - start : last - start] = signal[first:last]
    return window
