"""The report of a run folder: tables, figures and one self-contained page."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from tqdm import tqdm

from nver.errors import NverError
from nver.files import write_whole
from nver.metrics import confusion_table, emotion_table, fold_scores, score_table
from nver.report import facts
from nver.report.figures import (
    Confusion,
    Drawing,
    confusions,
    draw_confusion,
    draw_projection,
    projections,
)
from nver.report.formats import latex_tables, markdown_tables
from nver.report.heat import heat_css, heat_step
from nver.report.plots import ROOMY
from nver.report.saved import SavedRun, read_run
from nver.report.tables import SCORE_TITLES, Section, encoders_title, sections

MATRICES_SHOWN = 6  # a section, those of the highest UAR; the files have all (our choice)
MAPS_SHOWN = 6  # a corpus, the recipe's first; the files have all (our choice)
PAIRED = 8  # emotions (our choice): matrices of more are not readable side by side
OURS = ("confusion_*.svg", "confusion_*.png", "tsne_*.svg", "tsne_*.png")
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
    def open(self) -> int:
        """How many matrices are seen at once: a pair of small ones, or a large one."""
        return 2 if len(self.emotions) <= PAIRED else 1

    @property
    def width(self) -> str:
        """The class of the figures."""
        many = "wide" if len(self.emotions) <= ROOMY else "wide widest"
        return "" if self.open == 2 else many


def write_report(run_dir: str | Path, *, show_progress_bar: bool = False) -> Path:
    """Make the report of a run folder again, from its saved files alone.

    Writes `report/` in it: index.html (self-contained), scores.csv, .md and .tex, per_class.csv,
    confusion.csv, and every figure as SVG and PNG. The same run folder gives the same bytes.

    Args:
        run_dir: what `nver run --out` wrote.
        show_progress_bar: on stderr.

    Returns:
        the path of index.html.

    Raises:
        UsageError: there is no such folder.
        NverError: it is no run folder, the predictions are absent, a file is damaged, the report cannot be written.
    """
    run = read_run(Path(run_dir))
    scores = score_table(run.predictions)
    tables = sections(scores, run.synthetic)
    matrices, maps = _draw(run, tables, show_progress_bar)
    page = _page(run, tables, scores, matrices, maps)
    folder = run.folder / "report"
    try:
        _write_tables(folder, run.predictions, scores, tables)
        _write_drawings(folder, [*(d for _, d in matrices), *(d for _, d in maps)])
        write_whole(folder / "index.html", page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NverError(f"{folder}: the report cannot be written ({error})") from error
    return folder / "index.html"


def _draw(
    run: SavedRun, tables: Sequence[Section], show: bool
) -> tuple[list[tuple[Confusion, Drawing]], list[tuple[str, Drawing]]]:
    found, points = confusions(run, tables), projections(run)
    darkest = {id(t): _darkest(c for c in found if c.section is t) for t in tables}
    with tqdm(total=len(found) + len(points), unit="figure", disable=not show) as bar:
        matrices = []
        for confusion in found:
            matrices.append((confusion, draw_confusion(confusion, darkest[id(confusion.section)])))
            bar.update()
        maps = []
        for corpus, encoder, own, emotions in points:
            maps.append((corpus, draw_projection(run, corpus, encoder, own, emotions)))
            bar.update()
    return matrices, maps


def _darkest(found: Iterable[Confusion]) -> float:
    """One scale for a section's matrices: the largest share, rounded up to a tenth."""
    return max(0.1, math.ceil(10 * max(float(c.share.max()) for c in found)) / 10)


# -------------------------------------------------------------------------------------- files


def _write_tables(
    folder: Path, predictions: pd.DataFrame, scores: pd.DataFrame, tables: Sequence[Section]
) -> None:
    for name, table in (
        ("scores.csv", scores),
        ("per_class.csv", emotion_table(predictions)),
        ("confusion.csv", confusion_table(predictions)),
    ):
        text = table.to_csv(index=False, lineterminator="\n")
        write_whole(folder / name, text.encode("utf-8", "backslashreplace"))
    write_whole(folder / "scores.md", markdown_tables(tables))
    write_whole(folder / "scores.tex", latex_tables(tables))


def _write_drawings(folder: Path, drawings: Sequence[Drawing]) -> None:
    for drawing in drawings:
        write_whole(folder / f"{drawing.stem}.svg", drawing.svg)
        write_whole(folder / f"{drawing.stem}.png", drawing.png)
    current = {f"{drawing.stem}.{kind}" for drawing in drawings for kind in ("svg", "png")}
    for pattern in OURS:
        for file in folder.glob(pattern):
            if file.name not in current:
                file.unlink()  # of a row that the run no longer has


# --------------------------------------------------------------------------------------- page


def _page(
    run: SavedRun,
    tables: Sequence[Section],
    scores: pd.DataFrame,
    matrices: Sequence[tuple[Confusion, Drawing]],
    maps: Sequence[tuple[str, Drawing]],
) -> str:
    plans = facts.fold_plans(run)
    environment = Environment(
        loader=PackageLoader("nver.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda n: f"{n:,}" if isinstance(n, int | np.integer) else n
    return environment.get_template("page.html.j2").render(
        title=facts.title_of(run),
        compared=facts.compared(run, tables, scores),
        synthetic=run.synthetic,
        warnings=facts.warnings_of(run, plans),
        blocks=_blocks(run, tables, scores, matrices),
        score_titles=list(SCORE_TITLES.values()),
        maps={c: [d for name, d in maps if name == c] for c in dict.fromkeys(c for c, _ in maps)},
        maps_shown=MAPS_SHOWN,
        skipped_counts=facts.skipped_counts(run),
        skipped_list=facts.skipped_list(run),
        skipped=len(run.skipped),
        plans=plans,
        encoders=list(facts.encoder_rows(run)),
        corpora=list(facts.corpus_rows(run)),
        environment=facts.environment_rows(run),
        recipe=run.recipe,
        commands=facts.commands(run),
        heat_css=heat_css(),
    )


def _blocks(
    run: SavedRun,
    tables: Sequence[Section],
    scores: pd.DataFrame,
    matrices: Sequence[tuple[Confusion, Drawing]],
) -> list[Block]:
    folds, recalls = fold_scores(run.predictions), emotion_table(run.predictions)
    blocks = []
    for number, section in enumerate(tables, 1):
        own = scores[_of(scores, section)]
        order = np.argsort(-own[UAR].to_numpy(), kind="stable")
        drawn = [d for c, d in matrices if c.section is section]
        shown = [drawn[i] for i in order[:MATRICES_SHOWN]]
        section_folds = folds[_of(folds, section)]
        scale = max(0.2, math.ceil(10 * section_folds[UAR].max() - 1e-9) / 10)
        section_recalls = recalls[_of(recalls, section)]
        blocks.append(
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
    return blocks


def _of(table: pd.DataFrame, section: Section) -> "pd.Series[bool]":
    return (
        (table["experiment"] == section.experiment)
        & (table["corpus"] == section.corpus)
        & (table["protocol"] == section.protocol)
    )


def _strips(scores: pd.DataFrame, folds: pd.DataFrame, scale: float) -> list[dict[str, Any]]:
    """For each row the UAR of its folds, their mean and spread, as shares of the scale."""
    strips = []
    for _, row in scores.iterrows():
        same = (folds["encoders"] == row["encoders"]) & (folds["classifier"] == row["classifier"])
        points = (folds[same][UAR] / scale).tolist()
        mean, std = row[UAR] / scale, np.nan_to_num(row[f"{UAR}_std"]) / scale
        low, high = max(0.0, mean - std), min(1.0, mean + std)
        strips.append({"points": points, "mean": mean, "low": low, "high": high})
    return strips


def _recalls(table: pd.DataFrame) -> list[dict[str, Any]]:
    """For each system its recalls in percent and their shades."""
    rows = []
    for (encoders, classifier), own in table.groupby(["encoders", "classifier"], sort=False):
        cells = [None if math.isnan(r) else (f"{100 * r:.0f}", heat_step(r)) for r in own["recall"]]
        rows.append(
            {"encoders": encoders_title(str(encoders)), "classifier": classifier, "cells": cells}
        )
    return rows


def _clips(table: pd.DataFrame) -> list[tuple[str, int]]:
    """The emotions and their clips, of the section's first system."""
    first = table.drop_duplicates("emotion")
    return list(zip(first["emotion"], first["clips"].astype(int), strict=True))
