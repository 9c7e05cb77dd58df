"""Files of tensors that others wrote, safetensors or PyTorch's: read without running their code.

A file is a claim: nothing is allocated for sizes that it does not hold, and a tensor that could be
no weight is refused by name.
"""

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from nver.errors import WeightsError, shown

MOST_SHARED = 4  # times a file's size that its tensors may take together: some share their data
REASON = 300  # characters of a library's own words in a message (our choice)


@contextmanager
def fitting(refusal: str) -> Iterator[None]:
    """Around what a library makes of weights or settings: where it fails, refusal and reason.

    Whatever it raises: a hostile file meets any line of it.
    """
    try:
        yield
    except WeightsError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:REASON]
        raise WeightsError(f"{refusal}: {type(error).__name__} {reason}") from error


def damaged(file: Path, error: Exception) -> str:
    """The message of an error about a file that cannot be read."""
    reason = str(error).partition("\n")[0][:REASON] or type(error).__name__
    return f"{file} cannot be read ({reason}): fetch it again"


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """The tensors by name in a safetensors file, each checked.

    Raises:
        WeightsError: it is damaged, or a tensor can be no weight.
    """
    try:
        found = load_file(file)
    except Exception as error:
        raise WeightsError(damaged(file, error)) from error
    return checked(found, file)


def read_pickled(file: Path, allowed: Sequence[Any] = ()) -> Any:
    """What a PyTorch file holds, by torch's restricted reader, with no tensor checked yet.

    Args:
        allowed: classes that it may name beside tensors and plain containers.

    Raises:
        WeightsError: it is damaged, is compressed, or claims more than it holds.
        UnpicklingError: it holds more than tensors and plain values.
    """
    is_zip = zipfile.is_zipfile(file)
    if is_zip:
        _check_archive(file)
    try:
        with torch.serialization.safe_globals([*allowed]), warnings.catch_warnings(action="ignore"):
            return torch.load(file, map_location="cpu", weights_only=True, mmap=is_zip)
    except UnpicklingError:
        raise
    except Exception as error:
        raise WeightsError(damaged(file, error)) from error


def _check_archive(file: Path) -> None:
    """Raise `WeightsError` for a zip file that would grow when it is read: torch writes none."""
    size = file.stat().st_size
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except Exception as error:
        raise WeightsError(damaged(file, error)) from error
    if any(entry.compress_type for entry in entries) or sum(e.file_size for e in entries) > size:
        raise WeightsError(
            f"{file} was refused: it is compressed, or claims more than its {size:,} bytes, as no "
            "PyTorch file does; fetch it again, or ask its author for safetensors"
        )


def checked(state: Any, file: Path) -> dict[str, Tensor]:
    """The state dict, if each of its tensors can be a weight.

    Raises:
        WeightsError: it is no table of tensors by name; a tensor is sparse, quantised or without
            data, has more values than the file holds for it, or one that is NaN or infinite.
    """
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise WeightsError(f"{file} is not a table of tensors by name")
    total, size = sum(_bytes(tensor) for tensor in state.values()), file.stat().st_size
    if total > MOST_SHARED * size:
        raise WeightsError(
            f"{file} was refused: its tensors would take {total:,} bytes, and it has {size:,}"
        )
    for name, tensor in state.items():
        with fitting(f"{file}: {shown(name)} cannot be read"):
            _check_tensor(tensor, f"{file}: {shown(name)}")
    return dict(state)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _check_tensor(tensor: Tensor, where: str) -> None:
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized or tensor.is_nested:
        raise WeightsError(f"{where} is not a plain tensor; save it dense, with its data")
    if _bytes(tensor) > tensor.untyped_storage().nbytes():
        raise WeightsError(
            f"{where} was refused: it claims {tensor.numel():,} values, and the file holds fewer"
        )
    if tensor.is_floating_point() or tensor.is_complex():
        values = tensor.float() if tensor.element_size() == 1 else tensor
        if not values.isfinite().all():
            raise WeightsError(f"{where} has values that are NaN or infinite; fetch it again")


def elements(state: Mapping[str, Tensor]) -> int:
    """How many values the tensors have together."""
    return sum(tensor.numel() for tensor in state.values())
