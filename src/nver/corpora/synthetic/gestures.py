"""Six sounds as courses of F0, voicing and breath: laugh, cry, scream, sigh, moan, gasp.

Every number is our choice, near the literature where a source is named. The numbers are drawn from
wide ranges, so that the sounds overlap.
"""

from collections.abc import Callable

import numpy as np

from nver.corpora.synthetic.synthesis import RATE, Array, Gesture, Voice


def _time(seconds: float) -> Array:
    return np.arange(int(seconds * RATE)) / RATE


def _arch(place: Array, rise: float) -> Array:
    """0 to 1 and back over places 0 to 1; the top lies at `rise`. Outside: 0."""
    up = np.clip(place / rise, 0.0, 1.0)
    down = np.clip((1.0 - place) / (1.0 - rise), 0.0, 1.0)
    return np.sin(0.5 * np.pi * np.minimum(up, down)) ** 2


def laugh(voice: Voice, rng: np.random.Generator) -> Gesture:
    """Calls of "ha", 4 to 6 a second (Bachorowski et al., 2001, JASA 110, 1581-1597), sinking."""
    t = _time(rng.uniform(0.5, 1.6))
    rate = rng.uniform(3.5, 6.5)
    place = t * rate % 1.0
    calls = _arch(np.clip((place - 0.3) / 0.65, 0.0, 1.0), 0.3)
    fading = np.exp(-t * rng.uniform(0.2, 1.2))
    f0 = voice.f0 * rng.uniform(1.2, 2.4) * 2.0 ** (-rng.uniform(0.0, 0.7) * t / t[-1])
    f0 = f0 * (1.0 + rng.uniform(0.0, 0.25) * calls)
    voiced = calls * fading * (rng.uniform(0.3, 1.0))
    breath = _arch(np.clip(place / 0.5, 0.0, 1.0), 0.5) * fading * rng.uniform(0.2, 0.9)
    return Gesture(f0, voiced, breath, np.full(len(t), rng.uniform(0.0, 0.3)), 0.4 + 0.6 * calls)


def cry(voice: Voice, rng: np.random.Generator) -> Gesture:
    """One to three wails that rise and fall and tremble, with sobs of breath between them."""
    t = _time(rng.uniform(0.6, 1.8))
    wails = rng.integers(1, 4)
    place = t * wails / t[-1] % 1.0
    arch = _arch(np.clip(place / 0.8, 0.0, 1.0), rng.uniform(0.2, 0.5))
    tremble = np.sin(2.0 * np.pi * rng.uniform(5.0, 9.0) * t)
    f0 = voice.f0 * rng.uniform(1.2, 2.4) * 2.0 ** (rng.uniform(0.2, 0.6) * (arch - 0.5))
    f0 = f0 * (1.0 + rng.uniform(0.01, 0.08) * tremble)
    voiced = arch * (1.0 + rng.uniform(0.0, 0.4) * tremble) * rng.uniform(0.6, 1.0)
    breath = (place > 0.8) * rng.uniform(0.1, 0.6) + rng.uniform(0.0, 0.2) * arch
    rough = np.full(len(t), rng.uniform(0.0, 0.5))
    return Gesture(f0, voiced, breath, rough, rng.uniform(0.2, 0.9) * np.ones(len(t)))


def scream(voice: Voice, rng: np.random.Generator) -> Gesture:
    """High, long and rough."""
    t = _time(rng.uniform(0.4, 1.4))
    arch = _arch(t / t[-1], rng.uniform(0.05, 0.3)) ** 0.5
    f0 = voice.f0 * rng.uniform(2.0, 4.5) * 2.0 ** (rng.uniform(0.0, 0.5) * (arch - 1.0))
    rough = np.full(len(t), rng.uniform(0.2, 0.9))
    breath = arch * rng.uniform(0.0, 0.4)
    return Gesture(np.minimum(f0, 1500.0), arch, breath, rough, 0.6 + 0.4 * arch)


def sigh(voice: Voice, rng: np.random.Generator) -> Gesture:
    """A falling breath with more or less voice in it."""
    t = _time(rng.uniform(0.5, 1.6))
    arch = _arch(t / t[-1], rng.uniform(0.05, 0.3))
    fall = 2.0 ** (-rng.uniform(0.2, 1.0) * t / t[-1])
    f0 = voice.f0 * rng.uniform(0.8, 1.4) * fall
    voiced = arch * np.exp(-t * rng.uniform(0.5, 3.0)) * rng.uniform(0.05, 0.7)
    breath = arch * rng.uniform(0.3, 1.0)
    return Gesture(f0, voiced, breath, np.zeros(len(t)), rng.uniform(0.3, 1.0) * fall)


def moan(voice: Voice, rng: np.random.Generator) -> Gesture:
    """Low, level or sinking, the mouth nearly closed."""
    t = _time(rng.uniform(0.5, 1.7))
    arch = _arch(t / t[-1], rng.uniform(0.15, 0.5)) ** 0.6
    f0 = voice.f0 * rng.uniform(0.75, 1.5) * 2.0 ** (-rng.uniform(-0.2, 0.5) * t / t[-1])
    f0 = f0 * (1.0 + rng.uniform(0.0, 0.03) * np.sin(2.0 * np.pi * rng.uniform(3.0, 6.0) * t))
    rough = np.full(len(t), rng.uniform(0.0, 0.4))
    opened = rng.uniform(0.0, 0.5) * arch
    return Gesture(f0, arch * rng.uniform(0.5, 1.0), arch * rng.uniform(0.0, 0.3), rough, opened)


def gasp(voice: Voice, rng: np.random.Generator) -> Gesture:
    """Breath drawn in: short, growing, cut off, sometimes with a squeak."""
    t = _time(rng.uniform(0.4, 0.8))
    arch = _arch(t / t[-1], rng.uniform(0.5, 0.9))
    f0 = voice.f0 * rng.uniform(1.2, 2.6) * 2.0 ** (rng.uniform(-0.1, 0.6) * t / t[-1])
    voiced = arch * (rng.uniform() < 0.5) * rng.uniform(0.0, 0.5)
    breath = arch * rng.uniform(0.5, 1.0)
    return Gesture(f0, voiced, breath, np.zeros(len(t)), 0.3 + rng.uniform(0.0, 0.7) * arch)


SOUNDS: dict[str, Callable[[Voice, np.random.Generator], Gesture]] = {
    sound.__name__: sound for sound in (laugh, cry, scream, sigh, moan, gasp)
}
