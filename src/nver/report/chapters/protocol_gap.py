"""The gap between the two protocols, in tables of its own."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, interval_text, p_text, parts_text, system_rows
from nver.report.formats.sections import SYNTHETIC
from nver.results.metrics import UAR

HEAD = (
    *("Encoders", "Classifier", "UAR, random", "UAR, speaker-independent"),
    *("Gap", "95 % interval", "p, Holm", "Gap in accuracy", "95 % interval"),
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
    return parts_text(gap_parts(gaps, synthetic))


def _grid(gaps: pd.DataFrame, synthetic: bool) -> Grid:
    rows = system_rows(gaps, _cells)
    note = NOTE + (NONE if gaps["low"].isna().any() else "")
    note = note.format(units=gaps["units"].iloc[0], unit=gaps["unit"].iloc[0])
    return Grid("Gap", HEAD, rows, ([SYNTHETIC] if synthetic else []) + [note])


def _cells(own: pd.DataFrame) -> tuple[str, ...]:
    by_score = {row["score"]: row for row in own.to_dict("records")}
    uar, accuracy = by_score[UAR], by_score["accuracy"]
    values = [f"{100 * uar[protocol]:.1f}" for protocol in (RANDOM, SPEAKER_INDEPENDENT)]
    return (*values, *_gap(uar), p_text(uar["p_holm"]), *_gap(accuracy))


def _gap(row: Mapping[Any, Any]) -> tuple[str, str]:
    """ "+3.1" and "1.0 to 5.2"."""
    return f"{100 * row['gap']:+.1f}", interval_text(100 * row["low"], 100 * row["high"])


CHAPTER = Chapter(
    anchor="gap",
    title="What sharing speakers is worth",
    content=lambda tables, _: gap_parts(tables.gaps, tables.run.synthetic),
    files={"gap.csv": lambda tables: tables.gaps},
    text=lambda tables: gap_text(tables.gaps, tables.run.synthetic),
)
