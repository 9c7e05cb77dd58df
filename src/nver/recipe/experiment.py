"""A whole recipe: its tables as one frozen dataclass, every key and type checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nver.audio.perturbation import check_perturbation
from nver.classifiers.training.config import TrainingConfig
from nver.corpora.filtering import Filter
from nver.encoders import EncoderSpec
from nver.errors import UsageError
from nver.recipe.corpus_entries import (
    CorpusEntry,
    Transfer,
    parse_corpus,
    parse_filters,
    parse_labels,
    parse_roots,
    parse_transfers,
)
from nver.recipe.families import parse_families
from nver.recipe.figures import Figures, parse_figures
from nver.recipe.folds import NO_FOLDS, SPLIT, FoldsConfig, parse_folds
from nver.recipe.hypotheses import Hypothesis, parse_hypotheses
from nver.recipe.printed import printed_table
from nver.recipe.systems import (
    ClassifierEntry,
    check_validation,
    parse_classifier,
    parse_encoder,
    streams_of,
)
from nver.recipe.values import check_keys, check_unique, plain_values, typed


@dataclass(frozen=True)
class StressConfig:
    """`[stress]`: kinds of perturbation (`nver.audio.perturbation`) of the test clips."""

    kinds: tuple[str, ...] = ()


def parse_stress(table: Any) -> StressConfig:
    """The table, with kinds that there are."""
    stress: StressConfig = plain_values(StressConfig, table, "[stress]")
    for kind in stress.kinds:
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
    marks
    every page and table as no result. `families` are a coarser view of the emotions
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


def systems_of(experiment: Experiment) -> list[tuple[ClassifierEntry, tuple[str, ...]]]:
    """Every classifier with each tuple of encoders that it is trained on: the rows of a table."""
    encoders = list(experiment.encoders)
    return [(c, stream) for c in experiment.classifiers for stream in streams_of(c, encoders)]


def parse_experiment(tree: Mapping[str, Any]) -> Experiment:
    """An experiment from a recipe's tables, every key and type checked."""
    check_keys(tree, Experiment, "the recipe")
    for key in ("corpora", "encoders", "classifiers"):
        if not isinstance(tree.get(key), list) or not tree[key]:
            raise UsageError(f"the recipe needs {key}: a list of at least one; got {tree.get(key)}")
    # what needs no torch comes first: a slip is answered at once
    folds, training = parse_folds(tree.get("folds", {})), _training(tree.get("training", {}))
    stress = parse_stress(tree.get("stress", {}))
    labelled = [parse_encoder(entry) for entry in tree["encoders"]]
    names = [label for label, _ in labelled]
    check_unique("encoder label", names)
    classifiers = tuple(parse_classifier(entry, names) for entry in tree["classifiers"])
    check_unique("classifier label", [c.label for c in classifiers])
    corpora = tuple(parse_corpus(entry) for entry in tree["corpora"])
    check_unique("corpus", [c.name for c in corpora])
    check_validation(training, classifiers)
    experiment = Experiment(
        name=typed(tree.get("name", "experiment"), str, "name"),
        title=typed(tree.get("title", ""), str, "title"),
        corpora=corpora,
        encoders=dict(labelled),
        classifiers=classifiers,
        roots=parse_roots(tree.get("roots", {}), [c.name for c in corpora]),
        filter=plain_values(Filter, tree.get("filter", {}), "[filter]"),
        filters=parse_filters(tree.get("filters", {}), [c.name for c in corpora]),
        transfers=parse_transfers(tree.get("transfers", []), [c.name for c in corpora]),
        labels=parse_labels(tree.get("labels", {}), [c.name for c in corpora]),
        folds=folds,
        training=training,
        stress=stress,
        hypotheses=_hypotheses(tree.get("hypotheses", []), dict(labelled), classifiers),
        store=typed(tree["store"], str, "store") if "store" in tree else None,
        printed=_printed(tree.get("printed", "")),
        rehearsal=typed(tree.get("rehearsal", False), bool, "rehearsal"),
        figures=parse_figures(tree.get("figures", {}), names, classifiers),
        families=parse_families(tree.get("families", {})),
    )
    if NO_FOLDS in experiment.folds.kind and not experiment.transfers:
        raise UsageError('[folds] kind = "none" leaves nothing to do without [[transfers]]')
    if SPLIT in experiment.folds.kind and len(corpora) > 1:
        raise UsageError(
            f'[folds] kind = "split" names the speakers of one corpus; got {len(corpora)} corpora'
        )
    return experiment


def _training(table: Any) -> TrainingConfig:
    training: TrainingConfig = plain_values(TrainingConfig, table, "[training]")
    return training


def _hypotheses(
    entries: Any, encoders: Mapping[str, EncoderSpec], classifiers: Sequence[ClassifierEntry]
) -> tuple[Hypothesis, ...]:
    names = {label: spec.name for label, spec in encoders.items()}
    return parse_hypotheses(entries, names, {entry.label: entry.name for entry in classifiers})


def _printed(name: Any) -> str:
    if typed(name, str, "printed"):
        printed_table(name)  # raises where there is none
    return str(name)
