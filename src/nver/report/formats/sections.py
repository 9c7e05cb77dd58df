"""Score tables for people: what stands in them; the two protocols never share one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT, SPLIT
from nver.results.comparison import COLUMNS as PAIR_COLUMNS
from nver.results.comparison import best_rows
from nver.results.metrics import UAR
from nver.results.results import SECTION_COLUMNS

SCORE_TITLES = {
    "accuracy": "Accuracy",
    UAR: "UAR",
    "macro_f1": "Macro-F1",
    "weighted_f1": "Weighted-F1",
}
COLUMNS = ("Encoders", "Classifier", *SCORE_TITLES.values())
BEST = "*"
TESTED = (
    f"{BEST} marks the highest score of a column and every row that ties with it: p > 0.05 in a "
    "paired test over the same {units}, corrected by Holm for the {pairs} of the table."
)
SOME_TESTED = (
    " Not all pairs are on the same clips and folds; a row that was not tested against the highest "
    f"is not shown to be worse where it has no {BEST}."
)
NOT_TESTED = (
    f"{BEST} marks the highest score of a column. No test could be made: it takes two speakers "
    "(clips, where speakers are unknown) that all rows share."
)
SYNTHETIC = "Synthetic recordings: no statement about people."
REHEARSAL = "REHEARSAL: stand-ins for the recordings or the weights; no number here is a result."


@dataclass(frozen=True)
class Cell:
    """One score of one system in percent, and its interval (nan where it has none).

    `best`: the highest of its column, or a tie with that one.
    """

    score: float
    low: float
    high: float
    best: bool = False

    @property
    def interval(self) -> str:
        """ "[38.2, 43.6]", or nothing."""
        return "" if pd.isna(self.low) else f"[{self.low:.1f}, {self.high:.1f}]"

    @property
    def text(self) -> str:
        """ "40.9 [38.2, 43.6]", or only the score."""
        return f"{self.score:.1f} {self.interval}".rstrip()


@dataclass(frozen=True)
class Row:
    """One system: its encoders, its classifier and its scores in the order of `SCORE_TITLES`."""

    encoders: str
    classifier: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """One table: the systems that were compared on one corpus under one protocol."""

    experiment: str
    corpus: str
    protocol: str
    title: str
    basis: str
    rows: tuple[Row, ...]
    synthetic: bool
    test: str = ""
    rehearsal: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.experiment, self.corpus, self.protocol

    @property
    def notes(self) -> list[str]:
        """The sentences that belong under the table."""
        warnings = (SYNTHETIC if self.synthetic else "", REHEARSAL if self.rehearsal else "")
        return [text for text in (*warnings, self.basis, self.test) if text]


def sections(
    scores: pd.DataFrame,
    synthetic: Collection[str] = (),
    pairs: pd.DataFrame | None = None,
    rehearsal: bool = False,
) -> list[Section]:
    """The tables of `uncertainty.interval_table`, one an experiment, corpus and protocol.

    Args:
        synthetic: the corpora whose tables must say so.
        pairs: of `comparison.comparison_table`; None: nothing was tested.
        rehearsal: whether all tables must say that they are no result.
    """
    pairs = pd.DataFrame(columns=list(PAIR_COLUMNS)) if pairs is None else pairs
    best = best_rows(scores, pairs)
    several = scores["experiment"].nunique() > 1
    keys = list(SECTION_COLUMNS)
    return [
        Section(
            experiment=str(experiment),
            corpus=str(corpus),
            protocol=str(protocol),
            title=("REHEARSAL: " if rehearsal else "")
            + (f"{experiment}: " if several else "")
            + f"{corpus}, {protocol_title(str(protocol), int(table['speakers'].max()))}",
            basis=basis(table),
            rows=_rows(table, best.loc[table.index]),
            synthetic=corpus in synthetic,
            test=_test(table, pairs[(pairs[keys] == [experiment, corpus, protocol]).all(axis=1)]),
            rehearsal=rehearsal,
        )
        for (experiment, corpus, protocol), table in scores.groupby(keys, sort=False)
    ]


def protocol_title(protocol: str, speakers: int) -> str:
    """What a reader must know of the folds: "random folds (speakers shared)", ..."""
    if protocol == RANDOM:
        return f"random folds (speakers {'shared' if speakers else 'unknown'})"
    if protocol == SPLIT:
        return "fixed split by speakers"
    return f"{protocol} folds" if protocol == SPEAKER_INDEPENDENT else protocol


def basis(table: pd.DataFrame) -> str:
    """What the numbers of a table stand on, in two sentences."""
    known = table["speakers"].max()
    speakers = counted(table["speakers"], "speaker") if known else "unknown speakers"
    return (
        f"Percent{_resampled(table)}; {counted(table['folds'], 'fold')} "
        f"({counted(table['seeds'], 'seed')}); {counted(table['clips'], 'clip')}, "
        f"{speakers}, {span(table['emotions'])} emotions. "
        f"Chance: UAR {span(100 * table['chance'], '.1f')}; always giving the most frequent "
        f"emotion: accuracy {span(100 * table['majority'], '.1f')}."
    )


def _resampled(table: pd.DataFrame) -> str:
    """ " [95 % interval over 12 speakers]", or why the table has none."""
    if "units" not in table:
        return ""
    if table["units"].max() < 2:
        return f", without interval: one {table['unit'].iloc[0]}"
    why = ", as not every speaker is known" if "clip" in set(table["unit"]) else ""
    return f" [95 % interval over {counted(table['units'], str(table['unit'].iloc[0]))}{why}]"


def span(values: Sequence[float] | pd.Series, form: str = ",") -> str:
    """ "5", or "4 to 5" where the values differ."""
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def encoders_title(encoders: str) -> str:
    """ "a+b" as "a + b", which a line may break."""
    return encoders.replace("+", " + ")


def counted(values: Sequence[float] | pd.Series, noun: str) -> str:
    """ "1 fold", "4 to 5 folds"."""
    return f"{span(values)} {noun}{'s' if max(values) != 1 else ''}"


def cell_of(row: Mapping[Any, Any], name: str, best: bool = False) -> Cell:
    """A score (0..1) of a table's row, in percent, with its interval where the table has one."""
    score, low, high = (100 * row.get(f"{name}{end}", np.nan) for end in ("", "_low", "_high"))
    return Cell(score, low, high, best)


def _rows(table: pd.DataFrame, best: pd.DataFrame) -> tuple[Row, ...]:
    several = len(table) > 1
    return tuple(
        Row(
            encoders_title(str(row["encoders"])),
            str(row["classifier"]),
            tuple(cell_of(row, name, several and bool(best_of[name])) for name in SCORE_TITLES),
        )
        for row, best_of in zip(table.to_dict("records"), best.to_dict("records"), strict=True)
    )


def _test(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What was tested of a table of several rows."""
    if len(table) < 2:
        return ""
    if pairs["p_holm"].isna().all():
        return NOT_TESTED
    number = int(pairs["comparisons"].max())
    of_pairs = f"{number} pairs" if number > 1 else "one pair"
    units = counted(table["units"], str(table["unit"].iloc[0]))
    every = number == len(table) * (len(table) - 1) // 2
    return TESTED.format(units=units, pairs=of_pairs) + ("" if every else SOME_TESTED)


def system_title(encoders: str, classifier: str) -> str:
    """ "reno on a + b"."""
    return f"{classifier} on {encoders_title(encoders)}"
