"""The inputs of a form of the scan, and their gradients."""

from typing import NamedTuple

from torch import Tensor


class Inputs(NamedTuple):
    """Of one dtype and device: x, delta, z (B, L, E), A (E, N), B and C (B, L, N), D, bias (E,)."""

    x: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor | None
    bias: Tensor
    soft: bool


class Gradients(NamedTuple):
    """The gradient of each tensor of `Inputs`, of its shape."""

    x: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor | None
    bias: Tensor
