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
from nver.encoders.selective_scan.inputs import Inputs
from nver.encoders.selective_scan.kernels import GROUP, KEPT_EVERY, LOG2_E, Arrays, GradientArrays
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
    arrays, target, states = as_arrays(inputs, decay), view(y), view(kept)
    tasks = y.shape[0] * y.shape[2] // LANES
    in_parts(lambda first, last: kernels.scan(arrays, target, states, first, last), tasks)


def as_arrays(inputs: Inputs, decay: Tensor) -> Arrays:
    """The inputs as the kernels take them; ValueError if they would read beyond the channels."""
    x, delta, _, b, c, skip, z, bias, soft = inputs
    check_channels(x)
    gate = x if z is None else z
    views = [view(tensor) for tensor in (x, delta, decay, b, c, skip, gate, bias)]
    return Arrays._make((*views, soft, z is not None))


def prepared_decay(A: Tensor) -> Tensor:
    """A log2(e), (states, channels): exp(step A) is then a power of 2."""
    return (A * LOG2_E).t().contiguous()


def backward(inputs: Inputs, kept: Tensor, gradient: Tensor) -> Inputs:
    """The gradients of all inputs from `gradient`, dL/dy (clips, length, channels)."""
    clips, length, channels = inputs.x.shape
    states, groups = inputs.A.shape[1], -(-channels // (LANES * GROUP))
    new, wide = inputs.x.new_empty, (clips, length, channels)
    x, delta, a, skip, bias = map(
        new, (wide, wide, (clips, states, channels), (clips, channels), (clips, channels))
    )
    b, c = new(groups, clips, length, states), new(groups, clips, length, states)
    z = x if inputs.z is None else new(wide)  # where it is not written
    arrays = as_arrays(inputs, prepared_decay(inputs.A))
    out = GradientArrays(*map(view, (x, delta, a, b, c, skip, z, bias)))
    states_kept, g = view(kept), view(gradient)
    in_parts(
        lambda first, last: kernels.scan_gradient(arrays, states_kept, g, out, first, last),
        tasks=clips * groups,
    )
    return Inputs(
        x=x,
        delta=delta,
        A=a.sum(dim=0).t(),
        B=b.sum(dim=0),
        C=c.sum(dim=0),
        D=skip.sum(dim=0),
        z=None if inputs.z is None else z,
        bias=bias.sum(dim=0),
        soft=None,
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
    others = [_pool(parts).submit(work, *bounds[i : i + 2]) for i in range(1, parts)]
    work(*bounds[:2])
    for other in others:
        other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="nver-scan")


if hasattr(os, "register_at_fork"):  # a forked child has none of the pool's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
