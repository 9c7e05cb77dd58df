"""Score tables for people: what stands in them; the two protocols never share one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from nver.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.metrics import SCORES

SCORE_TITLES = {
    "accuracy": "Accuracy",
    "unweighted_average_recall": "UAR",
    "macro_f1": "Macro-F1",
    "weighted_f1": "Weighted-F1",
}
COLUMNS = ("Encoders", "Classifier", *SCORE_TITLES.values())
HIGHEST = "*"
NO_TEST = (
    f"{HIGHEST} marks the highest mean of a column. No test was made: a difference within the "
    "spread over folds is not established."
)
SYNTHETIC = "Synthetic recordings: no statement about people."


@dataclass(frozen=True)
class Cell:
    """One score of one system in percent: `mean`, `std` over folds (nan for one fold)."""

    mean: float
    std: float
    highest: bool = False

    @property
    def text(self) -> str:
        """The mean, or "mean ± deviation", to one decimal."""
        spread = "" if pd.isna(self.std) else f" ± {self.std:.1f}"
        return f"{self.mean:.1f}{spread}"

    @property
    def marked(self) -> str:
        return self.text + (f" {HIGHEST}" if self.highest else "")


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

    @property
    def notes(self) -> list[str]:
        """The sentences that belong under the table."""
        warn = [SYNTHETIC] if self.synthetic else []
        return [*warn, self.basis, *([NO_TEST] if len(self.rows) > 1 else [])]


def sections(scores: pd.DataFrame, synthetic: Collection[str] = ()) -> list[Section]:
    """The tables of `metrics.score_table`, one an experiment, corpus and protocol.

    `synthetic` names the corpora whose tables must say so.
    """
    several = scores["experiment"].nunique() > 1
    keys = ["experiment", "corpus", "protocol"]
    return [
        Section(
            experiment=str(experiment),
            corpus=str(corpus),
            protocol=str(protocol),
            title=(f"{experiment}: " if several else "")
            + f"{corpus}, {protocol_title(str(protocol), int(table['speakers'].max()))}",
            basis=basis(table),
            rows=_rows(table),
            synthetic=corpus in synthetic,
        )
        for (experiment, corpus, protocol), table in scores.groupby(keys, sort=False)
    ]


def protocol_title(protocol: str, speakers: int) -> str:
    """What a reader must know of the folds: "random folds (speakers shared)", ..."""
    if protocol == RANDOM:
        return f"random folds (speakers {'shared' if speakers else 'unknown'})"
    return f"{protocol} folds" if protocol == SPEAKER_INDEPENDENT else protocol


def basis(table: pd.DataFrame) -> str:
    """What the numbers of a table stand on, in two sentences."""
    speakers = span(table["speakers"]) if table["speakers"].max() else "unknown"
    spread = "mean ± standard deviation over" if table["folds"].max() > 1 else "of"
    return (
        f"Percent, {spread} {_count(table['folds'], 'fold')} "
        f"({_count(table['seeds'], 'seed')}); {_count(table['clips'], 'clip')}, "
        f"{speakers} speaker{'s' if speakers != '1' else ''}, {span(table['emotions'])} emotions. "
        f"Chance: UAR {span(100 * table['chance'], '.1f')}; always giving the most frequent "
        f"emotion: accuracy {span(100 * table['majority'], '.1f')}."
    )


def span(values: Sequence[float] | pd.Series, form: str = ",") -> str:
    """ "5", or "4 to 5" where the values differ."""
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def encoders_title(encoders: str) -> str:
    """ "a+b" as "a + b", which a line may break."""
    return encoders.replace("+", " + ")


def _count(values: pd.Series, noun: str) -> str:
    return f"{span(values)} {noun}{'s' if max(values) != 1 else ''}"


def _rows(table: pd.DataFrame) -> tuple[Row, ...]:
    best = {name: f"{100 * table[name].max():.1f}" for name in SCORES}
    many = len(table) > 1
    return tuple(
        Row(
            encoders_title(str(row["encoders"])),
            str(row["classifier"]),
            tuple(
                Cell(
                    100 * row[name],
                    100 * row[f"{name}_std"],
                    highest=many and f"{100 * row[name]:.1f}" == best[name],
                )
                for name in SCORE_TITLES
            ),
        )
        for _, row in table.iterrows()
    )


def system_title(encoders: str, classifier: str) -> str:
    """ "reno on a + b"."""
    return f"{classifier} on {encoders_title(encoders)}"
