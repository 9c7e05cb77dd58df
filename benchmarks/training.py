"""Our training against a plainly written PyTorch loop, with the same network, data and epochs.

    python benchmarks/training.py [--pool literal adaptive] [--rows cnn-768 ...] [--cells 3]

    plain   DataLoader over a TensorDataset, default Adam, torch's default threads, fold by fold;
            the network of torch's own layers (`plainly`)
    ours    `nver.evaluation.cross_validate`, one single-threaded process a core

Both take the same folds, validation clips and initial weights, in turn; wall time of both cores,
processor time beside it, medians over `--rounds`, and the ratio plain / ours of each. Our workers
start once for all `--cells` of a row, which are seeds of the same cell: a paper's table has 150 of
them. Wide embeddings are trained for fewer than the paper's 20 epochs, for time. The embeddings are
made of classes and noise, N = 1,085 as in VIVAE; four folds, so that two cores have equal shares.
Both sides' UAR is printed for each seed.
"""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from in_turn import row
from plainly import plainly
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from nver.classifiers import build_classifier
from nver.classifiers.training.loop import TrainingConfig
from nver.classifiers.training.scaling import fit_scale
from nver.evaluation import Cell, cross_validate
from nver.evaluation.cells.fold_training import training_seed
from nver.evaluation.folds.fold_assignment import make_folds, validation_mask
from nver.machine.pool import usable_cores
from nver.results.metrics import unweighted_average_recall

CLIPS, EMOTIONS, FOLDS = 1085, 6, 4
ROWS: dict[str, tuple[str, tuple[int, ...], int]] = {  # classifier, dims, epochs
    "cnn-768": ("cnn", (768,), 20),
    "cnn-3840": ("cnn", (3840,), 5),
    "reno-768+768": ("reno", (768, 768), 8),
    "concat-768+768": ("concat", (768, 768), 8),
    "fcn-768": ("fcn", (768,), 20),
}


def make_clips(dims: Sequence[int]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """A corpus table, and class-structured embeddings (clips, dim) by label."""
    random = np.random.default_rng(0)
    emotion = random.integers(EMOTIONS, size=CLIPS)
    table = pd.DataFrame({"clip": [f"{i:04d}" for i in range(CLIPS)]})
    table["speaker"] = None
    table["emotion"] = [f"emotion{code}" for code in emotion]
    embeddings = {}
    for number, dim in enumerate(dims):
        centres = random.normal(size=(EMOTIONS, dim)) * 0.08
        rows = centres[emotion] + random.normal(size=(CLIPS, dim))
        embeddings[f"stream{number}"] = rows.astype(np.float32)
    return table, embeddings


def plain(
    name: str,
    options: dict[str, Any],
    table: pd.DataFrame,
    embeddings: dict[str, np.ndarray],
    config: TrainingConfig,
    seed: int,
) -> list[str]:
    """Cross-validation as it is usually written; the predicted emotion of each clip."""
    names = sorted(set(table["emotion"]))
    codes = np.array([names.index(e) for e in table["emotion"]])
    folds = make_folds(table, "random", FOLDS, seed)
    predicted = np.empty(len(table), int)
    for fold in range(FOLDS):
        training, test = folds.fold != fold, folds.fold == fold
        fold_seed = training_seed(folds.seed, fold)
        held = np.zeros(len(table), bool)
        mask = validation_mask(codes[training], None, config.validation_share, fold_seed)
        held[np.flatnonzero(training)[mask]] = True
        fitted = training & ~held
        streams = [fit_scale(e[fitted])(e) for e in embeddings.values()]
        torch.manual_seed(fold_seed)
        classifier = build_classifier(name, [s.shape[1] for s in streams], len(names), **options)
        plainly(classifier)
        optimiser = torch.optim.Adam(classifier.parameters(), config.learning_rate)
        tensors = [torch.from_numpy(s) for s in streams]
        target = torch.from_numpy(codes)
        loader = DataLoader(
            TensorDataset(*(t[fitted] for t in tensors), target[fitted]),
            batch_size=config.batch_size,
            shuffle=True,
        )
        best, kept = np.inf, classifier.state_dict()
        for _ in range(config.epochs):
            classifier.train()
            for *batch, labels in loader:
                optimiser.zero_grad()
                logits, auxiliary = classifier(batch)
                loss = classifier.cross_entropy_weight * cross_entropy(logits, labels) + auxiliary
                loss.backward()
                optimiser.step()
            classifier.eval()
            with torch.no_grad():
                logits = classifier([t[held] for t in tensors])[0]
                score = cross_entropy(logits, target[held]).item()
            if score < best:
                best = score
                kept = {k: v.clone() for k, v in classifier.state_dict().items()}
        classifier.load_state_dict(kept)
        classifier.eval()
        with torch.no_grad():
            logits = classifier([t[test] for t in tensors])[0]
        predicted[test] = logits.argmax(dim=1).numpy()
    return [names[code] for code in predicted]


def ours(
    name: str,
    options: dict[str, Any],
    table: pd.DataFrame,
    embeddings: dict[str, np.ndarray],
    config: TrainingConfig,
    seeds: Sequence[int],
) -> list[list[str]]:
    folds = [make_folds(table, "random", FOLDS, seed) for seed in seeds]
    cells = [Cell(name, tuple(embeddings), each, options=options) for each in folds]
    found = cross_validate(table, embeddings, cells, training=config)
    frames = {cell.folds.seed: frame for cell, frame in found}
    return [list(frames[seed]["predicted"]) for seed in seeds]


def timed(call: Callable[[], list[list[str]]]) -> tuple[float, float, list[list[str]]]:
    """Wall and processor seconds of a call, children that ended in it included."""
    before, start = _processor(), time.perf_counter()
    result = call()
    return time.perf_counter() - start, _processor() - before, result


def _processor() -> float:
    uses = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def measure(label: str, pool: str, rounds: int, cells: int) -> None:
    name, dims, epochs = ROWS[label]
    options = {} if name == "fcn" else {"pool": pool}
    table, embeddings = make_clips(dims)
    # as many epochs on both sides: neither stops early
    config = TrainingConfig(epochs=epochs, patience=epochs)
    what, seeds = (name, options, table, embeddings, config), range(cells)
    sides: dict[str, Callable[[], list[list[str]]]] = {
        "plain": lambda: [plain(*what, seed) for seed in seeds],
        "ours": lambda: ours(*what, seeds),
    }
    found: dict[str, Any] = {"label": label, "pool": pool if options else "-", "epochs": epochs}
    for _ in range(rounds):
        for side, call in sides.items():
            wall, processor, predicted = timed(call)
            found.setdefault(f"{side}_wall_s", []).append(wall)
            found.setdefault(f"{side}_core_s", []).append(processor)
            emotions = list(table["emotion"])
            found[f"{side}_uar"] = [unweighted_average_recall(emotions, p) for p in predicted]
    ratios = [a / b for a, b in zip(found["plain_wall_s"], found["ours_wall_s"], strict=True)]
    row(
        *(found[key] for key in ("label", "pool", "epochs")),
        *(f"{median(found[f'{side}_wall_s']):.1f}" for side in sides),
        f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        *(f"{median(found[f'{side}_core_s']):.1f}" for side in sides),
        *(" ".join(f"{100 * uar:.1f}" for uar in found[f"{side}_uar"]) for side in sides),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pool", nargs="+", default=["literal", "adaptive"])
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cells", type=int, default=3, help="seeds of each row")
    arguments = parser.parse_args()
    print(f"{usable_cores()} cores, torch {torch.__version__}, {torch.get_num_threads()} threads")
    row("classifier", "pool", "epochs", "plain s", "ours s", "plain / ours", "plain cpu s",
        "ours cpu s", "plain UAR", "ours UAR")  # fmt: skip
    row(*["---"] * 10)
    for pool in arguments.pool:
        for label in arguments.rows:
            if label != "fcn-768" or pool == arguments.pool[0]:
                measure(label, pool, arguments.rounds, arguments.cells)


if __name__ == "__main__":
    main()
