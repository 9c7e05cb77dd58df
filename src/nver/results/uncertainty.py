"""How sure a score is: 95 % intervals by resampling speakers, clips where speakers are unknown.

The interval is made from the score without each unit in turn (jackknife), see `interval`; the
bootstrap's is there beside it. `docs/statistics.md` has formulas, references and coverage.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nver.errors import UsageError
from nver.results.metrics import SCORES, emotion_table, f1_of, recall_of, score_table
from nver.results.resampling import freedom, freedom_of, leave_one_out, pooled
from nver.results.results import Predictions, Units, Values, results_of, stacked

LEVEL = 0.95
ROUNDING = 1e-13  # of a score in double precision


def interval(
    score: float, without: Values, level: float = LEVEL, *, freedom: float | None = None
) -> tuple[float, float]:
    """Wilson's interval with the effective sample size of the jackknife and Student's t.

    The jackknife's standard error over units says how many independent clips would be as sure,
    n = score (1 - score) / error²; Wilson's (1927) interval for n clips follows, with the quantile
    of t in place of the normal one (the effective sample size is Korn & Graubard's, 1998). Where
    the units do not differ, as at a score of 0 or 1, n is the number of units. It stays in 0..1.

    Args:
        score: of all units, 0..1.
        without: (units,) the score without each of them.
        freedom: degrees of freedom, fewer where units differ in size (`resampling.freedom_of`);
            None: units - 1.

    Returns:
        (low, high); nan for fewer than two units or an undefined score.
    """
    if len(without) < 2 or not np.isfinite(score) or not np.isfinite(without).all():
        return np.nan, np.nan
    t = t_quantile(len(without) - 1 if freedom is None else freedom, level)
    error = float(standard_error(without))
    size = score * (1 - score) / error**2 if error else float(len(without))
    shrink = t**2 / max(size, 1e-9)
    middle = (score + shrink / 2) / (1 + shrink)
    half = t / (1 + shrink) * np.sqrt((score * (1 - score) + shrink / 4) / max(size, 1e-9))
    return max(0.0, middle - half), min(1.0, middle + half)


def standard_error(without: Values) -> Values:
    """(...): the jackknife's standard error of scores without each unit (..., units)."""
    size = without.shape[-1]
    spread = without - without.mean(-1, keepdims=True)
    error = np.sqrt((size - 1) / size * (spread**2).sum(-1))
    return np.where(error < ROUNDING * size, 0.0, error)


def percentile_interval(
    replicates: Values, units: int, level: float = LEVEL, *, expanded: bool = True
) -> tuple[float, float]:
    """The bootstrap's percentile interval, expanded for few units (Hesterberg 2015) or plain.

    Args:
        replicates: (resamples,) of `bootstrap`; undefined ones are left out.
        units: how many were drawn from.
    """
    known = replicates[np.isfinite(replicates)]
    if units < 2 or not known.size:
        return np.nan, np.nan
    tail = (1 - level) / 2
    if expanded:
        tail = float(stats.norm.cdf(-t_quantile(units - 1, level) * np.sqrt(units / (units - 1))))
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def t_quantile(freedom: float, level: float) -> float:
    if not 0 < level < 1:
        raise UsageError(f"the level of an interval lies between 0 and 1; got {level}")
    return float(stats.t.ppf((1 + level) / 2, freedom))


# ------------------------------------------------------------------------------------- tables


def interval_table(predictions: Predictions, level: float = LEVEL) -> pd.DataFrame:
    """`metrics.score_table` with `SCORE_low`, `SCORE_high`, and what was resampled.

    Returns:
        The same rows and columns; after each score its interval (nan for fewer than two units);
        `unit` ("speaker" or "clip") and `units`, how many.
    """
    results = results_of(predictions)
    bounds = [score_intervals(system.units, SCORES, level) for system in results.systems]
    return _with_bounds(score_table(results), pd.DataFrame(bounds), SCORES)


def score_intervals(
    units: Units, scores: Collection[str] = tuple(SCORES), level: float = LEVEL
) -> dict[str, Any]:
    """Each score with its interval `SCORE_low` to `SCORE_high`; then `unit` and `units`."""
    row: dict[str, Any] = {}
    for name in scores:
        score, without = float(pooled(units, name)), leave_one_out(units, name)
        low, high = interval(score, without, level, freedom=freedom(units, name))
        row |= {name: score, f"{name}_low": low, f"{name}_high": high}
    return row | {"unit": units.unit, "units": len(units.names)}


def emotion_interval_table(predictions: Predictions, level: float = LEVEL) -> pd.DataFrame:
    """`metrics.emotion_table` with intervals of recall and F1.

    The units of an emotion's recall are the speakers (clips) that have the emotion; of its F1 also
    the speakers (clips) that were taken for it. `units` counts the first. With fewer than two the
    interval is nan.
    """
    results = results_of(predictions)
    bounds = stacked([_emotion_intervals(system.units, level) for system in results.systems])
    return _with_bounds(emotion_table(results), bounds, ("recall", "f1"))


def _emotion_intervals(units: Units, level: float) -> dict[str, Any]:
    columns: dict[str, Any] = {"unit": units.unit, "units": (units.clips > 0).sum(0)}
    concerned_by = {"recall": (recall_of, units.clips), "f1": (f1_of, units.clips + units.given)}
    for name, (function, clips) in concerned_by.items():
        score, without = pooled(units, function), leave_one_out(units, function)
        bounds = []
        for emotion, value in enumerate(score):
            concerned = clips[:, emotion] > 0
            own = without[concerned, emotion]
            degrees = freedom_of(clips[concerned, emotion])
            bounds.append(interval(float(value), own, level, freedom=degrees))
        columns[f"{name}_low"], columns[f"{name}_high"] = zip(*bounds, strict=True)
    return columns


def _with_bounds(table: pd.DataFrame, bounds: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """The table with the interval of each of `names` after it; `unit` and `units` at its end."""
    for name in names:
        for end in (f"{name}_high", f"{name}_low"):
            table.insert(list(table).index(name) + 1, end, bounds[end])
    return table.assign(unit=bounds["unit"], units=bounds["units"])
