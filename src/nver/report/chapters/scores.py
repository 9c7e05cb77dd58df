"""What the page shows of one table: fold strips, recalls by emotion, confusion matrices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.figures.drawing import Confusion, Drawing
from nver.report.figures.heat import heat_step
from nver.report.figures.plots import ROOMY
from nver.report.tables.sections import Section, encoders_title
from nver.results.metrics import fold_scores

MATRICES_SHOWN = 6  # a section, those of the highest UAR; the files have all (our choice)
PAIRED = 8  # emotions (our choice): matrices of more are not readable side by side
UAR = "unweighted_average_recall"


@dataclass(frozen=True)
class Block:
    """What the page shows of one section."""

    section: Section
    anchor: str
    strips: list[dict[str, Any]]
    scale: float
    chance: float
    recalls: list[dict[str, Any]]
    emotions: list[tuple[str, int]]
    matrices: list[Drawing]
    matrices_left: int

    @property
    def seen(self) -> int:
        """How many matrices are seen at once: a pair of small ones, or a large one."""
        return 2 if len(self.emotions) <= PAIRED else 1

    @property
    def width(self) -> str:
        """The class of the figures."""
        many = "wide" if len(self.emotions) <= ROOMY else "wide widest"
        return "" if self.seen == 2 else many


def blocks(
    run: SavedRun,
    tables: Sequence[Section],
    scores: pd.DataFrame,
    recalls: pd.DataFrame,
    matrices: Sequence[tuple[Confusion, Drawing]],
) -> list[Block]:
    """What the page shows of every section, in the tables' order.

    `scores` and `recalls` are those of `nver.results.uncertainty`, over all sections.
    """
    folds = fold_scores(run.predictions)
    found = []
    for number, section in enumerate(tables, 1):
        own = scores[_of(scores, section)]
        order = np.argsort(-own[UAR].to_numpy(), kind="stable")
        drawn = [d for c, d in matrices if c.section is section]
        shown = [drawn[i] for i in order[:MATRICES_SHOWN]]
        section_folds = folds[_of(folds, section)]
        scale = max(0.2, math.ceil(10 * section_folds[UAR].max() - 1e-9) / 10)
        section_recalls = recalls[_of(recalls, section)]
        found.append(
            Block(
                section=section,
                anchor=f"table-{number}",
                strips=_strips(own, section_folds, scale),
                scale=scale,
                chance=float(own["chance"].iloc[0]) / scale,
                recalls=_recalls(section_recalls),
                emotions=_clips(section_recalls),
                matrices=shown,
                matrices_left=len(drawn) - len(shown),
            )
        )
    return found


def _of(table: pd.DataFrame, section: Section) -> "pd.Series[bool]":
    return (
        (table["experiment"] == section.experiment)
        & (table["corpus"] == section.corpus)
        & (table["protocol"] == section.protocol)
    )


def _strips(scores: pd.DataFrame, folds: pd.DataFrame, scale: float) -> list[dict[str, Any]]:
    """For each row the UAR of its folds, their score and its interval, as shares of the scale."""
    strips = []
    for _, row in scores.iterrows():
        same = (folds["encoders"] == row["encoders"]) & (folds["classifier"] == row["classifier"])
        points = (folds[same][UAR] / scale).tolist()
        mean = row[UAR] / scale
        ends = (row[f"{UAR}_{end}"] / scale for end in ("low", "high"))
        low, high = (mean if math.isnan(end) else min(1.0, end) for end in ends)
        strips.append({"points": points, "mean": mean, "low": low, "high": high})
    return strips


def _recalls(table: pd.DataFrame) -> list[dict[str, Any]]:
    """For each system its recalls in percent, their intervals and their shades."""
    rows = []
    for (encoders, classifier), own in table.groupby(["encoders", "classifier"], sort=False):
        cells = [_recall(row) for row in own.to_dict("records")]
        rows.append(
            {"encoders": encoders_title(str(encoders)), "classifier": classifier, "cells": cells}
        )
    return rows


def _recall(row: dict[Any, Any]) -> tuple[str, int, str] | None:
    """("41", its shade, "31–52")."""
    recall, low, high = (row[name] for name in ("recall", "recall_low", "recall_high"))
    if math.isnan(recall):
        return None
    interval = "" if math.isnan(low) else f"{100 * low:.0f}–{100 * high:.0f}"
    return f"{100 * recall:.0f}", heat_step(recall), interval


def _clips(table: pd.DataFrame) -> list[tuple[str, int]]:
    """The emotions and their clips, of the section's first system."""
    first = table.drop_duplicates("emotion")
    return list(zip(first["emotion"], first["clips"].astype(int), strict=True))
