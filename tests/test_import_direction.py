"""Imports point one way: a file imports only from files above it."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "nver"

# read top to bottom; a folder counts as one layer, inside it `base` comes first
LAYERS = [
    "errors",
    "registry",
    "printed",
    "families",
    "checks",
    "toml_values",
    "files",
    "paths",
    "scratch",
    "threads",
    "containers",
    "audio",
    "sound_print",
    "duplicates",
    "perturbation",
    "measure",
    "corpora",
    "inspect",
    "encoders",
    "models",
    "worker",
    "engine",
    "embeddings",
    "batches",
    "filling",
    "extraction",
    "folds",
    "downstream",
    "training_config",
    "adam",
    "training",
    "tuning",
    "predictions",
    "trainings",
    "metrics",
    "temperature",
    "calibration",
    "resampling",
    "uncertainty",
    "significance",
    "pairing",
    "comparison",
    "gaps",
    "hypotheses",
    "subgroups",
    "views",
    "predictor",
    "stress",
    "evaluation",
    "projection",
    "experiment",
    "recipe",
    "missing",
    "material",
    "pretraining",
    "transfers",
    "splits",
    "planning",
    "progress",
    "cells",
    "forecast",
    "report",
    "provenance",
    "pipeline",
    "teaching",
    "cli",
]
FILES = sorted(SOURCE.rglob("*.py"))


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def name_of(file: Path) -> str:
    return ".".join(("nver", *file.relative_to(SOURCE).with_suffix("").parts))


MODULES = {name_of(file).removesuffix(".__init__"): name_of(file) for file in FILES}


def imported_modules(file: Path) -> set[str]:
    """The files that a file imports, at the top or inside functions, but not for types only."""
    found = set()
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" for a in node.names]
            found |= {name if name in MODULES else node.module or "" for name in names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return {MODULES[name] for name in found if name in MODULES}


def imported(file: Path) -> set[str]:
    """The layers that a file imports; `nver` itself is none, it imports on first use."""
    return {layer(name) for name in imported_modules(file)} - {"__init__"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_file_imports_only_from_layers_above(file: Path) -> None:
    own = file.relative_to(SOURCE).with_suffix("").parts[0]
    if own == "__init__":
        return  # the public names, imported on first use
    assert own in LAYERS, f"{own} has no place in LAYERS: give it one"
    below = {name for name in imported(file) if LAYERS.index(name) > LAYERS.index(own)}
    assert not below, f"{own} imports {sorted(below)}, which lie below it"


def test_no_files_import_each_other_in_a_circle() -> None:
    circle = TopologicalSorter({name_of(file): imported_modules(file) for file in FILES})
    list(circle.static_order())  # raises CycleError, and names them


def test_every_layer_exists() -> None:
    there = {f.relative_to(SOURCE).with_suffix("").parts[0] for f in FILES}
    assert set(LAYERS) <= there


LIGHT = ["", ".cli", ".registry", ".corpora", ".encoders", ".embeddings", ".extraction"]


@pytest.mark.parametrize("module", [f"nver{name}" for name in LIGHT])
def test_importing_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*({{'torch', 'transformers'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("slip", ["folds.number=1", "training.epochs=0"])
def test_a_slip_in_a_recipe_is_answered_before_heavy_imports(slip: str, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('corpora = ["c"]\nencoders = ["logmel-stats"]\nclassifiers = ["fcn"]\n')
    code = f"""
import sys
from nver.cli import main
try:
    main(["run", {str(recipe)!r}, "--set", {slip!r}])
except SystemExit as exit:
    print(exit.code, *({{"torch", "pandas", "scipy.stats", "matplotlib"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["2"], done.stderr


def test_the_cards_are_read_without_torch() -> None:
    code = (
        "import sys; from nver.registry import lookup, names; "
        "[lookup(k, n) for k in ('corpora', 'encoders') for n in names(k)]; "
        "print(*({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
