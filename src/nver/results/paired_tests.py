"""Paired tests on plain numbers, and Holm's rule for many of them.

`docs/statistics.md` has formulas, references and the false positives of each test.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from nver.errors import UsageError
from nver.results.results import SystemResults, Values
from nver.results.uncertainty import LEVEL, standard_error, t_quantile

TIE = 1e-12  # scores nearer than this are equal: rounding of a double


def paired_t(
    difference: float, without: Values, level: float = LEVEL, *, freedom: float | None = None
) -> tuple[float, float, float]:
    """(low, high, p) of a difference by the paired jackknife over units with Student's t.

    For the accuracy of units with equally many clips this is the paired t-test over the units.
    Where every unit differs alike nothing says how sure the difference is: low and high are nan.

    Args:
        difference: of two scores, of all units.
        without: (units,) the difference without each of them.
        freedom: degrees of freedom, fewer where units differ in size (`resampling.freedom_of`);
            None: units - 1.
    """
    size = len(without)
    if size < 2:
        return np.nan, np.nan, np.nan
    error = float(standard_error(without))
    freedom = size - 1 if freedom is None else freedom
    quantile = t_quantile(freedom, level)
    if not error:
        return np.nan, np.nan, _sign_test(difference, size)
    half = quantile * error
    return difference - half, difference + half, _two_sided(difference, error, freedom)


def bootstrap_p(replicates: Values, units: int) -> float:
    """The p at which the expanded percentile interval of a difference just touches zero.

    With the share of replicates on the far side of zero (replicates at zero count half) as z of the
    normal distribution, t = z sqrt((units - 1) / units) with units - 1 degrees of freedom
    (Hesterberg 2015, solved for the level).
    """
    known = replicates[np.isfinite(replicates)]
    if units < 2 or not known.size:
        return np.nan
    below = (known < -TIE).mean() + (np.abs(known) <= TIE).mean() / 2
    share = max(min(below, 1 - below), 1 / (known.size + 1))
    z = stats.norm.ppf(share) * np.sqrt((units - 1) / units)
    return float(min(1.0, 2 * stats.t.cdf(z, units - 1)))


def resampled_t(differences: Values, share: float) -> float:
    """p of the corrected resampled t-test (Nadeau & Bengio 2003; Bouckaert & Frank 2004).

    t = mean / sqrt((1 / J + test / train) variance) over J folds of all seeds, J - 1 degrees of
    freedom: the training sets overlap, so the plain variance of the mean is too small.

    Args:
        differences: (J,) of the folds' scores.
        share: test clips over training clips; nan: unknown, and so is p.
    """
    known = differences[np.isfinite(differences)]
    if len(known) < 2 or np.isnan(share):
        return np.nan
    error = float(np.sqrt((1 / len(known) + share) * known.var(ddof=1)))
    if error <= TIE:
        return _sign_test(float(known.mean()), len(known))
    return _two_sided(float(known.mean()), error, len(known) - 1)


def holm(p_values: Sequence[float] | Values) -> Values:
    """(tests,): p adjusted for their number by Holm (1979); nan stays nan and is not counted.

    The smallest is multiplied by the number of tests, the next by one less, and so on; none falls
    below the one before it.
    """
    p = np.asarray(p_values, np.float64)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(order) else steps
    return adjusted


def _two_sided(value: float, error: float, freedom: float) -> float:
    return float(2 * stats.t.sf(abs(value) / error, freedom))


def _sign_test(value: float, number: int) -> float:
    """Where all differ alike Student's t says p = 0; that all have one sign is less sure."""
    return 1.0 if abs(value) <= TIE else float(2.0 ** (1 - number))


def check_same_plan(systems: Sequence[SystemResults]) -> None:
    """Raise `UsageError` unless all systems were tested on the same clips in the same folds."""
    first, *others = systems
    for other in others:
        if not first.plan.equals(other.plan):
            raise UsageError(
                f"{_name(first)} and {_name(other)} cannot be compared as pairs: "
                f"{_what_differs(first.plan, other.plan)}. Compare rows of one run, on one corpus "
                "under one protocol"
            )


def plans_of(systems: Sequence[SystemResults]) -> list[int]:
    """One number a system, equal for systems on the same clips and folds."""
    distinct: list[pd.DataFrame] = []
    numbers = []
    for plan in (system.plan for system in systems):
        same = [number for number, known in enumerate(distinct) if plan.equals(known)]
        numbers.append(same[0] if same else len(distinct))
        distinct += [] if same else [plan]
    return numbers


def _what_differs(first: pd.DataFrame, other: pd.DataFrame) -> str:
    for column, noun in (("corpus", "corpora"), ("protocol", "protocols"), ("seed", "seeds")):
        one, two = (sorted(set(plan[column])) for plan in (first, other))
        if one != two:
            listed = "; ".join(", ".join(map(str, values)) for values in (one, two))
            return f"their {noun} differ ({listed})"
    clips, others = (set(zip(p["seed"], p["clip"], strict=True)) for p in (first, other))
    if clips != others:
        return f"{len(clips ^ others)} of {len(clips | others)} clips are of one of them only"
    for column in ("fold", "speaker", "emotion"):
        differs = int((first[column] != other[column]).sum())
        if differs:
            return f"the {column} of {differs} of {len(first)} clips differs"
    return "a clip is there twice"


def _name(system: SystemResults) -> str:
    *_, encoders, classifier = system.key
    return f"{classifier!r} on {encoders!r}"
