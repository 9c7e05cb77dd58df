"""Plain tables for the page, and the parts they come in."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nver.report.figures.drawing import Drawing
from nver.report.tables.sections import Section

NAMES = 2  # columns flush left, by default: encoders and classifier


@dataclass(frozen=True)
class Grid:
    """One table: `rows` of texts under `head`, the first `names` columns flush left."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    names: int = NAMES


@dataclass(frozen=True)
class Part:
    """What a page section shows of one table of scores: grids, then figures."""

    title: str
    grids: tuple[Grid, ...]
    drawings: tuple[Drawing, ...] = ()
    shown: int = 1
    left: str = ""  # of figures that the page has not


def of_section(table: pd.DataFrame, section: Section) -> pd.DataFrame:
    """The rows of a section's experiment, corpus and protocol."""
    same = (
        (table["experiment"] == section.experiment)
        & (table["corpus"] == section.corpus)
        & (table["protocol"] == section.protocol)
    )
    return table[same]


def p_text(value: float) -> str:
    """A p-value with three digits; "< 0.001" below; a dash where there is none."""
    if pd.isna(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
