"""What a recording is like, in numbers and in words: its level, clipping, offset and channels."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

BLOCK = 1 << 18  # samples that are looked at together (our choice): bounds memory
FULL_SCALE = 1.0 - 2.0**-15  # the largest value of 16-bit samples
QUIET_RMS = 1e-3  # of full scale (our choice)
# A clip with this share of samples at full scale is clipped: 1 ms of every second (our choice). A
# recording that was only scaled to a peak of 1 has a sample or two.
CLIPPED_SHARE = 1e-3
OFFSET = 0.02  # of full scale, -34 dB (our choice): cheap sound cards have a few thousandths
# Channels cancel where their mean keeps less than this of the power that the mean of unrelated
# channels has (our choice): two channels with a correlation under -0.8.
CANCELLED = 0.2
DEAD = 1e-4  # of the power of the loudest channel, -40 dB (our choice)
SHORTEST_S = 0.1  # our choice: a shorter clip is a click; `predict` is never sure of it
LONGEST_S = 30.0  # our choice: a burst lasts seconds; `predict` hears only so much of a file

# Kind -> what a clip of that kind is, for a list and for a warning.
KINDS = {
    "tracks": "with several tracks of sound, of which the first is used",
    "quiet": "very quiet",
    "clipped": "clipped",
    "channels_cancel": "with channels that cancel each other in their mean, which is used",
    "dead_channels": "with a silent channel, which lowers the mean of the channels that is used",
    "offset": "with a constant offset, which is no sound and is used with it",
    "very_short": f"shorter than {SHORTEST_S:g} s, which is a click and hardly a voice",
    "very_long": f"longer than {LONGEST_S:g} s, which is hardly one burst",
}


class Traits(NamedTuple):
    """Numbers of a recording as it was decoded, before resampling.

    Attributes:
        rms: of the mean of the channels.
        clipped: the share of samples at full scale, over all channels.
        offset: the mean of all samples.
        kept: the power of the mean of the channels, as a multiple of what the mean of unrelated
            channels has: 0 where they cancel, 1 for one channel, their number for equal ones.
        dead: how many channels are silent beside another.
    """

    channels: float
    rms: float
    clipped: float
    offset: float
    kept: float
    dead: float


def traits(samples: FloatArray) -> Traits:
    """The traits of (samples, channels) or (samples,), float in -1..1, at least one sample."""
    rows = samples if samples.ndim == 2 else samples[:, None]
    number, channels = rows.shape
    sums, squares = np.zeros((2, channels))
    square_of_mean, at_full_scale = 0.0, 0
    for block in _blocks(rows):
        mean = block.mean(axis=1) if channels > 1 else block[:, 0]
        sums += block.sum(axis=0)
        squares += np.einsum("ij,ij->j", block, block)
        square_of_mean += float(np.einsum("i,i", mean, mean))
        at_full_scale += int(np.count_nonzero(np.abs(block) >= FULL_SCALE))
    offset = float(sums.mean() / number)
    powers = np.maximum(squares / number - np.square(sums / number), 0.0)
    power_of_mean = max(square_of_mean / number - offset**2, 0.0)
    loudest = float(powers.max())
    mean_power = float(powers.mean())
    return Traits(
        channels=channels,
        rms=math.sqrt(square_of_mean / number),
        clipped=at_full_scale / rows.size,
        offset=offset,
        kept=power_of_mean / mean_power * channels if mean_power else 1.0,
        dead=int((powers < DEAD * loudest).sum()),
    )


def remarks(found: Traits, duration_s: float) -> dict[str, str]:
    """Kind -> sentence, for each kind of `KINDS` that a clip is of."""
    said = {}
    if found.rms < QUIET_RMS:
        said["quiet"] = f"rms {found.rms:.1e} of full scale"
    if found.clipped >= CLIPPED_SHARE:
        said["clipped"] = f"{found.clipped:.2%} at full scale"
    if found.kept < CANCELLED:
        share = found.kept / found.channels
        said["channels_cancel"] = (
            f"the mean of the {found.channels:g} channels keeps {share:.1%} of their power"
        )
    if found.dead:
        said["dead_channels"] = f"{found.dead:g} of {found.channels:g} channels are silent"
    if abs(found.offset) >= OFFSET:
        said["offset"] = f"its mean is {found.offset:+.1%} of full scale"
    if duration_s < SHORTEST_S:
        said["very_short"] = f"{1000 * duration_s:.0f} ms"
    if duration_s > LONGEST_S:
        said["very_long"] = f"{duration_s / 60:.1f} min"
    return said


def _blocks(rows: FloatArray) -> Iterator[npt.NDArray[np.float64]]:
    size = max(1, BLOCK // rows.shape[1])
    for first in range(0, len(rows), size):
        yield rows[first : first + size].astype(np.float64)
