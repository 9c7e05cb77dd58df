"""Mel scales, and banks of triangular filters between frequencies that are even on one of them."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

# Slaney's scale (his Auditory Toolbox): 3 mels to 200 Hz up to 1 kHz, then 27 to a factor 6.4.
MEL_HZ, BREAK_HZ, BREAK_MEL, STEP = 200 / 3, 1000.0, 15.0, np.log(6.4) / 27


def htk_mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mel by HTK's formula, 2595 log10(1 + f / 700) (The HTK Book, 5.4)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0)


def htk_hertz(mels: Any) -> Any:
    """The frequencies of HTK's mels, an array or a tensor."""
    return 700 * (10 ** (mels / 2595) - 1)


def slaney_mel(hertz: float) -> float:
    """Slaney's mel of a frequency of 1 kHz or more."""
    return float(BREAK_MEL + np.log(hertz / BREAK_HZ) / STEP)


def slaney_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The frequencies of Slaney's mels."""
    return np.where(mels < BREAK_MEL, mels * MEL_HZ, BREAK_HZ * np.exp(STEP * (mels - BREAK_MEL)))


def triangles(
    points: Floats, corners: Floats, half_widths: Floats | np.floating | None = None
) -> Floats:
    """(points, corners - 2): at the points, triangles of height 1 around the inner corners.

    Points and corners lie on one scale, in Hz or mel; the result has their precision.

    Args:
        half_widths: of triangles that reach as far down as up; without it a triangle reaches to
            the corners before and after it.
    """
    if half_widths is not None:
        return np.maximum(0, 1 - np.abs(points[:, None] - corners[1:-1]) / half_widths)
    widths = np.diff(corners)
    rising = (points[:, None] - corners[:-2]) / widths[:-1]
    falling = (corners[2:] - points[:, None]) / widths[1:]
    return np.maximum(0, np.minimum(rising, falling))
