"""What is compared: a recipe's encoders and classifiers, and which is trained on which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from nver.classifiers.training.config import TrainingConfig, apart
from nver.encoders import EncoderSpec
from nver.errors import UsageError, unknown_name
from nver.recipe.values import check_unique, take_name, typed


@dataclass(frozen=True)
class ClassifierEntry:
    """One of `[[classifiers]]`.

    `label` is the row's name in the tables; `encoders` are the streams it is trained on, as lists
    of encoder names (None: each encoder for a head, each pair in the recipe's order for a fusion);
    `tune` has options, `learning_rate` and `weight_decay` of the training among them, with the
    values to choose from inside each training part.
    """

    name: str
    label: str
    encoders: tuple[tuple[str, ...], ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tune: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def parse_encoder(entry: Any) -> tuple[str, EncoderSpec]:
    """One of `[[encoders]]`: (label, what is loaded)."""
    entry = {"name": entry} if isinstance(entry, str) else dict(typed(entry, dict, "encoders"))
    name = take_name(entry, "encoders")
    label = typed(entry.pop("label", name), str, f"encoder {name}: label")
    known = {f.name for f in fields(EncoderSpec)} - {"name", "options"}
    options = {key: entry.pop(key) for key in list(entry) if key not in known}
    _check_encoder_options(name, options, known)
    for key, value in entry.items():
        kinds = (int, str) if key == "layer" else (str,)
        typed(value, kinds, f"encoder {label}: {key}")
    return label, EncoderSpec(name, options=options, **entry)


def _check_encoder_options(name: str, options: Mapping[str, Any], known: set[str]) -> None:
    from nver.encoders import card_of

    allowed = {"label", *known, *card_of(name).options}
    for option in options:
        if option not in allowed:
            raise unknown_name(f"key of encoder {name}", option, allowed)


def parse_classifier(entry: Any, encoders: Sequence[str]) -> ClassifierEntry:
    """One of `[[classifiers]]`, with names, options and streams that fit."""
    entry = {"name": entry} if isinstance(entry, str) else dict(typed(entry, dict, "classifiers"))
    name = take_name(entry, "classifiers")
    label = typed(entry.pop("label", name), str, f"classifier {name}: label")
    streams = entry.pop("encoders", None)
    if streams is not None:
        typed(streams, list, f"classifier {label}: encoders")
        streams = tuple((s,) if isinstance(s, str) else tuple(s) for s in streams)
        for encoder in (e for stream in streams for e in stream):
            if encoder not in encoders:
                raise unknown_name(f"encoder of classifier {label}", encoder, encoders)
    tune = _tune(entry.pop("tune", {}), entry, label)
    classifier = ClassifierEntry(name, label, streams, entry, tune)
    check_unique(f"stream of classifier {label}", ["+".join(s) for s in streams or ()])
    streams_of(classifier, encoders)  # checks the name, the options and the number of streams
    return classifier


def _tune(table: Any, options: Mapping[str, Any], label: str) -> dict[str, tuple[Any, ...]]:
    """`tune = {option = [value, value]}`: two values or more each, and no fixed one beside them."""
    where = f"classifier {label}: tune"
    for option, values in typed(table, dict, where).items():
        if len(typed(values, list, f"{where}: {option}")) < 2:
            raise UsageError(f"{where}: {option} needs two values or more; got {values}")
        if option in options:
            raise UsageError(f"{where}: {option} is also given as {options[option]!r}; give one")
    return {option: tuple(values) for option, values in table.items()}


def streams_of(classifier: ClassifierEntry, encoders: Sequence[str]) -> list[tuple[str, ...]]:
    """The tuples of encoders that a classifier is trained on, one for each row of a table."""
    from itertools import combinations

    from nver.classifiers.build import check_classifier
    from nver.classifiers.training.tuning import options_to_try
    from nver.registry import lookup

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
            own, pace = apart(tried)
            TrainingConfig(**pace)  # checks them
            check_classifier(classifier.name, len(stream), {**classifier.options, **own})
    return list(streams)


def check_validation(training: TrainingConfig, classifiers: Sequence[ClassifierEntry]) -> None:
    """Raise `UsageError` where options are to be chosen and there is nothing to choose by."""
    for classifier in classifiers:
        if classifier.tune and not training.validation_share:
            raise UsageError(
                f"classifier {classifier.label}: tune chooses by the validation clips, and "
                "[training] validation_share is 0; give it a share, or no tune"
            )
