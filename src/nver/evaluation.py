"""Cross-validation: every clip is predicted by a classifier that never saw its fold."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nver.downstream import build_classifier
from nver.duplicates import IntArray
from nver.engine import run_jobs
from nver.errors import UsageError, unknown_name
from nver.folds import (
    VALIDATION,
    BoolArray,
    Folds,
    check_columns,
    check_speakers,
    separated,
    validation_mask,
)
from nver.predictions import STRESS, TEMPERATURE
from nver.scratch import scratch_folder
from nver.temperature import fit_temperature
from nver.training import Fitted, TrainingConfig, predict_proba
from nver.trainings import training_facts
from nver.tuning import Tuned, fit_tuned

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cell:
    """One entry of a result table: a classifier on one or several embeddings, under some folds.

    `label` is the classifier's name in tables, `encoders` are the labels of its streams. `tune`
    has options with values to choose from inside each training part (see `nver.tuning`).
    """

    classifier: str
    encoders: tuple[str, ...]
    folds: Folds
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    tune: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stressed:
    """Clips made worse in one way: their `rows` in the table, and as `embeddings` those rows'."""

    rows: IntArray
    embeddings: Mapping[str, FloatArray]


@dataclass(frozen=True)
class FoldResult:
    """What one training gave: (test clips, emotions) probabilities, its temperature, the facts of
    its row in the trainings table (`nver.trainings`), and the probabilities of the test clips under
    each kind of stress."""

    probabilities: FloatArray
    temperature: float
    facts: Mapping[str, Any]
    stressed: tuple[FloatArray, ...] = ()


@dataclass(frozen=True)
class Training:
    """One training of one classifier: a cell and a fold, as a worker needs it.

    `data` is a folder with one array a stream and the clips' emotion and speaker codes; `stress`
    kinds of stress have theirs in it.
    """

    data: str
    cell: Cell
    fold: int
    emotions: int
    config: TrainingConfig
    stress: int = 0


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
        (cell, predictions): see `nver.predictions`, one row a tested clip, in the order of `table`.
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

    The trainings have one row a fold, see `nver.trainings`. `stressed` is as the predictions, of
    the same trainings on the clips of `stress`, named in its column `stress` (`nver.stress`).
    """
    check_columns(table, ("clip", "speaker", "emotion"))
    stress = stress or {}
    order = list(emotions) if emotions is not None else sorted(set(table["emotion"]))
    _check(table, embeddings, cells, order)
    _check_sounds(table, cells, sounds)
    with scratch_folder() as folder:
        _write_data(folder, table, embeddings, order)
        _write_stress(folder, stress)
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
                predictions = _predictions(table, cell, parts, order)
                stressed = _stressed(table, cell, parts, order, stress)
                yield cell, predictions, _trainings(cell, parts), stressed
                parts = {}


def train_fold(job: Training) -> FoldResult:
    """Train and test on one fold; a pure function of the job's data."""
    learnt, streams = learn_fold(job)
    test = np.flatnonzero(job.cell.folds.fold == job.fold)
    return FoldResult(
        predict_proba(learnt.tuned.fitted, [stream[test] for stream in streams]),
        learnt.temperature,
        training_facts(learnt.tuned, learnt.clips),
        tuple(_predict_stressed(job, learnt.tuned.fitted, n) for n in range(job.stress)),
    )


def _predict_stressed(job: Training, fitted: Fitted, number: int) -> FloatArray:
    """(clips of the test fold that this kind of stress left, emotions)."""
    folder = Path(job.data) / f"stress-{number}"
    test = np.flatnonzero(job.cell.folds.fold[np.load(folder / "rows.npy")] == job.fold)
    if not len(test):
        return np.empty((0, job.emotions), np.float32)
    names = (f"{_file_name(name)}.npy" for name in job.cell.encoders)
    return predict_proba(fitted, [_stream(str(folder / name))[test] for name in names])


@dataclass(frozen=True)
class Learnt:
    """Everything that one training part decides: the `clips` of it are counted.

    `validation` are the rows of the table that were held out of it.
    """

    tuned: Tuned
    temperature: float
    clips: int
    validation: IntArray


def learn_fold(job: Training) -> tuple[Learnt, list[FloatArray]]:
    """What is learnt for one fold, and all clips' streams; the test fold has no part in it.

    Standardisation and weights come from the training part less the validation part; early
    stopping, tuned options and the temperature from the validation part.
    """
    folder, cell = Path(job.data), job.cell
    emotion = np.load(folder / "emotion.npy")
    speaker = np.load(folder / "speaker.npy")
    streams = [_stream(str(folder / f"{_file_name(name)}.npy")) for name in cell.encoders]
    train = np.flatnonzero(cell.folds.fold != job.fold)
    seed = training_seed(cell.folds.seed, job.fold)
    held_out = _held_out(job, emotion[train], speaker[train], train, seed)
    dims = [stream.shape[1] for stream in streams]
    tuned = fit_tuned(
        lambda tried: build_classifier(
            cell.classifier, dims, job.emotions, **{**cell.options, **tried}
        ),
        cell.tune,
        [stream[train] for stream in streams],
        emotion[train],
        held_out,
        job.config,
        seed=seed,
    )
    fitted, validation = tuned.fitted, train[held_out]
    temperature = _temperature(fitted, [s[validation] for s in streams], emotion[validation])
    return Learnt(tuned, temperature, len(train), validation), streams


def _held_out(
    job: Training,
    emotion: npt.NDArray[np.int64],
    speaker: npt.NDArray[np.int64],
    train: IntArray,
    seed: int,
) -> BoolArray:
    """The validation clips of a training part: the folds' own, or a share of it."""
    own: BoolArray = job.cell.folds.fold[train] == VALIDATION
    if own.any():
        return own
    known = None if (speaker == UNKNOWN).any() else speaker
    return validation_mask(emotion, known, job.config.validation_share, seed)


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
        _write_data(folder, table, embeddings, emotions)
        return learn_fold(Training(str(folder), cell, 0, len(emotions), training))[0]


def _temperature(
    fitted: Fitted, streams: Sequence[FloatArray], emotion: npt.NDArray[np.int64]
) -> float:
    """Fitted on the validation clips; 1 where there are none."""
    return fit_temperature(predict_proba(fitted, streams), emotion) if len(emotion) else 1.0


def training_seed(seed: int, fold: int) -> int:
    """The seed of one training; classifiers on the same folds share it."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def cell_key(
    cell: Cell,
    table: "pd.DataFrame",
    digests: Mapping[str, str],
    training: TrainingConfig,
    emotions: Sequence[str],
    stress: Mapping[str, Stressed] | None = None,
) -> str:
    """SHA-256 over everything that decides a cell's predictions; equal key, equal numbers.

    `digests` say for each encoder's label which embeddings were used, see `digest`.
    """
    clips = table[["clip", "speaker", "emotion"]].to_csv(index=False)
    facts = {
        "code_version": CODE_VERSION,
        "classifier": cell.classifier,
        "options": dict(cell.options),
        "embeddings": [digests[name] for name in cell.encoders],
        "folds": cell.folds.digest(),
        "seed": cell.folds.seed,
        "training": asdict(training),
        "emotions": list(emotions),
        "clips": hashlib.sha256(clips.encode()).hexdigest(),
    }
    if stress:
        facts["stress"] = stress_digests(stress, cell.encoders)
    if cell.tune:
        facts["tune"] = {option: list(values) for option, values in cell.tune.items()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def stress_digests(stress: Mapping[str, Stressed], encoders: Sequence[str]) -> dict[str, list[str]]:
    """kind of stress -> digests of its rows and of each encoder's embeddings."""
    return {
        kind: [
            hashlib.sha256(one.rows.astype("<i8").tobytes()).hexdigest(),
            *(digest(one.embeddings[name]) for name in encoders),
        ]
        for kind, one in stress.items()
    }


def digest(embeddings: FloatArray) -> str:
    """SHA-256 of an array's shape and values."""
    shape = str(embeddings.shape).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(embeddings, "<f4").tobytes()).hexdigest()


UNKNOWN = -1  # the code of a speaker who is not known
CODE_VERSION = 3  # raised when training or evaluation change the numbers


def _check(
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    cells: Sequence[Cell],
    order: Sequence[str],
) -> None:
    unknown = sorted(set(table["emotion"]) - set(order))
    if unknown:
        raise UsageError(f"emotions in the table but not in the order given: {', '.join(unknown)}")
    for name, rows in embeddings.items():
        if np.ndim(rows) != 2 or len(rows) != len(table):
            raise UsageError(
                f"{name}: expected ({len(table)}, dim) embeddings, got {np.shape(rows)}"
            )
        if not np.isfinite(rows).all():
            raise UsageError(f"{name}: embeddings that are NaN or infinite")
    for cell in cells:
        fold = np.asarray(cell.folds.fold)
        if len(fold) != len(table):
            raise UsageError(f"folds of {len(fold)} clips for {len(table)} clips")
        found = np.unique(fold)
        tested = found[found >= 0]
        if (
            len(found) < 2
            or found[0] < VALIDATION
            or not np.array_equal(tested, np.arange(len(tested)))
        ):
            raise UsageError(
                "folds are numbered from 0 without a gap, two at least, or one and -1 (only "
                f"trained on), and -2 (validation); got {found}"
            )
        check_speakers(table, cell.folds)
        for name in cell.encoders:
            if name not in embeddings:
                raise unknown_name("encoder of a cell", name, embeddings)


def _check_sounds(table: "pd.DataFrame", cells: Sequence[Cell], sounds: IntArray | None) -> None:
    for folds in {id(cell.folds): cell.folds for cell in cells}.values():
        torn = separated(folds.fold, sounds) if sounds is not None else []
        if torn:
            raise UsageError(
                f"{folds.protocol} folds, seed {folds.seed}: {len(torn)} recordings are in "
                f"training and test, first {' = '.join(table['clip'].iloc[torn[0]])}; keep the "
                "clips of one recording in one fold, as make_folds(..., sounds=sounds) does"
            )


def _write_data(
    folder: Path,
    table: "pd.DataFrame",
    embeddings: Mapping[str, FloatArray],
    order: Sequence[str],
) -> None:
    codes = {emotion: code for code, emotion in enumerate(order)}
    np.save(folder / "emotion.npy", table["emotion"].map(codes).to_numpy(np.int64))
    np.save(folder / "speaker.npy", table["speaker"].astype("category").cat.codes.to_numpy())
    for name, rows in embeddings.items():
        np.save(folder / f"{_file_name(name)}.npy", rows)


def _write_stress(folder: Path, stress: Mapping[str, Stressed]) -> None:
    for number, one in enumerate(stress.values()):
        own = folder / f"stress-{number}"
        own.mkdir()
        np.save(own / "rows.npy", one.rows)
        for name, rows in one.embeddings.items():
            np.save(own / f"{_file_name(name)}.npy", rows)


def _file_name(label: str) -> str:
    """A label may hold any character, a file name may not."""
    return "stream-" + hashlib.sha256(label.encode()).hexdigest()[:16]


@lru_cache(maxsize=8)
def _stream(file: str) -> FloatArray:
    rows: FloatArray = np.load(file, mmap_mode="r")
    return rows


def _predictions(
    table: "pd.DataFrame", cell: Cell, parts: Mapping[int, FoldResult], order: Sequence[str]
) -> "pd.DataFrame":
    import pandas as pd

    tested = cell.folds.fold >= 0
    table, folds = table[tested], cell.folds.fold[tested]
    probabilities = np.empty((len(table), len(order)), np.float32)
    temperature = np.empty(len(table), np.float32)
    for fold, part in parts.items():
        probabilities[folds == fold] = part.probabilities
        temperature[folds == fold] = part.temperature
    frame = pd.DataFrame(
        {
            **_system(cell),
            "seed": cell.folds.seed,
            "fold": folds,
            "clip": table["clip"].to_numpy(),
            "speaker": table["speaker"].to_numpy(),
            "emotion": table["emotion"].to_numpy(),
            "predicted": np.asarray(order, dtype=object)[probabilities.argmax(axis=1)],
            TEMPERATURE: temperature,
        }
    )
    columns = {f"p:{emotion}": probabilities[:, i] for i, emotion in enumerate(order)}
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)


def _stressed(
    table: "pd.DataFrame",
    cell: Cell,
    parts: Mapping[int, FoldResult],
    order: Sequence[str],
    stress: Mapping[str, Stressed],
) -> "pd.DataFrame":
    """The predictions of the clips under stress, kind after kind."""
    import pandas as pd

    tables = []
    for number, (kind, one) in enumerate(stress.items()):
        worse = {
            fold: replace(part, probabilities=part.stressed[number]) for fold, part in parts.items()
        }
        found = _predictions(table.iloc[one.rows], _with_rows(cell, one.rows), worse, order)
        tables.append(found.assign(**{STRESS: kind}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _with_rows(cell: Cell, rows: IntArray) -> Cell:
    """The cell with the folds of some rows of the table."""
    return replace(cell, folds=replace(cell.folds, fold=cell.folds.fold[rows]))


def _trainings(cell: Cell, parts: Mapping[int, FoldResult]) -> "pd.DataFrame":
    import pandas as pd

    rows = [
        {**_system(cell), "seed": cell.folds.seed, "fold": fold, **result.facts}
        for fold, result in sorted(parts.items())
    ]
    return pd.DataFrame(rows)


def _system(cell: Cell) -> dict[str, str]:
    """What names a cell in the tables, but for experiment and corpus."""
    return {
        "encoders": "+".join(cell.encoders),
        "classifier": cell.label or cell.classifier,
        "protocol": cell.folds.protocol,
    }
