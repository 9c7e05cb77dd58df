"""`[figures]` of a recipe: what the report shows beside what it always shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nver.errors import UsageError, unknown_name
from nver.recipe.systems import ClassifierEntry, streams_of
from nver.recipe.values import check_keys, typed


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
    table = typed(table, dict, "[figures]")
    check_keys(table, Figures, "[figures]")
    figures = Figures(**{key: _name_lists(value, key) for key, value in table.items()})
    for pair in figures.tsne:
        if len(pair) != 2:
            raise UsageError(f"[figures] tsne: expected two encoders a figure, got {list(pair)}")
        for encoder in (e for e in pair if e not in encoders):
            raise unknown_name("encoder in [figures] tsne:", encoder, encoders)
    known = {(c.label, *s): c for c in classifiers for s in streams_of(c, encoders)}
    for system in (s for s in figures.confusion if s not in known):
        raise unknown_name(
            "system in [figures] confusion:", ", ".join(system), [", ".join(k) for k in known]
        )
    return figures


def _name_lists(value: Any, key: str) -> tuple[tuple[str, ...], ...]:
    where = f"[figures] {key}"
    return tuple(
        tuple(typed(name, str, where) for name in typed(names, list, where))
        for names in typed(value, list, where)
    )
