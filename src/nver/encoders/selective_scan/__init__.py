"""The recurrence of Mamba: `reference_scan` to read, `selective_scan` to run."""

import logging
from functools import cache, partial
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from nver.encoders.selective_scan.inputs import Inputs
from nver.encoders.selective_scan.reference import reference_scan
from nver.errors import MissingExtraError, UsageError, check_choice

__all__ = ["FORMS", "best_form", "reference_scan", "selective_scan"]

logger = logging.getLogger("nver")

FORMS = ("numba", "torch")
LANES = 16  # channels that the kernels take at once


def selective_scan(
    x: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    *,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    form: str | None = None,
) -> Tensor:
    """`reference_scan`, fast and differentiable (once): the same arguments, shapes and result.

    Computed in float64 for a float64 x, else in float32; y has the dtype of x.

    Args:
        form: "numba" (CPU) or "torch" (any device); None takes the best that can be used.

    Raises:
        UsageError: the shapes do not fit; the form is unknown, or not for this device.
        MissingExtraError: "numba" is asked for and not installed.
    """
    form = _check_form(form, x.device.type) if form else best_form(x.device.type)
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    D = x.new_zeros(x.shape[-1]) if D is None else D
    bias = x.new_zeros(x.shape[-1]) if delta_bias is None else delta_bias
    cast = partial(_cast, dtype=dtype)
    inputs = Inputs(
        *(cast(x), cast(delta), cast(A), cast(B), cast(C), cast(D)),
        z=None if z is None else cast(z),
        bias=cast(bias),
        soft=delta_softplus,
    )
    _check_shapes(inputs)
    if form == "numba" and not _decays(inputs):
        form = "torch"
    padded = _pad(inputs, -x.shape[-1] % LANES) if form == "numba" else inputs
    keep = torch.is_grad_enabled() and any(
        isinstance(field, Tensor) and field.requires_grad for field in padded
    )
    y: Tensor = _Scan.apply(form, keep, *padded)  # type: ignore[no-untyped-call]
    return y[..., : x.shape[-1]].to(x.dtype)


def best_form(device: str) -> str:
    """The fastest form for a kind of device ("cpu", "cuda", ...) with what is installed."""
    return "numba" if device == "cpu" and has_numba() else "torch"


@cache
def has_numba() -> bool:
    """Whether numba is installed and works; if not, a warning says so once."""
    try:
        _form("numba")
    except Exception as error:  # a numba that is broken, or shadowed, raises what it likes
        logger.warning('Mamba runs without numba, slower (%s): pip install "nver[fast]"', error)
        return False
    return True


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, form: str, keep: bool, *fields: Any) -> Tensor:
        y, kept = _form(form).forward(Inputs(*fields), keep)
        ctx.form, ctx.soft = form, fields[-1]
        ctx.save_for_backward(*fields[:-1], kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        *tensors, kept = ctx.saved_tensors
        inputs = Inputs._make((*tensors, ctx.soft))
        return None, None, *_form(ctx.form).backward(inputs, kept, gradient.contiguous())


def _form(name: str) -> Any:
    return import_module(f"nver.encoders.selective_scan.{name}_form")


def _check_form(form: str, device: str) -> str:
    check_choice("form of the scan", form, FORMS)
    if form == "numba" and device != "cpu":
        raise UsageError(f"the numba form of the scan runs on the CPU; the tensors are on {device}")
    if form == "numba" and not has_numba():
        raise MissingExtraError("the numba form of the scan", "fast")
    return form


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In the dtype, with a contiguous last axis, as the kernels need it."""
    tensor = tensor.to(dtype)
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def _check_shapes(inputs: Inputs) -> None:
    """Raise `UsageError` where shapes do not fit: the kernels check no bounds."""
    wide, states = inputs.x.shape, inputs.A.shape[-1]
    deep = (*wide[:2], states)
    expected = {"x": wide, "delta": wide, "A": (wide[-1], states), "B": deep, "C": deep}
    expected |= {"D": wide[-1:], "z": wide, "bias": wide[-1:]}
    for name, shape in expected.items():
        tensor = getattr(inputs, name)
        if tensor is not None and (tensor.shape != shape or len(wide) != 3 or 0 in wide):
            raise UsageError(
                f"the scan's x has the shape {tuple(wide)}, expected (clips, length, channels), and"
                f" {name} has {tuple(tensor.shape)}, expected {tuple(shape)}"
            )


def _decays(inputs: Inputs) -> bool:
    """Whether exp(step A) <= 1 throughout, as in every Mamba; the kernels take no other."""
    if bool((inputs.A > 0).any()):
        return False
    return inputs.soft or bool((inputs.delta.amin(dim=(0, 1)) + inputs.bias >= 0).all())


def _pad(inputs: Inputs, extra: int) -> Inputs:
    """With `extra` channels of zeros, and B and C contiguous."""
    inputs = inputs._replace(B=inputs.B.contiguous(), C=inputs.C.contiguous())
    if extra == 0:
        return inputs
    wide = partial(F.pad, pad=(0, extra))
    return inputs._replace(
        x=wide(inputs.x),
        delta=wide(inputs.delta),
        A=F.pad(inputs.A, (0, 0, 0, extra)),
        D=wide(inputs.D),
        z=None if inputs.z is None else wide(inputs.z),
        bias=wide(inputs.bias),
    )
