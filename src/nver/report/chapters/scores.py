"""The scores: each table with fold strips, recalls by emotion, confusion matrices; the files."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd

from nver.report.chapter import Chapter
from nver.report.figures.drawing import CONFUSION, UNTRAINED, Drawing, draw_confusion
from nver.report.figures.heat import heat_step
from nver.report.figures.plots import ROOMY, shares
from nver.report.formats.grids import highest_uar, of_section
from nver.report.formats.sections import encoders_title
from nver.report.formats.text_formats import latex_tables, markdown_tables, text_tables
from nver.report.run_tables import RunTables
from nver.results.metrics import UAR, confusion_table, fold_scores

PAIRED = 8  # emotions (our choice): matrices of more are not readable side by side


def blocks(tables: RunTables, drawings: Sequence[Drawing]) -> list[dict[str, Any]]:
    """What the page shows of every section, in the tables' order."""
    every_fold = fold_scores(tables.results)
    found = []
    for number, section in enumerate(tables.sections, 1):
        scores = of_section(tables.scores, section)
        folds = of_section(every_fold, section)
        recalls = of_section(tables.emotions, section)
        emotions = _clips(recalls)
        scale = max(0.2, math.ceil(10 * folds[UAR].max() - 1e-9) / 10)
        matrices, left = highest_uar(drawings, CONFUSION, section, tables.scores)
        found.append(
            {
                "section": section,
                "title": section.title,
                "anchor": f"table-{number}",
                "strips": _strips(scores, folds, scale),
                "scale": scale,
                "chance": float(scores["chance"].iloc[0]) / scale,
                "recalls": _recalls(recalls),
                "emotions": emotions,
                "untrained": UNTRAINED if recalls["untrained"].any() else "",
                "matrices": matrices,
                "matrices_left": left,
                **_layout(len(emotions)),
            }
        )
    return found


def _layout(emotions: int) -> dict[str, Any]:
    """How many matrices are seen at once, a pair of small ones or a large one; their class."""
    if emotions <= PAIRED:
        return {"seen": 2, "width": ""}
    return {"seen": 1, "width": "wide" if emotions <= ROOMY else "wide widest"}


def _strips(scores: pd.DataFrame, folds: pd.DataFrame, scale: float) -> list[dict[str, Any]]:
    """For each row the UAR of its folds, their score and its interval, as shares of the scale."""
    strips = []
    for row in scores.to_dict("records"):
        same = (folds["encoders"] == row["encoders"]) & (folds["classifier"] == row["classifier"])
        points = (folds[same][UAR] / scale).tolist()
        mean = row[UAR] / scale
        ends = (row[f"{UAR}_{end}"] / scale for end in ("low", "high"))
        low, high = (mean if math.isnan(end) else min(1.0, end) for end in ends)
        strips.append({"points": points, "mean": mean, "low": low, "high": high})
    return strips


def _recalls(table: pd.DataFrame) -> list[dict[str, Any]]:
    """For each system its recalls in percent, their intervals and their shades."""
    return [
        {
            "encoders": encoders_title(str(encoders)),
            "classifier": classifier,
            "cells": [_recall(row) for row in own.to_dict("records")],
        }
        for (encoders, classifier), own in table.groupby(["encoders", "classifier"], sort=False)
    ]


def _recall(row: dict[Any, Any]) -> tuple[str, int, str] | None:
    """("41", its shade, "31–52"); "41†" where a training had no clip of the emotion."""
    recall, low, high = (row[name] for name in ("recall", "recall_low", "recall_high"))
    if math.isnan(recall):
        return None
    interval = "" if math.isnan(low) else f"{100 * low:.0f}–{100 * high:.0f}"
    mark = UNTRAINED if row["untrained"] else ""
    return f"{100 * recall:.0f}{mark}", heat_step(recall), interval


def _clips(table: pd.DataFrame) -> list[tuple[str, int]]:
    """The emotions and their clips, of the section's first system."""
    first = table.drop_duplicates("emotion")
    return list(zip(first["emotion"], first["clips"].astype(int), strict=True))


def _matrices(tables: RunTables) -> list[Callable[[], Drawing]]:
    """A confusion matrix a system; a section has one scale of shades."""
    found: list[Callable[[], Drawing]] = []
    for section, systems in tables.systems:
        largest = max(float(shares(system.confusions).max()) for system in systems)
        darkest = max(0.1, math.ceil(10 * largest) / 10)
        found += [partial(draw_confusion, system, section, darkest) for system in systems]
    return found


CHAPTER = Chapter(
    anchor="",
    title="Scores",
    content=blocks,
    template="scores.html.j2",
    files={
        "scores.csv": lambda tables: tables.scores,
        "scores.md": lambda tables: markdown_tables(tables.sections),
        "scores.tex": lambda tables: latex_tables(tables.sections),
        "per_class.csv": lambda tables: tables.emotions,
        "confusion.csv": lambda tables: confusion_table(tables.results),
    },
    figures=_matrices,
    text=lambda tables: text_tables(tables.sections),
)
