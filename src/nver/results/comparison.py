"""Is one system better than another on the same clips and folds? Paired tests, and Holm's rule.

`docs/statistics.md` has formulas, references and the false positives of each test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from nver.errors import UsageError
from nver.results.metrics import SCORES, UAR
from nver.results.paired_tests import (
    TIE,
    bootstrap_p,
    check_same_plan,
    holm,
    paired_t,
    plans_of,
    resampled_t,
)
from nver.results.resampling import (
    RESAMPLES,
    Score,
    bootstrap,
    freedom,
    function_of,
    leave_one_out,
    pooled,
)
from nver.results.results import SECTION_COLUMNS, Predictions, SystemResults, Values, results_of
from nver.results.uncertainty import LEVEL

PAIR = [*SECTION_COLUMNS, "score", "encoders_a", "classifier_a", "encoders_b", "classifier_b"]
COLUMNS = (
    *(*PAIR, "difference", "low", "high", "p", "p_holm", "p_bootstrap", "p_resampled_t"),
    *("comparisons", "unit", "units", "folds"),
)
MEASURES = ("score", "without", "replicates", "folds")  # what differs between two `Measured`


@dataclass(frozen=True)
class Comparison:
    """A difference of scores, the first less the second (-1..1), and how sure it is.

    Attributes:
        low, high: the interval of the difference; nan for fewer than two units, and where all
            differ alike.
        p: of no difference, by the paired jackknife over units with Student's t; the interval at
            95 %, where there is one, excludes zero exactly where p < 0.05.
        p_bootstrap: the same by the paired bootstrap, expanded for few units.
        p_resampled_t: the same by the corrected resampled t-test over folds and seeds; nan for a
            single fold a seed, where the number of training clips is not known.
        unit: "speaker", or "clip" where speakers are unknown; `units` is their number.
        folds: of all seeds.
    """

    difference: float
    low: float
    high: float
    p: float
    p_bootstrap: float
    p_resampled_t: float
    unit: str
    units: int
    folds: int


@dataclass(frozen=True)
class Measured:
    """What a comparison needs of one system, or of the mean of several; differences of it too.

    Attributes:
        score: of all units.
        without: (units,) the score without each.
        replicates: (resamples,) the score of resampled units.
        folds: (folds,) the score of each fold of each seed.
        share: test clips over training clips, the mean over folds; nan where a seed has one fold,
            as from one corpus to another: the training clips are not in the table.
        freedom: degrees of freedom of Student's t, see `resampling.freedom`.
    """

    score: float
    without: Values
    replicates: Values
    folds: Values
    share: float
    unit: str
    freedom: float

    def __sub__(self, other: "Measured") -> "Measured":
        less = {name: getattr(self, name) - getattr(other, name) for name in MEASURES}
        return replace(self, **less)


def compare(
    a: Predictions,
    b: Predictions,
    score: Score = UAR,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same clips and folds: the score of `a` less that of `b`.

    Args:
        a, b: the rows of one system each, of a predictions table.
        score: a name of `metrics.SCORES`, or a function of confusion matrices.
        level: of the interval.
        resamples: of the bootstrap, drawn with `seed`; 0: without it.

    Raises:
        UsageError: a table holds several systems, or the clips, folds, protocols, speakers or
            emotions of the two differ.
    """
    a, b = results_of(a), results_of(b)
    for number in (len(a.systems), len(b.systems)):
        if number != 1:
            raise UsageError(
                f"compare takes the predictions of one system on each side; got {number} systems "
                "(compare_groups compares the means of several)"
            )
    return compare_groups(a, b, score, level=level, resamples=resamples, seed=seed)


def compare_groups(
    a: Predictions,
    b: Predictions,
    score: Score = UAR,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two groups of systems: the mean score in `a` less the mean score in `b`.

    As `compare`, for tables of one system or more each; all have the same clips and folds.
    """
    groups = results_of(a).systems, results_of(b).systems
    check_same_plan([*groups[0], *groups[1]])
    one, other = (
        average([measure(system, [score], resamples, seed)[0] for system in group])
        for group in groups
    )
    return judge(one - other, level)


def average(parts: Sequence[Measured]) -> Measured:
    """The mean of several, which have the same clips and folds."""
    means = {name: np.mean([getattr(part, name) for part in parts], axis=0) for name in MEASURES}
    return replace(parts[0], **means)


def measure(
    system: SystemResults, scores: Sequence[Score], resamples: int = RESAMPLES, seed: int = 0
) -> list[Measured]:
    """One system by each of the scores."""
    units, counts = system.units, system.fold_confusions
    test = counts.sum((-2, -1))
    seeds = [seed for seed, _ in system.fold_places]
    train = pd.Series(test).groupby(seeds).transform("sum").to_numpy() - test
    share = float((test / np.where(train > 0, train, np.nan)).mean())
    return [
        Measured(
            float(pooled(units, score)),
            leave_one_out(units, score),
            replicates,
            function_of(score)(counts),
            share,
            units.unit,
            freedom(units, score),
        )
        for score, replicates in zip(scores, bootstrap(units, scores, resamples, seed), strict=True)
    ]


def judge(difference: Measured, level: float = LEVEL) -> Comparison:
    """The interval and the p-values of a difference of two `Measured`."""
    low, high, p = paired_t(difference.score, difference.without, level, freedom=difference.freedom)
    size = len(difference.without)
    return Comparison(
        float(difference.score),
        low,
        high,
        p,
        bootstrap_p(difference.replicates, size),
        resampled_t(difference.folds, difference.share),
        difference.unit,
        size,
        len(difference.folds),
    )


# ------------------------------------------------------------------------------------- tables


def comparison_table(
    predictions: Predictions, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Every pair of systems that share a table (experiment, corpus and protocol), for every score.

    Returns:
        experiment, corpus, protocol, `score`, `encoders_a`, `classifier_a`, `encoders_b`,
        `classifier_b`, the fields of `Comparison`, `p_holm` (of `p`, over the pairs of the same
        table and score) and `comparisons`, their number. Pairs on different clips or
        folds are left out.
    """
    rows = [
        row
        for systems in results_of(predictions).sections.values()
        for row in _pairs(systems, level, resamples, seed)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pairs(
    systems: Sequence[SystemResults], level: float, resamples: int, seed: int
) -> list[dict[str, Any]]:
    plans = plans_of(systems)
    pairs = [(i, j) for i, j in combinations(range(len(systems)), 2) if plans[i] == plans[j]]
    measured = [measure(system, list(SCORES), resamples, seed) for system in systems]
    table = []
    for place, score in enumerate(SCORES):
        judged = [judge(measured[i][place] - measured[j][place], level) for i, j in pairs]
        adjusted = holm([comparison.p for comparison in judged])
        for (i, j), comparison, p_holm in zip(pairs, judged, adjusted, strict=True):
            a, b = systems[i].key, systems[j].key
            row = dict(zip(PAIR, (*a[:3], score, *a[3:], *b[3:]), strict=True)) | vars(comparison)
            table.append(row | {"p_holm": p_holm, "comparisons": len(pairs)})
    return table


def best_rows(scores: pd.DataFrame, pairs: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Which rows of a score table are the best of their table, or tie with it, for each score.

    A row ties with the best one where their `p_holm` is above `alpha`. Where the two were not
    tested, only the best row counts, and every row with the same score.

    Args:
        scores: of `metrics.score_table`, or with intervals.
        pairs: of `comparison_table`.

    Returns:
        A column of booleans a score, rows as in `scores`.
    """
    found = pd.DataFrame(False, index=scores.index, columns=list(SCORES))
    tied = set(pairs.loc[pairs["p_holm"] > alpha, PAIR].itertuples(index=False, name=None))
    for section, own in scores.groupby(list(SECTION_COLUMNS), sort=False):
        names = list(zip(own["encoders"], own["classifier"], strict=True))
        for score in SCORES:
            values = own[score].to_numpy()
            best = names[values.argmax()]
            tie = [
                not tied.isdisjoint([(*section, score, *best, *n), (*section, score, *n, *best)])
                for n in names
            ]
            found.loc[own.index, score] = tie | (abs(values - values.max()) <= TIE)
    return found
