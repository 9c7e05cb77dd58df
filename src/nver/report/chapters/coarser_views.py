"""What the page shows of coarser views: the first three, and families of emotions."""

from collections.abc import Sequence

import pandas as pd

from nver.recipe.families import Families
from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, parts_of, parts_text, system_rows
from nver.report.formats.sections import Section, cell_of

NOTE = (
    "Percent [95 % interval, as above]. Top-3: the share of clips whose emotion is among the three "
    "most probable (chance {top:.1f})."
)
FAMILIES = (
    " Family UAR: the mean recall of {number} families of emotions, by the sum of the calibrated "
    "probabilities of their emotions (chance {chance:.1f})."
)
NOT_TESTED = " Differences were not tested."


def view_parts(
    views: pd.DataFrame, tables: Sequence[Section], families: Families | None = None
) -> list[Part]:
    """A grid a section of many emotions, from `nver.results.families.view_table`."""
    return parts_of(views, tables, lambda own: _grid(own, families or {}))


def view_text(views: pd.DataFrame, tables: Sequence[Section]) -> str:
    """The tables aligned for a terminal; "" where no corpus has many emotions."""
    return parts_text(view_parts(views, tables), ": coarser views")


def _grid(views: pd.DataFrame, families: Families) -> Grid:
    scores = {"top3_accuracy": "Top-3"}
    if views["families"].iloc[0]:
        scores["family_uar"] = "Family UAR"
    rows = system_rows(
        views, lambda own: [cell_of(own.iloc[0].to_dict(), name).text for name in scores]
    )
    head = ("Encoders", "Classifier", *scores.values())
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


CHAPTER = Chapter(
    anchor="views",
    title="Coarser views",
    content=lambda tables, _: view_parts(
        tables.views, tables.sections, tables.run.experiment.families
    ),
    files={"views.csv": lambda tables: tables.views if len(tables.views) else None},
    text=lambda tables: view_text(tables.views, tables.sections),
)
