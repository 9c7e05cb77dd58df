"""A recipe file, or the default recipe on a corpus, and overrides, read into an `Experiment`."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nver.corpora.finding import find_corpus, offer_root
from nver.corpora.own.rows import TABLE_SUFFIXES
from nver.errors import UsageError, shown, unknown_name
from nver.machine.files import found_at
from nver.recipe.experiment import Experiment, parse_experiment
from nver.recipe.plain_toml import parse_toml
from nver.recipe.texts import check_plain
from nver.registry import names

DEFAULT = Path(__file__).with_name("default.toml")
PATHS = ("roots", "store")  # keys of a recipe that hold names of files
ESCAPED = re.compile(r"\\udc[89a-f]")  # how repr writes a byte that is not UTF-8
MOST_BYTES = 1_000_000  # our choice: of a file with a label for each of 10,000 emotions


def read_experiment(
    recipe: str | Path,
    overrides: Sequence[str] | str = (),
    *,
    root: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Experiment:
    """Read a recipe file; or take the default recipe (`default.toml`) on a corpus.

    Args:
        recipe: a TOML file; relative paths in it are relative to its folder. Or a corpus, as
            `nver.corpora.finding.find_corpus` takes it: a folder or table, or a known name.
        overrides: "a.b=c", one or several; an array's entry is named by its number or its `name`
            ("encoders.hubert-base.weights=DIR"); paths are relative to the current folder.
        root, options: of the corpus; a recipe names its own in `[roots]` and `corpora`.

    Raises:
        UsageError: what is wrong, where, and the nearest known key.
    """
    if not isinstance(recipe, str | Path):
        raise UsageError(f"expected the path of a recipe, a folder or a table, got {recipe!r}")
    if is_recipe(recipe):
        if root is not None or options:
            raise UsageError(
                f"{recipe} is a recipe, which names its corpora itself: give a root as --set "
                "roots.NAME=DIR, an option as --set corpora.NAME.OPTION=VALUE"
            )
        path = Path(recipe)
        tree, folder = read_toml(path), path.resolve().parent
        check_plain(tree)
        tree.setdefault("name", path.stem)
    else:
        tree, folder = _default_tree(str(recipe), root, options or {}), Path.cwd()
    _resolve_paths(tree, folder)
    for override in [overrides] if isinstance(overrides, str) else overrides:
        _override(tree, override)
    _resolve_paths(tree, Path.cwd())
    experiment = parse_experiment(tree)
    _check_roots(experiment, folder)
    return experiment


def is_recipe(word: str | Path) -> bool:
    """Whether it is a recipe: called .toml, or a file or pipe of another kind than a table."""
    path = Path(word)
    is_other = (
        os.path.exists(path) and not path.is_dir() and path.suffix.lower() not in TABLE_SUFFIXES
    )
    return path.suffix.lower() == ".toml" or is_other


def _default_tree(word: str, root: str | Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of the default recipe on a corpus."""
    place = find_corpus(word, None if root is None else Path(root))
    tree = read_toml(DEFAULT)
    tree |= {"name": place.name, "corpora": [{"name": place.name, **options}]}
    if place.root is not None:
        tree["roots"] = {place.name: str(place.root)}
    return tree


def _check_roots(experiment: Experiment, folder: Path) -> None:
    """Raise `UsageError` for an unknown corpus without a root, beside a folder of that name."""
    for corpus in experiment.corpora:
        known = corpus.name in experiment.roots or corpus.name in names("corpora")
        if not known and (folder / corpus.name).exists():
            offer = offer_root(corpus.name, Path(corpus.name), folder)
            raise UsageError(f"unknown corpus {corpus.name!r}; {offer}")


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
        return _parsed(data)
    except ValueError as error:
        hint = "" if path.suffix == ".toml" else "; expected a recipe (.toml), or a table or folder"
        raise UsageError(f"{path}: not TOML: {error}{hint}") from error


def _parsed(data: bytes) -> dict[str, Any]:
    """The tables of a TOML file's bytes; only paths may have bytes that are not UTF-8.

    Raises:
        ValueError: it is not TOML, or other texts are not UTF-8.
    """
    try:
        return parse_toml(data.decode("utf-8-sig"))  # an editor of Windows may put a mark first
    except UnicodeDecodeError:
        tree = parse_toml(data.decode("utf-8-sig", "surrogateescape"))
        others = repr({key: value for key, value in tree.items() if key not in PATHS})
        if ESCAPED.search(others):
            raise
        return tree


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
