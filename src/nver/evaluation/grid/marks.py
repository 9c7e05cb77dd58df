"""What in a recipe decides a cell: two recipes that agree on it have that cell in common."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nver.evaluation.folds.transfers import cross_corpus
from nver.evaluation.grid.plan import PlannedCell
from nver.recipe import Experiment, experiment_to_tree, systems_of

DECIDING = ("filter", "filters", "labels", "training", "stress")  # tables of a recipe, any cell


def marked(cells: Sequence[PlannedCell], experiment: Experiment) -> list[PlannedCell]:
    """The cells, each with a digest of what in the recipe decides it, and not of the others."""
    tree = experiment_to_tree(experiment)
    streams = {(entry.label, "+".join(s)): s for entry, s in systems_of(experiment)}
    sides = {cross_corpus(t.train, t.test): (t.train, t.test) for t in experiment.transfers}
    found = []
    for cell in cells:
        corpora = sides.get(cell.protocol, (cell.corpus,))
        decides = _deciding(tree, corpora, streams[cell.classifier, cell.encoders], cell.classifier)
        text = json.dumps(decides, sort_keys=True)
        found.append(replace(cell, mark=hashlib.sha256(text.encode()).hexdigest()))
    return found


def _deciding(
    tree: Mapping[str, Any], corpora: Collection[str], stream: Collection[str], classifier: str
) -> dict[str, Any]:
    """What in a recipe's tables decides one cell; its place in the grid says the rest."""
    apart = ("kind", "seeds")
    (own,) = (c for c in tree["classifiers"] if c["label"] == classifier)
    return {
        **{key: tree.get(key) for key in DECIDING},
        "corpora": [c for c in tree["corpora"] if c["name"] in corpora],
        "roots": {name: root for name, root in tree.get("roots", {}).items() if name in corpora},
        "encoders": [e for e in tree["encoders"] if e["label"] in stream],
        "classifier": {key: value for key, value in own.items() if key != "encoders"},
        "folds": {key: value for key, value in tree["folds"].items() if key not in apart},
    }
