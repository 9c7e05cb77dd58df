"""What is compared: a recipe's encoders and classifiers, and which is trained on which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from math import prod
from typing import Any

from nver.classifiers.training.config import TrainingConfig, apart, check_pace
from nver.encoders import EncoderSpec, card_of, check_spec
from nver.errors import UsageError, said_of, shown
from nver.recipe.texts import name_of, path_of
from nver.recipe.values import (
    check_known,
    check_unique,
    named_entry,
    of_type,
    plain_values,
    tuple_of,
)
from nver.registry import lookup

MOST_TRIED = 256  # combinations of a `tune`; our choice, each is a training


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


def parse_encoders(entries: Sequence[Any]) -> dict[str, EncoderSpec]:
    """`[[encoders]]`: label -> what is loaded."""
    labelled = [_parse_encoder(entry) for entry in entries]
    check_unique("encoder label", [label for label, _ in labelled])
    return dict(labelled)


def _parse_encoder(entry: Any) -> tuple[str, EncoderSpec]:
    name, values = named_entry(entry, "encoders")
    label = name_of(values.pop("label", name), f"encoders.{name}.label")
    known = {f.name for f in fields(EncoderSpec)} - {"name", "options"}
    options = {key: values.pop(key) for key in list(values) if key not in known}
    check_known(f"key of encoder {name}", options, {"label", *known, *card_of(name).options})
    spec: EncoderSpec = plain_values(EncoderSpec, {"name": name, **values}, f"encoders.{label}")
    for key in ("weights", "revision"):
        if key in values:
            path_of(values[key], f"encoders.{label}.{key}")
    spec = replace(spec, options=options)
    with said_of(f"encoders.{label}"):
        check_spec(spec)
    return label, spec


def parse_classifiers(
    entries: Sequence[Any], encoders: Sequence[str]
) -> tuple[ClassifierEntry, ...]:
    """`[[classifiers]]`, with names, options and streams that fit."""
    classifiers = tuple(_parse_classifier(entry, encoders) for entry in entries)
    check_unique("classifier label", [classifier.label for classifier in classifiers])
    return classifiers


def _parse_classifier(entry: Any, encoders: Sequence[str]) -> ClassifierEntry:
    name, options = named_entry(entry, "classifiers")
    label = name_of(options.pop("label", name), f"classifiers.{name}.label")
    streams = _parse_streams(options.pop("encoders", None), label, encoders)
    tune = _parse_tune(options.pop("tune", {}), options, label)
    classifier = ClassifierEntry(name, label, streams, options, tune)
    with said_of(f"classifiers.{label}"):
        streams_of(classifier, encoders)  # checks name, options and the number of streams
    return classifier


def _parse_streams(
    entries: Any, label: str, encoders: Sequence[str]
) -> tuple[tuple[str, ...], ...] | None:
    """`encoders = ["a", ["a", "b"]]`: the streams of a classifier, each once."""
    if entries is None:
        return None
    where = f"classifiers.{label}.encoders"
    streams = tuple(
        (entry,) if isinstance(entry, str) else tuple_of(entry, str, where)
        for entry in of_type(entries, list, where)
    )
    if not streams or not all(streams):
        raise UsageError(f"{where}: expected encoders or lists of encoders, got an empty list")
    for stream in streams:
        check_known(f"encoder of classifiers.{label}.encoders", stream, encoders)
    check_unique(f"stream of classifier {label}", ["+".join(stream) for stream in streams])
    return streams


def _parse_tune(table: Any, options: Mapping[str, Any], label: str) -> dict[str, tuple[Any, ...]]:
    """`tune = {option = [value, value]}`: two values or more each, and no fixed one beside them."""
    where = f"classifiers.{label}.tune"
    for option, values in of_type(table, dict, where).items():
        if len(of_type(values, list, f"{where}.{option}")) < 2:
            raise UsageError(f"{where}: {option} needs two values or more; got {shown(values)}")
        if option in options:
            fixed = shown(options[option])
            raise UsageError(f"{where}: {option} is also given as {fixed}; give one")
    tried = prod(len(values) for values in table.values())
    if tried > MOST_TRIED:
        raise UsageError(f"{where}: expected at most {MOST_TRIED} combinations, got {tried:,}")
    return {option: tuple(values) for option, values in table.items()}


def streams_of(classifier: ClassifierEntry, encoders: Sequence[str]) -> list[tuple[str, ...]]:
    """The tuples of encoders that a classifier is trained on, one for each row of a table."""
    from nver.classifiers.build import check_classifier  # with torch
    from nver.classifiers.training.tuning import options_to_try

    least = lookup("classifiers", classifier.name).streams[0]
    streams = classifier.encoders
    if streams is None:
        streams = tuple(combinations(encoders, least))
        if not streams:
            raise UsageError(
                f"classifier {classifier.label} takes {least} embeddings a clip; "
                f"the recipe has {len(encoders)} encoder(s)"
            )
    for many in {len(stream) for stream in streams}:
        for tried in options_to_try(classifier.tune):
            own, pace = apart(tried)
            check_pace(TrainingConfig(**pace))
            check_classifier(classifier.name, many, {**classifier.options, **own})
    return list(streams)
