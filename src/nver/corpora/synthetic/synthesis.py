"""A source-filter synthesiser of voice: a pulse train and noise through the tract's resonances.

Glossary: F0 is the rate of the vocal folds; a formant is a resonance of the vocal tract.

Does not include: nasal zeros, subglottal coupling, consonants. It is no model of how people
express emotions: it makes sounds that differ as laughs, cries and sighs roughly do, so that the
whole of nver can be tried without a download.

Sources: pulse shape of Rosenberg (1971), JASA 49, 583-590; resonator of Klatt (1980), JASA 67,
971-995; the neutral tract is a tube closed at one end (Fant, 1960). Other numbers: our choice.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, sosfilt

Array = npt.NDArray[np.float64]

RATE = 16000  # Hz
KNOT_S = 0.01  # how far the random values lie apart between which F0 wanders
SPEED_OF_SOUND = 35000.0  # cm/s, in warm moist air
FORMANTS = 5
HIGHEST_FORMANT = 0.47 * RATE
OPENING, CLOSING = 0.4, 0.16  # parts of a period: Rosenberg's preferred pulse
OPEN_VOWEL = np.array([1.45, 0.88, 1.0, 1.0, 1.0])  # as in "ah": formants over the neutral tube's
CLOSED_VOWEL = np.array([0.62, 0.75, 0.98, 1.0, 1.0])  # as in "mm" or "oo"


@dataclass(frozen=True)
class Voice:
    """What makes a speaker: usual F0 (Hz), length of the tract (cm), breath and noise of a room.

    `breathiness` is the part of noise in a voiced sound (0 to 1), `jitter` the deviation of F0 from
    its course (ratio), `room` the level of the background (of the clip's).
    """

    f0: float
    tract: float
    breathiness: float
    jitter: float
    room: float


@dataclass(frozen=True)
class Gesture:
    """The course of a sound, one value a sample: F0 (Hz), and from 0 to 1 how strongly the folds
    sound, how strongly breath flows, how rough the voice is, and how open the mouth is."""

    f0: Array
    voiced: Array
    breath: Array
    rough: Array
    open: Array


def draw_voice(rng: np.random.Generator) -> Voice:
    """A speaker drawn at random: the longer the tract, the lower the voice, with some scatter."""
    tract = rng.uniform(13.5, 18.0)
    f0 = 230.0 * 2.0 ** (-(tract - 14.5) / 3.5) * 2.0 ** rng.normal(0.0, 0.15)
    breathiness, jitter = rng.uniform(0.02, 0.35), rng.uniform(0.003, 0.02)
    return Voice(f0, tract, breathiness, jitter, room=rng.uniform(0.003, 0.03))


def synthesise(gesture: Gesture, voice: Voice, rng: np.random.Generator) -> Array:
    """(samples,) at 16 kHz with a peak of 1."""
    count = len(gesture.f0)
    folds = _pulses(gesture.f0, voice, rng) * gesture.voiced * _roughness(gesture.rough, rng)
    noise = rng.standard_normal(count) * 0.3
    breath = gesture.breath + voice.breathiness * gesture.voiced
    source = folds + noise * breath
    sound = gesture.open * _tract(source, voice, OPEN_VOWEL)
    sound += (1.0 - gesture.open) * _tract(source, voice, CLOSED_VOWEL)
    sound /= np.abs(sound).max()
    sound += voice.room * lfilter([1.0], [1.0, -0.9], rng.standard_normal(count))
    return sound / np.abs(sound).max()


def _pulses(f0: Array, voice: Voice, rng: np.random.Generator) -> Array:
    """The derivative of Rosenberg's pulse train: the sound that leaves the lips."""
    knots = np.arange(0.0, len(f0) + RATE * KNOT_S, RATE * KNOT_S)
    wander = np.interp(np.arange(len(f0)), knots, rng.standard_normal(len(knots)))
    phase = np.cumsum(f0 * (1.0 + voice.jitter * wander)) / RATE % 1.0
    flow = np.zeros(len(f0))
    rising, falling = phase < OPENING, (phase >= OPENING) & (phase < OPENING + CLOSING)
    flow[rising] = 0.5 * (1.0 - np.cos(np.pi * phase[rising] / OPENING))
    flow[falling] = np.cos(0.5 * np.pi * (phase[falling] - OPENING) / CLOSING)
    derivative = np.diff(flow, prepend=0.0)
    return derivative / max(float(np.abs(derivative).max()), 1e-9)


def _roughness(rough: Array, rng: np.random.Generator) -> Array:
    """A modulation between 30 and 150 Hz: Arnal et al. (2015), Current Biology 25, 2051-2056."""
    rate = rng.uniform(40.0, 120.0)
    wave = np.sin(2.0 * np.pi * rate * np.arange(len(rough)) / RATE)
    modulation: Array = 1.0 - rough * (0.5 + 0.5 * wave)
    return modulation


def _tract(source: Array, voice: Voice, vowel: Array) -> Array:
    """The source through a cascade of Klatt's resonators."""
    neutral = (2.0 * np.arange(FORMANTS) + 1.0) * SPEED_OF_SOUND / (4.0 * voice.tract)
    frequency = (neutral * vowel)[neutral * vowel < HIGHEST_FORMANT]
    width = 50.0 + 0.04 * frequency
    c = -np.exp(-2.0 * np.pi * width / RATE)
    b = 2.0 * np.exp(-np.pi * width / RATE) * np.cos(2.0 * np.pi * frequency / RATE)
    one, zero = np.ones_like(b), np.zeros_like(b)
    filtered: Array = sosfilt(np.stack([1.0 - b - c, zero, zero, one, -b, -c], axis=1), source)
    return filtered
