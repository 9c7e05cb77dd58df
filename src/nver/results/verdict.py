"""What a table of scores answers to a hypothesis: supported, not supported or undecided.

`docs/hypotheses.md` has the rule in words, and why.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from nver.errors import UsageError
from nver.recipe.hypotheses.claims import Hypothesis, concerned, contrasts_of
from nver.recipe.hypotheses.selection import Matched, System, match, select
from nver.results.comparison import Comparison, Measured, average, judge, measure
from nver.results.metrics import UAR
from nver.results.paired_tests import check_same_plan, holm
from nver.results.results import SECTION_COLUMNS, Predictions, SystemResults, results_of

ALPHA = 0.05  # of the family of all contrasts in a table
ANSWERS = ("supported", "not supported", "undecided", "not tested")
SUPPORTED, NOT_SUPPORTED, UNDECIDED, NOT_TESTED = ANSWERS
COLUMNS = (
    *SECTION_COLUMNS, "claim", "contrast", "better", "worse", "matched", "pairs",
    "difference", "low", "high", "low_family", "high_family", "p", "p_holm", "p_resampled_t",
    "comparisons", "smallest_effect", "unit", "units", "verdict", "answer", "note",
)  # fmt: skip


def hypothesis_table(
    hypotheses: Sequence[Hypothesis],
    predictions: Predictions,
    encoders: Mapping[str, tuple[str, str]],
    classifiers: Mapping[str, str],
) -> pd.DataFrame:
    """The answers: one row a table of scores (experiment, corpus, protocol), claim and contrast.

    Args:
        encoders: label -> (name, kind); one that is not there has its label and "other".
        classifiers: label -> name; one that is not there has its label.

    Returns:
        `better` and `worse` are the systems, `matched` what pairs them and `pairs` how many pairs
        there are; `difference` the mean over the pairs of the better side's mean UAR less the
        worse side's, in points, with its 95 % interval `low` to `high` and the interval
        `low_family` to `high_family` that holds for all `comparisons` of the table together; `p`
        and `p_holm` of the paired test over `units`; `p_resampled_t` of that over folds. `verdict`
        is the contrast's, `answer` the claim's, one of `ANSWERS`; `note` says why it was not
        tested or what else there is to know.
    """
    rows = [
        {**dict(zip(SECTION_COLUMNS, section, strict=True)), **row}
        for section, own in results_of(predictions).sections.items()
        for row in _section(hypotheses, {_system(s, encoders, classifiers): s for s in own})
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _section(
    hypotheses: Sequence[Hypothesis], systems: Mapping[System, SystemResults]
) -> list[dict[str, Any]]:
    """A row a contrast; the tested ones of one table are one family."""
    measured: dict[System, Measured] = {}
    found = [one for h in hypotheses for one in _contrasts(h, systems, measured)]
    number = sum(difference is not None for _, difference in found)
    plain = [None if difference is None else judge(difference) for _, difference in found]
    adjusted = holm([comparison.p if comparison else np.nan for comparison in plain])
    rows = [row | {"comparisons": number} for row, _ in found]
    verdicts: dict[str, list[str]] = {}
    for row, (_, difference), comparison, p in zip(rows, found, plain, adjusted, strict=True):
        if difference is not None and comparison is not None:
            row |= _judged(comparison, judge(difference, 1 - ALPHA / number), float(p), row)
        verdicts.setdefault(row["claim"], []).append(row["verdict"])
    return [row | {"answer": reduce(_both, verdicts[row["claim"]])} for row in rows]


def _system(
    system: SystemResults, encoders: Mapping[str, tuple[str, str]], classifiers: Mapping[str, str]
) -> System:
    *_, label, classifier = system.key
    labels = (label,) if label in encoders else tuple(label.split("+"))
    names, kinds = zip(*(encoders.get(label, (label, "other")) for label in labels), strict=True)
    return System(labels, classifier, names, kinds, classifiers.get(classifier, classifier))


# ---------------------------------------------------------------------------------- contrasts


def _contrasts(
    hypothesis: Hypothesis,
    results: Mapping[System, SystemResults],
    measured: dict[System, Measured],
) -> Iterator[tuple[dict[str, Any], Measured | None]]:
    """A row for every contrast of a hypothesis; the difference where the table has its systems."""
    systems = concerned(hypothesis, list(results))
    for better, worse in contrasts_of(hypothesis, systems):
        row = {
            "claim": hypothesis.claim,
            "contrast": f"{better.text()} > {worse.text()}",
            "smallest_effect": hypothesis.smallest_effect,
            "verdict": NOT_TESTED,
            "note": "",
        }
        sides = select(better, systems), select(worse, systems)
        missing = [s.text() for s, side in zip((better, worse), sides, strict=True) if not side]
        matched = match(*sides)
        if missing or not matched.pairs:
            what = " and ".join(f"[{text}]" for text in missing) or "another system to compare with"
            yield row | {"note": f"no row of the table is {what}"}, None
            continue
        try:
            check_same_plan([results[system] for system in (*matched.better, *matched.worse)])
        except UsageError as error:
            yield row | {"note": str(error)}, None
            continue
        names = {"better": _labels(matched.better), "worse": _labels(matched.worse)}
        pairing = {"matched": matched.by, "pairs": len(matched.pairs)}
        yield row | names | pairing, _difference(matched, results, measured)


def _difference(
    matched: Matched, results: Mapping[System, SystemResults], measured: dict[System, Measured]
) -> Measured:
    """The mean over the pairs; each system is measured once a table."""
    for system in (*matched.better, *matched.worse):
        if system not in measured:
            (measured[system],) = measure(results[system], [UAR], 0)
    return average(
        [
            average([measured[s] for s in better]) - average([measured[s] for s in worse])
            for better, worse in matched.pairs
        ]
    )


# ----------------------------------------------------------------------------------- verdicts


def _judged(
    comparison: Comparison, family: Comparison, p_holm: float, row: Mapping[str, Any]
) -> dict[str, Any]:
    """What a tested contrast adds to its row; `family` holds at the level of all contrasts."""
    points = {name: 100 * getattr(comparison, name) for name in ("difference", "low", "high")}
    high = 100 * family.high
    verdict, note = verdict_of(points["difference"], high, p_holm, row["smallest_effect"])
    return {
        **vars(comparison),
        **points,
        "low_family": 100 * family.low,
        "high_family": high,
        "p_holm": p_holm,
        "verdict": verdict,
        "note": note,
    }


def verdict_of(
    difference: float, high_family: float, p_holm: float, smallest_effect: float
) -> tuple[str, str]:
    """(verdict, note) of one contrast, all in points of UAR.

    Not supported: significantly the other way round, or the whole interval, at the level of the
    family, lies below the smallest effect that matters. Else supported: significantly above zero.
    Else undecided. A comparison of fewer than two units is undecided. Where all units differ alike
    there is no interval (nan), and p alone decides.
    """
    if np.isnan(p_holm):
        return UNDECIDED, "fewer than two speakers or clips to compare by"
    if p_holm <= ALPHA and difference < 0:
        return NOT_SUPPORTED, "the other way round"
    if high_family < smallest_effect:
        return NOT_SUPPORTED, f"better by less than {smallest_effect:g} point(s), if at all"
    if p_holm <= ALPHA and difference > 0:
        return SUPPORTED, ""
    return UNDECIDED, ""


def _both(one: str, other: str) -> str:
    """A claim of several contrasts holds where all hold, and falls with the first that falls."""
    for answer in (NOT_SUPPORTED, NOT_TESTED, UNDECIDED):
        if answer in (one, other):
            return answer
    return SUPPORTED


def _labels(systems: Sequence[System]) -> str:
    return "; ".join(dict.fromkeys(system.label for system in systems))
