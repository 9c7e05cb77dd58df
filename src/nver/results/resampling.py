"""The score of a system without each unit, and of units drawn with replacement.

A unit is a speaker, or a clip where speakers are unknown. It carries its clips of every seed with
it: the seeds of repeated cross-validation train anew on the same people and are not more data.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.errors import unknown_name
from nver.results.metrics import SCORES
from nver.results.results import Counts, Units, Values

RESAMPLES = 2000  # our choice: the standard error of a tail of 2.5 % is then 0.35 %
RESAMPLES_AT_ONCE = 250  # bounds the memory; no number depends on it
Score = str | Callable[[Counts], Values]
CLIPS_ALIKE = ("accuracy", "weighted_f1")  # every clip weighs the same, whatever its emotion


def freedom(units: Units, score: Score) -> float:
    """Degrees of freedom of Student's t: by `freedom_of`, or by `freedom_of_average`.

    The second for scores that average emotions, and for functions, which may.
    """
    if score in CLIPS_ALIKE:
        return freedom_of(np.bincount(units.place))
    return freedom_of_average(units.clips)


def freedom_of(clips: npt.NDArray[Any]) -> float:
    """Kish's (1965) effective number of units less one, at least one.

    (sum of clips)² / sum of clips²: the number of units where all have equally many clips, fewer
    where a few of them decide the score. That this number serves as degrees of freedom is our
    choice, made by simulation (docs/statistics.md).

    Args:
        clips: (units,) of each.
    """
    own = np.asarray(clips, np.float64)
    return float(max(own.sum() ** 2 / max((own**2).sum(), 1) - 1, 1))


def freedom_of_average(clips: npt.NDArray[Any]) -> float:
    """Degrees of freedom of a mean over emotions, fewer where few units hold an emotion.

    A unit's weight in an emotion is its share of that emotion's clips. Its part of the variance
    is taken as the sum of squared weights plus the square of their sum, as if half of the variance
    of a unit were shared by its emotions (our choice); per clip of the unit it takes the place of
    the clips in Kish's formula. Where all have the same mixture of emotions this is `freedom_of`,
    and never more than that (docs/statistics.md).

    Args:
        clips: (units, emotions) of each; emotions without clips do not count.
    """
    own = np.asarray(clips, np.float64)
    own = own[own.sum(1) > 0][:, own.sum(0) > 0]
    weight, size = own / own.sum(0), own.sum(1)
    part = ((weight**2).sum(1) + weight.sum(1) ** 2) / size
    return min(freedom_of(size), freedom_of(part / part.max()))


def pooled(units: Units, score: Score) -> Values:
    """The score of the pooled confusions, averaged over the seeds: (), or (emotions,)."""
    return np.asarray(function_of(score)(units.counts).mean(0))


def leave_one_out(units: Units, score: Score) -> Values:
    """(units,) or (units, emotions): the score without each unit, averaged over the seeds."""
    function, counts = function_of(score), units.counts
    if units.unit == "speaker":
        return np.asarray(function(counts - units.counts_by_unit).mean(1))
    # of clips there are many, but no more kinds than the matrix has cells
    one_less = counts[:, None] - np.eye(units.emotions**2, dtype=np.int64).reshape(
        1, -1, units.emotions, units.emotions
    )
    without = function(np.maximum(one_less, 0))  # (seeds, cells, ...)
    seeds, size = len(counts), len(units.names)
    each = np.repeat(function(counts)[None], size, 0)  # (units, seeds, ...)
    each[units.place, units.seed] = without[units.seed, units.cell]
    return np.asarray(each.reshape(size, seeds, *each.shape[2:]).mean(1))


def bootstrap(
    units: Units, scores: Sequence[Score], resamples: int = RESAMPLES, seed: int = 0
) -> list[Values]:
    """For each score (resamples,) or (resamples, emotions): of units drawn with replacement.

    The draws depend on `seed` and the number of units alone, so that two systems on the same
    clips are resampled together.
    """
    functions, size = [function_of(score) for score in scores], len(units.names)
    random, parts = np.random.default_rng(seed), []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        drawn = random.integers(size, size=(min(RESAMPLES_AT_ONCE, resamples - start), size))
        counts = _weighted(units, np.stack([np.bincount(row, minlength=size) for row in drawn]))
        parts.append([function(counts).mean(1) for function in functions])
    return [np.concatenate(one) for one in zip(*parts, strict=True)] or [np.empty(0)] * len(scores)


def _weighted(units: Units, weights: Counts) -> Counts:
    """(resamples, seeds, emotions, emotions): confusions with each unit counted so many times."""
    seeds, cells = int(units.seed.max()) + 1, units.emotions**2
    shape = (len(weights), seeds, units.emotions, units.emotions)
    if units.unit == "speaker":
        flat = units.counts_by_unit.reshape(len(units.names), -1).astype(np.float64)
        return (weights @ flat).reshape(shape).astype(np.int64)  # floats multiply much faster
    code = units.seed * cells + units.cell
    drawn = [np.bincount(code, row[units.place], minlength=seeds * cells) for row in weights]
    return np.stack(drawn).reshape(shape).astype(np.int64)


def function_of(score: Score) -> Callable[[Counts], Values]:
    """The function of confusion matrices that a name of `SCORES` stands for."""
    if callable(score):
        return score
    if score not in SCORES:
        raise unknown_name("score", score, SCORES)
    return SCORES[score]
