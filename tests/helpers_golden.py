"""The clips of the golden MFCC."""

import numpy as np

from fakes import burst
from nver.encoders.base import FloatArray


def golden_clips() -> dict[str, FloatArray]:
    """Clips at 16 kHz that reach the corners: short, whole hops, beyond 80 dB, a click."""
    click = np.zeros(3000, np.float32)
    click[1234] = 0.5
    fading = burst(1.2, seed=3) * np.logspace(0, -7, 19_200).astype(np.float32)
    return {
        "burst": burst(0.9, seed=1),
        "whole_hops": burst(10 * 512 / 16_000, 333, seed=2),
        "short": burst(0.03, seed=4),
        "one_sample": np.full(1, 0.25, np.float32),
        "fading": fading,
        "click": click,
    }
