"""Model folders of the hub or a disk: found, checked, read without running their code, hashed."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nver.audio.sound_file import HIGHEST_RATE, LOWEST_RATE
from nver.encoders.base import FrameEncoder, pool
from nver.encoders.tensor_files import (
    checked,
    elements,
    fitting,
    read_pickled,
    read_safetensors,
)
from nver.errors import MissingExtraError, NotCachedError, WeightsError, shown
from nver.machine.files import found_at
from nver.machine.json_text import parse_json

CONFIG, FRONTEND = "config.json", "preprocessor_config.json"
SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
INDEX = ".index.json"  # of sharded weights, after the name of the whole file
TRIAL = 800  # samples; our choice: two frames of the attention models, at most three of a codec
LARGEST_SETTING = 1_000_000  # our choice: beyond every sampling rate; a size may be larger
LONGEST_LIST, DEEPEST = 512, 8  # of a config; our choice: layers, and tables in tables
NO_EFFECT = {  # keys of its JSON files that change when a model is saved again; its numbers stay
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
}


def find_folder(weights: str, revision: str | None) -> tuple[Path, str]:
    """The folder of a hub id or path, complete, and its revision.

    The revision is the hub's commit hash; of a local folder "local".

    Raises:
        WeightsError: it is neither a folder nor on the hub, or a file is missing.
    """
    local = found_at(weights)
    if local is not None and local.is_dir():
        folder, found = local, "local"
    else:
        folder = _from_hub(weights, revision)
        found = folder.name
    for name in (CONFIG, FRONTEND):
        if not (folder / name).is_file():
            raise WeightsError(
                f"weights {weights!r}: {folder} has no {name}; copy it from where the weights came"
            )
    if not _present(folder):
        raise WeightsError(
            f"weights {weights!r}: {folder} has neither {SAFETENSORS} nor {PICKLED}"
            " (nor an index of shards)"
        )
    return folder, found


def find_file(weights: str, name: str, revision: str | None) -> tuple[Path, str]:
    """The file `name` of a hub id or folder, or the file at a path, and its revision.

    Raises:
        WeightsError: it is not there.
    """
    local = found_at(weights)
    if local is not None and local.is_file():
        return local, "local"
    found = "local"
    if local is not None:
        folder = local
    else:
        try:
            folder = _download(weights, revision, name)
        except (OSError, ValueError) as error:
            raise _not_found(weights, revision, error, name) from error
        found = folder.name
    if not (folder / name).is_file():
        raise WeightsError(f"weights {weights!r}: {folder} has no {name}")
    return folder / name, found


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The object in a JSON file of the folder; a file that asks for code of its own is refused."""
    try:
        found = parse_json((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"{folder / name} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise WeightsError(f"{folder / name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{folder / name} holds a {type(found).__name__}, not an object")
    if "auto_map" in found:
        raise WeightsError(
            f"{folder / name} asks for code that comes with the weights (auto_map); nver never runs"
            " such code: take a model of an architecture that transformers has itself"
        )
    return found


def check_rate(frontend: Mapping[str, Any], folder: Path) -> None:
    """Raise `WeightsError` for a sampling rate that no audio has."""
    low, high = LOWEST_RATE, HIGHEST_RATE
    rate = frontend.get("sampling_rate", low)
    if isinstance(rate, bool) or not isinstance(rate, int) or not low <= rate <= high:
        raise WeightsError(
            f"{folder / FRONTEND}: expected a sampling_rate from {low:,} to {high:,} Hz; got "
            f"{shown(rate)}"
        )


def check_frames(encoder: FrameEncoder, folder: Path) -> None:
    """Raise `WeightsError` for a model that cannot embed, tried on some noise, or gives NaN."""
    noise = np.random.default_rng(0).normal(0, 0.1, TRIAL).astype(np.float32)
    with fitting(f"the model in {folder} cannot be used"):
        frames, _ = encoder.frames(noise)
        width = pool(frames, encoder.identity.pooling).size
    if width != encoder.dim or not np.isfinite(frames).all():
        raise WeightsError(
            f"the model in {folder} gives frames of {width} values, of {encoder.dim} expected, or "
            "values that are NaN or infinite: its settings or weights are damaged, fetch it again"
        )


def read_state(folder: Path) -> dict[str, Tensor]:
    """The tensors of the folder by name, on the CPU, from safetensors or tensors-only pickles."""
    state: dict[str, Tensor] = {}
    for file in _weight_files(folder):
        is_safe = file.suffix == ".safetensors"
        state.update(read_safetensors(file) if is_safe else read_checkpoint(file))
    return state


def hash_weights(state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors and over the JSON settings."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(state.items()):
        dense = tensor.detach().cpu().contiguous()
        data = dense.reshape(-1).view(torch.uint8).numpy()
        digest.update(f"{name} {_type_of(dense)} {tuple(dense.shape)}".encode())
        digest.update(data.data)
    return digest.hexdigest()


def _type_of(tensor: Tensor) -> str:
    """numpy's name of the tensor's type, "<f4"; torch's for one that numpy lacks."""
    try:
        return tensor.new_empty(0).numpy().dtype.str
    except TypeError:  # bfloat16 and the like
        return str(tensor.dtype)


def settings_of(*files: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in a model's JSON files that decide its numbers, for `hash_weights`."""
    return {
        str(number): {key: value for key, value in file.items() if key not in NO_EFFECT}
        for number, file in enumerate(files)
    }


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network, as huggingface_hub reads it."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _from_hub(weights: str, revision: str | None) -> Path:
    # transformers loads from the snapshot's folder and never asks the hub itself: all files are of
    # one commit, and no conversion of the author's weights is requested in the background.
    try:
        folder = _download(weights, revision, CONFIG, FRONTEND, *_patterns(SAFETENSORS))
        if not any((folder / name).is_file() for name in (SAFETENSORS, SAFETENSORS + INDEX)):
            folder = _download(weights, folder.name, *_patterns(PICKLED))
    except (OSError, ValueError) as error:
        needed = f"{CONFIG}, {FRONTEND} and {SAFETENSORS}"
        raise _not_found(weights, revision, error, needed) from error
    return folder


def _download(weights: str, revision: str | None, *patterns: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtraError(f"fetching {weights} from the hub", "transformers") from error
    folder = snapshot_download(
        weights, revision=revision, allow_patterns=list(patterns), local_files_only=is_offline()
    )
    return Path(folder)


def _not_found(weights: str, revision: str | None, error: Exception, needed: str) -> WeightsError:
    what = f"{weights!r}" + (f" at revision {revision!r}" if revision else "")
    if is_offline():
        return NotCachedError(
            f"weights {what}: no such folder, and not in the hub's cache, which is all that"
            " HF_HUB_OFFLINE allows: give a local folder, or unset HF_HUB_OFFLINE once to download"
        )
    reason = str(error).strip().partition("\n")[0]
    return WeightsError(
        f"weights {what}: no such folder, and the hub gave none ({reason}): give a local folder"
        f" with {needed}, or a hub id (organisation/model)"
    )


def _patterns(name: str) -> tuple[str, str, str]:
    stem, _, ending = name.rpartition(".")
    return name, name + INDEX, f"{stem}-*.{ending}"


def _present(folder: Path) -> Path | None:
    names = (SAFETENSORS, SAFETENSORS + INDEX, PICKLED, PICKLED + INDEX)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _weight_files(folder: Path) -> list[Path]:
    """The files that hold the tensors; an index may only name files beside it."""
    found = _present(folder)
    if found is None or not found.name.endswith(INDEX):
        return [found] if found else []
    places = read_json(folder, found.name).get("weight_map", {})
    if not isinstance(places, dict) or not all(isinstance(s, str) for s in places.values()):
        raise WeightsError(f"{found}: expected weight_map, a table of files; got {shown(places)}")
    shards = sorted(set(places.values()))
    for shard in shards:
        if Path(shard).name != shard or not (folder / shard).is_file():
            raise WeightsError(f"{found} names the shard {shard!r}, which is not in {folder}")
    return [folder / shard for shard in shards]


def read_checkpoint(file: Path, key: str | None = None) -> dict[str, Tensor]:
    """The tensors by name in a PyTorch file, or in its entry `key`, read by the restricted reader.

    Raises:
        WeightsError: it is damaged, holds more than tensors and plain values, or lacks the entry.
    """
    with file.open("rb") as start:
        if start.read(1) not in (b"P", b"\x80"):  # a zip file, or a pickle as of protocol 2
            raise WeightsError(
                f"{file} is no PyTorch file (a web page, or a pointer of git-LFS?): fetch it again"
            )
    try:
        found = read_pickled(file)
    except UnpicklingError as error:
        raise WeightsError(
            f"{file} holds more than tensors and was not unpickled, as it could run code: ask its"
            " author for safetensors"
        ) from error
    if key is not None and isinstance(found, dict):
        if key not in found:
            names = ", ".join(shown(name) for name in list(found)[:3])
            raise WeightsError(f"{file} has no entry {key!r}; it begins with {names or 'nothing'}")
        found = found[key]
    return checked(found, file)


def check_sizes(config: Mapping[str, Any], state: Mapping[str, Tensor], file: Path) -> None:
    """Raise `WeightsError` for a setting that no model of these weights has, before one is built.

    That is a size larger than all tensors together, more layers than tensors, and a list or a
    nesting that no published model has.
    """
    most, layers = max(LARGEST_SETTING, elements(state)), max(LONGEST_LIST, len(state))
    waiting: list[tuple[str, Any, int]] = [("", config, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST or (isinstance(value, list) and len(value) > LONGEST_LIST):
                raise WeightsError(f"{file}: {key} is longer or deeper than of any model")
            items = value.items() if isinstance(value, dict) else ((key, own) for own in value)
            waiting += [(name, own, depth + 1) for name, own in items]
        elif isinstance(value, int | float):
            counted = key.startswith(("num_", "n_")) or "layers" in key
            if not abs(value) <= (layers if counted else most):
                raise WeightsError(
                    f"{file}: {key} is {shown(value)}, which no model of its {len(state)} tensors "
                    "has; copy it from where the weights came"
                )
