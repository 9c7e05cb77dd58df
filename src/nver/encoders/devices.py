"""The device that an encoder runs on, with the same numbers on each."""

from contextlib import AbstractContextManager, nullcontext

import torch

from nver.errors import UsageError


def find_device(name: str) -> torch.device:
    """The device with a name such as "cuda:1"; a `UsageError` where it cannot be used."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"device {name!r} cannot be used here ({reason}): try 'cpu'") from error
    return device


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Convolutions in float32 on a GPU too, whose default is TF32: one result on every device."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False, deterministic=True)
