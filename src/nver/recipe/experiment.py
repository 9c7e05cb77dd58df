"""A whole recipe: its tables as one frozen dataclass, every key and type checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nver.audio.perturbation import check_perturbation
from nver.classifiers.training.config import TrainingConfig
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
    for key in ("corpora", "encoders", "classifiers"):
        if not isinstance(found := tree.get(key), list) or not found:
            raise UsageError(f"the recipe needs {key}: a list of at least one; got {shown(found)}")
    # what needs no torch comes first: a slip is answered at once
    folds = parse_folds(tree.get("folds", {}))
    training: TrainingConfig = plain_values(TrainingConfig, tree.get("training", {}), "training")
    stress = parse_stress(tree.get("stress", {}))
    encoders = parse_encoders(tree["encoders"])
    classifiers = parse_classifiers(tree["classifiers"], list(encoders))
    corpora = parse_corpora(tree["corpora"])
    corpus_names = [corpus.name for corpus in corpora]
    encoder_names = {label: spec.name for label, spec in encoders.items()}
    classifier_names = {entry.label: entry.name for entry in classifiers}
    experiment = Experiment(
        name=file_name_of(tree.get("name", "experiment"), "name"),
        title=of_type(tree.get("title", ""), str, "title"),
        corpora=corpora,
        encoders=encoders,
        classifiers=classifiers,
        roots=parse_roots(tree.get("roots", {}), corpus_names),
        filter=plain_values(Filter, tree.get("filter", {}), "filter"),
        filters=parse_filters(tree.get("filters", {}), corpus_names),
        transfers=parse_transfers(tree.get("transfers", []), corpus_names),
        labels=parse_labels(tree.get("labels", {}), corpus_names),
        folds=folds,
        training=training,
        stress=stress,
        hypotheses=parse_hypotheses(tree.get("hypotheses", []), encoder_names, classifier_names),
        store=path_of(tree["store"], "store") if "store" in tree else None,
        printed=parse_printed(tree.get("printed", "")),
        rehearsal=of_type(tree.get("rehearsal", False), bool, "rehearsal"),
        figures=parse_figures(tree.get("figures", {}), list(encoders), classifiers),
        families=parse_families(tree.get("families", {})),
    )
    _check_together(experiment)
    return experiment


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
