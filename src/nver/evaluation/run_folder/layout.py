"""The files of a run folder: what each is called, and which module writes it."""

from pathlib import Path

# `nver.evaluation.grid`: the plan when a run starts, and the files of each cell as it ends
PLAN = "plan.json"
CELLS = "cells"

# `nver.evaluation.run_folder.provenance`: where the numbers come from
RECIPE = "recipe.toml"
ENVIRONMENT = "environment.json"
CORPORA = "corpora.json"
ENCODERS = "encoders.json"
CLIPS = "clips.csv"
FOLDS = "folds.csv"
SKIPPED = "skipped.csv"
PROJECTIONS = "projections.csv"

# `nver.pipeline`: the tables of all cells, when the last one is finished
MISSING = "missing.csv"
PREDICTIONS = "predictions.csv"
TRAININGS = "trainings.csv"
STRESS = "stress.csv"  # only where the recipe has [stress]

# `nver.evaluation.run_folder.sizes`: the bytes of the others, by which one that is cut off is seen
SIZES = "sizes.json"
SIZED = (PLAN, RECIPE, ENVIRONMENT, CORPORA, ENCODERS, CLIPS, FOLDS, SKIPPED, PROJECTIONS, MISSING,
         PREDICTIONS, TRAININGS, STRESS)  # fmt: skip


def cell_file(folder: Path, key: str) -> Path:
    """The predictions of a cell."""
    return folder / CELLS / f"{key}.csv"


def trainings_file(file: Path) -> Path:
    """The trainings of a cell, beside its predictions."""
    return file.with_suffix(".trainings.csv")


def stress_file(file: Path) -> Path:
    """The predictions of a cell under stress, beside its predictions."""
    return file.with_suffix(".stress.csv")


def cell_files(folder: Path, key: str) -> tuple[Path, ...]:
    """All files that a cell may have."""
    file = cell_file(folder, key)
    return file, trainings_file(file), stress_file(file)


def is_finished(file: Path) -> bool:
    """Whether a cell is finished: its predictions are written last."""
    return file.exists() and trainings_file(file).exists()
