"""The selective state space of Mamba, one line a formula; every fast form is tested against it.

Gu and Dao (2023), "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
arXiv 2312.00752, sections 2 and 3 and algorithm 2; the same as `selective_scan_ref` of
github.com/state-spaces/mamba, after the manner of github.com/johnma2006/mamba-minimal.

Glossary (the paper's symbol: the name here, its shape)
    B  clips, L  length, E  channels ("D" in the paper's algorithm 2), N  states
    x(t)     x      (B, L, E)  the input
    Δ(t)     delta  (B, L, E)  the step: how much of x(t) is taken in, and how much forgotten
    A        A      (E, N)     the decay, negative
    B(t)     B      (B, L, N)  from the input to the state
    C(t)     C      (B, L, N)  from the state to the output
    D        D      (E,)       from the input to the output
    h(t)     h      (B, E, N)  the state
    y(t)     y      (B, L, E)  the output

Does not include: the projections that make delta, B and C of x, and the convolution before them
(those are in `nver.encoders.audio_mamba.network`); complex A; bidirectional scans.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def reference_scan(
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
) -> Tensor:
    """y (B, L, E); `z` (B, L, E) gates it, `delta_bias` (E,) is added to delta before softplus.

    h(t) = exp(Δ(t) A) h(t-1) + Δ(t) B(t) x(t)      equation 2a, discretised as in equation 4:
    y(t) = C(t) h(t) + D x(t)                       zero-order hold for A, Euler for B
    """
    if delta_bias is not None:
        delta = delta + delta_bias
    if delta_softplus:
        delta = F.softplus(delta)
    decay = torch.exp(torch.einsum("ble,en->blen", delta, A))
    drive = torch.einsum("ble,bln,ble->blen", delta, B, x)

    h = torch.zeros_like(decay[:, 0])
    outputs = []
    for decay_t, drive_t, C_t in zip(decay.unbind(1), drive.unbind(1), C.unbind(1), strict=True):
        h = decay_t * h + drive_t
        outputs.append(torch.einsum("ben,bn->be", h, C_t))
    y = torch.stack(outputs, dim=1)

    if D is not None:
        y = y + D * x
    return y if z is None else y * F.silu(z)
