"""Plain tables for the page, and the parts they come in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.report.figures.drawing import Drawing
from nver.report.formats.sections import Section, cell_of, encoders_title
from nver.report.formats.text_formats import aligned
from nver.results.metrics import UAR
from nver.results.results import SECTION_COLUMNS

SHOWN = 6  # figures of a kind and section, of the highest UAR; the files have all (our choice)


@dataclass(frozen=True)
class Grid:
    """One table: `rows` of texts under `head`, the first `names` columns flush left."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    names: int = 2  # encoders and classifier


@dataclass(frozen=True)
class Part:
    """What a page section shows of one table of scores: grids, then figures."""

    title: str
    grids: tuple[Grid, ...]
    drawings: tuple[Drawing, ...] = ()
    shown: int = 1
    left: str = ""  # the sentence for what the page leaves out


def parts_of(
    table: pd.DataFrame, tables: Sequence[Section], grid: Callable[[pd.DataFrame], Grid]
) -> list[Part]:
    """A part with one grid for each section that has rows in the table."""
    found = [(section, of_section(table, section)) for section in tables]
    return [Part(section.title, (grid(rows),)) for section, rows in found if len(rows)]


def parts_text(parts: Sequence[Part], remark: str = "") -> str:
    """The grids aligned for a terminal, each under its part's title and the remark."""
    return "\n\n".join(
        "\n".join([part.title + remark, "", aligned(grid.head, grid.rows), "", *grid.notes])
        for part in parts
        for grid in part.grids
    )


def of_section(table: pd.DataFrame, section: Section) -> pd.DataFrame:
    """The rows of a section's experiment, corpus and protocol; none of an empty table."""
    if table.empty:
        return table
    return table[(table[list(SECTION_COLUMNS)] == list(section.key)).all(axis=1)]


def system_rows(
    table: pd.DataFrame, cells: Callable[[pd.DataFrame], Iterable[str]]
) -> list[tuple[str, ...]]:
    """A row of texts a system: its encoders, its classifier, and the cells of its own rows."""
    return [
        (encoders_title(str(encoders)), str(classifier), *cells(own))
        for (encoders, classifier), own in table.groupby(["encoders", "classifier"], sort=False)
    ]


def uar_by(rows: pd.DataFrame, column: str, values: Iterable[str]) -> list[str]:
    """UAR with its interval for each value of a column; a dash where there is no such row."""
    texts = {row[column]: cell_of(row, UAR).text for row in rows.to_dict("records")}
    return [texts.get(value, "–") for value in values]


def order_by_uar(scores: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The places of the rows of a score table, the highest UAR first."""
    return np.argsort(-scores[UAR].to_numpy(np.float64), kind="stable")


def highest_uar(
    drawings: Sequence[Drawing], kind: str, section: Section, scores: pd.DataFrame
) -> tuple[tuple[Drawing, ...], int]:
    """The section's figures of a kind, of at most `SHOWN` systems, and how many are left out."""
    own = [d for d in drawings if d.kind == kind and d.subject[:3] == section.key]
    shown = tuple(own[place] for place in order_by_uar(of_section(scores, section))[:SHOWN])
    return shown, len(own) - len(shown)


def p_text(value: float) -> str:
    """A p-value with three digits; "< 0.001" below; a dash for nan."""
    if pd.isna(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval_text(low: Any, high: Any, form: str = ".1f") -> str:
    """ "1.0 to 5.2"; a dash for nan."""
    return "–" if pd.isna(low) else f"{low:{form}} to {high:{form}}"
