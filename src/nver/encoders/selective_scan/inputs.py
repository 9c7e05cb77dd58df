"""The inputs of a form of the scan."""

from typing import NamedTuple

from torch import Tensor


class Inputs(NamedTuple):
    """Of one dtype and device: x, delta, z (B, L, E), A (E, N), B and C (B, L, N), D, bias (E,).

    Their gradients, of the same shapes, are `Inputs` too; `soft` has none.
    """

    x: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor | None
    bias: Tensor
    soft: bool | None
