"""The key of a cell: a digest of everything that decides its numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from nver.evaluation.cell import Cell, FloatArray, Stressed
from nver.training_config import TrainingConfig

if TYPE_CHECKING:
    import pandas as pd

CODE_VERSION = 3  # raised when training or evaluation change the numbers


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
