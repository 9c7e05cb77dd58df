"""Every cell on every fold: the trainings to the workers, each cell's tables back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from nver.classifiers.training.loop import TrainingConfig
from nver.corpora.duplicates import IntArray
from nver.evaluation.cells.cell import Cell, FloatArray, Stressed
from nver.evaluation.cells.cell_checks import check_cells, check_sounds
from nver.evaluation.cells.fold_data import write_data
from nver.evaluation.cells.fold_tables import predictions_table, stressed_table, trainings_table
from nver.evaluation.cells.fold_training import Learnt, Training, learn_fold, train_fold
from nver.evaluation.folds.fold_assignment import check_columns
from nver.machine.files import scratch_folder
from nver.machine.pool import WorkerDeath, WorkerError, run_jobs
from nver.machine.threads import one_thread

# a cell, its predictions, its trainings, and its predictions under stress
Evaluated = tuple[Cell, pd.DataFrame, pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class LostCell:
    """A cell without results: a training of it ended its worker process, the last time alone.

    `message` says which fold that was, and how the process ended.
    """

    cell: Cell
    message: str


def cross_validate(
    table: pd.DataFrame,
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    *,
    training: TrainingConfig | None = None,
    emotions: Sequence[str] | None = None,
    sounds: IntArray | None = None,
    workers: int | None = None,
    show_progress_bar: bool = False,
) -> Iterator[tuple[Cell, pd.DataFrame]]:
    """Train and test every cell on every fold, and yield each cell's predictions when it is done.

    Args:
        table: one row a clip: `clip`, `speaker` (missing where unknown), `emotion`.
        embeddings: for each encoder's label (clips, dim) float32, rows as in `table`.
        cells: what to train; each has folds over the rows of `table`; clips of fold -1 are in
            every training and never tested, clips of fold -2 are its validation clips.
        emotions: their order; default: sorted.
        sounds: (clips,) equal for clips of the same recording; folds that separate two are refused,
            as are folds called "speaker-independent" that separate a speaker's clips.
        workers: processes of one thread each; None: one a usable core. The numbers do not depend
            on it: each training has its own seed, made of the folds' seed and the fold.

    Yields:
        (cell, predictions): see `nver.evaluation.run_folder.predictions`, one row a tested clip,
        in the order of `table`.

    Raises:
        WorkerError: a training ended its worker process twice.
    """
    for found in evaluate_cells(
        table,
        embeddings,
        cells,
        training=training,
        emotions=emotions,
        sounds=sounds,
        workers=workers,
        show_progress_bar=show_progress_bar,
    ):
        if isinstance(found, LostCell):
            raise WorkerError(f"{name_of(found.cell)}: {found.message}")
        yield found[:2]


def evaluate_cells(
    table: pd.DataFrame,
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    *,
    training: TrainingConfig | None = None,
    emotions: Sequence[str] | None = None,
    sounds: IntArray | None = None,
    stress: Mapping[str, Stressed] | None = None,
    workers: int | None = None,
    show_progress_bar: bool = False,
) -> Iterator[Evaluated | LostCell]:
    """As `cross_validate`, and more of each cell: (cell, predictions, trainings, stressed).

    A cell with a training that ends its worker process is tried once more alone, and then lost.

    The trainings have one row a fold, see `nver.evaluation.run_folder.trainings`. `stressed` are
    predictions by the same trainings, of the clips of `stress`, which its column `stress` names
    (`nver.results.stress`).
    """
    check_columns(table, ("clip", "speaker", "emotion"))
    stress, config = stress or {}, training or TrainingConfig()
    order = list(emotions) if emotions is not None else sorted(set(table["emotion"]))
    check_cells(table, embeddings, cells, order)
    check_sounds(table, cells, sounds)
    with scratch_folder() as folder:
        write_data(folder, table, embeddings, order, stress)
        jobs = [
            Training(folder, cell, fold, len(order), config, len(stress))
            for cell in cells
            for fold in range(cell.folds.number)
        ]
        results = run_jobs(
            train_fold,
            jobs,
            workers=workers,
            stage="train",
            unit="training",
            show=show_progress_bar,
            lost=_lost,
        )
        for cell in cells:
            own = list(islice(results, cell.folds.number))  # fold by fold
            if lost := [found for found in own if isinstance(found, LostCell)]:
                yield lost[0]
                continue
            predictions = predictions_table(table, cell, own, order)
            stressed = stressed_table(table, cell, own, order, stress)
            yield cell, predictions, trainings_table(cell, own), stressed


def _lost(job: Training, death: WorkerDeath, times: int) -> LostCell:
    return LostCell(job.cell, death.said(f"training its fold {job.fold + 1}", times))


def name_of(cell: Cell) -> str:
    """A cell in words: "fcn on a + b, speaker-independent folds, seed 0"."""
    return (
        f"{cell.label or cell.classifier} on {' + '.join(cell.encoders)}, "
        f"{cell.folds.protocol} folds, seed {cell.folds.seed}"
    )


@one_thread()
def learn(
    table: pd.DataFrame,
    embeddings: Mapping[str, FloatArray],
    cell: Cell,
    training: TrainingConfig,
    emotions: Sequence[str],
) -> Learnt:
    """What the first fold of a cell learns: the bits that `evaluate_cells` tests there."""
    with scratch_folder() as folder:
        write_data(folder, table, embeddings, emotions)
        return learn_fold(Training(folder, cell, 0, len(emotions), training))
