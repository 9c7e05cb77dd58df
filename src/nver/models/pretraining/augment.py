"""Augmentation: the clips of a batch cut to one length and varied, their masks and mixtures.

All randomness comes from the generator that is given: the same generator gives the same batch.
"""

import numpy as np
import numpy.typing as npt

from nver.audio.recording import FloatArray
from nver.encoders.audio_mamba.network import MELS
from nver.models.pretraining.pretraining_recipe import Supervised

Half = npt.NDArray[np.float16]


def crop(spectrum: Half, length: int, rng: np.random.Generator) -> tuple[FloatArray, int]:
    """A random part (length, 80) of a clip, and how many frames are the clip's; then zeros."""
    start = int(rng.integers(0, max(0, len(spectrum) - length) + 1))
    part = spectrum[start : start + length]
    out = np.zeros((length, MELS), np.float32)
    out[: len(part)] = part
    return out, len(part)


def vary(
    spectrum: Half, length: int, config: Supervised, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """`crop` of the clip in another tempo, moved along the bands, tilted, with parts blanked.

    The mel bands stand for pitch and vocal tract, so a move of a few bands is another speaker; a
    change of gain would be undone by the clip's standardisation and is left out.
    """
    tempo = float(np.exp(rng.uniform(-1, 1) * np.log1p(config.stretch)))
    own = max(1, int(len(spectrum) / tempo))
    valid = min(own, length)
    start = rng.uniform(0, max(0, own - length)) * tempo
    places = np.minimum(start + np.arange(valid) * tempo, len(spectrum) - 1)
    out = np.zeros((length, MELS), np.float32)
    out[:valid] = _along_bands(_at(spectrum, places), rng.uniform(-1, 1) * config.shift)
    out[:valid] += np.float32(rng.normal(0, config.tilt)) * np.linspace(-1, 1, MELS, dtype="f4")
    _blank(out[:valid], config.time_masks, config.time_mask, rng)
    _blank(out.T, config.band_masks, config.band_mask, rng)
    return out, valid


def _at(rows: npt.NDArray[np.floating], places: npt.NDArray[np.float64]) -> FloatArray:
    """The rows at fractional places, linear between neighbours."""
    low = places.astype(np.int64)
    share = (places - low).astype(np.float32)[:, None]
    after = rows[np.minimum(low + 1, len(rows) - 1)].astype(np.float32)
    return rows[low].astype(np.float32) * (1 - share) + after * share


def _along_bands(frames: FloatArray, shift: float) -> FloatArray:
    """The frames moved up by `shift` bands, linear between neighbours; the edges are repeated."""
    return _at(frames.T, np.clip(np.arange(MELS) - shift, 0, MELS - 1)).T


def _blank(rows: FloatArray, number: int, longest: int, rng: np.random.Generator) -> None:
    """Set `number` runs of up to `longest` rows to the clip's mean, zero (SpecAugment)."""
    for _ in range(number):
        size = int(rng.integers(0, min(longest, len(rows) // 2) + 1))
        start = int(rng.integers(0, len(rows) - size + 1))
        rows[start : start + size] = 0


def mixing(size: int, alpha: float, rng: np.random.Generator) -> tuple[FloatArray, npt.NDArray]:
    """mixup (Zhang et al. 2018): each clip's own share (size,), at least 1/2, and its partner."""
    if alpha == 0:
        return np.ones(size, np.float32), np.arange(size)
    share = rng.beta(alpha, alpha, size)
    return np.maximum(share, 1 - share).astype(np.float32), rng.permutation(size)


def masks(size: int, tokens: int, share: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(size, tokens): exactly that share of each clip's patches, drawn at random."""
    order = rng.random((size, tokens)).argsort(axis=1)
    return order < round(share * tokens)
