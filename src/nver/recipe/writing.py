"""A recipe as a tree of plain values, to be written as TOML and read back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nver.recipe.experiment import Experiment
from nver.recipe.figures import Figures
from nver.recipe.hypotheses import hypothesis_to_tree


def experiment_to_tree(experiment: Experiment) -> dict[str, Any]:
    """The recipe's tables, which `parse_experiment` reads back to an equal experiment."""
    tree = _without_nothing(_thaw(asdict(experiment)))
    tree["corpora"] = [{"name": c.name, **_thaw(c.options)} for c in experiment.corpora]
    tree["encoders"] = [
        {"label": label, **{k: v for k, v in entry.items() if k != "options"}, **entry["options"]}
        for label, entry in tree["encoders"].items()
    ]
    for entry, classifier in zip(tree["classifiers"], experiment.classifiers, strict=True):
        del entry["options"]
        if not classifier.tune:
            del entry["tune"]
        entry |= _thaw(classifier.options)
    if not experiment.stress.kinds:
        del tree["stress"]
    for key in ("kind", *experiment.folds.parts):
        if not getattr(experiment.folds, key):
            del tree["folds"][key]
    tree["hypotheses"] = [hypothesis_to_tree(h) for h in experiment.hypotheses]
    plain = {"printed": "", "rehearsal": False, "figures": Figures(), "families": {}}
    for key, nothing in plain.items():
        if getattr(experiment, key) == nothing:
            del tree[key]
    return tree


def _thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _thaw(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_thaw(v) for v in value]
    return value


def _without_nothing(value: Any) -> Any:
    """TOML has no null: a key that holds None is left out."""
    if isinstance(value, dict):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nothing(v) for v in value]
    return value
