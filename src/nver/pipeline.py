"""The main job: a recipe in, a run folder out, with predictions, scores and a report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from nver.errors import NverError
from nver.evaluation.folds.early_checks import check_against
from nver.evaluation.folds.fold_assignment import Folds, default_protocol, make_folds
from nver.evaluation.folds.splits import split
from nver.evaluation.folds.transfers import transfers
from nver.evaluation.grid.cells import cells_of, plan_cells
from nver.evaluation.grid.evaluate import Tables, evaluate
from nver.evaluation.grid.plan import write_plan
from nver.evaluation.missing import Missing, missing_table, sentences
from nver.evaluation.preparation import Prepared, Settings, load_corpora, prepare
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.evaluation.run_folder import layout
from nver.evaluation.run_folder.predictions import write_predictions
from nver.evaluation.run_folder.provenance import (
    own_folder,
    prepare_folder,
    save_projections,
    save_provenance,
)
from nver.evaluation.run_folder.saved_table import write_table
from nver.evaluation.run_folder.sizes import forget_sizes, save_sizes
from nver.evaluation.run_folder.trainings import join_trainings, write_trainings
from nver.machine.pool import WorkerError, usable_cores
from nver.recipe import NO_FOLDS, Experiment
from nver.recipe.families import membership
from nver.recipe.folds import SPLIT
from nver.recipe.reading import read_experiment
from nver.report import RunTables, read_run, warnings_of, write_report
from nver.results.results import Results


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: everything is saved here; `report/index.html` is the page to look at.
        tables: the tables of the report, each made on first use.
        skipped: files and clips that were not used: corpus, clip, file, reason, message.
        warnings: sentences, for example counts unlike the published ones; the page has them too.
        synthetic: the corpora that are no recordings of people.
        missing: corpora and encoders of the recipe that are not here, and what waits for them was
            not trained; and cells that ended their worker process, twice.
        rehearsal: the recipe says that its numbers are no result.
    """

    folder: Path
    tables: RunTables
    skipped: pd.DataFrame
    warnings: tuple[str, ...]
    synthetic: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    rehearsal: bool = False

    @property
    def results(self) -> Results:
        """The predictions by system, see `nver.results.results`."""
        return self.tables.results

    @property
    def predictions(self) -> pd.DataFrame:
        """One row a clip, system and seed, see `nver.evaluation.run_folder.predictions`."""
        return self.results.predictions

    @property
    def scores(self) -> pd.DataFrame:
        """One row a system: each score with its interval, see `nver.results.uncertainty`."""
        return self.tables.scores.copy()

    @property
    def gaps(self) -> pd.DataFrame:
        """Random less speaker-independent folds, where both were used; see
        `nver.results.speaker_gap`.
        """
        return self.tables.gaps.copy()

    @property
    def views(self) -> pd.DataFrame:
        """Top-3 accuracy and the UAR of the recipe's families; see
        `nver.results.families.view_table`.
        """
        return self.tables.views.copy()

    @property
    def hypotheses(self) -> pd.DataFrame:
        """The answers to the recipe's hypotheses; see `nver.results.verdict`."""
        return self.tables.hypotheses.copy()

    @property
    def report(self) -> Path:
        return self.folder / "report" / "index.html"


def run(
    recipe: str | Path | Experiment,
    out: str | Path | None = None,
    *,
    overrides: Sequence[str] | str = (),
    workers: int | None = None,
    rehash: bool = False,
    show_progress_bar: bool = False,
) -> Run:
    """Run a recipe: extract what is missing, cross-validate, and write the report.

    Args:
        recipe: a TOML file, or an `Experiment`; a folder or table of recordings takes the default
            recipe, see `nver.read_experiment`.
        out: the run folder; None: `runs/NAME` in the current folder. Cells of the same recipe that
            are finished there are not trained again.
        overrides: "a.b=c", see `nver.read_experiment`; only with a recipe file.
        workers: processes; None: one a usable core. The numbers do not depend on it.
        rehash: look at every file's content again, even if size and time are unchanged.

    Raises:
        NverError: nothing could be run: no corpus or no encoder is here, no clip could be used.
            Single bad clips do not raise, they are in `Run.skipped`; nor do corpora and encoders
            that are not here while others are, they are in `Run.missing`.
    """

    if not isinstance(recipe, Experiment):
        recipe = read_experiment(recipe, overrides)
    folder = Path(out) if out is not None else own_folder(recipe)
    prepare_folder(folder)
    settings = Settings(workers or usable_cores(), rehash, show_progress_bar)
    corpora, absent = load_corpora(recipe)
    check_against(recipe, corpora)
    write_plan(folder, plan_cells(recipe, corpora, absent), settings.workers)
    prepared = prepare(recipe, corpora, absent, settings)
    for corpus in prepared.corpora:
        if recipe.families:
            membership(recipe.families, corpus.emotions)  # raises now, not after the trainings
    possible = prepared.experiment
    folds = _assign_folds(prepared)
    groups = [cells_of(corpus, own, possible) for corpus, own in folds]
    planned = [cell for _, own in groups for _, cell in own]
    every = plan_cells(recipe, corpora, prepared.missing)
    waiting = [cell for cell in every if cell.waits_for]
    write_plan(folder, [*planned, *waiting], settings.workers)
    found = list(evaluate(folder, groups, possible, settings.workers, show_progress_bar))
    cells, lost = _apart(found)
    prepared = replace(prepared, missing=(*prepared.missing, *lost))
    # together and last: a run that stops before leaves the folder as it was, but for its cells
    _save(folder, recipe, prepared, folds, cells)
    tables = RunTables(read_run(folder))
    write_report(tables, show_progress_bar=show_progress_bar)
    return Run(
        folder,
        tables,
        prepared.skipped,
        tuple(warnings_of(tables)),
        tuple(c.name for c in prepared.corpora if c.corpus.card.name == "synthetic"),
        prepared.missing,
        recipe.rehearsal,
    )


def _apart(found: Sequence[Tables | Missing]) -> tuple[list[Tables], list[Missing]]:
    """The tables of the finished cells, and the cells that were lost."""
    cells = [cell for cell in found if not isinstance(cell, Missing)]
    lost = [cell for cell in found if isinstance(cell, Missing)]
    if not cells:
        raise WorkerError(sentences(lost))
    return cells, lost


def _assign_folds(prepared: Prepared) -> list[tuple[PreparedCorpus, Folds]]:
    """Every corpus under each kind of folds and seed, and the transfers."""
    corpora, experiment = prepared.corpora, prepared.experiment
    folds = [pair for corpus in corpora for pair in _corpus_folds(corpus, experiment)]
    folds += transfers(corpora, experiment)
    if not folds:
        raise NverError("nothing can be run: every transfer waits for a corpus that is not here")
    return folds


def _corpus_folds(
    corpus: PreparedCorpus, experiment: Experiment
) -> list[tuple[PreparedCorpus, Folds]]:
    """A corpus under each kind of folds and seed; under a split, the clips of its speakers."""
    if SPLIT in experiment.folds.kind:
        return split(corpus, experiment)
    kinds = experiment.folds.kind or (default_protocol(corpus.clips["speaker"]),)
    number, sounds = experiment.folds.number, corpus.sounds
    return [
        (corpus, make_folds(corpus.clips, kind, number, seed, sounds=sounds))
        for kind in kinds
        if kind != NO_FOLDS
        for seed in experiment.folds.seeds
    ]


def _save(
    folder: Path,
    experiment: Experiment,
    prepared: Prepared,
    folds: Sequence[tuple[PreparedCorpus, Folds]],
    cells: Sequence[Tables],
) -> None:
    """Write what the report is made from; of a run without stress, remove an older stress table."""
    predictions, trainings, stress = zip(*cells, strict=True)
    forget_sizes(folder)
    save_provenance(folder, experiment, prepared.corpora, folds, prepared.skipped)
    write_table(missing_table(prepared.missing), folder / layout.MISSING)
    write_predictions(pd.concat(predictions, ignore_index=True), folder / layout.PREDICTIONS)
    write_trainings(join_trainings(trainings), folder / layout.TRAININGS)
    stressed = [table for table in stress if table is not None]
    if stressed:
        write_predictions(pd.concat(stressed, ignore_index=True), folder / layout.STRESS)
    else:
        (folder / layout.STRESS).unlink(missing_ok=True)
    save_projections(folder, prepared.corpora)
    save_sizes(folder)
