"""What is left of a score when the test clips are made worse: the stress table and its scores.

A stress table has the columns of the predictions table (`nver.evaluation.run_folder.predictions`)
and `stress`, the name
of a perturbation (`nver.audio.perturbation`). The classifiers are those of the predictions table:
trained
on clean clips, once a fold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.results.metrics import SCORES, systems
from nver.results.uncertainty import interval_table

CLEAN = "clean"


def stress_table(predictions: pd.DataFrame, stress: pd.DataFrame) -> pd.DataFrame:
    """One row a system and kind of stress, "clean" first.

    Returns:
        The system's columns, `stress`, clips, the scores with their intervals
        (`nver.results.uncertainty`),
        `unit` and `units`, and `uar_lost`: the clean UAR of the same clips less the row's.
    """
    own = dict(iter(systems(stress)))
    rows = [
        {**dict(zip(SYSTEM_COLUMNS, key, strict=True)), **row}
        for key, clean in systems(predictions)
        if key in own
        for row in _rows(clean, own[key])
    ]
    return pd.DataFrame(rows)


def _rows(clean: pd.DataFrame, stress: pd.DataFrame) -> Iterator[dict[str, Any]]:
    yield {"stress": CLEAN, **_scores(clean), "uar_lost": 0.0}
    for kind, worse in stress.groupby("stress", sort=False):
        same = clean[clean["clip"].isin(worse["clip"])]
        found = _scores(worse)
        before = _scores(same)["unweighted_average_recall"]
        lost = before - found["unweighted_average_recall"]
        yield {"stress": str(kind), **found, "uar_lost": lost}


def _scores(rows: pd.DataFrame) -> Mapping[str, Any]:
    (found,) = interval_table(rows).to_dict("records")
    names = [f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")]
    return {str(name): found[name] for name in ("clips", *names, "unit", "units")}
