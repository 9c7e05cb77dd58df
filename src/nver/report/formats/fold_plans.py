"""What lies in the folds of a run."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.formats.sections import protocol_title, span


@dataclass(frozen=True)
class FoldPlan:
    """The folds of one corpus under one protocol; `shared` speakers are in more than one fold."""

    protocol: str
    title: str
    summary: str
    shared: int
    notes: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def fold_plans(run: SavedRun) -> list[FoldPlan]:
    """What lies in the folds, counted from the saved folds and clips."""
    clips = run.clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", "speaker", "emotion"]]
    table = run.folds.merge(clips, on=["corpus", "clip"], how="left")
    return [
        _fold_plan(str(corpus), str(protocol), own)
        for (corpus, protocol), own in table.groupby(["corpus", "protocol"], sort=False)
    ]


def _fold_plan(corpus: str, protocol: str, table: pd.DataFrame) -> FoldPlan:
    known = int(table["speaker"].nunique())
    folds = table.groupby(["seed", "fold"])
    clips, speakers = folds.size(), folds["speaker"].nunique()
    rows = pd.DataFrame(
        {
            "clips": clips,
            "speakers": speakers if known else "unknown",
            "emotions": folds["emotion"].nunique(),
            "rarest": folds["emotion"].apply(lambda e: e.value_counts().min()),
        }
    )
    number = table.groupby("seed")["fold"].nunique()
    seeds = table["seed"].nunique()
    shared = _shared(table)
    summary = (
        f"{span(number)} folds, {seeds} seed{'s' if seeds > 1 else ''}; {span(clips)} clips a fold"
        + (f", {span(speakers)} speakers a fold" if known else ", speakers unknown")
        + (f"; {shared} of {known} speakers are in more than one fold." if known else ".")
    )
    notes = [str(n) for n in table.get("note", pd.Series(dtype=str)).unique() if str(n).strip()]
    return FoldPlan(
        protocol,
        f"{corpus}, {protocol_title(protocol, known)}",
        summary,
        shared,
        tuple(notes),
        tuple(rows.reset_index().itertuples(index=False, name=None)),
    )


def _shared(table: pd.DataFrame) -> int:
    """How many speakers are in more than one fold, in the worst seed."""
    folds = table.dropna(subset="speaker").groupby(["seed", "speaker"])["fold"].nunique()
    return max((folds > 1).groupby("seed").sum(), default=0)
