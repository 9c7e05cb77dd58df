"""How sure a score is: 95 % intervals by resampling speakers, clips where speakers are unknown.

The interval is made from the score without each unit in turn (jackknife), see `interval`; the
bootstrap's is there beside it. `docs/statistics.md` has formulas, references and coverage.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nver.errors import UsageError
from nver.results.metrics import (
    SCORES,
    Counts,
    Values,
    emotion_table,
    f1_of,
    recall_of,
    score_table,
    systems,
)
from nver.results.resampling import Units, freedom_of, leave_one_out, pooled, units_of

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


def interval_table(predictions: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """`metrics.score_table` with `SCORE_low`, `SCORE_high`, and what was resampled.

    Returns:
        The same rows and columns; after each score its interval (nan for fewer than two units);
        `unit` ("speaker" or "clip") and `units`, how many.
    """
    table = score_table(predictions)
    found = [_intervals(units_of(rows), level) for _, rows in systems(predictions)]
    bounds = pd.DataFrame(found, index=table.index)
    for name in SCORES:
        place = list(table.columns).index(name)
        table.insert(place + 1, f"{name}_low", bounds[f"{name}_low"])
        table.insert(place + 2, f"{name}_high", bounds[f"{name}_high"])
    return table.assign(unit=bounds["unit"], units=bounds["units"])


def _intervals(units: Units, level: float) -> dict[str, Any]:
    row: dict[str, Any] = {"unit": units.unit, "units": len(units.names)}
    for name in SCORES:
        row[f"{name}_low"], row[f"{name}_high"] = interval(
            float(pooled(units, name)),
            leave_one_out(units, name),
            level,
            freedom=units.freedom(name),
        )
    return row


def emotion_interval_table(predictions: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """`metrics.emotion_table` with intervals of recall and F1.

    Of an emotion's recall the units are the speakers (clips) that have it, of its F1 also those
    that were taken for it; `units` counts the first. With fewer than two the interval is nan.
    """
    table = emotion_table(predictions)
    parts = [_emotion_intervals(units_of(rows), level) for _, rows in systems(predictions)]
    bounds = pd.concat(parts, ignore_index=True)
    for name in ("recall", "f1"):
        place = list(table.columns).index(name)
        table.insert(place + 1, f"{name}_low", bounds[f"{name}_low"])
        table.insert(place + 2, f"{name}_high", bounds[f"{name}_high"])
    return table.assign(unit=bounds["unit"], units=bounds["units"])


def _emotion_intervals(units: Units, level: float) -> pd.DataFrame:
    having, given = _clips_by_unit(units)
    columns: dict[str, Any] = {"unit": units.unit, "units": (having > 0).sum(0)}
    for name, function, clips in (("recall", recall_of, having), ("f1", f1_of, having + given)):
        score, without = pooled(units, function), leave_one_out(units, function)
        bounds = []
        for emotion, value in enumerate(score):
            concerned = clips[:, emotion] > 0
            freedom = freedom_of(clips[concerned, emotion])
            own = without[concerned, emotion]
            bounds.append(interval(float(value), own, level, freedom=freedom))
        columns[f"{name}_low"], columns[f"{name}_high"] = zip(*bounds, strict=True)
    return pd.DataFrame(columns)


def _clips_by_unit(units: Units) -> tuple[Counts, Counts]:
    """(units, emotions) twice: clips of the emotion, and predictions of it."""
    shape = (len(units.names), units.emotions)
    having, given = (
        np.bincount(units.place * units.emotions + code, minlength=shape[0] * shape[1])
        for code in (units.cell // units.emotions, units.cell % units.emotions)
    )
    return having.reshape(shape).astype(np.int64), given.reshape(shape).astype(np.int64)
