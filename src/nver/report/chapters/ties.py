"""What the page shows of paired tests: the best row of a table against every other."""

from typing import Any

import pandas as pd

from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, interval_text, of_section, order_by_uar, p_text
from nver.report.formats.sections import encoders_title, system_title
from nver.report.run_tables import RunTables
from nver.results.metrics import UAR

HEAD = (
    "Encoders", "Classifier", "Behind by", "95 % interval", "p", "p, Holm", "p, bootstrap",
    "p, resampled t",
)  # fmt: skip
NOTE = (
    "UAR of {best}, the highest, less that of the row, in percentage points. p: paired jackknife "
    "over {units} {unit}s with Student’s t, of no difference; Holm: corrected for the "
    "{comparisons} pairs of the table, which decides over ties; bootstrap: the paired bootstrap "
    "over the same; resampled t: the corrected resampled t-test over {folds} folds. The test "
    "chose its row by looking at the scores: that the highest row is the best one is not what p "
    "says. comparisons.csv has every pair and score."
)


def comparison_parts(tables: RunTables) -> list[Part]:
    """A table a section that has pairs, from `nver.results.comparison.comparison_table`."""
    found = []
    pairs = tables.pairs[tables.pairs["score"] == UAR]
    for section in tables.sections:
        own = of_section(tables.scores, section)
        best = own.iloc[order_by_uar(own)[0]]
        against = of_section(pairs, section)
        rows = [row for pair in against.to_dict("records") if (row := _row(pair, best))]
        if rows and against["p"].notna().any():
            name = system_title(str(best["encoders"]), str(best["classifier"]))
            note = NOTE.format_map({"best": name, **against.iloc[0]})
            grid = Grid("Behind the highest UAR", HEAD, rows, (note,))
            found.append(Part(section.title, (grid,)))
    return found


def _row(pair: dict[Any, Any], best: "pd.Series[Any]") -> tuple[str, ...] | None:
    """The other row of a pair that the best one is in; None: it is not."""
    own = (best["encoders"], best["classifier"])
    a, b = ((pair[f"encoders_{x}"], pair[f"classifier_{x}"]) for x in "ab")
    if own not in (a, b):
        return None
    other, sign = (b, 1) if own == a else (a, -1)
    low, high = sorted((100 * sign * pair["low"], 100 * sign * pair["high"]))
    names = ("p", "p_holm", "p_bootstrap", "p_resampled_t")
    return (
        encoders_title(str(other[0])),
        str(other[1]),
        f"{100 * sign * pair['difference']:.1f}",
        interval_text(low, high),
        *(p_text(pair[name]) for name in names),
    )


CHAPTER = Chapter(
    anchor="comparisons",
    title="Comparisons",
    lead=lambda tables: (
        "The row of the highest UAR against every other row of its table, on the "
        "same clips and folds."
    ),
    content=lambda tables, _: comparison_parts(tables),
    files={"comparisons.csv": lambda tables: tables.pairs},
)
