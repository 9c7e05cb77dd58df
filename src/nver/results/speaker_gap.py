"""What sharing speakers is worth: the score under random folds less the speaker-independent one."""

from typing import Any

import pandas as pd

from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.results.metrics import SCORES
from nver.results.paired_tests import holm, paired_t
from nver.results.resampling import leave_one_out, pooled, units_of
from nver.results.uncertainty import LEVEL

SYSTEM = ["experiment", "corpus", "encoders", "classifier"]
COLUMNS = (*SYSTEM, "score", RANDOM, SPEAKER_INDEPENDENT, "gap", "low", "high", "p", "p_holm",
           "unit", "units")  # fmt: skip


def gap_table(predictions: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """One row a system that was tested under both protocols, and score.

    Returns:
        experiment, corpus, encoders, classifier, `score`; its value under `random` folds and under
        `speaker-independent` ones (0..1); `gap`, the first less the second; `low` and `high`, its
        interval by the jackknife over speakers (`nver.results.paired_tests.paired_t`: a speaker is
        left out
        of both at once; nan where all have the same gap); its `p`, and `p_holm`, corrected over the
        systems of the corpus and experiment; `unit` and `units`. No rows where only one protocol
        was used.
    """
    table = [
        row
        for key, rows in predictions.groupby(SYSTEM, sort=False)
        for row in _gaps(dict(zip(SYSTEM, key, strict=True)), rows, level)
    ]
    found = pd.DataFrame(table, columns=list(COLUMNS))
    if len(found):
        families = found.groupby(["experiment", "corpus", "score"], sort=False)
        found["p_holm"] = families["p"].transform(lambda p: holm(p.to_numpy()))
    return found


def _gaps(key: dict[str, Any], rows: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    both = [rows[rows["protocol"] == protocol] for protocol in (RANDOM, SPEAKER_INDEPENDENT)]
    if any(own.empty for own in both) or set(both[0]["clip"]) != set(both[1]["clip"]):
        return []
    shared, independent = (units_of(own) for own in both)
    found = []
    for score in SCORES:
        values = [float(pooled(units, score)) for units in (shared, independent)]
        without = leave_one_out(shared, score) - leave_one_out(independent, score)
        freedom = shared.freedom(score)
        low, high, p = paired_t(values[0] - values[1], without, level, freedom=freedom)
        row = {"score": score, **dict(zip((RANDOM, SPEAKER_INDEPENDENT), values, strict=True))}
        row |= {"gap": values[0] - values[1], "low": low, "high": high, "p": p}
        found.append({**key, **row, "unit": shared.unit, "units": len(shared.names)})
    return found
