"""What a paper printed beside what was measured, cell by cell."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.printed import TABLES, PrintedCell, PrintedTable, other_systems, printed_table
from nver.report.tables.grids import Grid, Part
from nver.report.tables.sections import REHEARSAL, Section, encoders_title, protocol_title
from nver.results.uncertainty import interval_table

# (printed score, measured score); the paper does not say which average its F1 is
PAIRS = (("accuracy", "accuracy"), ("f1", "macro_f1"), ("f1", "weighted_f1"))
HEAD = ("Encoders", "Classifier", "Accuracy, printed", "measured", "difference", "F1, printed",
        "macro-F1", "difference", "weighted-F1", "difference")  # fmt: skip
OTHERS_HEAD = ("System", "Corpus", "Accuracy", "F1", "UAR", "How it was tested")
COLUMNS = (
    *("table", "corpus", "protocol", "encoders", "classifier", "score", "printed", "measured"),
    *("low", "high", "difference", "difference_low", "difference_high", "unit", "state"),
)
MEASURED, NOT_RUN, NOT_PRINTED = "measured", "not run", "not printed"
NOTE = (
    "Percent; differences are measured less printed, in points, with their 95 % interval over {}s "
    "in brackets. The printed number counts as known: it has no spread, so the interval is that of "
    "the measured score alone. * where it leaves out zero."
)
OTHERS_NOTE = "As printed by their authors, in percent; none was run here."


def printed_name(run: SavedRun) -> str | None:
    """The printed table that the recipe asks for."""
    name = run.settings.get("printed")
    return name if name in TABLES else None


def printed_rows(run: SavedRun) -> pd.DataFrame:
    """One row a cell and score, every printed cell of the run's protocols and every measured one.

    Returns:
        `COLUMNS`: printed, measured and its interval, the difference and its interval in percent;
        `state`: "measured", "not printed", or why it was not run.
    """
    name = printed_name(run)
    if name is None:
        return pd.DataFrame(columns=list(COLUMNS))
    table, measured = printed_table(name), interval_table(run.predictions)
    found: list[dict[str, Any]] = []
    for protocol in dict.fromkeys(measured["protocol"]):
        own = measured[measured["protocol"] == protocol]
        systems = {(r["corpus"], r["encoders"], r["classifier"]): r for _, r in own.iterrows()}
        cells = {(c.corpus, c.encoders, c.classifier): c for c in table.cells}
        corpora = {**dict.fromkeys(k[0] for k in systems), **dict.fromkeys(k[0] for k in cells)}
        keys = sorted({**cells, **systems}, key=lambda key: list(corpora).index(key[0]))
        for key in keys:
            found += _scores(run, table, str(protocol), key, cells.get(key), systems.get(key))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _scores(
    run: SavedRun,
    table: PrintedTable,
    protocol: str,
    key: tuple[str, str, str],
    cell: PrintedCell | None,
    row: "pd.Series[Any] | None",
) -> list[dict[str, Any]]:
    corpus, encoders, classifier = key
    state = MEASURED if cell else NOT_PRINTED
    if row is None:
        state = _why_not(run, corpus, encoders)
    place = {"table": table.name, "corpus": corpus, "protocol": protocol, "encoders": encoders,
             "classifier": classifier}  # fmt: skip
    return [
        {**place, "score": score, "state": state,
         **_numbers(getattr(cell, printed) if cell else None, row, score)}
        for printed, score in PAIRS
    ]  # fmt: skip


def _numbers(printed: float | None, row: "pd.Series[Any] | None", score: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {"printed": printed}
    if row is not None:
        numbers["unit"] = row["unit"]
        for name, column in (("measured", score), ("low", f"{score}_low"),
                             ("high", f"{score}_high")):  # fmt: skip
            numbers[name] = 100 * row[column]
            if printed is not None:
                other = "difference" if name == "measured" else f"difference_{name}"
                numbers[other] = numbers[name] - printed
    return numbers


def _why_not(run: SavedRun, corpus: str, encoders: str) -> str:
    absent = {(kind, name) for kind, name in run.missing[["kind", "name"]].itertuples(index=False)}
    waits = [corpus] if ("corpus", corpus) in absent else []
    waits += [e for e in encoders.split("+") if ("encoder", e) in absent]
    return f"waits for {', '.join(waits)}" if waits else NOT_RUN


# --------------------------------------------------------------------------------- on the page


def printed_parts(run: SavedRun, tables: Sequence[Section], rows: pd.DataFrame) -> list[Part]:
    """A grid for every corpus and protocol, and last the other published systems."""
    if rows.empty:
        return []
    found = []
    for (corpus, protocol), own in rows.groupby(["corpus", "protocol"], sort=False):
        section = next((t for t in tables if (t.corpus, t.protocol) == (corpus, protocol)), None)
        title = section.title if section else f"{corpus}, {protocol_title(str(protocol), 1)}"
        unit = next(iter(own["unit"].dropna()), "speaker")
        notes = [NOTE.format(unit), form_of(run, str(corpus), section)]
        grid = Grid("Printed and measured", HEAD, _grid_rows(own), [n for n in notes if n])
        found.append(Part(title, (_marked(run, grid),)))
    return [*found, Part("Other published systems", (_others(set(rows["corpus"])),))]


def _marked(run: SavedRun, grid: Grid) -> Grid:
    notes = [*([REHEARSAL] if run.rehearsal else []), *grid.notes]
    return Grid(grid.caption, grid.head, grid.rows, notes, grid.names)


def _grid_rows(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    found = []
    for (encoders, classifier), own in rows.groupby(["encoders", "classifier"], sort=False):
        scores = {str(row["score"]): row for row in own.to_dict("records")}
        texts = [
            text
            for _, score in PAIRS
            for text in (
                _number(scores[score]["printed"]),
                _measured(scores[score]),
                _difference(scores[score]),
            )
        ]
        del texts[6]  # the printed F1 stands there once, before both of ours
        found.append((encoders_title(str(encoders)), str(classifier), *texts))
    return found


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


def form_of(run: SavedRun, corpus: str, section: Section | None) -> str:
    """Which form of the corpus was used: clips, emotions and the adapter's options."""
    facts = run.corpora.get(corpus, {})
    options = facts.get("options") or {}
    if section is None or not facts:
        return ""
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
