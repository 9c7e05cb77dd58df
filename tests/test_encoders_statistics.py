"""logmel-stats, prosody-stats and the F0 under it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fakes import burst
from nver.audio.recording import load_audio
from nver.encoders import load_encoder
from nver.encoders.base import FloatArray
from nver.encoders.spectra.mel import htk_mel
from nver.encoders.spectra.power_spectra import clean, framed, hann, power_spectra
from nver.encoders.weightless.logmel_stats import BANDS, MEL_BANK, log_mel
from nver.encoders.weightless.logmel_stats import DIMENSIONS as LOGMEL
from nver.encoders.weightless.pitch import (
    FFT_SIZE,
    HIGHEST_F0,
    LOWEST_F0,
    TAPER,
    VOICED,
    WINDOW,
    f0_and_periodicity,
)
from nver.encoders.weightless.prosody_stats import DIMENSIONS

NAMES = ["logmel-stats", "prosody-stats"]
TIME = np.arange(16_000) / 16_000


def tone(hertz: float) -> FloatArray:
    return np.sin(2 * np.pi * hertz * TIME).astype(np.float32)


def harmonics(hertz: float, highest: float = 7900.0, lowest: int = 1) -> FloatArray:
    """All harmonics up to `highest` Hz with equal power and scattered phases."""
    numbers = range(lowest, int(highest / hertz) + 1)
    return sum(np.cos(2 * np.pi * hertz * k * TIME + k * k) for k in numbers).astype(np.float32)


def falling(hertz: float) -> FloatArray:
    """Harmonics that fall by 6 dB an octave, as a voice's."""
    numbers = range(1, int(7900 / hertz) + 1)
    return sum(np.sin(2 * np.pi * hertz * k * TIME + k) / k for k in numbers).astype(np.float32)


def noise(samples: int = 16_000, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def pitch_of(signal: FloatArray) -> tuple[FloatArray, FloatArray]:
    frames = framed(clean(signal), WINDOW, 160)
    power = np.concatenate(list(power_spectra(frames, TAPER, FFT_SIZE)))
    return f0_and_periodicity(power)


def named(signal: FloatArray) -> dict[str, float]:
    vector = load_encoder("prosody-stats").embed([signal])[0]
    return dict(zip(DIMENSIONS, vector.tolist(), strict=True))


# --- F0


@pytest.mark.parametrize("make", [tone, harmonics, falling])
@pytest.mark.parametrize(
    "hertz", [61, 75, 97, 113, 150, 211, 277, 330, 440, 523, 700, 901, 1100, 1234, 1400, 1590]
)
def test_f0_within_one_percent(make: Callable[[float], FloatArray], hertz: float) -> None:
    f0, periodicity = pitch_of(make(hertz))
    assert np.abs(f0 / hertz - 1).max() < 0.01
    assert periodicity.min() > 0.9


@pytest.mark.parametrize("hertz", [90, 180, 400, 1000])
def test_f0_without_the_fundamental(hertz: float) -> None:
    f0, _ = pitch_of(harmonics(hertz, 4000, lowest=2))
    assert np.abs(f0 / hertz - 1).max() < 0.01


@pytest.mark.parametrize("hertz", [100, 300, 800])
@pytest.mark.parametrize("offset_db", [10, 20])
def test_f0_in_noise(hertz: float, offset_db: float) -> None:
    voice = falling(hertz)
    hiss = noise() * voice.std() / 10 ** (offset_db / 20)
    f0, periodicity = pitch_of(voice + hiss)
    assert np.mean(np.abs(f0 / hertz - 1) < 0.03) > 0.98
    assert np.mean(periodicity >= VOICED) > 0.98


@pytest.mark.parametrize(
    "signal",
    [noise(160_000), tone(6000), np.zeros(2000, np.float32), np.full(2000, 0.1, np.float32)],
    ids=["noise", "whistle over 4 kHz", "zeros", "DC"],
)
def test_what_is_unvoiced(signal: FloatArray) -> None:
    f0, periodicity = pitch_of(signal)
    assert (periodicity < VOICED).all()
    assert np.isfinite(f0).all()
    assert ((f0 >= LOWEST_F0 * 0.99) & (f0 <= HIGHEST_F0 * 1.1)).all()


def test_periodicity_measures_the_noise() -> None:
    """At 10 dB of signal over noise (both below 4 kHz) 10/11 of the power repeats."""
    voice, hiss = harmonics(200, 4000), noise()
    spectrum = np.fft.rfft(hiss)
    spectrum[4000:] = 0
    hiss = np.fft.irfft(spectrum).astype(np.float32)
    _, periodicity = pitch_of(voice + hiss * voice.std() / hiss.std() / np.sqrt(10))
    assert abs(float(periodicity.mean()) - 10 / 11) < 0.02


# --- both encoders


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("samples", [1, 2, 159, 399, 400, 401, 559, 560, 799, 800, 801, 960, 5000])
def test_any_length(name: str, samples: int) -> None:
    vector = load_encoder(name).embed([burst(1.0, seed=1)[:samples]])
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "signal",
    [
        np.full(5000, 0.3, np.float32),
        np.r_[np.zeros(4999), 0.5].astype(np.float32),
        (np.arange(5000) % 2).astype(np.float32),
        np.sign(tone(50)),
        noise(),
        tone(6000),
    ],
    ids=["DC", "click", "8 kHz", "square", "noise", "whistle"],
)
def test_odd_signals_give_finite_numbers(name: str, signal: FloatArray) -> None:
    assert np.isfinite(load_encoder(name).embed([signal])).all()


@pytest.mark.parametrize("name", NAMES)
def test_gain_and_offset_do_not_matter(name: str) -> None:
    encoder, clip = load_encoder(name), burst(1.2)
    vectors = encoder.embed([clip, 0.01 * clip, clip + np.float32(0.2), -clip])
    assert np.allclose(vectors, vectors[0], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_long_clips_are_done_in_chunks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, encoder = burst(3.0), load_encoder(name)
    whole = encoder.embed([clip])
    monkeypatch.setattr("nver.encoders.spectra.power_spectra.FRAMES_A_CHUNK", 7)
    assert np.allclose(encoder.embed([clip]), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_number_of_threads_does_not_matter(name: str, shared: Path) -> None:
    files = sorted((shared / "data/emogator/opus").glob("*.opus"))[::1500]
    if not files:
        pytest.skip(f"no clips in {shared / 'data/emogator/opus'}")
    from threadpoolctl import threadpool_limits

    encoder = load_encoder(name)
    clips = [load_audio(file, encoder.sampling_rate) for file in files]
    vectors = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            vectors.append(encoder.embed(clips))
    assert np.array_equal(*vectors)


def test_neither_needs_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from nver.encoders import load_encoder\n"
        f"for name in {NAMES}: load_encoder(name).embed([np.ones(9, np.float32)])\n"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


# --- logmel-stats


def test_logmel_stats_by_their_definition() -> None:
    logs = log_mel(burst(1.0)).astype(np.float64)
    vector = load_encoder("logmel-stats").embed([burst(1.0)])[0]
    expected = [
        logs.mean(axis=1),
        logs.std(axis=1),
        np.diff(logs, axis=1).std(axis=1),
        np.percentile(logs, 90, axis=1),
    ]
    assert logs.shape == (BANDS, 98)  # (16000 - 400) // 160 + 1
    assert len(LOGMEL) == vector.size == 160
    assert np.allclose(vector, np.concatenate(expected), rtol=1e-4, atol=1e-4)


def test_log_mel_against_a_plain_evaluation() -> None:
    signal = clean(burst(0.5)).astype(np.float64)
    frame = signal[320:720] * hann(400)
    power = np.abs(np.fft.rfft(frame, 512)) ** 2
    assert np.allclose(log_mel(burst(0.5))[:, 2], np.log(MEL_BANK @ power + 1e-6), atol=1e-3)


@pytest.mark.parametrize("hertz", [200, 500, 1000, 3000, 7000])
def test_a_tone_is_in_its_band(hertz: float) -> None:
    middles = np.linspace(htk_mel(50), htk_mel(8000), BANDS + 2)[1:-1]
    nearest = int(np.abs(middles - htk_mel(hertz)).argmin())
    assert int(log_mel(tone(hertz)).mean(axis=1).argmax()) == nearest


def test_mel_scale() -> None:
    assert abs(float(htk_mel(1000)) - 1000) < 0.1  # as the scale is made
    assert MEL_BANK.shape == (40, 257)
    assert (MEL_BANK.sum(axis=1) > 0).all()
    inside = MEL_BANK[:, 4:240].sum(axis=0)  # neighbouring triangles add up to 1
    assert np.allclose(inside[4:], 1, atol=1e-5)


# --- prosody-stats


def test_dimensions_are_named_once() -> None:
    assert len(set(DIMENSIONS)) == len(DIMENSIONS) == load_encoder("prosody-stats").dim
    assert 40 <= len(DIMENSIONS) <= 80


def glide(start: float, end: float) -> FloatArray:
    """A second of harmonics whose F0 goes from `start` to `end` Hz, evenly in octaves."""
    f0 = start * (end / start) ** TIME
    phase = 2 * np.pi * np.cumsum(f0) / 16_000
    return sum(np.sin(k * phase) / k for k in range(1, 6)).astype(np.float32)


def bursts(number: int, duration_s: float = 0.1) -> FloatArray:
    """Bursts of noise, evenly spread over a second, in much fainter noise."""
    phase = (TIME * number) % 1.0
    return noise() * np.where(phase < duration_s * number, 1.0, 0.005).astype(np.float32)


def two_notes(first: float, second: float) -> FloatArray:
    """A note, a tenth of a second of silence, another note."""
    silent = (TIME > 0.45) & (TIME < 0.55)
    notes = np.where(TIME < 0.5, falling(first), falling(second))
    return np.where(silent, 0.0, notes).astype(np.float32)


@pytest.mark.parametrize(
    ("signal", "name", "expected", "tolerance"),
    [
        (falling(240), "f0_octaves_mean", 2.0, 0.01),
        (falling(240), "f0_octaves_std", 0.0, 0.01),
        (falling(240), "voiced_fraction", 1.0, 0.0),
        (falling(240), "voiced_segments_longest_s", 0.96, 0.01),
        (falling(240), "f0_jumps_per_s", 0.0, 0.0),
        (glide(120, 480), "f0_octaves_slope", 2.0, 0.05),
        (glide(120, 480), "f0_octaves_p50", 2.0, 0.05),
        (glide(480, 120), "f0_octaves_delta_mean", -2.0, 0.05),
        (glide(480, 120), "f0_octaves_start", 0.72, 0.1),
        (glide(480, 120), "f0_octaves_end", -0.72, 0.1),
        (two_notes(120, 240), "f0_octaves_mean", 1.5, 0.03),
        (two_notes(120, 240), "f0_jumps_per_s", 0.0, 0.0),
        (two_notes(120, 240), "voiced_segments_per_s", 2.0, 0.0),
        (noise(), "voiced_fraction", 0.0, 0.0),
        (noise(), "f0_octaves_mean", 0.0, 0.0),
        (noise(), "hnr_db_mean", 0.0, 0.0),
        (noise(), "centroid_khz_mean", 4.0, 0.1),
        (noise(), "bandwidth_khz_mean", 8 / np.sqrt(12), 0.1),
        (noise(), "roll_off_khz_mean", 0.85 * 8, 0.15),
        (noise(), "slope_db_per_khz_mean", 0.0, 0.1),
        (noise(), "alpha_ratio_db_mean", 10 * np.log10(4), 0.6),
        (noise(), "zero_crossings_khz_mean", 8.0, 0.1),
        (noise(32_000), "duration_log2_s", 1.0, 0.0),
        (tone(1000), "centroid_khz_mean", 1.0, 0.07),
        (tone(1000), "zero_crossings_khz_mean", 2.0, 0.02),
        (tone(1000), "crest_db", 3.01, 0.01),
        (tone(1000), "hnr_db_mean", 40.0, 3.0),
        (tone(1000), "flux_mean", 0.0, 0.01),
        (bursts(5), "bursts_per_s", 5.0, 0.1),
        (bursts(5), "modulation_4_to_8_hz", 0.75, 0.25),
        (bursts(3), "bursts_per_s", 3.0, 0.1),
        (bursts(3), "modulation_2_to_4_hz", 0.75, 0.25),
        (bursts(2), "bursts_mean_s", 0.1, 0.04),
        (bursts(2), "bursts_gap_mean_s", 0.4, 0.06),
        (noise() * TIME.astype(np.float32), "level_peak_position", 1.0, 0.1),
        (noise() * np.exp(-4 * TIME).astype(np.float32), "level_db_slope", -34.7, 1.5),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_dimensions_say_what_they_are_named(
    signal: FloatArray, name: str, expected: float, tolerance: float
) -> None:
    assert abs(named(signal)[name] - expected) <= tolerance


def test_no_voiced_frame_gives_zeros() -> None:
    values = named(noise())
    of_voice = [n for n in DIMENSIONS if n.startswith(("f0_", "hnr_", "voiced_"))]
    assert len(of_voice) == 18
    assert all(values[n] == 0 for n in of_voice)
    assert all(values[n] == 0 for n in DIMENSIONS if n.endswith("_voiced_mean"))
