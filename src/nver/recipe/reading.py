"""A recipe file and its overrides, read into an `Experiment`."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nver.errors import UsageError, unknown_name
from nver.recipe import Experiment, parse_experiment


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
        node = _child(node, part, override)
    if isinstance(node, list):
        node[_position(node, last, override)] = _value(text)
    elif isinstance(node, dict):
        node[last] = _value(text)
    else:
        raise UsageError(f"--set {override}: {parents[-1]!r} is not a table")


def _child(node: Any, part: str, override: str) -> Any:
    if isinstance(node, list):
        return node[_position(node, part, override)]
    if isinstance(node, dict):
        return node.setdefault(part, {})
    raise UsageError(f"--set {override}: nothing lies under {part!r}")


def _position(entries: list[Any], part: str, override: str) -> int:
    names = [e.get("label", e.get("name")) if isinstance(e, dict) else e for e in entries]
    if part in names:
        position = names.index(part)
        if not isinstance(entries[position], dict):
            entries[position] = {"name": part}
        return position
    called = [e.get("name") if isinstance(e, dict) else e for e in entries]
    if called.count(part) == 1:
        return called.index(part)
    if part.isdecimal() and int(part) < len(entries):
        return int(part)
    raise unknown_name(f"entry in --set {override}:", part, [str(n) for n in names])


def _value(text: str) -> Any:
    """A TOML value; what is none (a bare path or word) is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _resolve_paths(tree: dict[str, Any], folder: Path) -> None:
    """Roots, store and local weights as absolute paths; a hub id is no path and stays."""

    def absolute(path: str) -> str:
        return str(folder / Path(path).expanduser())

    if isinstance(tree.get("roots"), dict):
        roots = tree["roots"]
        tree["roots"] = {k: absolute(v) if isinstance(v, str) else v for k, v in roots.items()}
    if isinstance(tree.get("store"), str):
        tree["store"] = absolute(tree["store"])
    entries = tree.get("encoders")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("weights"), str):
            local = Path(absolute(entry["weights"]))
            if local.exists():
                entry["weights"] = str(local)
