"""What a paper printed beside what was measured, cell by cell."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nver.recipe.printed import PrintedCell, PrintedTable

# (printed score, measured score); the paper does not say which average its F1 is
PAIRS = (("accuracy", "accuracy"), ("f1", "macro_f1"), ("f1", "weighted_f1"))
COLUMNS = (
    *("table", "corpus", "protocol", "encoders", "classifier", "score", "printed", "measured"),
    *("low", "high", "difference", "difference_low", "difference_high", "unit", "state"),
)
KEY = ("corpus", "encoders", "classifier")
MEASURED, NOT_RUN, NOT_PRINTED = "measured", "not run", "not printed"


def printed_comparison(
    table: PrintedTable, scores: pd.DataFrame, missing: pd.DataFrame
) -> pd.DataFrame:
    """One row a cell and score, every printed cell of the run's protocols and every measured one.

    Args:
        scores: of `nver.results.uncertainty.interval_table`.
        missing: the kind and name of each corpus and encoder that was not there.

    Returns:
        `COLUMNS`: printed, measured and its interval, the difference and its interval in percent;
        `state`: "measured", "not printed", or why it was not run.
    """
    absent = set(missing[["kind", "name"]].itertuples(index=False, name=None))
    cells = {(cell.corpus, cell.encoders, cell.classifier): cell for cell in table.cells}
    rows: list[dict[str, Any]] = []
    for protocol, own in scores.groupby("protocol", sort=False):
        measured = {tuple(row[name] for name in KEY): row for row in own.to_dict("records")}
        corpora = list(dict.fromkeys(corpus for corpus, *_ in (*measured, *cells)))
        for key in sorted({**cells, **measured}, key=lambda key: corpora.index(key[0])):
            place = dict(zip(KEY, key, strict=True))
            state = _state(key, key in cells, key in measured, absent)
            rows += [
                {"table": table.name, "protocol": protocol, **place, "state": state, **numbers}
                for numbers in _numbers(cells.get(key), measured.get(key))
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _state(
    key: tuple[str, ...], printed: bool, measured: bool, absent: set[tuple[str, str]]
) -> str:
    if measured:
        return MEASURED if printed else NOT_PRINTED
    corpus, encoders, _ = key
    needed = [("corpus", corpus), *(("encoder", encoder) for encoder in encoders.split("+"))]
    waits = [name for kind, name in needed if (kind, name) in absent]
    return f"waits for {', '.join(waits)}" if waits else NOT_RUN


def _numbers(cell: PrintedCell | None, measured: Mapping[Any, Any] | None) -> list[dict[str, Any]]:
    """For each pair of scores what was printed, what was measured, and the difference."""
    found = []
    for printed_score, score in PAIRS:
        printed = getattr(cell, printed_score) if cell else None
        row: dict[str, Any] = {"score": score, "printed": printed}
        if measured is not None:
            row["unit"] = measured["unit"]
            for name, end in (("measured", ""), ("low", "_low"), ("high", "_high")):
                row[name] = 100 * measured[f"{score}{end}"]
                if printed is not None:
                    row[f"difference{end}"] = row[name] - printed
        found.append(row)
    return found
