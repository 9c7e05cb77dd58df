"""A recipe's tables as frozen dataclasses; an unknown key is an error that names the nearest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from nver.encoders import EncoderSpec
from nver.errors import UsageError, unknown_name
from nver.families import parse_families
from nver.folds import PROTOCOLS, SPLIT
from nver.hypotheses import Hypothesis, hypothesis_to_tree, parse_hypotheses
from nver.perturbation import check_perturbation
from nver.printed import printed_table
from nver.training_config import TrainingConfig

NO_FOLDS = "none"  # no cross-validation, only the transfers


@dataclass(frozen=True)
class CorpusEntry:
    """One of `corpora`: a name, and the adapter's options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassifierEntry:
    """One of `[[classifiers]]`.

    `label` is the row's name in the tables; `encoders` are the streams it is trained on, as lists
    of encoder names (None: each encoder for a head, each pair in the recipe's order for a fusion);
    `tune` has options with the values to choose from inside each training part.
    """

    name: str
    label: str
    encoders: tuple[tuple[str, ...], ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tune: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """Which clips are used: emotions by name, speakers by id or by range ("000001-000120")."""

    emotions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoldsConfig:
    """`[folds]`: kinds of folds.

    No kind: speaker-independent where speakers are known; "none": only the recipe's transfers;
    "split": the speakers of `train`, `validation` and `test`, by id or by range (`nver.splits`).
    """

    kind: tuple[str, ...] = ()
    number: int = 5
    seeds: tuple[int, ...] = (0,)
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The speakers of a split, by part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class Transfer:
    """One of `[[transfers]]`: trained on one corpus, tested on another."""

    train: str = ""
    test: str = ""


@dataclass(frozen=True)
class StressConfig:
    """`[stress]`: kinds of perturbation (`nver.perturbation`) of the test clips."""

    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figures:
    """`[figures]`: what the report shows beside what it always shows.

    `tsne` has pairs of encoder labels, to be seen side by side; `confusion` a classifier's label
    and then the labels of its encoders.
    """

    tsne: tuple[tuple[str, ...], ...] = ()
    confusion: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Experiment:
    """A recipe: what is compared, on which recordings, how it is trained and tested.

    `encoders` is keyed by label: the name, or the entry's own `label` where one encoder is
    compared with itself (two layers, two poolings). `filters` hold for one corpus, in place of
    `filter`; `labels` map a corpus's emotions to the shared names of the transfers. `printed`
    names a published table to stand beside the measured one (`nver.printed`). `rehearsal` marks
    every page and table as no result. `families` are a coarser view of the emotions
    (`nver.families`), scored beside them.
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


def parse_experiment(tree: Mapping[str, Any]) -> Experiment:
    """An experiment from a recipe's tables, every key and type checked."""
    check_keys(tree, Experiment, "the recipe")
    for key in ("corpora", "encoders", "classifiers"):
        if not isinstance(tree.get(key), list) or not tree[key]:
            raise UsageError(f"the recipe needs {key}: a list of at least one; got {tree.get(key)}")
    # what needs no torch comes first: a slip is answered at once
    folds, training = _folds(tree.get("folds", {})), _training(tree.get("training", {}))
    stress = _stress(tree.get("stress", {}))
    labelled = [_encoder(entry) for entry in tree["encoders"]]
    names = [label for label, _ in labelled]
    _check_unique("encoder label", names)
    classifiers = tuple(_classifier(entry, names) for entry in tree["classifiers"])
    _check_unique("classifier label", [c.label for c in classifiers])
    corpora = tuple(_corpus(entry) for entry in tree["corpora"])
    _check_unique("corpus", [c.name for c in corpora])
    _check_validation(training, classifiers)
    experiment = Experiment(
        name=_typed(tree.get("name", "experiment"), str, "name"),
        title=_typed(tree.get("title", ""), str, "title"),
        corpora=corpora,
        encoders=dict(labelled),
        classifiers=classifiers,
        roots=_roots(tree.get("roots", {}), [c.name for c in corpora]),
        filter=plain_values(Filter, tree.get("filter", {}), "[filter]"),
        filters=_filters(tree.get("filters", {}), [c.name for c in corpora]),
        transfers=_transfers(tree.get("transfers", []), [c.name for c in corpora]),
        labels=_labels(tree.get("labels", {}), [c.name for c in corpora]),
        folds=folds,
        training=training,
        stress=stress,
        hypotheses=_hypotheses(tree.get("hypotheses", []), dict(labelled), classifiers),
        store=_typed(tree["store"], str, "store") if "store" in tree else None,
        printed=_printed(tree.get("printed", "")),
        rehearsal=_typed(tree.get("rehearsal", False), bool, "rehearsal"),
        figures=_figures(tree.get("figures", {}), names, classifiers),
        families=parse_families(tree.get("families", {})),
    )
    if NO_FOLDS in experiment.folds.kind and not experiment.transfers:
        raise UsageError('[folds] kind = "none" leaves nothing to do without [[transfers]]')
    if SPLIT in experiment.folds.kind and len(corpora) > 1:
        raise UsageError(
            f'[folds] kind = "split" names the speakers of one corpus; got {len(corpora)} corpora'
        )
    return experiment


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


# ---------------------------------------------------------------------------------- the tables


def _corpus(entry: Any) -> CorpusEntry:
    if isinstance(entry, str):
        return CorpusEntry(entry)
    entry = dict(_typed(entry, dict, "corpora: an entry"))
    return CorpusEntry(_take_name(entry, "corpora"), entry)


def _encoder(entry: Any) -> tuple[str, EncoderSpec]:
    entry = {"name": entry} if isinstance(entry, str) else dict(_typed(entry, dict, "encoders"))
    name = _take_name(entry, "encoders")
    label = _typed(entry.pop("label", name), str, f"encoder {name}: label")
    known = {f.name for f in fields(EncoderSpec)} - {"name", "options"}
    options = {key: entry.pop(key) for key in list(entry) if key not in known}
    _check_encoder_options(name, options, known)
    for key, value in entry.items():
        kinds = (int, str) if key == "layer" else (str,)
        _typed(value, kinds, f"encoder {label}: {key}")
    return label, EncoderSpec(name, options=options, **entry)


def _check_encoder_options(name: str, options: Mapping[str, Any], known: set[str]) -> None:
    from nver.encoders import card_of

    allowed = {"label", *known, *card_of(name).options}
    for option in options:
        if option not in allowed:
            raise unknown_name(f"key of encoder {name}", option, allowed)


def _classifier(entry: Any, encoders: Sequence[str]) -> ClassifierEntry:
    entry = {"name": entry} if isinstance(entry, str) else dict(_typed(entry, dict, "classifiers"))
    name = _take_name(entry, "classifiers")
    label = _typed(entry.pop("label", name), str, f"classifier {name}: label")
    streams = entry.pop("encoders", None)
    if streams is not None:
        _typed(streams, list, f"classifier {label}: encoders")
        streams = tuple((s,) if isinstance(s, str) else tuple(s) for s in streams)
        for encoder in (e for stream in streams for e in stream):
            if encoder not in encoders:
                raise unknown_name(f"encoder of classifier {label}", encoder, encoders)
    tune = _tune(entry.pop("tune", {}), entry, label)
    classifier = ClassifierEntry(name, label, streams, entry, tune)
    _check_unique(f"stream of classifier {label}", ["+".join(s) for s in streams or ()])
    streams_of(classifier, encoders)  # checks the name, the options and the number of streams
    return classifier


def _tune(table: Any, options: Mapping[str, Any], label: str) -> dict[str, tuple[Any, ...]]:
    """`tune = {option = [value, value]}`: two values or more each, and no fixed one beside them."""
    where = f"classifier {label}: tune"
    for option, values in _typed(table, dict, where).items():
        if len(_typed(values, list, f"{where}: {option}")) < 2:
            raise UsageError(f"{where}: {option} needs two values or more; got {values}")
        if option in options:
            raise UsageError(f"{where}: {option} is also given as {options[option]!r}; give one")
    return {option: tuple(values) for option, values in table.items()}


def streams_of(classifier: ClassifierEntry, encoders: Sequence[str]) -> list[tuple[str, ...]]:
    """The tuples of encoders that a classifier is trained on, one for each row of a table."""
    from itertools import combinations

    from nver.downstream import check_classifier
    from nver.registry import lookup
    from nver.tuning import options_to_try

    least = lookup("classifiers", classifier.name).streams[0]
    streams = classifier.encoders
    if streams is None:
        streams = tuple(combinations(encoders, least))
        if not streams:
            raise UsageError(
                f"classifier {classifier.label} takes {least} embeddings a clip; "
                f"the recipe has {len(encoders)} encoder(s)"
            )
    for stream in streams:
        for tried in options_to_try(classifier.tune):
            check_classifier(classifier.name, len(stream), {**classifier.options, **tried})
    return list(streams)


def _hypotheses(
    entries: Any, encoders: Mapping[str, EncoderSpec], classifiers: Sequence[ClassifierEntry]
) -> tuple[Hypothesis, ...]:
    names = {label: spec.name for label, spec in encoders.items()}
    return parse_hypotheses(entries, names, {entry.label: entry.name for entry in classifiers})


def _check_validation(training: TrainingConfig, classifiers: Sequence[ClassifierEntry]) -> None:
    for classifier in classifiers:
        if classifier.tune and not training.validation_share:
            raise UsageError(
                f"classifier {classifier.label}: tune chooses by the validation clips, and "
                "[training] validation_share is 0; give it a share, or no tune"
            )


def _folds(table: Any) -> FoldsConfig:
    table = dict(_typed(table, dict, "[folds]"))
    for key in ("kind", "seeds"):
        if key in table and not isinstance(table[key], list):
            table[key] = [table[key]]
    folds: FoldsConfig = plain_values(FoldsConfig, table, "[folds]")
    for kind in folds.kind:
        if kind not in (*PROTOCOLS, SPLIT, NO_FOLDS):
            raise unknown_name("kind of folds", kind, (*PROTOCOLS, SPLIT, NO_FOLDS))
    _check_unique("kind of folds", folds.kind)
    for alone in (NO_FOLDS, SPLIT):
        if alone in folds.kind and len(folds.kind) > 1:
            raise UsageError(f'[folds] kind: "{alone}" stands alone; got {list(folds.kind)}')
    _check_parts(folds)
    _check_unique("seed of folds", [str(seed) for seed in folds.seeds])
    if not folds.seeds or min(folds.seeds) < 0 or folds.number < 2:
        raise UsageError(
            "[folds] needs a number of at least 2 and one or more seeds of at least 0; "
            f"got {folds.number} and {list(folds.seeds)}"
        )
    return folds


def _check_parts(folds: FoldsConfig) -> None:
    """A split has speakers in all three parts, and nothing else has them."""
    split = SPLIT in folds.kind
    for part, speakers in folds.parts.items():
        if split and not speakers:
            raise UsageError(
                f'[folds] kind = "split" needs {part} = [speakers], ids or ranges '
                '("000001-000207"); got none'
            )
        if speakers and not split:
            raise UsageError(f'[folds] {part} is for kind = "split"; got {list(folds.kind)}')


def _training(table: Any) -> TrainingConfig:
    training: TrainingConfig = plain_values(TrainingConfig, table, "[training]")
    return training


def _stress(table: Any) -> StressConfig:
    stress: StressConfig = plain_values(StressConfig, table, "[stress]")
    for kind in stress.kinds:
        check_perturbation(kind)
    _check_unique("kind of stress", stress.kinds)
    return stress


def _printed(name: Any) -> str:
    if _typed(name, str, "printed"):
        printed_table(name)  # raises where there is none
    return str(name)


def _figures(
    table: Any, encoders: Sequence[str], classifiers: Sequence[ClassifierEntry]
) -> Figures:
    table = _typed(table, dict, "[figures]")
    check_keys(table, Figures, "[figures]")
    figures = Figures(**{key: _name_lists(value, key) for key, value in table.items()})
    for pair in figures.tsne:
        if len(pair) != 2:
            raise UsageError(f"[figures] tsne: expected two encoders a figure, got {list(pair)}")
        for encoder in (e for e in pair if e not in encoders):
            raise unknown_name("encoder in [figures] tsne:", encoder, encoders)
    known = {(c.label, *s): c for c in classifiers for s in streams_of(c, encoders)}
    for system in (s for s in figures.confusion if s not in known):
        raise unknown_name(
            "system in [figures] confusion:", ", ".join(system), [", ".join(k) for k in known]
        )
    return figures


def _name_lists(value: Any, key: str) -> tuple[tuple[str, ...], ...]:
    where = f"[figures] {key}"
    return tuple(
        tuple(_typed(name, str, where) for name in _typed(names, list, where))
        for names in _typed(value, list, where)
    )


def _roots(table: Any, corpora: Sequence[str]) -> dict[str, str]:
    table = _typed(table, dict, "[roots]")
    for name, root in table.items():
        if name not in corpora:
            raise unknown_name("corpus in [roots]", name, corpora)
        _typed(root, str, f"roots.{name}")
    return dict(table)


def _filters(table: Any, corpora: Sequence[str]) -> dict[str, Filter]:
    table = _of_corpora(table, "filters", corpora)
    return {name: plain_values(Filter, own, f"[filters.{name}]") for name, own in table.items()}


def _transfers(entries: Any, corpora: Sequence[str]) -> tuple[Transfer, ...]:
    found = []
    for entry in _typed(entries, list, "transfers"):
        transfer: Transfer = plain_values(Transfer, entry, "[[transfers]]")
        for name in (transfer.train, transfer.test):
            if name not in corpora:
                raise unknown_name("corpus in [[transfers]]", name, corpora)
        if transfer.train == transfer.test:
            raise UsageError(f"[[transfers]]: train and test are both {transfer.train!r}")
        found.append(transfer)
    _check_unique("transfer", [f"{t.train} -> {t.test}" for t in found])
    return tuple(found)


def _labels(table: Any, corpora: Sequence[str]) -> dict[str, dict[str, str]]:
    table = _of_corpora(table, "labels", corpora)
    for name, own in table.items():
        for emotion, shared in _typed(own, dict, f"[labels.{name}]").items():
            _typed(shared, str, f"[labels.{name}] {emotion}")
    return {name: dict(own) for name, own in table.items()}


def _of_corpora(table: Any, where: str, corpora: Sequence[str]) -> dict[str, Any]:
    """A table with a table a corpus."""
    for name in _typed(table, dict, f"[{where}]"):
        if name not in corpora:
            raise unknown_name(f"corpus in [{where}]", name, corpora)
    return dict(table)


# ------------------------------------------------------------------------------------- checks


def plain_values(cls: type, table: Any, where: str) -> Any:
    """A dataclass of plain values from a table; types follow the class's defaults."""
    table = _typed(table, dict, where)
    check_keys(table, cls, where)
    values = {}
    for key, value in table.items():
        default = getattr(cls(), key)
        if isinstance(default, tuple):
            item = type(default[0]) if default else str
            _typed(value, list, f"{where} {key}")
            values[key] = tuple(_typed(v, item, f"{where} {key}") for v in value)
        else:
            kinds = (int, float) if isinstance(default, float) else type(default)
            values[key] = _typed(value, kinds, f"{where} {key}")
    return cls(**values)


def check_keys(table: Mapping[str, Any], cls: type, where: str) -> None:
    known = [f.name for f in fields(cls)]
    for key in table:
        if key not in known:
            raise unknown_name(f"key in {where}:", key, known)


def _check_unique(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} {name!r} occurs {names.count(name)} times; give each once")


def _take_name(entry: dict[str, Any], where: str) -> str:
    if "name" not in entry:
        raise UsageError(f"{where}: an entry needs a name; got {entry}")
    return str(_typed(entry.pop("name"), str, f"{where}: name"))


def _typed(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(
            {"dict": "table", "tuple": "list"}.get(k.__name__, k.__name__) for k in kinds
        )
        raise UsageError(f"{where}: expected {expected}, got {value!r}")
    return value


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
