"""`[figures]` of a recipe: what the report shows beside what it always shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nver.errors import UsageError
from nver.recipe.systems import ClassifierEntry, streams_of
from nver.recipe.values import check_keys, check_known, of_type, tuple_of


@dataclass(frozen=True)
class Figures:
    """`[figures]`: what the report shows beside what it always shows.

    `tsne` has pairs of encoder labels, to be seen side by side; `confusion` a classifier's label
    and then the labels of its encoders.
    """

    tsne: tuple[tuple[str, ...], ...] = ()
    confusion: tuple[tuple[str, ...], ...] = ()


def parse_figures(
    table: Any, encoders: Sequence[str], classifiers: Sequence[ClassifierEntry]
) -> Figures:
    """The table, with encoders and systems that the recipe has."""
    check_keys(of_type(table, dict, "figures"), Figures, "[figures]")
    figures = Figures(**{key: _name_lists(own, f"figures.{key}") for key, own in table.items()})
    for pair in figures.tsne:
        if len(pair) != 2:
            raise UsageError(f"[figures] tsne: expected two encoders a figure, got {list(pair)}")
        check_known("encoder in [figures] tsne:", pair, encoders)
    systems = [", ".join((c.label, *s)) for c in classifiers for s in streams_of(c, encoders)]
    named = [", ".join(system) for system in figures.confusion]
    check_known("system in [figures] confusion:", named, systems)
    return figures


def _name_lists(lists: Any, where: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple_of(names, str, where) for names in of_type(lists, list, where))
