"""A recipe as a tree of plain values, to be written as TOML and read back."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from nver.recipe.experiment import Experiment, StressConfig
from nver.recipe.figures import Figures


def experiment_to_tree(experiment: Experiment) -> dict[str, Any]:
    """The recipe's tables, which `parse_experiment` reads back to an equal experiment."""
    tree: dict[str, Any] = _plain(asdict(experiment))
    for entry in tree["classifiers"]:
        if not entry["tune"]:
            del entry["tune"]
    tree["folds"] = _plain(asdict(experiment.folds), (None, ()))
    tree["corpora"] = [_with_options(entry) for entry in tree["corpora"]]
    tree["classifiers"] = [_with_options(entry) for entry in tree["classifiers"]]
    tree["encoders"] = [
        {"label": label, **_with_options(entry)} for label, entry in tree["encoders"].items()
    ]
    tree["hypotheses"] = [_plain(asdict(h), (None, ())) for h in experiment.hypotheses]
    defaults = {"stress": StressConfig(), "printed": "", "rehearsal": False, "figures": Figures()}
    for key, default in {**defaults, "families": {}}.items():
        if getattr(experiment, key) == default:
            del tree[key]
    return tree


def _with_options(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as a recipe has it: its options beside its other keys."""
    options = entry.pop("options")
    return {**entry, **options}


def _plain(value: Any, left_out: Collection[object] = (None,)) -> Any:
    """Dicts and lists alone, less keys that hold what is left out; None: TOML has no null."""
    if isinstance(value, Mapping):
        return {k: _plain(own, left_out) for k, own in value.items() if own not in left_out}
    if isinstance(value, tuple | list):
        return [_plain(own, left_out) for own in value]
    return value
