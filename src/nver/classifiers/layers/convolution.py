"""Convolution, max-pool and ReLU in one step: on a CPU the larger part of training.

There torch's convolution wants the channels first, where its pooling runs value by value. Here the
channels come last and the convolution is a matrix product over windows; of a window, pooling keeps
the larger of two rows. Twice as fast (benchmarks/training.py), the numbers the same within
rounding. Elsewhere than on a CPU, and in an exported model, torch's own layers run.

Shapes: h (batch, L, C) -> (batch, P, F); windows of 3 values, zeros beyond the ends.
"""

from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d, adaptive_max_pool2d_with_indices, max_pool1d

KERNEL = 3  # paper, section III
PADDING = 1  # author's code
POOL = 2  # author's code; the paper says "max-pooling after each convolutional layer", no size


class ConvPool(nn.Module):
    """(batch, L, inputs) -> (batch, P, filters): convolution along L, max-pool, ReLU.

    P = `positions`, of parts as even as can be, or ceil(L / 2) where that is None. ReLU stands
    after the pool: the same values and gradients as before it, on fewer positions. An odd length is
    rounded up (our choice), so that any L of at least 1 works.
    """

    def __init__(self, inputs: int, filters: int, positions: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, filters, KERNEL, padding=PADDING)
        self.positions = positions

    def forward(self, h: Tensor) -> Tensor:
        weight, bias = self.conv.weight, self.conv.bias
        if h.device.type != "cpu" or torch.compiler.is_exporting():
            return pool(self.conv(h.transpose(1, 2)), self.positions).relu().transpose(1, 2)
        if self.positions is None:
            return _Halved.apply(h, weight, bias)  # type: ignore[no-untyped-call]
        return _Parted.apply(h, weight, bias, self.positions)  # type: ignore[no-untyped-call]


def pool(channels: Tensor, positions: int | None) -> Tensor:
    """(batch, C, L) -> (batch, C, P): the largest value of each part.

    torch's adaptive max-pool has no form in ONNX; a model that is exported gathers each part's
    values, a part of fewer with its last one repeated. The numbers are the same.
    """
    if positions is None:
        return max_pool1d(channels, POOL, ceil_mode=True)
    if not torch.compiler.is_exporting():
        return adaptive_max_pool1d(channels, positions)
    parts = _parts(channels.shape[-1], positions)
    longest = max(len(part) for part in parts)
    index = torch.tensor([[*part, *[part[-1]] * (longest - len(part))] for part in parts])
    return channels[..., index].amax(dim=-1)


def _parts(length: int, positions: int) -> list[range]:
    """Which values go to which position: from floor(iL/P) up to ceil((i+1)L/P)."""
    return [
        range(i * length // positions, -(-(i + 1) * length // positions)) for i in range(positions)
    ]


class _Halved(torch.autograd.Function):
    """A pool of 2. A row of windows has the 4 C values that two neighbours' windows cover."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        batch, length, channels = h.shape
        half = -(-length // POOL)
        windows = _windows(h, half, 4, POOL)
        w = _matrix(weight)
        even = torch.addmm(bias, windows[:, : len(w)], w)
        odd = torch.addmm(bias, windows[:, channels:], w)
        if length % POOL:
            odd.view(batch, half, len(bias))[:, -1] = -inf
        first = even >= odd
        out = torch.maximum(even, odd, out=even).relu_()
        ctx.save_for_backward(windows, w, first, out)
        ctx.shape = h.shape
        return out.view(batch, half, len(bias))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        windows, w, first, out = ctx.saved_tensors
        batch, length, channels = ctx.shape
        gradient = _relu_gradient(gradients[0].reshape(out.shape), out)
        of_bias = gradient.sum(0)
        even = gradient * first
        odd = gradient.sub_(even)
        of_w = windows[:, : len(w)].T @ even
        of_w.addmm_(windows[:, channels:].T, odd)
        of_h = None
        if ctx.needs_input_grad[0]:
            of_windows = even.new_zeros(len(even), 4 * channels)
            of_windows[:, : len(w)].addmm_(even, w.T, beta=0)
            of_windows[:, channels:].addmm_(odd, w.T)
            pairs = of_windows.view(batch, -1, 2, POOL * channels)
            sums = even.new_zeros(batch, pairs.shape[1] + 1, POOL * channels)
            sums[:, :-1] = pairs[:, :, 0]
            sums[:, 1:] += pairs[:, :, 1]
            of_h = sums.view(batch, -1, channels)[:, PADDING : PADDING + length]
        return of_h, _as_weight(of_w), of_bias


class _Parted(torch.autograd.Function):
    """A pool to so many positions, of parts that may overlap in one value."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, bias: Tensor, positions: int) -> Tensor:
        batch, length, _ = h.shape
        windows = _windows(h, length, KERNEL, 1)
        w = _matrix(weight)
        all_ = torch.addmm(bias, windows, w).view(batch, length, len(bias))
        pooled, index = adaptive_max_pool2d_with_indices(
            all_.transpose(1, 2).unsqueeze(2), (1, positions)
        )
        out = pooled.squeeze(2).transpose(1, 2).relu_()
        ctx.save_for_backward(windows, w, index.squeeze(2).transpose(1, 2), out)
        ctx.shape = h.shape
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        windows, w, index, out = ctx.saved_tensors
        batch, length, channels = ctx.shape
        gradient = _relu_gradient(gradients[0], out)
        of_all = gradient.new_zeros(batch, length, gradient.shape[2])
        of_all.scatter_add_(1, index, gradient)
        rows = of_all.view(batch * length, -1)
        of_h = None
        if ctx.needs_input_grad[0]:
            of_windows = (rows @ w.T).view(batch, length, KERNEL, channels)
            of_h = of_windows[:, :, 1].clone()
            of_h[:, :-1] += of_windows[:, 1:, 0]
            of_h[:, 1:] += of_windows[:, :-1, 2]
        return of_h, _as_weight(windows.T @ rows), gradient.sum((0, 1)), None


def _windows(h: Tensor, number: int, size: int, step: int) -> Tensor:
    """(batch · number, size · C): `size` rows of h each, the first one from before its start."""
    batch, length, channels = h.shape
    padded = h.new_zeros(batch, (number - 1) * step + size, channels)
    padded[:, PADDING : PADDING + length] = h
    strides = (padded.stride(0), step * channels, 1)
    windows = padded.as_strided((batch, number, size * channels), strides)
    return windows.reshape(batch * number, size * channels)


def _matrix(weight: Tensor) -> Tensor:
    """(3 C, F) of a convolution's weight (F, C, 3)."""
    return weight.permute(2, 1, 0).reshape(-1, len(weight))


def _as_weight(matrix: Tensor) -> Tensor:
    """The inverse of `_matrix`."""
    return matrix.view(KERNEL, -1, matrix.shape[1]).permute(2, 1, 0)


def _relu_gradient(gradient: Tensor, out: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward(gradient, out, 0)
