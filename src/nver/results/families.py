"""Coarser views of predictions: right if among the first three, right if of the same family.

Both are predictions tables again, so that every score, interval and test holds for them too.
"""

from typing import Any

import numpy as np
import pandas as pd

from nver.classifiers.training.temperature import tempered
from nver.evaluation.run_folder.predictions import (
    PROBABILITY_PREFIX,
    emotions_of,
    probability_columns,
)
from nver.machine.threads import one_thread
from nver.recipe.families import Families, membership
from nver.results.calibration import temperatures_of
from nver.results.metrics import UAR
from nver.results.results import Predictions, Results, SystemResults, results_of
from nver.results.uncertainty import score_intervals

FIRST = 3
MANY = 10  # emotions (our choice): of fewer, the first three are no finding


def among_first(predictions: pd.DataFrame, number: int = FIRST) -> pd.DataFrame:
    """The table with the truth as `predicted` where it is among the `number` most probable.

    The accuracy of it is the top-`number` accuracy. Of equal probabilities the first column counts
    as the higher, as in `predicted`.
    """
    columns = probability_columns(predictions)
    probability = predictions[columns].to_numpy(np.float64)
    order = np.argsort(-np.nan_to_num(probability, nan=-1.0), axis=1, kind="stable")[:, :number]
    names = np.array([column.removeprefix(PROBABILITY_PREFIX) for column in columns], object)
    truth = predictions["emotion"].to_numpy(object)
    hit = (names[order] == truth[:, None]).any(axis=1)
    return predictions.assign(predicted=np.where(hit, truth, predictions["predicted"]))


@one_thread()
def grouped(predictions: pd.DataFrame, families: Families) -> pd.DataFrame:
    """The table with families in place of emotions.

    A family's probability is the sum of the calibrated probabilities of its emotions, each with the
    temperature of its row's training (column `temperature`); the most probable family is predicted.
    """
    emotions = emotions_of(predictions)
    members = membership(families, emotions)
    columns = [f"{PROBABILITY_PREFIX}{emotion}" for emotion in emotions]
    probability = predictions[columns].fillna(0.0).to_numpy(np.float64)
    sums = tempered(probability, temperatures_of(predictions)) @ members
    here = np.flatnonzero(members.any(axis=0))  # families without an emotion here are left out
    names = np.array(list(families), object)
    home = dict(zip(emotions, names[members.argmax(axis=1)], strict=True))
    table = predictions.drop(columns=probability_columns(predictions))
    table = table.assign(
        emotion=predictions["emotion"].map(home),
        predicted=names[here][sums[:, here].argmax(axis=1)],
        temperature=np.float32(1),
    )
    found = {f"{PROBABILITY_PREFIX}{names[i]}": sums[:, i].astype(np.float32) for i in here}
    return pd.concat([table, pd.DataFrame(found, index=table.index)], axis=1)


def view_table(predictions: Predictions, families: Families | None = None) -> pd.DataFrame:
    """One row a system of many emotions: top-3 accuracy and, with families, their UAR.

    Returns:
        The system's columns; `top3_accuracy` and `family_uar` (nan without families) with `_low`
        and `_high`, `top3_chance` and `family_chance` (of guessing), `families`, `unit`, `units`.
        No rows for corpora of fewer than 10 emotions.
    """
    rows = [
        row
        for _, own in results_of(predictions).predictions.groupby("corpus", sort=False)
        if len(emotions_of(own)) >= MANY
        for row in _view(own, families)
    ]
    return pd.DataFrame(rows)


def _view(rows: pd.DataFrame, families: Families | None) -> list[dict[str, Any]]:
    chance = FIRST / len(emotions_of(rows))
    found = [_top3(system, chance) for system in Results(among_first(rows)).systems]
    if not families:
        nothing = {"families": 0, "family_uar": np.nan, "family_chance": np.nan}
        return [row | nothing for row in found]
    coarse = Results(grouped(rows, families)).systems
    return [row | _family_uar(system) for row, system in zip(found, coarse, strict=True)]


def _top3(system: SystemResults, chance: float) -> dict[str, Any]:
    sizes = {"unit": system.units.unit, "units": len(system.units.names), "top3_chance": chance}
    return {**system.columns, **sizes, **_interval(system, "accuracy", "top3_accuracy")}


def _family_uar(system: SystemResults) -> dict[str, Any]:
    number = len(system.emotions)
    score = _interval(system, UAR, "family_uar")
    return score | {"families": number, "family_chance": 1 / number}


def _interval(system: SystemResults, score: str, name: str) -> dict[str, Any]:
    """The score and its interval, under another name."""
    found = score_intervals(system.units, [score])
    return {f"{name}{end}": found[f"{score}{end}"] for end in ("", "_low", "_high")}
