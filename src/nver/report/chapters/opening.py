"""What the page says before its chapters: what was compared, and the warnings."""

from collections.abc import Iterable, Sequence

import pandas as pd

from nver.corpora.speakers import random_folds
from nver.evaluation.missing import CELL
from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT
from nver.report.formats.sections import encoders_title, protocol_title, span
from nver.report.run_tables import RunTables

MOST_NAMED = 6  # names in a sentence


def title_of(run: SavedRun) -> str:
    """The recipe's title, else its name, else the folder's."""
    name = run.experiment.title or run.experiment.name or run.folder.resolve().name
    return f"REHEARSAL: {name}" if run.rehearsal else name


def compared(tables: RunTables) -> list[str]:
    """One sentence or two a corpus: what was compared on what, in plain facts."""
    facts, sections = tables.run.corpora, tables.sections
    return [
        _compared(
            facts.get(str(corpus), {}).get("title") or str(corpus),
            [section.protocol for section in sections if section.corpus == corpus],
            scores,
        )
        for corpus, scores in tables.scores.groupby("corpus", sort=False)
    ]


def _compared(title: str, protocols: Sequence[str], scores: pd.DataFrame) -> str:
    known = int(scores["speakers"].max())
    speakers = f"{span(scores['speakers'])} speakers" if known else "unknown speakers"
    systems = scores[["encoders", "classifier"]].drop_duplicates()
    encoders = list(dict.fromkeys(e for s in systems["encoders"] for e in str(s).split("+")))
    folds = dict.fromkeys(protocol_title(protocol, known) for protocol in protocols)
    classifiers = list(systems["classifier"].unique())
    return (
        f"{title}: {span(scores['clips'])} clips, {speakers}, {span(scores['emotions'])} emotions. "
        f"{len(systems)} system{' is' if len(systems) == 1 else 's are'} compared, made of "
        f"{_named('classifier', classifiers)} and {_named('encoder', encoders)}, "
        f"under {_listed(folds)}: {span(scores['folds'])} test folds "
        f"({span(scores['seeds'])} seed{'s' if scores['seeds'].max() > 1 else ''}). "
        f"Guessing has a UAR of {span(100 * scores['chance'], '.1f')}\u00a0%."
    )


def _named(noun: str, names: Sequence[str]) -> str:
    """ "the encoders a and b", or only how many where a sentence cannot hold their names."""
    if len(names) > MOST_NAMED:
        return f"{len(names)} {noun}s"
    return f"the {noun}{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: Iterable[str], word: str = "and") -> str:
    *first, last = map(str, names)
    return f"{', '.join(first)} {word} {last}" if first else last


# ----------------------------------------------------------------------------------- warnings


def warnings_of(tables: RunTables) -> list[str]:
    """Everything a reader must know before the numbers, but for what was not there.

    The page, the terminal and --json have the same sentences, from the saved files alone.
    """
    run = tables.run
    found = [
        f"{corpus}: {warning}"
        for corpus, facts in run.corpora.items()
        for warning in facts.get("warnings", ())
    ]
    found += _unknown_speaker_sentences(tables)
    for plan in tables.fold_plans:
        found += [f"{plan.title}: {note}" for note in plan.notes]
        if plan.protocol == SPEAKER_INDEPENDENT and plan.shared:
            found.append(
                f"{plan.title}: NOT speaker-independent, speakers in more than one fold: "
                f"{plan.shared}"
            )
    found += one_answer_sentences(run.predictions)
    found += [f"{name} is not in the run folder; its part is left out" for name in run.absent]
    return list(dict.fromkeys(found))


def _unknown_speaker_sentences(tables: RunTables) -> list[str]:
    """A sentence for each corpus whose folds are random because not all speakers are known."""
    found = []
    for (_, corpus, protocol), systems in tables.results.sections.items():
        options = tables.run.corpora.get(corpus, {}).get("options") or {}
        said = random_folds(systems[0].clips, options) if protocol == RANDOM else []
        found += [f"{corpus}: {sentence}" for sentence in said]
    return found


def one_answer_sentences(predictions: pd.DataFrame) -> list[str]:
    """A sentence for each system with a training that gives every clip the same emotion."""
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
    """What of the recipe was not there or did not finish, and what was therefore not trained."""
    rows = run.missing.to_dict("records")
    return [
        f"Not finished, {row['name']}: {row['message']}"
        if row["kind"] == CELL
        else f"Not run, the {row['kind']} {row['name']} was not there ({row['cells']} cells): "
        f"{row['message']}"
        for row in rows
    ]
