"""The scan and its gradient by the kernels, on as many threads as torch uses.

Each task (a clip and some channels) is computed the same way whatever thread takes it, and sums
over tasks are taken in one order: the result is the same, bit for bit, for any number of threads.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from nver.encoders.selective_scan import kernels
from nver.encoders.selective_scan.inputs import Gradients, Inputs
from nver.encoders.selective_scan.kernels import GROUP, KEPT_EVERY, LOG2_E
from nver.encoders.selective_scan.simd import LANES

Array = npt.NDArray[Any]


def forward(inputs: Inputs, keep: bool) -> tuple[Tensor, Tensor]:
    """y, and with `keep` the states before each 16th step for `backward`, else an empty tensor."""
    y = torch.empty_like(inputs.x, memory_format=torch.contiguous_format)
    clips, length, channels = inputs.x.shape
    segments = -(-length // KEPT_EVERY)
    shape = (clips, segments, inputs.A.shape[1], channels) if keep else (0, 0, 0, 0)
    kept = inputs.x.new_empty(shape)
    scan_into(y, inputs, prepared_decay(inputs.A), kept)
    return y, kept


def scan_into(y: Tensor, inputs: Inputs, decay: Tensor, kept: Tensor) -> None:
    """The scan of `inputs`, whose A is not looked at: `decay` is A as the kernels take it."""
    check_channels(inputs.x)
    x, delta, b, c, skip, bias = map(
        view, (inputs.x, inputs.delta, inputs.B, inputs.C, inputs.D, inputs.bias)
    )
    z = x if inputs.z is None else view(inputs.z)
    arrays = (x, delta, view(decay), b, c, skip, z, bias, view(y), view(kept))
    flags = inputs.soft, inputs.z is not None
    in_parts(lambda a, o: kernels.scan(*arrays, a, o, *flags), tasks=y[..., ::LANES][:, 0].numel())


def prepared_decay(A: Tensor) -> Tensor:
    """A log2(e), (states, channels): exp(step A) is then a power of 2."""
    return (A * LOG2_E).t().contiguous()


def backward(inputs: Inputs, kept: Tensor, gradient: Tensor) -> Gradients:
    """The gradients of all inputs from `gradient`, dL/dy (clips, length, channels)."""
    clips, length, channels = inputs.x.shape
    states, groups = inputs.A.shape[1], -(-channels // (LANES * GROUP))
    new = inputs.x.new_empty
    gx, gdelta = new(clips, length, channels), new(clips, length, channels)
    gz = gx if inputs.z is None else new(clips, length, channels)
    ga, gskip, gbias = new(clips, states, channels), new(clips, channels), new(clips, channels)
    gb, gc = new(groups, clips, length, states), new(groups, clips, length, states)
    z = inputs.x if inputs.z is None else inputs.z
    arrays = [
        view(tensor)
        for tensor in (
            *(inputs.x, inputs.delta, prepared_decay(inputs.A), inputs.B, inputs.C, inputs.D, z),
            *(inputs.bias, kept, gradient, gx, gdelta, ga, gb, gc, gskip, gz, gbias),
        )
    ]
    flags = inputs.soft, inputs.z is not None
    in_parts(lambda a, o: kernels.scan_gradient(*arrays, a, o, *flags), tasks=clips * groups)
    return Gradients(
        x=gx,
        delta=gdelta,
        A=ga.sum(dim=0).t(),
        B=gb.sum(dim=0),
        C=gc.sum(dim=0),
        D=gskip.sum(dim=0),
        z=None if inputs.z is None else gz,
        bias=gbias.sum(dim=0),
    )


def convolve_into(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> None:
    """y = SiLU(causal depthwise convolution of x), (clips, length, channels); weight (taps, E)."""
    check_channels(x)
    arrays = view(x), view(weight), view(bias), view(y)
    in_parts(lambda a, o: kernels.convolve(*arrays, a, o), tasks=x.shape[0] * x.shape[1])


def check_channels(x: Tensor) -> None:
    """The kernels would read and write beyond channels that are no multiple of `LANES`."""
    if x.shape[-1] % LANES:
        raise ValueError(f"{x.shape[-1]} channels are no multiple of {LANES}")


def view(tensor: Tensor) -> Array:
    """The tensor's memory as a numpy array; bfloat16 as the int16 of the same bits."""
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.detach().numpy()


def in_parts(work: Callable[[int, int], None], tasks: int) -> None:
    """work(first, last) over all tasks, in equal parts on torch's number of threads."""
    parts = min(torch.get_num_threads(), tasks)
    bounds = [tasks * i // parts for i in range(parts + 1)]
    if parts == 1:
        work(0, tasks)
        return
    others = [_pool(parts).submit(work, *bounds[i : i + 2]) for i in range(1, parts)]
    work(*bounds[:2])
    for other in others:
        other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="nver-scan")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of its threads
