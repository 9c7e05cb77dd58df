"""Imports point one way: a file imports only from files above it."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "nver"

# the folders of the package from top to bottom; a folder counts as one layer
ROOMS = [
    "errors",
    "registry",
    "machine",
    "audio",
    "corpora",
    "encoders",
    "classifiers",
    "embeddings",
    "recipe",
    "evaluation",
    "results",
    "report",
    "models",
    "pipeline",
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


def test_a_file_imports_only_from_rooms_above() -> None:
    back = []
    for file in FILES:
        own = layer(name_of(file))
        if own == "__init__":
            continue  # the public names, imported on first use
        assert own in ROOMS, f"{own} has no place in ROOMS: give it one"
        below = {name for name in imported(file) if ROOMS.index(name) > ROOMS.index(own)}
        back += [f"{file} imports {sorted(below)}, which lie below it"] if below else []
    assert not back


def test_no_files_import_each_other_in_a_circle() -> None:
    circle = TopologicalSorter({name_of(file): imported_modules(file) for file in FILES})
    list(circle.static_order())  # raises CycleError, and names them


def test_the_rooms_are_the_folders_and_few_files_lie_loose() -> None:
    loose = {f.name for f in SOURCE.iterdir() if f.is_file()}
    assert len(loose) <= 5, f"give these a room: {sorted(loose)}"
    folders = {f.parent.name for f in SOURCE.glob("*/__init__.py")}
    assert {f.stem for f in SOURCE.glob("*.py")} - {"__init__"} | folders == set(ROOMS)


def test_no_two_files_have_one_name() -> None:
    own = [f.name for f in FILES if f.parent.name != "cli"]
    twice = {name for name in own if own.count(name) > 1} - {"__init__.py", "base.py"}
    assert not twice


LIGHT = ["", ".cli", ".registry", ".corpora", ".encoders", ".embeddings", ".embeddings.extraction"]


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
