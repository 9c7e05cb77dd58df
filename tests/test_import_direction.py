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


# Two lines. A light module answers at once (help, lists, recipes, `nver status`) or hears (`nver
# predict`): neither it nor what it imports at its top has one of `HEAVY` there. Every other module
# imports them at the top of its file, and never inside a function.
HEAVY = {"matplotlib", "pandas", "scipy", "sklearn", "torch", "transformers"}
LIGHT = [
    *("nver", "nver.errors", "nver.registry", "nver.machine", "nver.audio", "nver.recipe"),
    *("nver.cli", "nver.corpora.base", "nver.corpora.file_tree", "nver.corpora.filtering"),
    "nver.corpora.speakers",
    "nver.corpora.spelling",
    *("nver.corpora.own", "nver.corpora.published", "nver.corpora.synthetic.corpus"),
    *("nver.encoders.base", "nver.encoders.weightless", "nver.encoders.spectra.power_spectra"),
    *("nver.embeddings.batches", "nver.embeddings.store"),
    *("nver.evaluation.grid.plan", "nver.evaluation.grid.progress"),
    *("nver.models.model_folder", "nver.models.predictor", "nver.models.prediction"),
]
AT_USE = {"nver.corpora.against_published", "nver.classifiers.training.temperature"}


def top_imports(file: Path) -> set[str]:
    """What a file imports at its top: names of libraries, and modules of ours."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{a.name}" for a in node.names]
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return found


def loaded_with(module: str) -> set[str]:
    """Everything that importing a module imports: its packages too, and what these import."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        parents = [name.rsplit(".", n)[0] for n in range(name.count(".") + 1)]
        for own in {*parents} - seen:
            seen.add(own)
            if own in MODULES:
                place = SOURCE.parent.joinpath(*MODULES[own].split(".")).with_suffix(".py")
                waiting += top_imports(place)
    return seen


def is_light(module: str) -> bool:
    return any(module == light or module.startswith(f"{light}.") for light in LIGHT[1:])


def test_a_light_module_loads_nothing_heavy() -> None:
    light = ["nver", *(module for module in MODULES if is_light(module))]
    assert {module.split(".")[1] for module in light[1:]} > {"cli", "recipe", "corpora", "models"}
    loaded = {module: sorted(HEAVY & loaded_with(module)) for module in light}
    assert not {module: heavy for module, heavy in loaded.items() if heavy}


def test_importing_is_light() -> None:
    packages = [*LIGHT, "nver.corpora", "nver.encoders", "nver.embeddings"]
    code = f"import sys, {', '.join(packages)}; print(*({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_module_that_is_not_light_imports_at_its_top() -> None:
    inside = []
    for module, name in MODULES.items():
        tree = ast.parse(SOURCE.parent.joinpath(*name.split(".")).with_suffix(".py").read_text())
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        for node in nodes:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            heavy = HEAVY & {str(n).split(".")[0] for n in names}
            if heavy and node.col_offset and not is_light(module) and module not in AT_USE:
                inside.append(f"{module}, line {node.lineno}: {sorted(heavy)}")
    assert not inside


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
