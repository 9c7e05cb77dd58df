"""The gap between the two protocols, in tables of its own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.report.tables.formats import aligned
from nver.report.tables.grids import Grid, Part, p_text
from nver.report.tables.sections import SYNTHETIC, encoders_title

UAR = "unweighted_average_recall"
HEAD = (
    "Encoders",
    "Classifier",
    "UAR, random",
    "UAR, speaker-independent",
    "Gap",
    "95 % interval",
    "p, Holm",
    "Gap in accuracy",
    "95 % interval",
)
NOTE = (
    "Percent; gap: random folds, where training and test share speakers, less speaker-independent "
    "folds, in points. It is what shared speakers give, and the chance of two trainings, which can "
    "be points: several seeds tell them apart, and a gap near zero is no proof that a corpus is "
    "harmless. For new speakers only the speaker-independent score holds. Interval: jackknife over "
    "{units} {unit}s, each left out of both; p of no gap in UAR, corrected by Holm for the rows of "
    "the table."
)
NONE = " –: no interval, as no two {unit}s differ."


def gap_parts(gaps: pd.DataFrame, synthetic: Collection[str] = ()) -> list[Part]:
    """A table a corpus and experiment, from `nver.results.speaker_gap.gap_table`."""
    several = gaps["experiment"].nunique() > 1
    return [
        Part(
            (f"{experiment}: " if several else "") + f"{corpus}, random less speaker-independent",
            (_grid(own, corpus in synthetic),),
        )
        for (experiment, corpus), own in gaps.groupby(["experiment", "corpus"], sort=False)
    ]


def gap_text(gaps: pd.DataFrame, synthetic: Collection[str] = ()) -> str:
    """The tables aligned for a terminal; "" where no system was tested under both protocols."""
    return "\n\n".join(
        "\n".join([part.title, "", aligned(grid.head, grid.rows), "", *grid.notes])
        for part in gap_parts(gaps, synthetic)
        for grid in part.grids
    )


def _grid(gaps: pd.DataFrame, synthetic: bool) -> Grid:
    rows = [
        _row(str(encoders), str(classifier), own.to_dict("records"))
        for (encoders, classifier), own in gaps.groupby(["encoders", "classifier"], sort=False)
    ]
    note = NOTE + (NONE if gaps["low"].isna().any() else "")
    note = note.format(units=gaps["units"].iloc[0], unit=gaps["unit"].iloc[0])
    return Grid("Gap", HEAD, rows, ([SYNTHETIC] if synthetic else []) + [note])


def _row(encoders: str, classifier: str, own: Sequence[Mapping[Any, Any]]) -> tuple[str, ...]:
    uar, accuracy = (
        next(row for row in own if row["score"] == score) for score in (UAR, "accuracy")
    )
    values = [f"{100 * uar[protocol]:.1f}" for protocol in (RANDOM, SPEAKER_INDEPENDENT)]
    return (
        encoders_title(encoders), classifier, *values, *_gap(uar), p_text(uar["p_holm"]),
        *_gap(accuracy),
    )  # fmt: skip


def _gap(row: Mapping[Any, Any]) -> tuple[str, str]:
    """ "+3.1" and "1.0 to 5.2"."""
    interval = "–" if pd.isna(row["low"]) else f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"
    return f"{100 * row['gap']:+.1f}", interval
