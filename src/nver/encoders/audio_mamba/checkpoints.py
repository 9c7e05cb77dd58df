"""Audio-Mamba's weights: found, read without running anything, and written as safetensors.

An upstream checkpoint is dict(model, optimizer, epoch, scaler, args), pickled, and args holds
argparse and ml_collections objects. It is read by torch's own restricted interpreter (the one of
`weights_only`), which knows tensors and plain containers; each class of args is replaced by an
empty shell of its name, and anything else is refused before it is looked up.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from nver.encoders.audio_mamba.network import AudioMamba, Sizes
from nver.encoders.tensor_files import (
    checked,
    elements,
    fitting,
    read_pickled,
    read_safetensors,
)
from nver.encoders.weights import CONFIG, SAFETENSORS, hash_weights
from nver.errors import UsageError, WeightsError
from nver.machine.files import found_at, write_whole

UNUSED = ("pred.", "mask_token")  # the pre-training head and its mask: no embedding depends on them
MODEL_TYPE = "audio-mamba"


class Shell:
    """Stands for an object of a checkpoint that nobody needs; takes anything and keeps nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> "Shell":
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


def _shell(module: str, name: str) -> type[Shell]:
    return type(name, (Shell,), {"__module__": module, "__qualname__": name})


SHELLS: list[Any] = [
    _shell("argparse", "Namespace"),
    _shell("ml_collections.config_dict.config_dict", "ConfigDict"),
    _shell("ml_collections.config_dict.config_dict", "FrozenConfigDict"),
    _shell("pathlib", "PosixPath"),
]


class Converted(NamedTuple):
    """What `convert` wrote; `weights_sha256` is the hash in the encoder's identity."""

    file: Path
    file_sha256: str
    weights_sha256: str
    sizes: Sizes


def find_weights(weights: str | Path) -> Path:
    """The file that holds the weights: the path itself, or in a safetensors or upstream run folder.

    In an upstream run folder the checkpoint with the highest number is taken, as upstream does.
    """
    path = found_at(weights)
    if path is not None and path.is_file():
        return path
    if path is None or not path.is_dir():
        raise WeightsError(f"weights {str(weights)!r}: no such file or folder")
    if (path / SAFETENSORS).is_file():
        return path / SAFETENSORS
    numbered = {
        int(number[1]): file
        for file in sorted((path / "checkpoints").glob("*.pth"))
        if (number := re.search(r"(\d+)$", file.stem))
    }
    if not numbered:
        raise WeightsError(
            f"weights {str(weights)!r}: a folder with neither {SAFETENSORS} nor"
            " checkpoints/checkpoint-NN.pth; give an upstream run folder (such as"
            " ssam_base_200_16x4_4x256_fp16_r1), one of its checkpoints, or what"
            " `nver convert` wrote"
        )
    return numbered[max(numbered)]


def read_weights(file: Path) -> dict[str, Tensor]:
    """The state dict in a checkpoint (.pth) or safetensors file, in float32, on the CPU.

    Raises:
        WeightsError: it is damaged, not a state dict, or a pickle that names what is not allowed;
            a tensor is sparse or without data, of whole numbers, or not finite in float32.
    """
    if file.suffix == ".safetensors":
        found = read_safetensors(file)
    else:
        whole = _read_checkpoint(file)
        state = whole.get("model", whole) if isinstance(whole, dict) else whole
        if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
            raise WeightsError(f"{file} holds no state dict, neither itself nor under 'model'")
        found = checked(state, file)
    for name, tensor in found.items():
        if not tensor.is_floating_point():
            raise WeightsError(f"{file}: {name} is {tensor.dtype}; expected floating-point weights")
    plain = {name: tensor.detach().float() for name, tensor in found.items()}
    if not all(tensor.isfinite().all() for tensor in plain.values()):  # of float64, what is beyond
        raise WeightsError(f"{file} has values that are infinite in float32; fetch it again")
    return plain


def _read_checkpoint(file: Path) -> Any:
    if not zipfile.is_zipfile(file):
        raise WeightsError(f"{file} is not a checkpoint of torch 1.6 or later (a zip archive)")
    try:
        return read_pickled(file, SHELLS)
    except UnpicklingError as error:
        raise WeightsError(_refusal(file)) from error


def _refusal(file: Path) -> str:
    """Why a pickle was refused; its opcodes are looked at, nothing of it is run."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    except Exception:  # whatever a broken pickle can do to a parser
        names = []
    what = f"it names {', '.join(sorted(names))}" if names else "it holds more than tensors"
    return (
        f"{file} was refused, and nothing of it was run: {what}, which is in no checkpoint of"
        " Audio-Mamba and could run code. If you trust its author, ask for safetensors"
    )


def build_network(state: Mapping[str, Tensor], name: str) -> AudioMamba:
    """The network of a state dict, every key and shape accounted for; `name` is for the errors."""
    with fitting(f"{name} does not fit Audio-Mamba"):
        sizes = Sizes.of(state)
        if sizes.least > elements(state):
            raise WeightsError(
                f"{name} does not fit Audio-Mamba: of its sizes a network has {sizes.least:,} "
                f"weights or more, and it has {elements(state):,}"
            )
        # the meta device would save the initial values and import torch._dynamo, which takes 1.2 s
        with torch.random.fork_rng(devices=[]):
            network = AudioMamba(sizes)
        network.load_state_dict(state, strict=True, assign=True)
    network.pos_embed.requires_grad_(False)
    return network.eval()


def hash_used(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of what decides an embedding: the same for a checkpoint and its conversion."""
    return hash_weights({k: v for k, v in state.items() if not k.startswith(UNUSED)}, {})


def convert(source: str | Path, out: str | Path) -> Converted:
    """Write a checkpoint's weights as `out`/model.safetensors and config.json.

    Raises:
        WeightsError: the source is refused or does not fit.
        UsageError: `out` has weights already.
    """
    file = find_weights(source)
    state = read_weights(file)
    build_network(state, str(file))
    return write_weights(state, out, {"file": file.name, "sha256": _sha256(file)})


def write_weights(state: Mapping[str, Tensor], out: str | Path, source: Any) -> Converted:
    """A folder to pass as `weights`; `source` says in its config.json where they come from."""
    folder = Path(out).expanduser()
    if (folder / SAFETENSORS).exists():
        raise UsageError(f"{folder / SAFETENSORS} exists; give another folder, or remove it first")
    content = save({name: tensor.contiguous() for name, tensor in state.items()})
    converted = Converted(
        file=folder / SAFETENSORS,
        file_sha256=hashlib.sha256(content).hexdigest(),
        weights_sha256=hash_used(state),
        sizes=Sizes.of(state),
    )
    config = {
        "model_type": MODEL_TYPE,
        **asdict(converted.sizes),
        "sha256": converted.file_sha256,
        "source": source,
    }
    write_whole(folder / CONFIG, json.dumps(config, indent=1) + "\n")
    write_whole(converted.file, content)  # last: killed before, the next conversion goes through
    return converted


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
