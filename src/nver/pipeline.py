"""The main job: a recipe in, a run folder out, with predictions, scores and a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nver.errors import NverError
from nver.evaluation.folds.fold_assignment import Folds, default_protocol, make_folds
from nver.evaluation.folds.splits import split
from nver.evaluation.folds.transfers import transfers
from nver.evaluation.grid.cells import plan_cells
from nver.evaluation.grid.evaluated import evaluate
from nver.evaluation.grid.keyed import planned, with_keys
from nver.evaluation.grid.marks import marked
from nver.evaluation.grid.plan import write_plan
from nver.evaluation.grid.sizes import sizes_of
from nver.evaluation.missing import Missing, missing_table, with_cells
from nver.evaluation.prepared_corpus import Material, gather_all, load_corpora
from nver.evaluation.run_folder.predictions import write_predictions
from nver.evaluation.run_folder.provenance import prepare_folder, save_projections, save_provenance
from nver.evaluation.run_folder.trainings import join_trainings, write_trainings
from nver.machine.files import write_whole
from nver.machine.pool import usable_cores
from nver.recipe import NO_FOLDS, Experiment
from nver.recipe.families import membership
from nver.recipe.folds import SPLIT
from nver.recipe.reading import read_experiment
from nver.report import RunTables, read_run, write_report
from nver.results.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: everything is saved here; `report/index.html` is the page to look at.
        tables: the tables of the report, each made on first use.
        skipped: files and clips that were not used: corpus, clip, file, reason, message.
        warnings: sentences, for example counts unlike the published ones.
        synthetic: the corpora that are no recordings of people.
        missing: corpora and encoders of the recipe that are not here; what waits for them was not
            trained.
        rehearsal: the recipe says that its numbers are no result.
    """

    folder: Path
    tables: RunTables
    skipped: "pd.DataFrame"
    warnings: tuple[str, ...]
    synthetic: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    rehearsal: bool = False

    @property
    def results(self) -> Results:
        """The predictions by system, see `nver.results.results`."""
        return self.tables.results

    @property
    def predictions(self) -> "pd.DataFrame":
        """One row a clip, system and seed, see `nver.evaluation.run_folder.predictions`."""
        return self.results.predictions

    @property
    def scores(self) -> "pd.DataFrame":
        """One row a system: each score with its interval, see `nver.results.uncertainty`."""
        return self.tables.scores

    @property
    def gaps(self) -> "pd.DataFrame":
        """Random less speaker-independent folds, where both were used; see
        `nver.results.speaker_gap`.
        """
        return self.tables.gaps

    @property
    def views(self) -> "pd.DataFrame":
        """Top-3 accuracy and the UAR of the recipe's families; see
        `nver.results.families.view_table`.
        """
        return self.tables.views

    @property
    def hypotheses(self) -> "pd.DataFrame":
        """The answers to the recipe's hypotheses; see `nver.results.verdict`."""
        return self.tables.hypotheses

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
        recipe: a TOML file, or an `Experiment`.
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
    import pandas as pd

    if not isinstance(recipe, Experiment):
        recipe = read_experiment(recipe, overrides)
    folder = Path(out) if out is not None else Path("runs") / recipe.name
    prepare_folder(folder)
    corpora, absent = load_corpora(recipe)
    workers = workers or usable_cores()
    sizes = sizes_of(corpora, recipe)
    write_plan(folder, marked(plan_cells(recipe, sizes, absent), recipe), workers)
    gathered = gather_all(corpora, recipe, rehash=rehash, workers=workers, show=show_progress_bar)
    materials, possible = gathered.materials, gathered.experiment
    for material in materials:
        if recipe.families:
            membership(recipe.families, material.emotions)  # raises now, not after the trainings
    missing = with_cells([*absent, *gathered.missing], recipe)
    folds = [pair for m in materials for pair in _folds(m, possible)]
    folds += transfers(materials, possible)
    if not folds:
        raise NverError("nothing can be run: every transfer waits for a corpus that is not here")
    groups = [(m, with_keys(m, f, possible)) for m, f in folds]
    before = plan_cells(recipe, sizes, missing)
    write_plan(folder, marked(planned(groups, possible, before), recipe), workers)
    cells = list(evaluate(folder, groups, possible, workers, show_progress_bar))
    predictions, trainings, stress = zip(*cells, strict=True)
    # together and last: a run that stops before leaves the folder as it was, but for its cells
    save_provenance(folder, recipe, materials, folds, gathered.skipped)
    write_whole(folder / "missing.csv", missing_table(missing).to_csv(index=False))
    write_predictions(pd.concat(predictions, ignore_index=True), folder / "predictions.csv")
    write_trainings(join_trainings(trainings), folder / "trainings.csv")
    _write_stress(folder / "stress.csv", stress)
    save_projections(folder, materials)
    tables = RunTables(read_run(folder))
    write_report(tables, show_progress_bar=show_progress_bar)
    return Run(
        folder,
        tables,
        gathered.skipped,
        _warnings(materials, folds),
        tuple(m.corpus.name for m in materials if m.corpus.card.name == "synthetic"),
        tuple(missing),
        recipe.rehearsal,
    )


def _write_stress(file: Path, tables: "Sequence[pd.DataFrame | None]") -> None:
    """Write the stress table; of a run that has none, remove what another recipe left."""
    import pandas as pd

    found = [table for table in tables if table is not None]
    if found:
        write_predictions(pd.concat(found, ignore_index=True), file)
    else:
        file.unlink(missing_ok=True)


def _folds(material: Material, experiment: Experiment) -> list[tuple[Material, Folds]]:
    """The material under each kind of folds and seed; of a split, the clips of its speakers."""
    if SPLIT in experiment.folds.kind:
        return split(material, experiment)
    kinds = experiment.folds.kind or (default_protocol(material.clips["speaker"]),)
    number, sounds = experiment.folds.number, material.sounds
    return [
        (material, make_folds(material.clips, kind, number, seed, sounds=sounds))
        for kind in kinds
        if kind != NO_FOLDS
        for seed in experiment.folds.seeds
    ]


def _warnings(
    materials: Sequence[Material], folds: Sequence[tuple[Material, Folds]]
) -> tuple[str, ...]:
    found = [f"{m.corpus.name}: {w}" for m in materials for w in m.corpus.warnings]
    found += [f"{m.corpus.name}: {f.note}" for m, f in folds if f.note]
    return tuple(dict.fromkeys(found))
