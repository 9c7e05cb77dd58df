"""The trainings table: one row a training, that is a system, a seed and a fold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nver.classifiers.training.tuning import Tuned, options_text
from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.evaluation.run_folder.saved_table import read_table, write_table

TRAINING_COLUMNS = (
    *(*SYSTEM_COLUMNS, "seed", "fold", "clips", "epochs", "best_epoch"),
    *("validation_loss", "auxiliary", "tuned", "candidates"),
)
TEXTS = (*SYSTEM_COLUMNS, "tuned", "candidates")


def training_facts(tuned: Tuned, clips: int) -> dict[str, Any]:
    """How a training on so many clips went, and what the trained classifier says of itself."""
    fitted = tuned.fitted
    tried = [
        f"{options_text(options)}: {loss:.6g}" for options, loss in tuned.candidates if options
    ]
    return {
        "clips": clips,
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch + 1,
        "validation_loss": fitted.kept.validation,
        "auxiliary": fitted.kept.auxiliary,
        "tuned": options_text(tuned.chosen),
        "candidates": "; ".join(tried),
        **fitted.diagnostics,
    }


def diagnostic_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that the classifiers added (`Classifier.diagnostics`), in the table's order."""
    return [str(name) for name in frame.columns if name not in TRAINING_COLUMNS]


def no_trainings() -> pd.DataFrame:
    """The table without rows."""
    return pd.DataFrame(columns=list(TRAINING_COLUMNS))


def join_trainings(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several tables; a diagnostic that a classifier does not have is missing."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else no_trainings()


def write_trainings(frame: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV, whole or not at all; what is missing is an empty field."""
    columns = [*TRAINING_COLUMNS, *diagnostic_columns(frame)]
    write_table(frame[columns], path, float_format="%.9g")


def read_trainings(path: Path) -> pd.DataFrame:
    """Read the table; missing numbers are nan, missing texts empty.

    Raises:
        NverError: it cannot be read, or is no table of trainings.
    """
    texts = dict.fromkeys(TEXTS, str)
    frame = read_table(path, texts, [""], TRAINING_COLUMNS, " as trainings")
    return frame.fillna(dict.fromkeys(TEXTS, ""))
