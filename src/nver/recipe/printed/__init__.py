"""Numbers as papers printed them: shown beside measured numbers, never mixed with them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from nver.recipe.values import check_known, of_type

RENO = (
    "Are Mamba-based Audio Foundation Models the Best Fit for Non-Verbal Emotion Recognition? "
    "arXiv:2506.02258"
)


@dataclass(frozen=True)
class PrintedCell:
    """One cell of a paper's table: accuracy and F1 in percent, as printed.

    `encoders` is as in predictions: labels with "+" between them, in the printed order.
    """

    classifier: str
    encoders: str
    corpus: str
    accuracy: float
    f1: float


@dataclass(frozen=True)
class PrintedTable:
    """A table of a paper. `remark` says what the paper leaves open, for a reader to know."""

    name: str
    title: str
    citation: str
    remark: str
    cells: tuple[PrintedCell, ...]


@dataclass(frozen=True)
class PrintedSystem:
    """Another published system: its scores in percent; None where the paper has none."""

    system: str
    corpus: str
    accuracy: float | None
    f1: float | None
    uar: float | None
    remark: str


SCORES = ("accuracy", "f1", "uar")
OPEN = (
    "The paper states five folds, but not whether a speaker was in training and test, nor which "
    "average its F1 is, nor any spread."
)
TABLES = {
    "reno-table1": ("Table I of RENO: single encoders", "reno_table1.csv"),
    "reno-table2": ("Table II of RENO: pairs of encoders", "reno_table2.csv"),
}


def printed_table(name: str) -> PrintedTable:
    """A printed table by name.

    Raises:
        UsageError: there is no table of that name.
    """
    check_known("printed table", [name], TABLES)
    title, file = TABLES[name]
    return PrintedTable(name, title, RENO, OPEN, tuple(PrintedCell(**row) for row in _rows(file)))


def parse_printed(name: Any) -> str:
    """`printed` of a recipe: the name of a printed table, or "" for none."""
    if of_type(name, str, "printed"):
        printed_table(name)  # raises where there is none
    return str(name)


def other_systems() -> tuple[PrintedSystem, ...]:
    """Other published systems on the same corpora; the remarks say under which conditions."""
    return tuple(PrintedSystem(**row) for row in _rows("others.csv"))


def _rows(file: str) -> Iterator[dict[str, Any]]:
    """The rows of a file beside this one; a score whose field is empty is None."""
    lines = (files("nver.recipe.printed") / file).read_text("utf-8").splitlines()
    for row in csv.DictReader(lines):
        scores = {n: float(text) if text else None for n, text in row.items() if n in SCORES}
        yield {**row, **scores}
