"""TFLite models through LiteRT: published files, known by their hash, on one thread of the CPU.

LiteRT reads a model with native code. So a file is given to it only if it is, byte for byte, one
that a card names: nothing unknown is parsed, and the hash is the weights' identity.
"""

import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

from nver.errors import WeightsError
from nver.machine.files import found_at


@dataclass(frozen=True)
class Published:
    """A published model file, known by its content; `size` in bytes, `url` where to fetch it."""

    name: str
    size: int
    sha256: str
    url: str


def read_model(weights: str | None, file: Published, encoder: str) -> bytes:
    """The content of a published file at `weights`, a folder or the file itself.

    Raises:
        WeightsError: no weights were given, no such file, or another content.
    """
    if weights is None:
        raise WeightsError(
            f"{encoder} needs weights: download {file.name} from {file.url} and pass its folder"
        )
    path = found_at(weights)
    path = path / file.name if path is not None and path.is_dir() else path
    if path is None or not path.is_file():
        raise WeightsError(
            f"weights {weights!r}: no such file, or a folder without {file.name}, which is at"
            f" {file.url}"
        )
    size = path.stat().st_size
    content = path.read_bytes() if size == file.size else b""
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        what = f"SHA-256 {found}" if content else f"{size:,} bytes"
        raise WeightsError(
            f"{path} has {what}; expected {file.size:,} bytes with SHA-256 {file.sha256}, the file"
            f" at {file.url}. {encoder} runs no other: fetch that one"
        )
    return content


def start(model: bytes, *, keep_tensors: bool = False) -> Any:
    """An interpreter of the model with fresh state, on one thread.

    With `keep_tensors` the tensors inside the model can be read after a call.
    """
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors")
        interpreter = Interpreter(
            model_content=model, num_threads=1, experimental_preserve_all_tensors=keep_tensors
        )
    interpreter.allocate_tensors()
    return interpreter
