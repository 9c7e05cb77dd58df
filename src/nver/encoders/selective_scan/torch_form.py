"""The scan and its gradient in torch alone, for any device: one step at a time, in place.

It keeps no (clips, length, channels, states) array: the states of every 16th step are kept for
the gradient, which makes the others again.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.selective_scan.inputs import Inputs

KEPT_EVERY = 16  # steps (our choice: about the square root of the 251 steps of Audio-Mamba)


def forward(inputs: Inputs, keep: bool) -> tuple[Tensor, Tensor]:
    """y, and with `keep` the states before each 16th step for `backward`, else an empty tensor."""
    x, length = inputs.x, inputs.x.shape[1]
    step = _steps(inputs)
    drive, decay = step * x, inputs.A.t().contiguous()
    h = x.new_zeros(len(x), decay.shape[0], x.shape[2])
    factor, y = torch.empty_like(h), torch.empty_like(step)
    kept = []
    for t in range(length):
        if keep and t % KEPT_EVERY == 0:
            kept.append(h.clone())
        _advance(h, factor, step[:, t], decay, drive[:, t], inputs.B[:, t])
        y[:, t] = _read(inputs.C[:, t], h)
    y.addcmul_(x, inputs.D)
    if inputs.z is not None:
        y.mul_(F.silu(inputs.z))
    return y, torch.stack(kept) if keep else x.new_empty(0)


def backward(inputs: Inputs, kept: Tensor, gradient: Tensor) -> Inputs:
    """The gradients of all inputs from `gradient`, dL/dy (clips, length, channels)."""
    x, z = inputs.x, inputs.z
    step, decay = _steps(inputs), inputs.A.t().contiguous()
    drive = step * x
    gy = gradient if z is None else gradient * F.silu(z)
    y = None if z is None else torch.empty_like(step)
    gdecay, carried = torch.zeros_like(kept[0]), torch.zeros_like(kept[0])
    gB, gC = torch.empty_like(inputs.B), torch.empty_like(inputs.C)
    along_a, along_b, scratch = (torch.empty_like(like) for like in (step, step, kept[0]))
    for number in range(len(kept) - 1, -1, -1):
        low = number * KEPT_EVERY
        segment = (along[:, low : low + KEPT_EVERY] for along in (step, drive, inputs.B))
        states, factors = _states_again(kept[number], decay, *segment)
        for back in range(len(factors) - 1, -1, -1):
            t = low + back
            before, after, factor = states[back], states[back + 1], factors[back]
            if y is not None:
                y[:, t] = _read(inputs.C[:, t], after)
            carried.addcmul_(gy[:, t, None], inputs.C[:, t, :, None])
            gC[:, t] = torch.einsum("bne,be->bn", after, gy[:, t])
            gB[:, t] = torch.einsum("bne,be->bn", carried, drive[:, t])
            along_b[:, t] = _read(inputs.B[:, t], carried)
            carried.mul_(factor)
            torch.mul(carried, before, out=scratch)
            along_a[:, t] = (scratch * decay).sum(dim=1)
            gdecay.addcmul_(scratch, step[:, t, None])
    gstep = along_a.addcmul_(x, along_b)
    if inputs.soft:
        gstep.mul_(torch.sigmoid(inputs.delta + inputs.bias))
    return Inputs(
        x=(inputs.D * gy).addcmul_(step, along_b),
        delta=gstep,
        A=gdecay.sum(dim=0).t(),
        B=gB,
        C=gC,
        D=(gy * x).sum(dim=(0, 1)),
        z=None if y is None else _gate_gradient(inputs, y, gradient),
        bias=gstep.sum(dim=(0, 1)),
        soft=None,
    )


def _steps(inputs: Inputs) -> Tensor:
    step = inputs.delta + inputs.bias
    return F.softplus(step) if inputs.soft else step


def _states_again(
    first: Tensor, decay: Tensor, step: Tensor, drive: Tensor, b: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """The states of a segment from `first` before it on, and exp(step A) of each of its steps."""
    states, factors = [first], []
    for t in range(step.shape[1]):
        h, factor = states[-1].clone(), torch.empty_like(first)
        _advance(h, factor, step[:, t], decay, drive[:, t], b[:, t])
        states.append(h)
        factors.append(factor)
    return states, factors


def _advance(
    h: Tensor, factor: Tensor, step: Tensor, decay: Tensor, drive: Tensor, b: Tensor
) -> None:
    """h <- exp(step A) h + drive b, (clips, states, channels), leaving exp(step A) in `factor`."""
    torch.mul(step[:, None], decay, out=factor).exp_()
    h.mul_(factor).addcmul_(drive[:, None], b[:, :, None])


def _read(weights: Tensor, h: Tensor) -> Tensor:
    """(clips, channels): the sum over the states, weighted by (clips, states)."""
    return torch.bmm(weights[:, None], h)[:, 0]


def _gate_gradient(inputs: Inputs, y: Tensor, gradient: Tensor) -> Tensor:
    """dL/dz of out = (y + D x) silu(z)."""
    assert inputs.z is not None
    open_ = torch.sigmoid(inputs.z)
    slope = open_ * (1 + inputs.z * (1 - open_))
    return y.addcmul_(inputs.x, inputs.D).mul_(gradient).mul_(slope)
