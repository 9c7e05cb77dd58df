"""What a chapter of the report is made of: its part of the page, its files, its figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from nver.report.figures.drawing import Drawing
from nver.report.run_tables import RunTables


@dataclass(frozen=True)
class Chapter:
    """One chapter of the report; `nver.report.chapters` lists them in the order of the page.

    Attributes:
        anchor, title: of its section on the page and its line in the contents; without an anchor,
            the anchor and title of each item of its content.
        content: what its template shows, made of the run's tables and all figures; where it is
            empty, the page is without the chapter.
        lead: the paragraph under its title.
        template: in `report/templates`.
        files: name in `report/` -> its table (a CSV file) or text; None: the run has no such file.
        figures: what draws each of its figures.
        text: what a terminal shows.
    """

    anchor: str
    title: str
    content: Callable[[RunTables, Sequence[Drawing]], Any]
    lead: Callable[[RunTables], str] = lambda tables: ""
    template: str = "parts.html.j2"
    files: Mapping[str, Callable[[RunTables], pd.DataFrame | str | None]] = field(
        default_factory=dict
    )
    figures: Callable[[RunTables], Sequence[Callable[[], Drawing]]] = lambda tables: ()
    text: Callable[[RunTables], str] = lambda tables: ""
