"""The scan and its gradient in torch alone, for any device: one step at a time, in place.

It keeps no (clips, length, channels, states) array: the states of every 16th step are kept for
the gradient, which makes the others again.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.selective_scan.inputs import Gradients, Inputs

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


def backward(inputs: Inputs, kept: Tensor, gradient: Tensor) -> Gradients:
    """The gradients of all inputs from `gradient`, dL/dy (clips, length, channels)."""
    x, length = inputs.x, inputs.x.shape[1]
    step, gy = _steps(inputs), gradient
    decay = inputs.A.t().contiguous()
    drive, scratch = step * x, torch.empty_like(kept[0])
    if inputs.z is not None:
        gy = gradient * F.silu(inputs.z)
    y = torch.empty_like(step) if inputs.z is not None else None
    gdecay, carried = torch.zeros_like(kept[0]), torch.zeros_like(kept[0])
    gB, gC = torch.empty_like(inputs.B), torch.empty_like(inputs.C)
    along_a, along_b = torch.empty_like(step), torch.empty_like(step)
    for number in range(len(kept) - 1, -1, -1):
        low, high = number * KEPT_EVERY, min((number + 1) * KEPT_EVERY, length)
        states, factors = [kept[number]], []
        for t in range(low, high):
            h, factor = states[-1].clone(), torch.empty_like(scratch)
            _advance(h, factor, step[:, t], decay, drive[:, t], inputs.B[:, t])
            states.append(h)
            factors.append(factor)
            if y is not None:
                y[:, t] = _read(inputs.C[:, t], h)
        for t in range(high - 1, low - 1, -1):
            before, after, factor = states[t - low], states[t - low + 1], factors[t - low]
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
    return Gradients(
        x=(inputs.D * gy).addcmul_(step, along_b),
        delta=gstep,
        A=gdecay.sum(dim=0).t(),
        B=gB,
        C=gC,
        D=(gy * x).sum(dim=(0, 1)),
        z=None if y is None else _gate_gradient(inputs, y, gradient),
        bias=gstep.sum(dim=(0, 1)),
    )


def _steps(inputs: Inputs) -> Tensor:
    step = inputs.delta + inputs.bias
    return F.softplus(step) if inputs.soft else step


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
