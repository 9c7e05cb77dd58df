"""Model folders of the hub or a disk: found, checked, read without running their code, hashed."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nver.errors import MissingExtraError, NotCachedError, WeightsError
from nver.machine.files import found_at

CONFIG, FRONTEND = "config.json", "preprocessor_config.json"
SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
INDEX = ".index.json"  # of sharded weights, after the name of the whole file
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
        found = json.loads((folder / name).read_text(encoding="utf-8"))
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


def read_state(folder: Path) -> dict[str, Tensor]:
    """The tensors of the folder by name, on the CPU, from safetensors or tensors-only pickles."""
    state: dict[str, Tensor] = {}
    for file in _weight_files(folder):
        state.update(_read_tensors(file))
    return state


def hash_weights(state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors and over the JSON settings."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(state.items()):
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


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
    shards = sorted(set(read_json(folder, found.name).get("weight_map", {}).values()))
    for shard in shards:
        if Path(shard).name != shard or not (folder / shard).is_file():
            raise WeightsError(f"{found} names the shard {shard!r}, which is not in {folder}")
    return [folder / shard for shard in shards]


def read_checkpoint(file: Path, key: str | None = None) -> dict[str, Tensor]:
    """The tensors by name in a PyTorch file, or in its entry `key`, read by the restricted reader.

    Raises:
        WeightsError: it is damaged, holds more than tensors and plain values, or lacks the entry.
    """
    found = _unpickled(file)
    if key is not None and isinstance(found, dict):
        if key not in found:
            names = ", ".join(repr(name) for name in list(found)[:3])
            raise WeightsError(f"{file} has no entry {key!r}; it begins with {names or 'nothing'}")
        found = found[key]
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise WeightsError(f"{file} is not a table of tensors by name")
    return found


def _read_tensors(file: Path) -> dict[str, Tensor]:
    if file.suffix != ".safetensors":
        return read_checkpoint(file)
    try:
        return load_file(file)
    except (SafetensorError, RuntimeError, OSError, ValueError) as error:
        raise WeightsError(damaged(file, error)) from error


def _unpickled(file: Path) -> Any:
    with file.open("rb") as start:
        if start.read(1) not in (b"P", b"\x80"):  # a zip file, or a pickle as of protocol 2
            raise WeightsError(
                f"{file} is no PyTorch file (a web page, or a pointer of git-LFS?): fetch it again"
            )
    try:
        return torch.load(
            file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)
        )
    except UnpicklingError as error:
        raise WeightsError(
            f"{file} holds more than tensors and was not unpickled, as it could run code: ask its"
            " author for safetensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsError(damaged(file, error)) from error


@contextmanager
def fitting(refusal: str) -> Iterator[None]:
    """Around what fits a state dict to a network: where it fails, the refusal and the reason."""
    try:
        yield
    except (KeyError, IndexError, RuntimeError) as error:
        raise WeightsError(f"{refusal}: {' '.join(str(error).split())}") from error


def damaged(file: Path, error: Exception) -> str:
    """The message of an error about a file that cannot be read."""
    reason = str(error).partition("\n")[0]
    return f"{file} cannot be read ({reason}): fetch it again"
