"""The answers to a run's hypotheses, for the page, the terminal and the files."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, interval_text, of_section, p_text, parts_of
from nver.report.formats.sections import Section

HEAD = ("Claim", "Answer", "Contrast", "UAR points", "95 % interval", "p (Holm)", "Based on")
NOTE = (
    "Difference of UAR in percentage points, the mean over the pairs of systems that differ in "
    "nothing else (matched on encoders or on the classifier where that can be had), and its 95 % "
    "interval. p: of no difference, by the paired jackknife over {unit}, Holm-corrected over all "
    "{number} comparisons of this table."
)
RULE = (
    "Supported: p (Holm) at most 0.05 in the claimed direction. Not supported: at most 0.05 the "
    "other way round, or the whole interval, at the level of all comparisons together, lies below "
    "{smallest} point(s) of UAR, the smallest difference that was said to matter. Undecided: "
    "neither. A claim of several contrasts is supported where all are, and not supported where one "
    "is not."
)


def hypothesis_parts(answers: pd.DataFrame, tables: Sequence[Section]) -> list[Part]:
    """A table of answers for every table of scores; none where nothing was claimed."""
    return parts_of(answers, tables, _grid)


def _grid(rows: pd.DataFrame) -> Grid:
    units = sorted({f"{unit}s" for unit in rows["unit"].dropna()}) or ["speakers"]
    sizes = sorted(set(rows["smallest_effect"]))
    notes = [NOTE.format(unit=" or ".join(units), number=int(rows["comparisons"].max()))]
    notes.append(RULE.format(smallest=" or ".join(f"{size:g}" for size in sizes)))
    texts = [_texts(row) for row in rows.to_dict("records")]
    return Grid("Hypotheses", HEAD, texts, notes, names=3)


def _texts(row: Mapping[Any, Any]) -> tuple[str, ...]:
    said = str(row["claim"]), _answer(row), str(row["contrast"])
    if pd.isna(row["difference"]):
        return *said, "–", "–", "–", "–"
    return (
        *said,
        f"{row['difference']:+.1f}",
        interval_text(row["low"], row["high"], "+.1f"),
        p_text(row["p_holm"]),
        _basis(row),
    )


def _answer(row: Mapping[Any, Any]) -> str:
    """The claim's answer, and the contrast's own where they differ; what else there is to know."""
    own = "" if row["verdict"] == row["answer"] else f" (this contrast: {row['verdict']})"
    note = f": {row['note']}" if row["note"] else ""
    return f"{row['answer']}{own}{note}"


def _basis(row: Mapping[Any, Any]) -> str:
    """ "2 pairs on the same encoders, 120 speakers"."""
    number, plural = int(row["pairs"]), "" if row["pairs"] == 1 else "s"
    how = {
        "encoders": f"{number} pair{plural} on the same encoders",
        "classifier": f"{number} pair{plural} of the same classifier",
        "none": "means of both groups",
    }[row["matched"]]
    return f"{how}, {int(row['units'])} {row['unit']}s"


def hypotheses_text(answers: pd.DataFrame, tables: Sequence[Section]) -> str:
    """For a terminal: a line a contrast under its table's title; empty without hypotheses."""
    blocks = []
    for section in tables:
        rows = of_section(answers, section).to_dict("records")
        claims = [row["claim"] for row in rows]
        lines = [_line(row, claims.count(row["claim"]) > 1) for row in rows]
        if lines:
            blocks.append("\n".join([f"Hypotheses, {section.title}", "", *lines]))
    return "\n\n".join(blocks)


def _line(row: Mapping[Any, Any], several: bool) -> str:
    """ "reno > concat: undecided; -0.4 points of UAR, 95 % interval -1.9 to +1.1, p ..." """
    claim, answer, contrast, points, interval, p, basis = _texts(row)
    of = f" [{contrast}]" if several else ""
    if points == "–":
        return f"{claim}{of}: {answer}"
    sign = "" if p.startswith("<") else "= "
    return (
        f"{claim}{of}: {answer}; {points} points of UAR, 95 % interval {interval}, "
        f"p {sign}{p} by Holm over {int(row['comparisons'])} comparison(s); {basis}"
    )


CHAPTER = Chapter(
    anchor="hypotheses",
    title="Hypotheses",
    lead=lambda tables: (
        "What the recipe claimed, and what this run answers. Undecided is an "
        "answer: the recordings are too few, or the difference too small, to tell."
    ),
    content=lambda tables, _: hypothesis_parts(tables.hypotheses, tables.sections),
    files={"hypotheses.csv": lambda tables: tables.hypotheses},
    text=lambda tables: hypotheses_text(tables.hypotheses, tables.sections),
)
