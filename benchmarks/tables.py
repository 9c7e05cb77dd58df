"""How long the paper's two tables take: some cells in full, the others extrapolated one by one.

    python benchmarks/tables.py [--measure jnv] [--tables 1 2] [--workers 2] [--kill-after 3]

The recipes are experiments/reno_table1.toml and reno_table2.toml with random folds, one seed and
the default classifiers: 150 cells, 750 trainings. Embeddings are made of classes and noise, of the
true numbers of clips (1,085, 420, 7,545), emotions and dimensions (768, 960, 1920, 3840); so no
encoder and no audio has a part in it. Of the corpora named by --measure one cell of each shape
(classifier and dimensions) is trained, all its folds; --every measures the other cells of these
corpora too; `--measure jnv vivae asvp-esd --every` is the whole of both tables.

A cell that was not measured counts as the measured one of its shape on the largest measured
corpus, times the ratio of their training steps, twice: at the number of epochs that early stopping
left there, and at all 20.

On the way the process is killed (SIGKILL) after --kill-after cells and started again; the cells
that it was about to train then are trained once more in another folder, and their predictions and
trainings must be the same bytes.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from in_turn import row

from nver.corpora import Corpus, card_of
from nver.evaluation.folds.fold_assignment import make_folds
from nver.evaluation.grid.cells import cells_of, dim_of, plan_cells
from nver.evaluation.grid.evaluate import evaluate
from nver.evaluation.grid.plan import PlannedCell, read_plan, write_plan
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.evaluation.run_folder.layout import cell_file, is_finished, trainings_file
from nver.machine.pool import usable_cores
from nver.recipe import Experiment
from nver.recipe.reading import read_experiment

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
STARTS = "starts"  # of the processes that trained into a folder, in s
SEPARATION = 0.08  # of the classes' centres, in deviations a dimension: scores as the paper's
Shape = tuple[str, tuple[int, ...]]


def make_material(corpus: str, experiment: Experiment, clips: int | None = None) -> PreparedCorpus:
    """A corpus of class-structured embeddings; `clips`: fewer than the true number."""
    card = card_of(corpus)
    emotions = list(card.emotions)
    share = np.array([card.clips_per_emotion.get(e, 1) for e in emotions], float)
    number = clips or card.clips
    rng = np.random.default_rng(len(corpus))
    truth = rng.choice(len(emotions), number, p=share / share.sum())
    truth[: 10 * len(emotions)] = np.tile(np.arange(len(emotions)), 10)[:number]
    table = pd.DataFrame({"clip": [f"{i:05d}" for i in range(number)]})
    table["speaker"] = None
    table["emotion"] = [emotions[code] for code in truth]
    embeddings = {}
    for label in experiment.encoders:
        dim = dim_of(experiment, label)
        centres = SEPARATION * rng.normal(size=(len(emotions), dim)).astype(np.float32)
        noise = rng.standard_normal((number, dim), np.float32)
        embeddings[label] = noise + centres[truth]
    nothing = pd.DataFrame(columns=["file", "reason", "message"])
    return PreparedCorpus(
        Corpus(corpus, card, Path("."), table, nothing),
        table, emotions, embeddings, {}, np.arange(number), np.zeros((number, 1), np.float32),
    )  # fmt: skip


def shape_of(experiment: Experiment, cell: PlannedCell) -> Shape:
    return cell.classifier, tuple(dim_of(experiment, e) for e in cell.encoders.split("+"))


def recipe_of(table: int, corpora: Sequence[str] = ()) -> Experiment:
    experiment = read_experiment(EXPERIMENTS / f"reno_table{table}.toml", ["folds.kind=random"])
    kept = tuple(c for c in experiment.corpora if not corpora or c.name in corpora)
    return replace(experiment, corpora=kept)


def train(
    folder: Path, table: int, arguments: argparse.Namespace, only: Sequence[str] = ()
) -> None:
    """Train the cells to measure of one table into a folder, those finished there excepted."""
    experiment = recipe_of(table, arguments.measure)
    training = replace(experiment.training, epochs=arguments.epochs)
    experiment = replace(experiment, training=training)
    groups = []
    for entry in experiment.corpora:
        material = make_material(entry.name, experiment, arguments.clips)
        folds = make_folds(material.clips, "random", experiment.folds.number, 0)
        cells, seen = [], set()
        for cell, planned in cells_of(material, folds, experiment)[1]:
            shape = cell.label, tuple(dim_of(experiment, e) for e in cell.encoders)
            if arguments.every or shape not in seen:
                cells.append((cell, planned))
            seen.add(shape)
        cells = [pair for pair in cells if not only or pair[1].key in only]
        groups.append((material, cells))
    planned = [cell for _, own in groups for _, cell in own]
    write_plan(folder, planned, arguments.workers)
    with (folder / STARTS).open("a") as starts:
        print(time.time(), file=starts)
    for _ in evaluate(folder, groups, experiment, arguments.workers, False):
        pass


def child(folder: Path, table: int, arguments: argparse.Namespace, only: Sequence[str] = ()) -> int:
    """`train` in a process of its own, killed after so many cells; the cells there then."""
    options = json.dumps({**vars(arguments), "child": [str(folder), table, *only]})
    process = subprocess.Popen(
        [sys.executable, __file__, "--json-arguments", options], start_new_session=True
    )
    stop = arguments.kill_after if not only else 0
    while process.poll() is None:
        time.sleep(0.05)
        if stop and len(finished(folder)) >= stop:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return len(finished(folder))
    if process.returncode:
        sys.exit(process.returncode)
    return 0


def finished(folder: Path) -> list[Path]:
    cells = (folder / "cells").glob("*.csv") if (folder / "cells").is_dir() else ()
    return [f for f in cells if "." not in f.stem and is_finished(f)]


def killed_and_resumed(folder: Path, table: int, arguments: argparse.Namespace) -> str:
    """Train all, killed on the way; the cells trained after the kill once more, elsewhere."""
    kept = child(folder, table, arguments)
    if not kept:
        return "not killed"
    before = {f.name for f in finished(folder)}
    time.sleep(0.01)
    child(folder, table, argparse.Namespace(**{**vars(arguments), "kill_after": 0}))
    keys = [c.key for c in read_plan(folder).cells]
    again = [key for key in keys if f"{key}.csv" not in before][: arguments.again]
    with tempfile.TemporaryDirectory() as other:
        child(Path(other), table, arguments, again)
        for key in again:
            one, two = cell_file(folder, key), cell_file(Path(other), key)
            for a, b in ((one, two), (trainings_file(one), trainings_file(two))):
                if a.read_bytes() != b.read_bytes():
                    sys.exit(f"{a.name} differs after the kill")
    return (
        f"killed after {kept} cells and gone on; {len(again)} cells trained after that were "
        "trained again without a kill: equal bytes"
    )


def cell_times(folder: Path, cells: Sequence[PlannedCell]) -> dict[str, tuple[float, float]]:
    """key -> wall seconds from the end of the cell before it, and the epochs of a training.

    A process's first cell counts from its start, the start of its workers included.
    """
    starts = [float(line) for line in (folder / STARTS).read_text().split()]
    ends = sorted((cell_file(folder, c.key).stat().st_mtime, c.key) for c in cells)
    found, last = {}, 0.0
    for end, key in ends:
        begin = max([last, *(start for start in starts if start < end)])
        epochs = pd.read_csv(trainings_file(cell_file(folder, key)))["epochs"].mean()
        found[key], last = (end - begin, float(epochs)), end
    return found


def extrapolated(
    folder: Path, table: int, arguments: argparse.Namespace
) -> Iterator[tuple[PlannedCell, Shape, str, float, float]]:
    """Each cell of the table: measured or from which corpus, seconds, and at all epochs."""
    experiment = recipe_of(table)
    measured = read_plan(folder).cells
    times = cell_times(folder, measured)
    by_shape: dict[Shape, tuple[PlannedCell, float, float]] = {}
    for cell in measured:
        if cell.key in times:
            shape = shape_of(experiment, cell)
            if shape not in by_shape or by_shape[shape][0].steps < cell.steps:
                by_shape[shape] = (cell, *times[cell.key])
    own = {(c.corpus, c.classifier, c.encoders): c.key for c in measured}
    everything = plan_cells(experiment, [], [])
    for cell in everything:
        shape = shape_of(experiment, cell)
        key = own.get((cell.corpus, cell.classifier, cell.encoders), "")
        model, seconds, epochs = by_shape[shape]
        source = model.corpus
        if key in times:
            (seconds, epochs), model, source = times[key], cell, "measured"
        taken = seconds * cell.steps / model.steps
        yield cell, shape, source, taken, taken * experiment.training.epochs / epochs


def report(rows: Sequence[tuple[PlannedCell, Shape, str, float, float]]) -> None:
    row("corpus", "classifier", "dimensions", "cells", "of them measured", "s a cell",
        "s a cell at all epochs")  # fmt: skip
    row(*["---"] * 7)
    table = pd.DataFrame(
        [(c.corpus, *shape, source == "measured", s, most) for c, shape, source, s, most in rows],
        columns=["corpus", "classifier", "dims", "measured", "s", "most"],
    )
    for (corpus, classifier, dims), own in table.groupby(["corpus", "classifier", "dims"]):
        row(corpus, classifier, " + ".join(map(str, dims)), len(own), own["measured"].sum(),
            f"{own['s'].mean():.1f}", f"{own['most'].mean():.1f}")  # fmt: skip
    print(
        f"\n{len(table)} cells, {5 * len(table)} trainings, {table['measured'].sum()} cells "
        f"measured ({table['s'][table['measured']].sum() / table['s'].sum():.0%} of the time): "
        f"{table['s'].sum() / 3600:.2f} h of wall time on these cores, "
        f"{table['most'].sum() / 3600:.2f} h if no training stopped early"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", nargs="+", default=["jnv"], help="corpora")
    parser.add_argument("--tables", nargs="+", type=int, default=[1, 2], choices=[1, 2])
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--every", action="store_true", help="every cell of these corpora")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--clips", type=int, help="fewer than the true number, to try it")
    parser.add_argument("--kill-after", type=int, default=3, help="cells; 0: not at all")
    parser.add_argument("--again", type=int, default=2, help="cells compared after the kill")
    parser.add_argument("--out", help="keeps the cells; else they are thrown away")
    parser.add_argument("--json-arguments", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.json_arguments:
        given = json.loads(arguments.json_arguments)
        folder, table, *only = given["child"]
        return train(Path(folder), table, argparse.Namespace(**given), only)
    print(f"{usable_cores()} cores, {arguments.workers} workers")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for table in arguments.tables:
            folder = Path(arguments.out or temporary) / f"table{table}"
            print(f"table {table}: {killed_and_resumed(folder, table, arguments)}", flush=True)
            rows += list(extrapolated(folder, table, arguments))
    report(rows)
    return None


if __name__ == "__main__":
    main()
