"""What sharing speakers is worth: the score under random folds less the speaker-independent one."""

from typing import Any

import pandas as pd

from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.results.metrics import SCORES
from nver.results.paired_tests import holm, paired_t
from nver.results.resampling import freedom, leave_one_out, pooled
from nver.results.results import Predictions, SystemResults, results_of
from nver.results.uncertainty import LEVEL

SYSTEM = ["experiment", "corpus", "encoders", "classifier"]
COLUMNS = (*SYSTEM, "score", RANDOM, SPEAKER_INDEPENDENT, "gap", "low", "high", "p", "p_holm",
           "unit", "units")  # fmt: skip


def gap_table(predictions: Predictions, level: float = LEVEL) -> pd.DataFrame:
    """One row a system that was tested under both protocols, and score.

    Returns:
        experiment, corpus, encoders, classifier, `score`; its value under `random` folds and under
        `speaker-independent` ones (0..1); `gap`, the first less the second; `low` and `high`, its
        interval by the jackknife over speakers (`nver.results.paired_tests.paired_t`: a speaker is
        left out of both at once; nan where all have the same gap); its `p`, and `p_holm`, corrected
        over the systems of the corpus and experiment; `unit` and `units`. No rows where only one
        protocol was used.
    """
    by_protocol: dict[tuple[str, ...], dict[str, SystemResults]] = {}
    for system in results_of(predictions).systems:
        experiment, corpus, protocol, *names = system.key
        by_protocol.setdefault((experiment, corpus, *names), {})[protocol] = system
    rows = [
        {**dict(zip(SYSTEM, key, strict=True)), **row}
        for key, tested in by_protocol.items()
        if {RANDOM, SPEAKER_INDEPENDENT} <= set(tested)
        for row in _gaps(tested[RANDOM], tested[SPEAKER_INDEPENDENT], level)
    ]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    if len(found):
        families = found.groupby(["experiment", "corpus", "score"], sort=False)
        found["p_holm"] = families["p"].transform(lambda p: holm(p.to_numpy()))
    return found


def _gaps(random: SystemResults, independent: SystemResults, level: float) -> list[dict[str, Any]]:
    if set(random.clips["clip"]) != set(independent.clips["clip"]):
        return []
    found = []
    for score in SCORES:
        one, other = (float(pooled(system.units, score)) for system in (random, independent))
        without = leave_one_out(random.units, score) - leave_one_out(independent.units, score)
        degrees = freedom(random.units, score)
        low, high, p = paired_t(one - other, without, level, freedom=degrees)
        row = {"score": score, RANDOM: one, SPEAKER_INDEPENDENT: other, "gap": one - other}
        row |= {"low": low, "high": high, "p": p}
        found.append(row | {"unit": random.units.unit, "units": len(random.units.names)})
    return found
