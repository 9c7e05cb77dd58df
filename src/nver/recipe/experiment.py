"""A whole recipe: its tables as one frozen dataclass, every key and type checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nver.audio.perturbation import check_perturbation
from nver.classifiers.training.config import TrainingConfig, check_pace
from nver.corpora.filtering import Filter
from nver.encoders import EncoderSpec
from nver.errors import UsageError, said_of, shown
from nver.recipe.corpus_entries import (
    CorpusEntry,
    Transfer,
    parse_corpora,
    parse_filters,
    parse_labels,
    parse_roots,
    parse_transfers,
)
from nver.recipe.families import parse_families
from nver.recipe.figures import Figures, parse_figures
from nver.recipe.folds import NO_FOLDS, SPLIT, FoldsConfig, parse_folds
from nver.recipe.hypotheses import Hypothesis, parse_hypotheses
from nver.recipe.printed import parse_printed
from nver.recipe.systems import ClassifierEntry, parse_classifiers, parse_encoders, streams_of
from nver.recipe.texts import check_plain, file_name_of, path_of
from nver.recipe.values import check_keys, check_unique, of_type, plain_values

NEEDED = ("corpora", "encoders", "classifiers")


@dataclass(frozen=True)
class StressConfig:
    """`[stress]`: kinds of perturbation (`nver.audio.perturbation`) of the test clips."""

    kinds: tuple[str, ...] = ()


def parse_stress(table: Any) -> StressConfig:
    """The table, with kinds that there are."""
    stress: StressConfig = plain_values(StressConfig, table, "stress")
    for kind in stress.kinds:
        with said_of("stress.kinds"):
            check_perturbation(kind)
    check_unique("kind of stress", stress.kinds)
    return stress


def parse_training(table: Any) -> TrainingConfig:
    """`[training]`, at a pace that can be meant."""
    training: TrainingConfig = plain_values(TrainingConfig, table, "training")
    check_pace(training)
    return training


@dataclass(frozen=True)
class Experiment:
    """A recipe: what is compared, on which recordings, how it is trained and tested.

    `encoders` is keyed by label: the name, or the entry's own `label` where one encoder is
    compared with itself (two layers, two poolings). `filters` hold for one corpus, in place of
    `filter`; `labels` map a corpus's emotions to the shared names of the transfers. `printed`
    names a published table to stand beside the measured one (`nver.recipe.printed`). `rehearsal`
    marks every page and table as no result. `families` are a coarser view of the emotions
    (`nver.recipe.families`), scored beside them.
    """

    name: str
    corpora: tuple[CorpusEntry, ...]
    encoders: Mapping[str, EncoderSpec]
    classifiers: tuple[ClassifierEntry, ...]
    title: str = ""
    roots: Mapping[str, str] = field(default_factory=dict)
    filter: Filter = field(default_factory=Filter)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    transfers: tuple[Transfer, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    folds: FoldsConfig = field(default_factory=FoldsConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    stress: StressConfig = field(default_factory=StressConfig)
    hypotheses: tuple[Hypothesis, ...] = ()
    store: str | None = None
    printed: str = ""
    rehearsal: bool = False
    figures: Figures = field(default_factory=Figures)
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def run_folder(experiment: Experiment) -> Path:
    """Where a run goes that was given no folder: `runs/NAME` in the current one.

    Raises:
        UsageError: the name is none of a folder.
    """
    return Path("runs") / file_name_of(experiment.name, "name")


def systems_of(experiment: Experiment) -> list[tuple[ClassifierEntry, tuple[str, ...]]]:
    """Every classifier with each tuple of encoders that it is trained on: the rows of a table."""
    encoders = list(experiment.encoders)
    return [(c, stream) for c in experiment.classifiers for stream in streams_of(c, encoders)]


def parse_experiment(tree: Mapping[str, Any]) -> Experiment:
    """An experiment from a recipe's tables, every key and type checked."""
    check_plain(tree)
    check_keys(tree, Experiment, "the recipe")
    for key in NEEDED:
        if not isinstance(found := tree.get(key), list) or not found:
            raise UsageError(f"the recipe needs {key}: a list of at least one; got {shown(found)}")
    experiment = Experiment(**_parts(tree))
    _check_together(experiment)
    return experiment


def _parts(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an experiment; a sentence about one begins with its key.

    What needs no torch comes first: a slip is answered at once.
    """
    found: dict[str, Any] = {}

    def part(key: str, parse: Callable[..., Any], *others: Any) -> Any:
        if key in tree or key in NEEDED:
            with said_of(key):
                found[key] = parse(tree[key], *others)
        return found.get(key)

    part("name", file_name_of, "name")
    part("title", of_type, str, "title")
    part("rehearsal", of_type, bool, "rehearsal")
    part("store", path_of, "store")
    part("printed", parse_printed)
    part("families", parse_families)
    part("folds", parse_folds)
    part("training", parse_training)
    part("stress", parse_stress)
    corpora = [corpus.name for corpus in part("corpora", parse_corpora)]
    part("roots", parse_roots, corpora)
    part("filter", lambda table: plain_values(Filter, table, "filter"))
    part("filters", parse_filters, corpora)
    part("transfers", parse_transfers, corpora)
    part("labels", parse_labels, corpora)
    encoders = part("encoders", parse_encoders)
    classifiers = part("classifiers", parse_classifiers, list(encoders))
    encoder_names = {label: spec.name for label, spec in encoders.items()}
    classifier_names = {entry.label: entry.name for entry in classifiers}
    part("hypotheses", parse_hypotheses, encoder_names, classifier_names)
    part("figures", parse_figures, list(encoders), classifiers)
    return {"name": "experiment", **found}


def _check_together(experiment: Experiment) -> None:
    """Raise `UsageError` where tables that are right by themselves do not go together."""
    kinds, corpora = experiment.folds.kind, experiment.corpora
    if NO_FOLDS in kinds and not experiment.transfers:
        raise UsageError('[folds] kind = "none" leaves nothing to do without [[transfers]]')
    if SPLIT in kinds and len(corpora) > 1:
        raise UsageError(
            f'[folds] kind = "split" names the speakers of one corpus; got {len(corpora)} corpora'
        )
    for classifier in experiment.classifiers:
        if classifier.tune and not experiment.training.validation_share:
            raise UsageError(
                f"classifier {classifier.label}: tune chooses by the validation clips, and "
                "[training] validation_share is 0; give it a share, or no tune"
            )
