"""What a paper printed beside what was measured, cell by cell."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.printed import TABLES, other_systems, printed_table
from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, system_rows
from nver.report.formats.sections import REHEARSAL, protocol_title
from nver.report.run_tables import RunTables
from nver.results.printed_scores import PAIRS

HEAD = ("Encoders", "Classifier", "Accuracy, printed", "measured", "difference", "F1, printed",
        "macro-F1", "difference", "weighted-F1", "difference")  # fmt: skip
OTHERS_HEAD = ("System", "Corpus", "Accuracy", "F1", "UAR", "How it was tested")
NOTE = (
    "Percent; differences are measured less printed, in points, with their 95 % interval over {}s "
    "in brackets. The printed number counts as known: it has no spread, so the interval is that of "
    "the measured score alone. * where it leaves out zero."
)
OTHERS_NOTE = "As printed by their authors, in percent; none was run here."


def printed_parts(tables: RunTables) -> list[Part]:
    """A grid for every corpus and protocol, and last the other published systems."""
    rows = tables.printed
    if rows is None:
        return []
    sections = {(section.corpus, section.protocol): section for section in tables.sections[::-1]}
    found = []
    for (corpus, protocol), own in rows.groupby(["corpus", "protocol"], sort=False):
        section = sections.get((str(corpus), str(protocol)))
        title = section.title if section else f"{corpus}, {protocol_title(str(protocol), 1)}"
        notes = [REHEARSAL] if tables.run.rehearsal else []
        notes.append(NOTE.format(next(iter(own["unit"].dropna()), "speaker")))
        if section and (form := _form_of(tables.run, str(corpus))):
            notes.append(form)
        grid = Grid("Printed and measured", HEAD, system_rows(own, _cells), notes)
        found.append(Part(title, (grid,)))
    return [*found, Part("Other published systems", (_others(set(rows["corpus"])),))]


def _cells(own: pd.DataFrame) -> list[str]:
    scores = {str(row["score"]): row for row in own.to_dict("records")}
    texts = []
    for printed, score in PAIRS:
        row = scores[score]
        both = [_number(row["printed"]), _measured(row), _difference(row)]
        # the printed F1 stands there once, before both of ours
        texts += both[1:] if printed == "f1" and score == "weighted_f1" else both
    return texts


def _number(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def _measured(row: Mapping[Any, Any]) -> str:
    return str(row["state"]) if pd.isna(row["measured"]) else f"{row['measured']:.2f}"


def _difference(row: Mapping[Any, Any]) -> str:
    """ "−2.3 [−5.5, +0.6]", with a mark where the interval leaves out zero."""
    if pd.isna(row["difference"]):
        return "–"
    text = f"{row['difference']:+.1f}"
    low, high = row["difference_low"], row["difference_high"]
    if pd.notna(low):
        mark = " *" if low > 0 or high < 0 else ""
        text += f" [{low:+.1f}, {high:+.1f}]{mark}"
    return text.replace("-", "−")


def _form_of(run: SavedRun, corpus: str) -> str:
    """Which form of the corpus was used: clips, emotions and the adapter's options."""
    facts = run.corpora.get(corpus, {})
    if not facts:
        return ""
    options = facts.get("options") or {}
    said = ", ".join(f"{key} = {str(value).lower()}" for key, value in options.items())
    return (
        f"Form of {corpus}: {facts.get('clips', 0):,} clips of {len(facts.get('emotions', []))} "
        f"emotions" + (f" ({said})." if said else ".")
    )


def _others(corpora: set[str]) -> Grid:
    known = {cell.corpus for name in TABLES for cell in printed_table(name).cells}
    rows = [
        (s.system, s.corpus, *(_number(v) for v in (s.accuracy, s.f1, s.uar)), s.remark)
        for s in other_systems()
        if s.corpus in corpora or s.corpus not in known
    ]
    return Grid("Other published systems", OTHERS_HEAD, rows, (OTHERS_NOTE,))


def _lead(tables: RunTables) -> str:
    table = printed_table(tables.run.experiment.printed)
    return f"{table.title} ({table.citation}), cell by cell. {table.remark}"


CHAPTER = Chapter(
    anchor="printed",
    title="Printed and measured",
    lead=_lead,
    content=lambda tables, _: printed_parts(tables),
    files={"printed.csv": lambda tables: tables.printed},
)
