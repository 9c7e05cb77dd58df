"""Where recognition fails: scores by duration, level and speaker group, and the worst clips.

Pure functions of the predictions table and of a run's clips (clips.csv). Folds are pooled, scores
averaged over seeds; the groups are the same for every system of a corpus and protocol.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.results.calibration import CALIBRATED, certainty_of
from nver.results.metrics import SCORES
from nver.results.results import Predictions, SystemResults, Values, results_of
from nver.results.uncertainty import score_intervals

QUANTILES = 4  # bins of a number, with about as many clips each (our choice)
NUMBERS = {"duration_s": "s", "level_db": "dB"}  # columns of clips.csv, and their units
SPEAKER_GROUP = "speaker_group"  # an optional column of clips.csv
WORST = 10
BASIS = ("clips", "speakers", *(f"{s}{end}" for s in SCORES for end in ("", "_low", "_high")),
         "unit", "units")  # fmt: skip


def subgroup_table(predictions: Predictions, clips: pd.DataFrame) -> pd.DataFrame:
    """One row a system and group: what it stands on, and the four scores (0..1).

    Args:
        clips: corpus, clip, and as far as they are known duration_s, level_db, speaker_group.

    Returns:
        The system's columns, `by` (a column of `clips`), `group` (its text), `from` and `to` (of
        numbers: from < value <= to, the first bin with its lower edge), predictions, clips,
        speakers (0 where unknown), the scores with their intervals, `unit` and `units` (see
        `nver.results.uncertainty`). A recall counts where the emotion occurs in the group. Clips
        without a value are in no group.
    """
    rows = [
        {**system.columns, **row}
        for system in results_of(predictions).systems
        for row in _groups(system, _properties(system, clips))
    ]
    columns = [*SYSTEM_COLUMNS, "by", "group", "from", "to", "predictions", *BASIS]
    return pd.DataFrame(rows, columns=columns)


def quantile_edges(values: Values, bins: int = QUANTILES) -> Values:
    """(at most bins + 1,) edges with about as many values between any two; equal edges are one."""
    return np.asarray(np.unique(np.quantile(values, np.linspace(0, 1, bins + 1))))


def confidently_wrong(
    predictions: Predictions, clips: pd.DataFrame, number: int = WORST
) -> pd.DataFrame:
    """For each system the wrong predictions of the highest tempered probability, a clip once.

    Returns:
        The system's columns, rank, clip, speaker, emotion, predicted, confidence (of what was
        predicted), probability (of the truth), seed, fold, and file, duration_s and level_db as
        far as `clips` has them.
    """
    systems = results_of(predictions).systems
    found = pd.concat([_worst(system, number) for system in systems], ignore_index=True)
    known = [name for name in ("file", *NUMBERS) if name in clips]
    columns = ["rank", "clip", "speaker", "emotion", "predicted", "confidence", "probability"]
    columns = [*SYSTEM_COLUMNS, *columns, "seed", "fold"]
    return found[columns].merge(_known(clips, known), on=["corpus", "clip"], how="left")


def _worst(system: SystemResults, number: int) -> pd.DataFrame:
    certainty = certainty_of(system.rows, CALIBRATED)
    of_truth = certainty.probability[np.arange(len(system.rows)), certainty.truth]
    rows = system.rows[["clip", "speaker", "emotion", "predicted", "seed", "fold"]]
    sure = rows.assign(confidence=certainty.confidence, probability=of_truth)
    wrong = sure[(sure["predicted"] != sure["emotion"]).to_numpy()]
    ordered = wrong.sort_values("confidence", ascending=False, kind="stable")
    worst = ordered.drop_duplicates("clip").head(number)
    return worst.assign(rank=np.arange(1, len(worst) + 1), **system.columns)


def _known(clips: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of each clip."""
    return clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", *columns]]


def _properties(system: SystemResults, clips: pd.DataFrame) -> pd.DataFrame:
    """What `clips` knows of the clip of each prediction."""
    columns = [name for name in (*NUMBERS, SPEAKER_GROUP) if name in clips]
    names = system.rows[["corpus", "clip"]]
    return names.merge(_known(clips, columns), on=["corpus", "clip"], how="left")


def _groups(system: SystemResults, properties: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for name, unit in NUMBERS.items():
        if name in properties and properties[name].notna().any():
            yield from _bins(system, properties[["clip", name]], name, unit)
    if SPEAKER_GROUP in properties:
        for group, places in properties.groupby(SPEAKER_GROUP).indices.items():
            yield {"by": SPEAKER_GROUP, "group": str(group), **_scores(system, np.asarray(places))}


def _bins(
    system: SystemResults, clips: pd.DataFrame, name: str, unit: str
) -> Iterator[dict[str, Any]]:
    known = np.flatnonzero(clips[name].notna())
    clips = clips.iloc[known]
    edges = quantile_edges(clips.drop_duplicates("clip")[name].to_numpy(np.float64))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)  # every clip has this value
    place = np.searchsorted(edges, clips[name].to_numpy(np.float64)) - 1
    place = np.clip(place, 0, len(edges) - 2)
    texts = _texts(edges)
    for at in np.unique(place):
        group = f"{texts[at]} to {texts[at + 1]} {unit}"
        span = {"from": edges[at], "to": edges[at + 1]}
        yield {"by": name, "group": group, **span, **_scores(system, known[place == at])}


def _texts(edges: Values) -> list[str]:
    """The edges in the fewest digits, three at least, that tell them apart."""
    for digits in range(3, 17):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(set(edges)):
            break
    return texts


def _scores(system: SystemResults, places: npt.NDArray[np.int64]) -> dict[str, Any]:
    """The scores of the system's predictions at these places of its rows."""
    own = system.only(places)
    return {
        "predictions": len(own.rows),
        "clips": len(own.clips),
        "speakers": own.clips["speaker"].nunique(),
        **score_intervals(own.units),
    }
