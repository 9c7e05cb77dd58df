"""A recipe file and its overrides, read into an `Experiment`."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nver.errors import UsageError, unknown_name
from nver.recipe.experiment import Experiment, parse_experiment


def read_experiment(recipe: str | Path, overrides: Sequence[str] | str = ()) -> Experiment:
    """Read a recipe file.

    Args:
        recipe: a TOML file; relative paths in it are relative to its folder.
        overrides: "a.b=c", one or several; an array's entry is named by its number or its `name`
            ("encoders.hubert-base.weights=DIR"); paths are relative to the current folder.

    Raises:
        UsageError: what is wrong, where, and the nearest known key.
    """
    if not isinstance(recipe, str | Path):
        raise UsageError(f"expected the path of a recipe, got {recipe!r}")
    path = Path(recipe)
    tree = read_toml(path)
    _resolve_paths(tree, path.resolve().parent)
    for override in [overrides] if isinstance(overrides, str) else overrides:
        _override(tree, override)
    _resolve_paths(tree, Path.cwd())
    tree.setdefault("name", path.stem)
    return parse_experiment(tree)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error


def _override(tree: dict[str, Any], override: str) -> None:
    key, sign, text = override.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"--set takes a.b=c; got {override!r}")
    *parents, last = key.strip().split(".")
    node: Any = tree
    for part in parents:
        place = _place(node, part, override)
        node = node.setdefault(place, {}) if isinstance(node, dict) else node[place]
    node[_place(node, last, override)] = _value(text)


def _place(node: Any, part: str, override: str) -> Any:
    """The key in a table, or the position in a list, that a part of an override names.

    An entry of a list is named by its label, by its name where only one has it, or by its number.
    """
    if isinstance(node, dict):
        return part
    if not isinstance(node, list):
        raise UsageError(f"--set {override}: what holds {part!r} must be a table; got {node!r}")
    labels = [e.get("label", e.get("name")) if isinstance(e, dict) else e for e in node]
    if part in labels:
        position = labels.index(part)
        if not isinstance(node[position], dict):
            node[position] = {"name": part}
        return position
    names = [e.get("name") if isinstance(e, dict) else e for e in node]
    if names.count(part) == 1:
        return names.index(part)
    if part.isdecimal() and int(part) < len(node):
        return int(part)
    raise unknown_name(f"entry in --set {override}:", part, map(str, labels))


def _value(text: str) -> Any:
    """The text as a TOML value; a bare path or word, which is no TOML value, as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _resolve_paths(tree: dict[str, Any], folder: Path) -> None:
    """Roots, store and local weights as absolute paths; a hub id is no path and stays."""

    def absolute(path: str) -> str:
        return str(folder / Path(path).expanduser())

    if isinstance(roots := tree.get("roots"), dict):
        tree["roots"] = {k: absolute(v) if isinstance(v, str) else v for k, v in roots.items()}
    if isinstance(tree.get("store"), str):
        tree["store"] = absolute(tree["store"])
    entries = tree.get("encoders")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("weights"), str):
            local = Path(absolute(entry["weights"]))
            if local.exists():
                entry["weights"] = str(local)
