"""A trained model as a folder: config.json, which a person can read, and model.safetensors.

Nothing in it is run: no pickle, no code. The folders beside this file come with nver.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from nver.encoders.base import EncoderIdentity, EncoderSpec
from nver.errors import NverError, UsageError, shown
from nver.machine.files import check_writable, write_whole
from nver.machine.json_text import json_bytes, parse_json
from nver.recipe.families import Families, membership, parse_families
from nver.recipe.values import plain_values

FORMAT, VERSION = "nver-model", 1  # the version is raised when older code would misread it
CONFIG, WEIGHTS = "config.json", "model.safetensors"
SHIPPED = "emogator"  # the folder beside this file that `load_predictor()` takes
COLDEST, HOTTEST = 1e-3, 1e3  # temperatures; our choice, a training's are from 0.05 to 20
Tensors = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class ModelEncoder:
    """One stream of a model: how the encoder is loaded, and what it must then be."""

    label: str
    spec: EncoderSpec
    identity: EncoderIdentity


@dataclass(frozen=True)
class Model:
    """All that a prediction needs, and where it comes from.

    Attributes:
        emotions: in the order of the classifier's logits.
        temperature: the logits are divided by it (`nver.results.calibration`).
        families: family -> its emotions; empty: every emotion stands alone.
        threshold: an answer whose family (emotion, where there are no families) has a lower
            probability is "not sure".
        tensors: "classifier.NAME" and, for stream N, "scale.N.mean" and "scale.N.deviation".
        made: provenance and validation scores, for people: corpus, speakers, training, versions.
    """

    title: str
    encoders: tuple[ModelEncoder, ...]
    classifier: str
    options: Mapping[str, Any]
    emotions: tuple[str, ...]
    temperature: float
    families: Families
    threshold: float
    tensors: Tensors = field(repr=False)
    made: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Classifier:
    """`classifier` of config.json."""

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class _Saved:
    """The keys of config.json that are read, beside its format and version."""

    title: str
    encoders: tuple[ModelEncoder, ...]
    classifier: _Classifier
    emotions: tuple[str, ...]
    temperature: float
    families: Mapping[str, Any]
    threshold: float
    weights_sha256: str
    made: Mapping[str, Any]


def write_model(folder: Path, model: Model) -> None:
    """Write the folder; config.json comes last, and says what the weights' hash must be.

    Raises:
        NverError: it cannot be written.
    """
    weights = save({name: np.ascontiguousarray(t) for name, t in model.tensors.items()})
    config = {
        "format": FORMAT,
        "version": VERSION,
        "title": model.title,
        "encoders": [_encoder_tree(encoder) for encoder in model.encoders],
        "classifier": {"name": model.classifier, "options": dict(model.options)},
        "emotions": list(model.emotions),
        "temperature": model.temperature,
        "families": {family: list(own) for family, own in model.families.items()},
        "threshold": model.threshold,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "made": dict(model.made),
    }
    try:
        write_whole(folder / WEIGHTS, weights)
        write_whole(folder / CONFIG, json_bytes(config))
    except OSError as error:
        raise NverError(f"{folder}: cannot be written ({error.strerror})") from error


def check_out(folder: Path) -> None:
    """Raise before a training whose model could not be written, or would replace other files.

    Weights alone, beside nothing else, are what a training leaves that was killed while it wrote.
    """
    check_writable(folder)
    names = {file.name for file in folder.iterdir() if not _is_part(file.name)}
    try:
        if CONFIG in names or (WEIGHTS in names and names != {WEIGHTS}):
            _read_config(folder)
    except NverError as error:
        raise UsageError(f"{error}. No model is written over it: give another folder") from error


def _is_part(name: str) -> bool:
    """Whether a file is one of ours that was being written when a training was killed."""
    return name.startswith((f".{CONFIG}.", f".{WEIGHTS}."))


def read_model(folder: Path | None = None) -> Model:
    """Read a model folder; None: the one that comes with nver.

    Raises:
        NverError: there is no model, it is of a version that this nver does not know, or damaged.
    """
    folder = shipped_folder() if folder is None else folder
    config = _read_config(folder)
    try:
        saved: _Saved = plain_values(_Saved, _known(_Saved, config), "")
        model = Model(
            title=saved.title,
            encoders=saved.encoders,
            classifier=saved.classifier.name,
            options=saved.classifier.options,
            emotions=saved.emotions,
            temperature=float(saved.temperature),
            families=parse_families(dict(saved.families)),
            threshold=float(saved.threshold),
            tensors=_read_tensors(folder / WEIGHTS, saved.weights_sha256),
            made=saved.made,
        )
        _check(model)
    except UsageError as error:
        raise NverError(
            f"{folder / CONFIG}: damaged, {error}; make it again by `nver train`, or copy it again"
        ) from error
    return model


def _check(model: Model) -> None:
    """Raise `UsageError` for values that no training writes."""
    labels = [encoder.label for encoder in model.encoders]
    scales = [t for name, t in model.tensors.items() if name.endswith(".deviation")]
    held = {
        "it has an encoder, and none is there twice": 0 < len(set(labels)) == len(labels),
        "it has two emotions or more, and none is there twice": (
            1 < len(set(model.emotions)) == len(model.emotions)
        ),
        f"temperature is a number from {COLDEST:g} to {HOTTEST:g}": (
            COLDEST <= model.temperature <= HOTTEST
        ),
        "threshold is a number from 0 to 1": 0 <= model.threshold <= 1,
        "weights are finite and float32": all(
            tensor.dtype == np.float32 and np.isfinite(tensor).all()
            for tensor in model.tensors.values()
        ),
        "deviations are above 0": all((scale > 0).all() for scale in scales),
    }
    if broken := [what for what, holds in held.items() if not holds]:
        raise UsageError(f"(expected: {'; '.join(broken)})")
    if model.families:
        membership(model.families, model.emotions)


def shipped_folder() -> Path:
    """The model that comes with nver.

    Raises:
        NverError: this build has none.
    """
    if not has_shipped():
        raise NverError(
            "this build of nver comes without a trained model; make one by "
            "`nver train RECIPE --out DIR` and give it: `nver predict --model DIR FILE`"
        )
    return Path(__file__).with_name(SHIPPED)


def has_shipped() -> bool:
    """Whether a model comes with this build of nver."""
    return Path(__file__).with_name(SHIPPED).joinpath(CONFIG).is_file()


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / CONFIG
    try:
        config = parse_json(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise NverError(
            f"{folder}: no model folder, it has no {CONFIG}; expected the --out of `nver train`"
        ) from error
    except (OSError, ValueError) as error:
        raise NverError(f"{file}: cannot be read ({error})") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise NverError(f"{file}: no model of nver; expected the --out of `nver train`")
    version = config.get("version")
    if version != VERSION or isinstance(version, bool):
        raise NverError(
            f"{file}: version {shown(version)} of the format; this nver reads {VERSION}: "
            "install a newer nver, or train the model again"
        )
    return config


def _read_tensors(file: Path, expected: str) -> dict[str, npt.NDArray[np.float32]]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NverError(f"{file}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise NverError(
            f"{file}: damaged, or of another model: its SHA-256 is not the one in {CONFIG}; copy "
            "the whole folder again"
        )
    try:
        return load(data)
    except Exception as error:  # SafetensorError, or what numpy makes of a type that it lacks
        raise NverError(f"{file}: no safetensors file ({error}); copy it again") from error


def _encoder_tree(encoder: ModelEncoder) -> dict[str, Any]:
    spec = {key: value for key, value in asdict(encoder.spec).items() if key != "device"}
    return {"label": encoder.label, "spec": spec, "identity": asdict(encoder.identity)}


def _known(cls: type, table: dict[str, Any]) -> dict[str, Any]:
    """What this version knows of a table that another one may have written."""
    names = {field.name for field in fields(cls)}
    found = {key: value for key, value in table.items() if key in names}
    if cls is _Saved and isinstance(encoders := found.get("encoders"), list):
        found["encoders"] = [
            _known(ModelEncoder, e) if isinstance(e, dict) else e for e in encoders
        ]
    if cls is ModelEncoder and isinstance(spec := found.get("spec"), dict):
        found["spec"] = _known(EncoderSpec, spec)
    return found
