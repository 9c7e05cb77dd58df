"""What the page shows of coarser views: the first three, and families of emotions."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.families import Families, parse_families
from nver.report.tables.formats import aligned
from nver.report.tables.grids import Grid, Part, of_section
from nver.report.tables.sections import Section, encoders_title

NOTE = (
    "Percent [95 % interval, as above]. Top-3: the share of clips whose emotion is among the three "
    "most probable (chance {top:.1f})."
)
FAMILIES = (
    " Family UAR: the mean recall of {number} families of emotions, by the sum of the calibrated "
    "probabilities of their emotions (chance {chance:.1f})."
)
NOT_TESTED = " Differences were not tested."


def families_of(run: SavedRun) -> Families:
    """The families of the run's recipe; none where it has none."""
    return parse_families(run.settings.get("families", {}))


def view_parts(
    views: pd.DataFrame, tables: Sequence[Section], families: Families | None = None
) -> list[Part]:
    """A grid a section of many emotions, from `nver.results.families.view_table`."""
    if views.empty:
        return []
    found = [(section, of_section(views, section)) for section in tables]
    return [
        Part(section.title, (_grid(own, families or {}),)) for section, own in found if len(own)
    ]


def view_text(views: pd.DataFrame, tables: Sequence[Section]) -> str:
    """The tables aligned for a terminal; "" where no corpus has many emotions."""
    return "\n\n".join(
        "\n".join(
            [f"{part.title}: coarser views", "", aligned(grid.head, grid.rows), "", *grid.notes]
        )
        for part in view_parts(views, tables)
        for grid in part.grids
    )


def _grid(views: pd.DataFrame, families: Families) -> Grid:
    with_families = bool(views["families"].iloc[0])
    head = ["Encoders", "Classifier", "Top-3", *(["Family UAR"] if with_families else [])]
    names = ["top3_accuracy", *(["family_uar"] if with_families else [])]
    rows = [
        [encoders_title(row["encoders"]), row["classifier"], *(_score(row, name) for name in names)]
        for row in views.to_dict("records")
    ]
    return Grid("Coarser views", head, rows, [_note(views, families)])


def _note(views: pd.DataFrame, families: Families) -> str:
    first = views.iloc[0]
    said = NOTE.format(top=100 * first["top3_chance"])
    if first["families"]:
        said += FAMILIES.format(number=first["families"], chance=100 * first["family_chance"])
    if families:
        named = "; ".join(f"{family}: {', '.join(own)}" for family, own in families.items())
        said += f" Families: {named}."
    return said + NOT_TESTED


def _score(row: Any, name: str) -> str:
    score, low, high = (100 * row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{score:.1f}" + ("" if pd.isna(low) else f" [{low:.1f}, {high:.1f}]")
