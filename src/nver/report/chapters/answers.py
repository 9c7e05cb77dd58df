"""The answers to a run's hypotheses, for the page, the terminal and the files."""

import tomllib
from collections.abc import Sequence
from typing import Any

import pandas as pd

from nver.errors import NverError, UsageError
from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.hypotheses import Hypothesis, parse_hypotheses
from nver.report.tables.grids import Grid, Part, of_section, p_text
from nver.report.tables.sections import Section
from nver.results.verdict import hypothesis_table

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


def answers_of(run: SavedRun) -> pd.DataFrame:
    """The answers to the hypotheses in the run's recipe, by `verdict.hypothesis_table`."""
    encoders = {str(e.get("label") or e.get("name")): _name_and_kind(e) for e in run.encoders}
    classifiers, hypotheses = _recipe(run, {k: name for k, (name, _) in encoders.items()})
    return hypothesis_table(hypotheses, run.predictions, encoders, classifiers)


def _recipe(
    run: SavedRun, encoders: dict[str, str]
) -> tuple[dict[str, str], tuple[Hypothesis, ...]]:
    """Label -> name of the classifiers, and the hypotheses."""
    try:
        tree = tomllib.loads(run.recipe)
        entries = [e if isinstance(e, dict) else {"name": e} for e in tree.get("classifiers", [])]
        classifiers = {str(e.get("label", e.get("name"))): str(e.get("name")) for e in entries}
        asked = [e if isinstance(e, dict) else {"name": e} for e in tree.get("encoders", [])]
        not_run = {str(e.get("label", e.get("name"))): str(e.get("name")) for e in asked}
        encoders = not_run | encoders  # a hypothesis may name an encoder that was not here
        return classifiers, parse_hypotheses(tree.get("hypotheses", []), encoders, classifiers)
    except (tomllib.TOMLDecodeError, UsageError) as error:
        raise NverError(f"{run.folder / 'recipe.toml'}: damaged ({error})") from error


def _name_and_kind(encoder: dict[str, Any]) -> tuple[str, str]:
    """What encoders.json says; of a run before kinds were saved, what the registry says."""
    from nver.encoders import card_of

    name, kind = str(encoder.get("name", "?")), encoder.get("kind")
    try:
        return name, str(kind or card_of(name).kind)
    except UsageError:  # of a plug-in that is not here
        return name, "other"


def hypothesis_parts(answers: pd.DataFrame, tables: Sequence[Section]) -> list[Part]:
    """A table of answers for every table of scores; none where nothing was claimed."""
    found = [(section, of_section(answers, section)) for section in tables]
    return [Part(section.title, (_grid(rows),)) for section, rows in found if len(rows)]


def _grid(rows: pd.DataFrame) -> Grid:
    units = sorted({f"{unit}s" for unit in rows["unit"].dropna()}) or ["speakers"]
    sizes = sorted(set(rows["smallest_effect"]))
    notes = [NOTE.format(unit=" or ".join(units), number=int(rows["comparisons"].max()))]
    notes.append(RULE.format(smallest=" or ".join(f"{size:g}" for size in sizes)))
    texts = [_texts(row) for _, row in rows.iterrows()]
    return Grid("Hypotheses", HEAD, texts, notes, names=3)


def _texts(row: "pd.Series[Any]") -> tuple[str, ...]:
    claim, answer = str(row["claim"]), _answer(row)
    if pd.isna(row["difference"]):
        return claim, answer, str(row["contrast"]), "–", "–", "–", "–"
    return (
        claim,
        answer,
        str(row["contrast"]),
        f"{row['difference']:+.1f}",
        _interval(row),
        p_text(row["p_holm"]),
        _basis(row),
    )


def _answer(row: "pd.Series[Any]") -> str:
    """The claim's answer, and the contrast's own where they differ; what else there is to know."""
    own = "" if row["verdict"] == row["answer"] else f" (this contrast: {row['verdict']})"
    note = f": {row['note']}" if row["note"] else ""
    return f"{row['answer']}{own}{note}"


def _interval(row: "pd.Series[Any]") -> str:
    if pd.isna(row["low"]):
        return "–"
    return f"{row['low']:+.1f} to {row['high']:+.1f}"


def _basis(row: "pd.Series[Any]") -> str:
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
        rows = [row for _, row in of_section(answers, section).iterrows()]
        claims = [row["claim"] for row in rows]
        lines = [_line(row, claims.count(row["claim"]) > 1) for row in rows]
        if lines:
            blocks.append("\n".join([f"Hypotheses, {section.title}", "", *lines]))
    return "\n\n".join(blocks)


def _line(row: "pd.Series[Any]", several: bool) -> str:
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
