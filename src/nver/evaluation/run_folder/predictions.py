"""The predictions table: what a run produces, and what every score, table and plot is made from."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.errors import NverError
from nver.evaluation.run_folder.saved_table import read_table, write_table

SYSTEM_COLUMNS = ("experiment", "corpus", "protocol", "encoders", "classifier")
PREDICTION_COLUMNS = (
    *("experiment", "corpus", "encoders", "classifier", "protocol", "seed", "fold"),
    *("clip", "speaker", "emotion", "predicted"),
)
PROBABILITY_PREFIX = "p:"
STRESS = "stress"  # only in a table of stressed clips, see `nver.results.stress`
TEMPERATURE = "temperature"  # optional: of the row's training, see `nver.results.calibration`
SUM_TOLERANCE = 1e-3  # our choice: a float32 softmax over 100 emotions sums to 1 within 1e-5


def probability_columns(frame: pd.DataFrame) -> list[str]:
    """The columns "p:EMOTION", in the table's order."""
    return [name for name in frame.columns if str(name).startswith(PROBABILITY_PREFIX)]


def emotions_of(frame: pd.DataFrame) -> list[str]:
    """The emotions that the rows' classifiers could choose from, in the table's order."""
    columns = probability_columns(frame)
    used = frame[columns].notna().to_numpy().any(axis=0)
    return [columns[place].removeprefix(PROBABILITY_PREFIX) for place in np.flatnonzero(used)]


def write_predictions(frame: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV, whole or not at all.

    Columns come in the order of `PREDICTION_COLUMNS`, then stress and temperature where there are
    such, then the probabilities; numbers as float32 with nine significant digits, which read back
    to the same float32. A missing speaker, and the probability of an emotion that is not of the
    row's corpus, is an empty field. A byte of a name that is not UTF-8 is written as \\udcXX.

    Raises:
        NverError: it is no table of predictions (see `check_predictions`).
    """
    check_predictions(frame, str(path))
    columns = probability_columns(frame)
    numbers = [name for name in (TEMPERATURE, *columns) if name in frame]
    extra = [STRESS] if STRESS in frame else []
    plain = frame[[*PREDICTION_COLUMNS, *extra, *numbers]].astype(
        dict.fromkeys(numbers, np.float32)
    )
    write_table(plain, path, float_format="%.9g")


def read_predictions(path: Path) -> pd.DataFrame:
    """Read the table: ids and names as they were written, probabilities as the same float32.

    pandas' parser is within a unit in the last place of a double, and nine digits lie nearer to
    their float32 than that float32 to its neighbours by far: the float32 is exact.

    Raises:
        NverError: there is no such file, it is damaged, or it is no table of predictions.
    """
    names = _read_header(path)
    numbers = {n: np.float32 for n in names if n.startswith(PROBABILITY_PREFIX) or n == TEMPERATURE}
    dtype = {**dict.fromkeys(names, str), **numbers, "seed": np.int64, "fold": np.int64}
    may_be_missing = {name: [""] for name in ["speaker", *numbers]}
    frame = read_table(path, dtype, may_be_missing, what=" as predictions")
    if not isinstance(frame.index, pd.RangeIndex):  # pandas makes an index of a column too many
        raise NverError(f"{path}: damaged, its rows have more fields than its header")
    check_predictions(frame, str(path))
    return frame


def check_predictions(frame: pd.DataFrame, name: str = "predictions") -> None:
    """Raise `NverError` unless `frame` is a table of predictions; `name` is for the message."""
    _check_columns([str(c) for c in frame.columns], name)
    if frame.empty:
        raise NverError(f"{name}: no predictions, only a header")
    columns = probability_columns(frame)
    probability = frame[columns].to_numpy(dtype=np.float64)
    totals = np.nansum(probability, axis=1)
    wrong = np.nonzero(~(np.abs(totals - 1) <= SUM_TOLERANCE))[0]
    if wrong.size:
        raise NverError(
            f"{name}: the probabilities of {_row(frame, wrong[0])} sum to {totals[wrong[0]]:.6g}, "
            f"not to 1 ({wrong.size} of {len(frame)} rows)"
        )
    for column in ("predicted", "emotion"):
        _check_emotions(frame, column, probability, name)
    _check_temperatures(frame, name)
    _check_once(frame, name)


def _read_header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names = next(csv.reader(file), [])
    except FileNotFoundError as error:
        raise NverError(f"{path}: no such file; `nver run` writes it when it ends") from error
    except (OSError, UnicodeError, csv.Error) as error:
        raise NverError(f"{path}: cannot be read ({error})") from error
    _check_columns(names, str(path))
    return names


def _check_columns(names: Sequence[str], path: str) -> None:
    missing = [c for c in PREDICTION_COLUMNS if c not in names]
    if missing:
        raise NverError(f"{path}: no table of predictions: it has no column {', '.join(missing)}")
    if not any(n.startswith(PROBABILITY_PREFIX) for n in names):
        raise NverError(f"{path}: it has no probability column ({PROBABILITY_PREFIX}EMOTION)")
    twice = sorted({n for n in names if list(names).count(n) > 1})
    if twice:
        raise NverError(f"{path}: two columns are named {twice[0]!r}")


def _check_emotions(
    frame: pd.DataFrame, column: str, probability: npt.NDArray[np.float64], name: str
) -> None:
    """Every emotion in `column` has a probability in its row."""
    known = [c.removeprefix(PROBABILITY_PREFIX) for c in probability_columns(frame)]
    code = pd.Index(known).get_indexer(pd.Index(frame[column]))
    own = ~np.isnan(probability[np.arange(len(frame)), code])
    wrong = np.nonzero((code < 0) | ~own)[0]
    if wrong.size:
        row = wrong[0]
        theirs = [e for e, p in zip(known, probability[row], strict=True) if not np.isnan(p)]
        raise NverError(
            f"{name}: {column} is {frame[column].iloc[row]!r} in {_row(frame, row)}, which has "
            f"probabilities of {', '.join(theirs)} only ({wrong.size} of {len(frame)} rows)"
        )


def _check_temperatures(frame: pd.DataFrame, name: str) -> None:
    """Finite and above 0; empty where none was fitted."""
    if TEMPERATURE in frame:
        value = frame[TEMPERATURE].to_numpy(dtype=np.float64)
        wrong = np.nonzero(~(np.isnan(value) | ((value > 0) & (value < np.inf))))[0]
        if wrong.size:
            raise NverError(
                f"{name}: the temperature of {_row(frame, wrong[0])} is {value[wrong[0]]:g}, "
                f"expected a number above 0 ({wrong.size} of {len(frame)} rows)"
            )


def _check_once(frame: pd.DataFrame, name: str) -> None:
    """A clip is predicted once by a system, seed and fold."""
    stress = [STRESS] if STRESS in frame else []
    twice = frame.duplicated([*SYSTEM_COLUMNS, "seed", "fold", "clip", *stress]).to_numpy()
    if twice.any():
        raise NverError(
            f"{name}: {int(twice.sum())} predictions are there twice, "
            f"first {_row(frame, int(np.argmax(twice)))}"
        )


def _row(frame: pd.DataFrame, position: int) -> str:
    row = frame.iloc[position]
    return f"row {position + 1} (clip {row['clip']!r}, {row['encoders']}, {row['classifier']})"


def read_stress(path: Path) -> pd.DataFrame | None:
    """The stress table of a run; None where it was made without."""
    return read_predictions(path) if path.exists() else None
