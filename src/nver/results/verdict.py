"""What a table of scores answers to a hypothesis: supported, not supported or undecided.

`docs/hypotheses.md` has the rule in words, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class _Tested:
    """One contrast of a hypothesis: which systems, and how they compare; a note where not."""

    hypothesis: Hypothesis
    text: str
    matched: Matched | None = None
    difference: Measured | None = None
    note: str = ""


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
    measured: dict[System, Measured] = {}
    tested = [t for h in hypotheses for t in _contrasts(h, systems, measured)]
    rows = _judged(tested)
    verdicts: dict[str, list[str]] = {}
    for row in rows:
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
) -> list[_Tested]:
    """Every contrast of a hypothesis, measured where the table has its systems."""
    systems = concerned(hypothesis, list(results))
    found = []
    for better, worse in contrasts_of(hypothesis, systems):
        one = _Tested(hypothesis, f"{better.text()} > {worse.text()}")
        sides = select(better, systems), select(worse, systems)
        missing = [s.text() for s, side in zip((better, worse), sides, strict=True) if not side]
        matched = match(*sides)
        if missing or not matched.pairs:
            what = " and ".join(f"[{text}]" for text in missing) or "another system to compare with"
            found.append(replace(one, note=f"no row of the table is {what}"))
            continue
        found.append(_measured(replace(one, matched=matched), results, measured))
    return found


def _measured(
    one: _Tested, results: Mapping[System, SystemResults], measured: dict[System, Measured]
) -> _Tested:
    assert one.matched is not None
    taking_part = [*one.matched.better, *one.matched.worse]
    try:
        check_same_plan([results[system] for system in taking_part])
    except UsageError as error:
        return replace(one, note=str(error))
    for system in taking_part:
        if system not in measured:
            (measured[system],) = measure(results[system], [UAR], 0)
    differences = [
        average([measured[s] for s in better]) - average([measured[s] for s in worse])
        for better, worse in one.matched.pairs
    ]
    return replace(one, difference=average(differences))


# ----------------------------------------------------------------------------------- verdicts


def _judged(tested: Sequence[_Tested]) -> list[dict[str, Any]]:
    """A row a contrast; the tested ones of one table are one family."""
    number = sum(one.difference is not None for one in tested)
    plain = [judge(t.difference) if t.difference else None for t in tested]
    adjusted = holm([one.p if one else np.nan for one in plain])
    return [
        _row(one, comparison, float(p_holm), number)
        for one, comparison, p_holm in zip(tested, plain, adjusted, strict=True)
    ]


def _row(one: _Tested, comparison: Comparison | None, p_holm: float, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "claim": one.hypothesis.claim,
        "contrast": one.text,
        "smallest_effect": one.hypothesis.smallest_effect,
        "comparisons": number,
        "verdict": NOT_TESTED,
        "note": one.note,
    }
    if comparison is None or one.difference is None or one.matched is None:
        return row
    family = judge(one.difference, 1 - ALPHA / number)
    verdict, note = verdict_of(
        100 * comparison.difference, 100 * family.high, p_holm, one.hypothesis.smallest_effect
    )
    return row | {
        "better": _labels(one.matched.better),
        "worse": _labels(one.matched.worse),
        "matched": one.matched.by,
        "pairs": len(one.matched.pairs),
        "difference": 100 * comparison.difference,
        "low": 100 * comparison.low,
        "high": 100 * comparison.high,
        "low_family": 100 * family.low,
        "high_family": 100 * family.high,
        "p": comparison.p,
        "p_holm": p_holm,
        "p_resampled_t": comparison.p_resampled_t,
        "unit": comparison.unit,
        "units": comparison.units,
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
        return (
            NOT_SUPPORTED,
            f"better by less than {smallest_effect:g} point(s), if at all",
        )
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
