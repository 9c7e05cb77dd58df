"""The kernels of the scan in numba: blocks of 16 channels, whose states stay in the L1 cache.

In these functions i is a clip, t a step, k the first of 16 channels, n a state. They look at no
bounds.
"""

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

from nver.encoders.selective_scan import simd
from nver.encoders.selective_scan.simd import (
    LANES,
    absolute,
    decayed,
    exp2,
    fma,
    lane_sum,
    load,
    log1p,
    positive,
    prefetch,
    spread,
    store,
    zeros,
)
from nver.machine.files import cache_folder

KEPT_EVERY = 16  # steps between states kept for the gradient (our choice: they fit in L1 and L2)
GROUP = 16  # blocks of channels that share the sums over channels (our choice)
CACHE_LINE = 64  # bytes; numba aligns its arrays to 32, and a split line takes twice as long
LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453

SOURCES = b"".join(Path(file).read_bytes() for file in (__file__, simd.__file__))


def kernel(function: Callable[..., None]) -> Any:
    """Compiled at its first call, without the interpreter's lock, and kept on disk.

    numba keeps it beside this file, else in the user's cache folder, else in nver's own, else it
    compiles anew in each process. Its name holds a checksum: numba would not see a change of simd.
    """
    function.__qualname__ += f"_{zlib.crc32(SOURCES):08x}"
    for folder in (numba.config.CACHE_DIR, str(cache_folder() / "numba")):
        numba.config.CACHE_DIR, before = folder, numba.config.CACHE_DIR
        try:
            return numba.njit(function, nogil=True, cache=True)
        except RuntimeError:  # no folder that can be written
            continue
        finally:
            numba.config.CACHE_DIR = before
    return numba.njit(function, nogil=True)


class Arrays(NamedTuple):
    """What `Inputs` has, as arrays; the last axis contiguous, channels a multiple of 16.

    x, delta, z: (clips, length, channels); b, c: (clips, length, states); skip (D), bias:
    (channels,); decay is A log2(e) transposed, (states, channels). Without `gated` z is not read.
    """

    x: Any
    delta: Any
    decay: Any
    b: Any
    c: Any
    skip: Any
    z: Any
    bias: Any
    soft: bool
    gated: bool


class GradientArrays(NamedTuple):
    """dL/d of each array; that of c and b per group of blocks, of what has no clips per clip.

    x, delta, z: (clips, length, channels); a: (clips, states, channels); b, c: (groups, clips,
    length, states); skip, bias: (clips, channels).
    """

    x: Any
    delta: Any
    a: Any
    b: Any
    c: Any
    skip: Any
    z: Any
    bias: Any


class Scratch(NamedTuple):
    """What the gradient needs of one segment: KEPT_EVERY steps of one block, some of a group.

    a (states, lanes): the decays; factors (steps, states, lanes): exp(step A); h (1 + steps,
    states, lanes); steps, outs, gys (steps, lanes): the steps, y and dL/dy before the gate; sum_b,
    sum_c (steps, states, lanes): dL/db and dL/dc, not yet summed over channels; carried, sum_a
    (blocks, states, lanes): dL/dh from later segments, and dL/dA.
    """

    a: Any
    factors: Any
    h: Any
    steps: Any
    outs: Any
    gys: Any
    sum_b: Any
    sum_c: Any
    carried: Any
    sum_a: Any


# Else a helper is a function that LLVM compiles twice, and a process that has compiled a kernel
# calls one copy, a process that reads it from disk the other, with other roundings.
inlined = partial(numba.njit, forceinline=True)


@inlined
def sigmoid(v: Any) -> Any:
    return 1.0 / (1.0 + exp2(v * -LOG2_E))


@inlined
def softplus(v: Any) -> Any:
    return positive(v) + log1p(exp2(absolute(v) * -LOG2_E))


@inlined
def scratch(rows: int, columns: int, like: Any) -> Any:
    """(rows, columns, lanes) of the type of `like`, each vector a cache line of its own."""
    size = rows * columns * LANES
    spare = np.empty(size + LANES, like.dtype)
    start = -spare.ctypes.data % CACHE_LINE // spare.itemsize
    return spare[start : start + size].reshape((rows, columns, LANES))


@inlined
def read_steps(inputs: Any, i: int, low: int, high: int, k: int, steps: Any) -> None:
    """The steps of a segment, softplus done: apart from the scan, which would wait for it."""
    shift = load(inputs.bias, (k,))
    for t in range(low, high):
        step = load(inputs.delta, (i, t, k)) + shift
        store(steps, (t - low, 0), softplus(step) if inputs.soft else step)


@kernel
def scan(inputs: Any, y: Any, kept: Any, first: int, last: int) -> None:
    """y (clips, length, channels) of the tasks first to last, each a clip and a block.

    kept: the state before each segment (clips, segments, states, channels), or no clips.
    """
    x, decay, b, c, z = inputs.x, inputs.decay, inputs.b, inputs.c, inputs.z
    length, blocks, states = x.shape[1], x.shape[2] // LANES, decay.shape[0]
    a, h = scratch(1, states, decay)[0], scratch(1, states, decay)[0]
    steps, outs = scratch(1, KEPT_EVERY, decay)[0], scratch(1, KEPT_EVERY, decay)[0]
    for task in range(first, last):
        i, k = task // blocks, task % blocks * LANES
        for n in range(states):
            store(a, (n, 0), load(decay, (n, k)))
            store(h, (n, 0), zeros(decay))
        for low in range(0, length, KEPT_EVERY):
            high = min(low + KEPT_EVERY, length)
            if kept.shape[0] > 0:
                for n in range(states):
                    store(kept, (i, low // KEPT_EVERY, n, k), load(h, (n, 0)))
            read_steps(inputs, i, low, high, k, steps)
            for t in range(low, high):
                ahead = min(t + KEPT_EVERY, length - 1)
                prefetch(inputs.delta, (i, ahead, k))
                prefetch(x, (i, ahead, k))
                prefetch(y, (i, t, k))
                prefetch(z, (i, t, k))
                step, value = load(steps, (t - low, 0)), load(x, (i, t, k))
                drive = step * value
                out = load(inputs.skip, (k,)) * value
                for n in range(states):
                    factor = decayed(step * load(a, (n, 0)))
                    state = fma(factor, load(h, (n, 0)), drive * spread(b, (i, t, n)))
                    store(h, (n, 0), state)
                    out = fma(state, spread(c, (i, t, n)), out)
                store(outs, (t - low, 0), out)
            for t in range(low, high):
                out = load(outs, (t - low, 0))
                if inputs.gated:
                    gate = load(z, (i, t, k))
                    out = out * (gate * sigmoid(gate))
                store(y, (i, t, k), out)


@kernel
def scan_gradient(inputs: Any, kept: Any, g: Any, out: Any, first: int, last: int) -> None:
    """The gradients `out` of the tasks first to last, each a clip and a group, from g = dL/dy.

    From the last segment to the first; in each, for block after block, the states are made again
    from the kept one, and then gone through backwards.
    """
    length, channels = inputs.x.shape[1:]
    states, blocks = inputs.decay.shape[0], channels // LANES
    groups = (blocks + GROUP - 1) // GROUP
    own = make_scratch(states, inputs.decay)
    for task in range(first, last):
        i, group = task // groups, task % groups
        start, stop = group * GROUP, min(blocks, (group + 1) * GROUP)
        own.carried[:] = 0
        own.sum_a[:] = 0
        out.skip[i, start * LANES : stop * LANES] = 0
        out.bias[i, start * LANES : stop * LANES] = 0
        for segment in range((length - 1) // KEPT_EVERY, -1, -1):
            low, high = segment * KEPT_EVERY, min((segment + 1) * KEPT_EVERY, length)
            own.sum_b[:] = 0
            own.sum_c[:] = 0
            for block in range(start, stop):
                k = block * LANES
                for n in range(states):
                    store(own.a, (n, 0), load(inputs.decay, (n, k)))
                    store(own.h, (0, n, 0), load(kept, (i, segment, n, k)))
                read_steps(inputs, i, low, high, k, own.steps)
                ungate(inputs, g, i, low, high, k, own.gys)
                remake_states(inputs, g, i, low, high, k, own)
                go_backwards(inputs, out, i, low, high, k, block - start, own)
                finish_steps(inputs, g, out, i, low, high, k, own)
            for t in range(low, high):
                for n in range(states):
                    out.b[group, i, t, n] = lane_sum(load(own.sum_b, (t - low, n, 0)))
                    out.c[group, i, t, n] = lane_sum(load(own.sum_c, (t - low, n, 0)))
        for block in range(start, stop):
            for n in range(states):
                store(out.a, (i, n, block * LANES), load(own.sum_a, (block - start, n, 0)))


@inlined
def make_scratch(states: int, like: Any) -> Any:
    return Scratch(
        a=scratch(1, states, like)[0],
        factors=scratch(KEPT_EVERY, states, like),
        h=scratch(KEPT_EVERY + 1, states, like),
        steps=scratch(1, KEPT_EVERY, like)[0],
        outs=scratch(1, KEPT_EVERY, like)[0],
        gys=scratch(1, KEPT_EVERY, like)[0],
        sum_b=scratch(KEPT_EVERY, states, like),
        sum_c=scratch(KEPT_EVERY, states, like),
        carried=scratch(GROUP, states, like),
        sum_a=scratch(GROUP, states, like),
    )


@inlined
def ungate(inputs: Any, g: Any, i: int, low: int, high: int, k: int, gys: Any) -> None:
    """dL/dy before the gate, of a segment."""
    for t in range(low, high):
        gy = load(g, (i, t, k))
        if inputs.gated:
            gate = load(inputs.z, (i, t, k))
            gy = gy * (gate * sigmoid(gate))
        store(gys, (t - low, 0), gy)


@inlined
def remake_states(inputs: Any, g: Any, i: int, low: int, high: int, k: int, own: Any) -> None:
    """h, factors and outs of a segment, as in `scan`."""
    x, b, c = inputs.x, inputs.b, inputs.c
    next_k = min(k + LANES, x.shape[2] - 1)
    for t in range(low, high):
        r = t - low
        prefetch(inputs.delta, (i, t, next_k))
        prefetch(g, (i, t, next_k))
        prefetch(x, (i, t, next_k))
        prefetch(inputs.z, (i, t, next_k))
        step, value = load(own.steps, (r, 0)), load(x, (i, t, k))
        drive = step * value
        out = load(inputs.skip, (k,)) * value
        for n in range(own.a.shape[0]):
            factor = decayed(step * load(own.a, (n, 0)))
            state = fma(factor, load(own.h, (r, n, 0)), drive * spread(b, (i, t, n)))
            store(own.factors, (r, n, 0), factor)
            store(own.h, (r + 1, n, 0), state)
            out = fma(state, spread(c, (i, t, n)), out)
        store(own.outs, (r, 0), out)


@inlined
def go_backwards(
    inputs: Any, out: Any, i: int, low: int, high: int, k: int, j: int, own: Any
) -> None:
    """dL/dh from the last step to the first, and what follows from it; dL/dstep is left in steps.

    With gh = dL/dh(t): dL/dc = gy h(t), dL/db = gh step x, dL/dx = D gy + step (gh b),
    dL/dstep = gh (A exp(step A) h(t-1) + x b), dL/dA = step gh exp(step A) h(t-1).
    """
    b, c = inputs.b, inputs.c
    skip, total_skip = load(inputs.skip, (k,)), load(out.skip, (i, k))
    for t in range(high - 1, low - 1, -1):
        r = t - low
        prefetch(out.x, (i, t, k))
        prefetch(out.delta, (i, t, k))
        prefetch(out.z, (i, t, k))
        step, value = load(own.steps, (r, 0)), load(inputs.x, (i, t, k))
        gy = load(own.gys, (r, 0))
        drive = step * value
        along_b, along_a = zeros(own.a), zeros(own.a)
        for n in range(own.a.shape[0]):
            gh = fma(gy, spread(c, (i, t, n)), load(own.carried, (j, n, 0)))
            along_c = fma(gy, load(own.h, (r + 1, n, 0)), load(own.sum_c, (r, n, 0)))
            store(own.sum_c, (r, n, 0), along_c)
            store(own.sum_b, (r, n, 0), fma(gh, drive, load(own.sum_b, (r, n, 0))))
            along_b = fma(gh, spread(b, (i, t, n)), along_b)
            back = gh * load(own.factors, (r, n, 0))
            store(own.carried, (j, n, 0), back)
            turned = back * load(own.h, (r, n, 0))
            along_a = fma(turned, load(own.a, (n, 0)), along_a)
            store(own.sum_a, (j, n, 0), fma(turned, step, load(own.sum_a, (j, n, 0))))
        store(out.x, (i, t, k), skip * gy + step * along_b)
        store(own.steps, (r, 0), along_a * LN_2 + value * along_b)
        total_skip = fma(gy, value, total_skip)
    store(out.skip, (i, k), total_skip)


@inlined
def finish_steps(
    inputs: Any, g: Any, out: Any, i: int, low: int, high: int, k: int, own: Any
) -> None:
    """The gradients that need no other step: of delta and bias through softplus, and of z."""
    shift, total_bias = load(inputs.bias, (k,)), load(out.bias, (i, k))
    for t in range(low, high):
        gstep = load(own.steps, (t - low, 0))
        if inputs.soft:
            gstep = gstep * sigmoid(load(inputs.delta, (i, t, k)) + shift)
        store(out.delta, (i, t, k), gstep)
        total_bias = total_bias + gstep
        if inputs.gated:
            gate = load(inputs.z, (i, t, k))
            open_ = sigmoid(gate)
            slope = open_ * (1.0 + gate * (1.0 - open_))
            store(out.z, (i, t, k), load(g, (i, t, k)) * load(own.outs, (t - low, 0)) * slope)
    store(out.bias, (i, k), total_bias)


@kernel
def convolve(x: Any, weight: Any, bias: Any, y: Any, first: int, last: int) -> None:
    """y = SiLU(causal depthwise convolution of x) of the tasks first to last, each one row.

    x, y: (clips, length, channels); weight (taps, channels), the last tap meets the row itself.
    """
    taps, length = weight.shape[0], x.shape[1]
    for task in range(first, last):
        i, t = task // length, task % length
        for k in range(0, x.shape[2], LANES):
            total = load(bias, (k,))
            for j in range(max(0, taps - 1 - t), taps):
                total = fma(load(x, (i, t - taps + 1 + j, k)), load(weight, (j, k)), total)
            store(y, (i, t, k), total * sigmoid(total))
