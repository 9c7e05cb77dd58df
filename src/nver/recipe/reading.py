"""A recipe file and its overrides, read into an `Experiment`."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nver.errors import UsageError, shown, unknown_name
from nver.machine.files import found_at
from nver.recipe.experiment import Experiment, parse_experiment
from nver.recipe.plain_toml import parse_toml
from nver.recipe.texts import check_plain

MOST_BYTES = 1_000_000  # our choice: of a file with a label for each of 10,000 emotions


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
    check_plain(tree)
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
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot be read ({reason})") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path}: no recipe, it has more than {MOST_BYTES:,} bytes")
    try:
        return parse_toml(data.decode("utf-8-sig"))  # an editor of Windows may put a mark first
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error


def _override(tree: dict[str, Any], override: str) -> None:
    key, sign, text = override.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"--set takes a.b=c; got {shown(override)}")
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
        raise UsageError(
            f"--set {shown(override)}: what holds {shown(part)} must be a table; got {shown(node)}"
        )
    labels = [e.get("label", e.get("name")) if isinstance(e, dict) else e for e in node]
    if part in labels:
        position = labels.index(part)
        if not isinstance(node[position], dict):
            node[position] = {"name": part}
        return position
    names = [e.get("name") if isinstance(e, dict) else e for e in node]
    if names.count(part) == 1:
        return names.index(part)
    if part in (numbers := [str(number) for number in range(len(node))]):
        return numbers.index(part)
    raise unknown_name(f"entry in --set {shown(override)}:", part, map(str, labels))


def _value(text: str) -> Any:
    """The text as a TOML value; a bare path or word, which is no TOML value, as a string."""
    try:
        found = parse_toml(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    except ValueError as error:
        raise UsageError(f"--set ...={shown(text)}: {error}") from error
    return found["value"] if len(found) == 1 else text


def _resolve_paths(tree: dict[str, Any], folder: Path) -> None:
    """Roots, store and local weights as absolute paths; a hub id is no path and stays."""

    def absolute(path: Any, where: str) -> Any:
        if not isinstance(path, str) or not path.strip():  # said when the recipe is parsed
            return path
        try:
            return str(folder / Path(path).expanduser())
        except RuntimeError as error:  # "~somebody"
            raise UsageError(f"{where}: expected a path, got {shown(path)} ({error})") from error

    if isinstance(roots := tree.get("roots"), dict):
        tree["roots"] = {name: absolute(path, f"roots.{name}") for name, path in roots.items()}
    if "store" in tree:
        tree["store"] = absolute(tree["store"], "store")
    entries = tree.get("encoders")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (weights := entry.get("weights")):
            local = absolute(weights, "encoders.weights")
            if isinstance(local, str) and local.strip() and found_at(local):
                entry["weights"] = local
