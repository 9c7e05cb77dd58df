"""What is left of a score when the test clips are made worse: the stress table and its scores.

A stress table has the columns of the predictions table (`nver.evaluation.run_folder.predictions`)
and `stress`, the name of a perturbation (`nver.audio.perturbation`). Its classifiers are the same
trainings as in the predictions table: on clean clips, once a fold.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nver.results.metrics import UAR
from nver.results.resampling import pooled
from nver.results.results import Predictions, SystemResults, results_of
from nver.results.uncertainty import score_intervals

CLEAN = "clean"


def stress_table(predictions: Predictions, stress: Predictions) -> pd.DataFrame:
    """One row a system and kind of stress, "clean" first.

    Returns:
        The system's columns, `stress`, clips, the scores with their intervals
        (`nver.results.uncertainty`), `unit` and `units`, and `uar_lost`: the clean UAR of the same
        clips less the row's.
    """
    stressed = {system.key: system for system in results_of(stress).systems}
    rows = [
        {**system.columns, **row}
        for system in results_of(predictions).systems
        if system.key in stressed
        for row in _rows(system, stressed[system.key])
    ]
    return pd.DataFrame(rows)


def _rows(clean: SystemResults, stressed: SystemResults) -> Iterator[dict[str, Any]]:
    yield {"stress": CLEAN, **_scores(clean), "uar_lost": 0.0}
    for kind, rows in stressed.rows.groupby("stress", sort=False):
        scores = _scores(SystemResults(stressed.key, rows))
        same = clean.only(np.flatnonzero(clean.rows["clip"].isin(rows["clip"])))
        lost = float(pooled(same.units, UAR)) - scores[UAR]
        yield {"stress": str(kind), **scores, "uar_lost": lost}


def _scores(system: SystemResults) -> dict[str, Any]:
    return {"clips": len(system.clips), **score_intervals(system.units)}
