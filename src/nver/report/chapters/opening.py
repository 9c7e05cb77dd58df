"""What the page says before the scores: what was compared, the folds, the warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.folds import SPEAKER_INDEPENDENT
from nver.report.tables.sections import Section, encoders_title, protocol_title, span

MOST_NAMED = 6  # names in a sentence


@dataclass(frozen=True)
class FoldPlan:
    """The folds of one corpus under one protocol; `shared` speakers are in more than one fold."""

    corpus: str
    protocol: str
    title: str
    summary: str
    shared: int
    notes: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def title_of(run: SavedRun) -> str:
    """The recipe's title, else its name, else the folder's."""
    recipe = run.settings
    name: str = recipe.get("title") or recipe.get("name") or run.folder.resolve().name
    return f"REHEARSAL: {name}" if run.rehearsal else name


def compared(run: SavedRun, tables: Sequence[Section], scores: pd.DataFrame) -> list[str]:
    """One sentence or two a corpus: what was compared on what, in plain facts."""
    return [
        _compared(run, corpus, [t for t in tables if t.corpus == corpus], own)
        for corpus, own in scores.groupby("corpus", sort=False)
    ]


def _compared(run: SavedRun, corpus: Any, tables: Sequence[Section], scores: pd.DataFrame) -> str:
    title = run.corpora.get(corpus, {}).get("title") or corpus
    known = int(scores["speakers"].max())
    speakers = f"{span(scores['speakers'])} speakers" if known else "unknown speakers"
    systems = scores[["encoders", "classifier"]].drop_duplicates()
    encoders = list(dict.fromkeys(e for s in systems["encoders"] for e in str(s).split("+")))
    folds = [protocol_title(t.protocol, known) for t in tables]
    classifiers = list(systems["classifier"].unique())
    return (
        f"{title}: {span(scores['clips'])} clips, {speakers}, {span(scores['emotions'])} emotions. "
        f"{_numbered('system', len(systems))} compared, made of "
        f"{_named('classifier', classifiers)} and {_named('encoder', encoders)}, "
        f"under {_listed(dict.fromkeys(folds))}: {span(scores['folds'])} test folds "
        f"({span(scores['seeds'])} seed{'s' if scores['seeds'].max() > 1 else ''}). "
        f"Guessing has a UAR of {span(100 * scores['chance'], '.1f')}\u00a0%."
    )


def _numbered(noun: str, number: int) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"


def _named(noun: str, names: Any) -> str:
    """ "the encoders a and b", or only how many where a sentence cannot hold their names."""
    if len(names) > MOST_NAMED:
        return f"{len(names)} {noun}s"
    return f"the {noun}{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: Any) -> str:
    *first, last = [str(name) for name in names]
    return f"{', '.join(first)} and {last}" if first else last


# -------------------------------------------------------------------------------------- folds


def fold_plans(run: SavedRun) -> list[FoldPlan]:
    """What lies in the folds, counted from the saved folds and clips."""
    clips = run.clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", "speaker", "emotion"]]
    table = run.folds.merge(clips, on=["corpus", "clip"], how="left")
    return [
        _fold_plan(str(corpus), str(protocol), own)
        for (corpus, protocol), own in table.groupby(["corpus", "protocol"], sort=False)
    ]


def _fold_plan(corpus: str, protocol: str, table: pd.DataFrame) -> FoldPlan:
    folds = table.groupby(["seed", "fold"])
    clips, speakers = folds.size(), folds["speaker"].nunique()
    fewest = table.groupby(["seed", "fold"])["emotion"].apply(lambda e: e.value_counts().min())
    emotions = folds["emotion"].nunique()
    number = table.groupby("seed")["fold"].nunique()
    seeds = table["seed"].nunique()
    known = int(table["speaker"].nunique())
    shared = _shared(table)
    summary = (
        f"{span(number)} folds, {seeds} seed{'s' if seeds > 1 else ''}; {span(clips)} clips a fold"
        + (f", {span(speakers)} speakers a fold" if known else ", speakers unknown")
        + (f"; {shared} of {known} speakers are in more than one fold." if known else ".")
    )
    notes = [str(n) for n in table.get("note", pd.Series(dtype=str)).unique() if str(n).strip()]
    return FoldPlan(
        corpus,
        protocol,
        f"{corpus}, {protocol_title(protocol, known)}",
        summary,
        shared,
        tuple(notes),
        tuple(
            (seed, fold, clips[seed, fold], speakers[seed, fold] if known else "unknown",
             emotions[seed, fold], fewest[seed, fold])
            for seed, fold in clips.index
        ),
    )  # fmt: skip


def _shared(table: pd.DataFrame) -> int:
    """How many speakers are in more than one fold, in the worst seed."""
    folds = table.dropna(subset="speaker").groupby(["seed", "speaker"])["fold"].nunique()
    return max((folds > 1).groupby("seed").sum(), default=0)


# ----------------------------------------------------------------------------------- warnings


def warnings_of(run: SavedRun, plans: Sequence[FoldPlan]) -> list[str]:
    """Everything a reader must know before the numbers."""
    found = [
        f"{corpus}: {warning}"
        for corpus, facts in run.corpora.items()
        for warning in facts.get("warnings", ())
    ]
    for plan in plans:
        found += [f"{plan.title}: {note}" for note in plan.notes]
        if plan.protocol == SPEAKER_INDEPENDENT and plan.shared:
            found.append(
                f"{plan.title}: NOT speaker-independent, speakers in more than one fold: "
                f"{plan.shared}"
            )
    found += missing_sentences(run) + one_answer_sentences(run.predictions)
    return found + [f"{name} is not in the run folder; its part is left out" for name in run.absent]


def one_answer_sentences(predictions: pd.DataFrame) -> list[str]:
    """Rows of which some training says the same of every clip: their scores are of a failure."""
    row = ["corpus", "protocol", "encoders", "classifier"]
    folds = predictions.groupby([*row, "seed", "fold"], sort=False)[["predicted", "emotion"]]
    kinds = folds.nunique()
    same = (kinds["predicted"] == 1) & (kinds["emotion"] > 1)
    counts = same.groupby(row, sort=False).agg(["sum", "size"])
    return [
        f"{corpus}, {protocol}: {classifier} on {encoders_title(encoders)} says "
        f"the same of every clip in {failed} of {number} test folds: it did not learn there"
        for (corpus, protocol, encoders, classifier), failed, number in counts.itertuples()
        if failed
    ]


def missing_sentences(run: SavedRun) -> list[str]:
    """What of the recipe was not there, and what was therefore not trained."""
    return [
        f"Not run, the {kind} {name} was not there ({cells} cells): {message}"
        for kind, name, cells, message in run.missing[
            ["kind", "name", "cells", "message"]
        ].itertuples(index=False)
    ]
