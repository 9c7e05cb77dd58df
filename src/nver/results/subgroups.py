"""Where recognition fails: scores by duration, level and speaker group, and the worst clips.

Pure functions of the predictions table and of a run's clips (clips.csv). Folds are pooled, scores
averaged over seeds; the groups are the same for every system of a corpus and protocol.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.results.calibration import CALIBRATED, certainty_of
from nver.results.metrics import SCORES, systems
from nver.results.uncertainty import interval_table

QUANTILES = 4  # bins of a number, with about as many clips each (our choice)
NUMBERS = {"duration_s": "s", "level_db": "dB"}  # columns of clips.csv, and their units
SPEAKER_GROUP = "speaker_group"  # an optional column of clips.csv
WORST = 10
BASIS = ("clips", "speakers", *(f"{s}{end}" for s in SCORES for end in ("", "_low", "_high")),
         "unit", "units")  # fmt: skip

FloatArray = npt.NDArray[np.float64]


def subgroup_table(predictions: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """One row a system and group: what it stands on, and the four scores (0..1).

    Args:
        clips: corpus, clip, and those that there are of duration_s, level_db, speaker_group.

    Returns:
        The system's columns, `by` (a column of `clips`), `group` (its text), `from` and `to` (of
        numbers: from < value <= to, the first bin with its lower edge), predictions, clips,
        speakers (0 where unknown), the scores with their intervals, `unit` and `units` (see
        `nver.results.uncertainty`). A recall counts where the emotion occurs in the group. Clips
        without a
        value are in no group.
    """
    tables = [
        {**dict(zip(SYSTEM_COLUMNS, key, strict=True)), **row}
        for key, rows in systems(_joined(predictions, clips))
        for row in _groups(rows)
    ]
    columns = [*SYSTEM_COLUMNS, "by", "group", "from", "to", "predictions", *BASIS]
    return pd.DataFrame(tables, columns=columns)


def quantile_edges(values: FloatArray, bins: int = QUANTILES) -> FloatArray:
    """(at most bins + 1,) edges with about as many values between any two; equal edges are one."""
    return np.asarray(np.unique(np.quantile(values, np.linspace(0, 1, bins + 1))))


def confidently_wrong(
    predictions: pd.DataFrame, clips: pd.DataFrame, number: int = WORST
) -> pd.DataFrame:
    """For each system the wrong predictions of the highest tempered probability, a clip once.

    Returns:
        The system's columns, rank, clip, speaker, emotion, predicted, confidence (of what was
        predicted), probability (of the truth), seed, fold, and file, duration_s and level_db as
        far as `clips` has them.
    """
    tables = []
    for key, rows in systems(_joined(predictions, clips)):
        certainty = certainty_of(rows, CALIBRATED)
        own = certainty.probability[np.arange(len(rows)), certainty.truth]
        sure = rows.assign(confidence=certainty.confidence, probability=own)
        wrong = sure[(sure["predicted"] != sure["emotion"]).to_numpy()]
        ordered = wrong.sort_values("confidence", ascending=False, kind="stable")
        worst = ordered.drop_duplicates("clip").head(number).copy()
        worst.insert(0, "rank", np.arange(1, len(worst) + 1))
        tables.append(worst.assign(**dict(zip(SYSTEM_COLUMNS, key, strict=True))))
    facts = [name for name in ("file", *NUMBERS) if name in clips]
    columns = ["rank", "clip", "speaker", "emotion", "predicted", "confidence", "probability"]
    return pd.concat(tables, ignore_index=True)[[*SYSTEM_COLUMNS, *columns, "seed", "fold", *facts]]


def _joined(predictions: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """Each prediction with the facts of its clip, in the predictions' order."""
    facts = [name for name in ("file", *NUMBERS, SPEAKER_GROUP) if name in clips]
    known = clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", *facts]]
    return predictions.merge(known, on=["corpus", "clip"], how="left")


def _groups(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The groups of one system's rows."""
    for name, unit in NUMBERS.items():
        if name in rows and rows[name].notna().any():
            yield from _bins(rows[rows[name].notna()], name, unit)
    if SPEAKER_GROUP in rows:
        for group, own in rows.groupby(SPEAKER_GROUP):
            yield {"by": SPEAKER_GROUP, "group": str(group), **_scores(own)}


def _bins(rows: pd.DataFrame, name: str, unit: str) -> Iterator[dict[str, Any]]:
    edges = quantile_edges(rows.drop_duplicates("clip")[name].to_numpy(np.float64))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)  # every clip has this value
    place = np.searchsorted(edges, rows[name].to_numpy(np.float64)) - 1
    place = np.clip(place, 0, len(edges) - 2)
    texts = _texts(edges)
    for at in np.unique(place):
        group = f"{texts[at]} to {texts[at + 1]} {unit}"
        span = {"from": edges[at], "to": edges[at + 1]}
        yield {"by": name, "group": group, **span, **_scores(rows[place == at])}


def _texts(edges: FloatArray) -> list[str]:
    """The edges in the fewest digits, three at least, that tell them apart."""
    for digits in range(3, 17):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(set(edges)):
            break
    return texts


def _scores(rows: pd.DataFrame) -> dict[str, Any]:
    (found,) = interval_table(rows).to_dict("records")
    return {"predictions": len(rows), **{str(name): found[name] for name in BASIS}}
