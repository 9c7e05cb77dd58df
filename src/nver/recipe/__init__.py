"""A recipe's tables as frozen dataclasses; an unknown key is an error that names the nearest.

One part of a recipe a file, what it may say and how that is checked: `corpus_entries`, `systems`,
`folds`, `figures`, and the rooms `hypotheses`, `printed` and `families`; `values` has the checks.
`experiment` is the whole; `reading` reads it from a file, `writing` turns it into tables again.
"""

from nver.corpora.filtering import Filter
from nver.recipe.experiment import Experiment, parse_experiment, run_folder, systems_of
from nver.recipe.folds import NO_FOLDS
from nver.recipe.reading import read_experiment
from nver.recipe.systems import ClassifierEntry, streams_of
from nver.recipe.writing import experiment_to_tree

__all__ = [
    "NO_FOLDS",
    "ClassifierEntry",
    "Experiment",
    "Filter",
    "experiment_to_tree",
    "parse_experiment",
    "read_experiment",
    "run_folder",
    "streams_of",
    "systems_of",
]
