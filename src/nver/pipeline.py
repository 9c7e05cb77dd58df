"""The main job: a recipe in, a run folder out, with predictions, scores and a report."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nver.embeddings import EmbeddingStore
from nver.errors import NverError
from nver.evaluation import Cell, cell_key, digest, evaluate_cells
from nver.experiment import NO_FOLDS, Experiment, streams_of
from nver.folds import Folds, default_protocol, make_folds
from nver.gaps import gap_table
from nver.material import Material, filtered, gather, load_corpora
from nver.predictions import read_predictions, write_predictions
from nver.provenance import prepare_folder, save_projections, save_provenance
from nver.recipe import read_experiment
from nver.stress import read_stress
from nver.trainings import join_trainings, read_trainings, write_trainings
from nver.transfers import transfers
from nver.uncertainty import interval_table

if TYPE_CHECKING:
    import pandas as pd

    Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]

log = logging.getLogger("nver")


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: everything is saved here; `report/index.html` is the page to look at.
        predictions: one row a clip, classifier, protocol and seed (see `nver.predictions`).
        skipped: files and clips that were not used: corpus, clip, file, reason, message.
        warnings: sentences, for example counts unlike the published ones.
        synthetic: the corpora that are no recordings of people.
    """

    folder: Path
    predictions: "pd.DataFrame"
    skipped: "pd.DataFrame"
    warnings: tuple[str, ...]
    synthetic: tuple[str, ...] = ()

    @property
    def scores(self) -> "pd.DataFrame":
        """One row a table entry: each score with its interval, see `nver.uncertainty`."""
        return interval_table(self.predictions)

    @property
    def gaps(self) -> "pd.DataFrame":
        """Random less speaker-independent folds, where both were used; see `nver.gaps`."""
        return gap_table(self.predictions)

    @property
    def hypotheses(self) -> "pd.DataFrame":
        """The answers to the recipe's hypotheses; see `nver.hypotheses.hypothesis_table`."""
        from nver.report import answers_of, read_run

        return answers_of(read_run(self.folder))

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
        NverError: a corpus is absent, no clip could be used, ...; single bad clips do not raise,
            they are in `Run.skipped`.
    """
    import pandas as pd

    from nver.report import write_report

    if not isinstance(recipe, Experiment):
        recipe = read_experiment(recipe, overrides)
    folder = Path(out) if out is not None else Path("runs") / recipe.name
    prepare_folder(folder)
    corpora = [
        filtered(c, recipe.filters.get(c.name, recipe.filter), len(recipe.corpora))
        for c in load_corpora(recipe)
    ]
    store = EmbeddingStore(recipe.store)
    materials, skipped = [], []
    for corpus in corpora:
        material, not_used = gather(corpus, recipe, store, workers, rehash, show_progress_bar)
        materials.append(material)
        skipped.append(not_used)
    folds = [(m, f) for m in materials for f in _folds(m, recipe)] + transfers(materials, recipe)
    warnings = _warnings(materials, folds)
    all_skipped = pd.concat(skipped, ignore_index=True)
    cells = list(_evaluate(folder, recipe, folds, workers, show_progress_bar))
    predictions, trainings, stress = zip(*cells, strict=True)
    # together and last: a run that stops before leaves the folder as it was, but for its cells
    save_provenance(folder, recipe, materials, folds, all_skipped)
    write_predictions(pd.concat(predictions, ignore_index=True), folder / "predictions.csv")
    write_trainings(join_trainings(trainings), folder / "trainings.csv")
    _write_stress(folder / "stress.csv", stress)
    save_projections(folder, materials)
    write_report(folder, show_progress_bar=show_progress_bar)
    synthetic = tuple(m.corpus.name for m in materials if m.corpus.card.name == "synthetic")
    saved = read_predictions(folder / "predictions.csv")
    return Run(folder, saved, all_skipped, warnings, synthetic)


def _write_stress(file: Path, tables: "Sequence[pd.DataFrame | None]") -> None:
    """Write the stress table; of a run that has none, remove what another recipe left."""
    import pandas as pd

    found = [table for table in tables if table is not None]
    if found:
        write_predictions(pd.concat(found, ignore_index=True), file)
    else:
        file.unlink(missing_ok=True)


def _folds(material: Material, experiment: Experiment) -> list[Folds]:
    kinds = experiment.folds.kind or (default_protocol(material.clips["speaker"]),)
    return [
        make_folds(material.clips, kind, experiment.folds.number, seed, sounds=material.sounds)
        for kind in kinds
        if kind != NO_FOLDS
        for seed in experiment.folds.seeds
    ]


def _evaluate(
    folder: Path,
    experiment: Experiment,
    folds: Sequence[tuple[Material, Folds]],
    workers: int | None,
    show: bool,
) -> "Iterator[Tables]":
    """Predictions, trainings and stress of every cell; finished ones are kept in `cells/`.

    A cell's predictions are written last: where they are, so is the rest of it.
    """
    for material, assignment in folds:
        cells = [
            Cell(entry.name, stream, assignment, entry.label, entry.options, entry.tune)
            for entry in experiment.classifiers
            for stream in streams_of(entry, list(experiment.encoders))
        ]
        digests = {label: digest(rows) for label, rows in material.embeddings.items()}
        files = [
            folder / "cells" / f"{key[:32]}.csv"
            for key in (
                cell_key(
                    cell,
                    material.clips,
                    digests,
                    experiment.training,
                    material.emotions,
                    material.stress,
                )
                for cell in cells
            )
        ]
        tested = assignment.fold >= 0
        clips = int(tested.sum())
        stressed = sum(int(tested[s.rows].sum()) for s in material.stress.values())
        saved = [_saved(c, f, clips, stressed) for c, f in zip(cells, files, strict=True)]
        waiting = [(c, f) for c, f, s in zip(cells, files, saved, strict=True) if s is None]
        finished = evaluate_cells(
            material.clips,
            material.embeddings,
            [cell for cell, _ in waiting],
            training=experiment.training,
            emotions=material.emotions,
            sounds=material.sounds,
            stress=material.stress,
            workers=workers,
            show_progress_bar=show,
        )
        for (_, frame, rows, stress), (_, file) in zip(finished, waiting, strict=True):
            if len(stress):
                named = _named(stress, experiment.name, material.corpus.name)
                write_predictions(named, _stress_beside(file))
            write_trainings(_named(rows, experiment.name, material.corpus.name), _beside(file))
            write_predictions(_named(frame, experiment.name, material.corpus.name), file)
        for cell, file, found in zip(cells, files, saved, strict=True):
            tables = found or _read(file)
            for table in tables:
                if table is not None:
                    _rename(table, experiment.name, material.corpus.name, cell)
            yield tables


def _rename(table: "pd.DataFrame", experiment: str, corpus: str, cell: Cell) -> None:
    """What was kept under another recipe's labels gets this one's."""
    table["experiment"], table["corpus"] = experiment, corpus
    table["encoders"], table["classifier"] = "+".join(cell.encoders), cell.label
    table["protocol"] = cell.folds.protocol


def _saved(cell: Cell, file: Path, clips: int, stressed: int) -> "Tables | None":
    """What an earlier run saved of a cell; None: nothing, or damaged."""
    if not file.exists() or not _beside(file).exists():
        return None
    try:
        predictions, trainings, stress = _read(file)
        found = len(predictions), len(trainings), 0 if stress is None else len(stress)
        if found != (clips, cell.folds.number, stressed):
            raise NverError(f"{file}: damaged, not as many rows as clips and folds")
    except NverError as error:
        log.warning("%s; it is trained again", error)
        return None
    return predictions, trainings, stress


def _read(file: Path) -> "Tables":
    """Predictions, trainings and stress (None: it has none) of a cell."""
    trainings, stress = read_trainings(_beside(file)), read_stress(_stress_beside(file))
    return read_predictions(file), trainings, stress


def _beside(file: Path) -> Path:
    """Where the trainings of a cell's predictions are."""
    return file.with_suffix(".trainings.csv")


def _stress_beside(file: Path) -> Path:
    return file.with_suffix(".stress.csv")


def _named(frame: "pd.DataFrame", experiment: str, corpus: str) -> "pd.DataFrame":
    frame.insert(0, "experiment", experiment)
    frame.insert(1, "corpus", corpus)
    return frame


def _warnings(
    materials: Sequence[Material], folds: Sequence[tuple[Material, Folds]]
) -> tuple[str, ...]:
    found = [f"{m.corpus.name}: {w}" for m in materials for w in m.corpus.warnings]
    found += [f"{m.corpus.name}: {f.note}" for m, f in folds if f.note]
    return tuple(dict.fromkeys(found))
