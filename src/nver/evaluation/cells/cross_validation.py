"""Every cell on every fold: the trainings to the workers, each cell's tables back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nver.classifiers.training.loop import TrainingConfig
from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import Cell, FloatArray, Stressed
from nver.evaluation.cells.cell_checks import check_cells, check_sounds
from nver.evaluation.cells.fold_data import write_data, write_stress
from nver.evaluation.cells.fold_tables import predictions_table, stressed_table, trainings_table
from nver.evaluation.cells.fold_training import FoldResult, Learnt, Training, learn_fold, train_fold
from nver.evaluation.folds.fold_assignment import check_columns
from nver.machine.files import scratch_folder
from nver.machine.pool import run_jobs
from nver.machine.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd


def cross_validate(
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    *,
    training: TrainingConfig | None = None,
    emotions: Sequence[str] | None = None,
    sounds: IntArray | None = None,
    workers: int | None = None,
    show_progress_bar: bool = False,
) -> Iterator[tuple[Cell, "pd.DataFrame"]]:
    """Train and test every cell on every fold, and yield each cell's predictions when it is done.

    Args:
        table: one row a clip: `clip`, `speaker` (missing where unknown), `emotion`.
        embeddings: for each encoder's label (clips, dim) float32, rows as in `table`.
        cells: what to train; each has folds over the rows of `table`; clips of fold -1 are in
            every training and never tested, those of -2 are its validation clips.
        emotions: their order; default: sorted.
        sounds: (clips,) equal for clips of the same recording; folds that separate two are refused,
            as are folds called "speaker-independent" that separate a speaker's clips.
        workers: processes of one thread each; None: one a usable core. The numbers do not depend
            on it: each training has its own seed, made of the folds' seed and the fold.

    Yields:
        (cell, predictions): see `nver.evaluation.run_folder.predictions`, one row a tested clip,
        in the order of `table`.
    """
    for cell, predictions, _, _ in evaluate_cells(
        table,
        embeddings,
        cells,
        training=training,
        emotions=emotions,
        sounds=sounds,
        workers=workers,
        show_progress_bar=show_progress_bar,
    ):
        yield cell, predictions


def evaluate_cells(
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    *,
    training: TrainingConfig | None = None,
    emotions: Sequence[str] | None = None,
    sounds: IntArray | None = None,
    stress: Mapping[str, Stressed] | None = None,
    workers: int | None = None,
    show_progress_bar: bool = False,
) -> Iterator[tuple[Cell, "pd.DataFrame", "pd.DataFrame", "pd.DataFrame"]]:
    """As `cross_validate`, and more of each cell: (cell, predictions, trainings, stressed).

    The trainings have one row a fold, see `nver.evaluation.run_folder.trainings`. `stressed` is as
    the predictions, of
    the same trainings on the clips of `stress`, named in its column `stress`
    (`nver.results.stress`).
    """
    check_columns(table, ("clip", "speaker", "emotion"))
    stress = stress or {}
    order = list(emotions) if emotions is not None else sorted(set(table["emotion"]))
    check_cells(table, embeddings, cells, order)
    check_sounds(table, cells, sounds)
    with scratch_folder() as folder:
        write_data(folder, table, embeddings, order)
        write_stress(folder, stress)
        config = training or TrainingConfig()
        trainings = [
            Training(str(folder), cell, fold, len(order), config, len(stress))
            for cell in cells
            for fold in range(cell.folds.number)
        ]
        results = run_jobs(
            train_fold, trainings, workers=workers, unit="training", show=show_progress_bar
        )
        parts: dict[int, FoldResult] = {}
        for training_done, result in zip(trainings, results, strict=True):
            parts[training_done.fold] = result
            cell = training_done.cell
            if len(parts) == cell.folds.number:
                predictions = predictions_table(table, cell, parts, order)
                stressed = stressed_table(table, cell, parts, order, stress)
                yield cell, predictions, trainings_table(cell, parts), stressed
                parts = {}


@one_thread()
def learn(
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    cell: Cell,
    *,
    training: TrainingConfig,
    emotions: Sequence[str],
) -> Learnt:
    """What the first fold of a cell learns: the bits that `evaluate_cells` tests there."""
    with scratch_folder() as folder:
        write_data(folder, table, embeddings, emotions)
        return learn_fold(Training(str(folder), cell, 0, len(emotions), training))[0]
