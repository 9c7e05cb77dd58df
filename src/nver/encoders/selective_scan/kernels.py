"""The kernels of the scan in numba: blocks of 16 channels, whose states stay in the L1 cache.

Arrays are as in `reference`: x, delta, z, y (clips, length, channels), the last axis contiguous;
b, c (clips, length, states); `decay` is A log2(e) transposed, (states, channels).
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from nver.paths import cache_folder

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


inlined: Callable[[Callable[..., Any]], Any] = numba.njit


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


@kernel
def scan(
    x: Any, delta: Any, decay: Any, b: Any, c: Any, skip: Any, z: Any, bias: Any, y: Any,
    kept: Any, first: int, last: int, soft: bool, gated: bool,
) -> None:  # fmt: skip
    """y of the tasks first to last, each a clip and a block of channels; kept, if it has room."""
    length, blocks = x.shape[1], x.shape[2] // LANES
    states = decay.shape[0]
    a, h = scratch(1, states, decay)[0], scratch(1, states, decay)[0]
    steps, outs = scratch(1, KEPT_EVERY, decay)[0], scratch(1, KEPT_EVERY, decay)[0]
    for task in range(first, last):
        i, k = task // blocks, task % blocks * LANES
        for n in range(states):
            store(a, (n, 0), load(decay, (n, k)))
            store(h, (n, 0), zeros(decay))
        skipped, shift = load(skip, (k,)), load(bias, (k,))
        for low in range(0, length, KEPT_EVERY):
            high = min(low + KEPT_EVERY, length)
            if kept.shape[0] > 0:
                for n in range(states):
                    store(kept, (i, low // KEPT_EVERY, n, k), load(h, (n, 0)))
            for t in range(low, high):
                step = load(delta, (i, t, k)) + shift
                store(steps, (t - low, 0), softplus(step) if soft else step)
            for t in range(low, high):
                ahead = min(t + KEPT_EVERY, length - 1)
                prefetch(delta, (i, ahead, k))
                prefetch(x, (i, ahead, k))
                prefetch(y, (i, t, k))
                if gated:
                    prefetch(z, (i, t, k))
                step, value = load(steps, (t - low, 0)), load(x, (i, t, k))
                drive = step * value
                out = skipped * value
                for n in range(states):
                    factor = decayed(step * load(a, (n, 0)))
                    state = fma(factor, load(h, (n, 0)), drive * spread(b, (i, t, n)))
                    store(h, (n, 0), state)
                    out = fma(state, spread(c, (i, t, n)), out)
                store(outs, (t - low, 0), out)
            for t in range(low, high):
                out = load(outs, (t - low, 0))
                if gated:
                    gate = load(z, (i, t, k))
                    out = out * (gate * sigmoid(gate))
                store(y, (i, t, k), out)


@kernel
def scan_gradient(
    x: Any, delta: Any, decay: Any, b: Any, c: Any, skip: Any, z: Any, bias: Any, kept: Any,
    g: Any, gx: Any, gdelta: Any, ga: Any, gb: Any, gc: Any, gskip: Any, gz: Any, gbias: Any,
    first: int, last: int, soft: bool, gated: bool,
) -> None:  # fmt: skip
    """The gradients of the tasks first to last, each a clip and a group of blocks, from g = dL/dy.

    ga, gskip and gbias are per clip, gb and gc per group: (groups, clips, length, states).
    """
    length, channels = x.shape[1], x.shape[2]
    states, blocks = decay.shape[0], channels // LANES
    groups = (blocks + GROUP - 1) // GROUP
    a = scratch(1, states, decay)[0]
    factors = scratch(KEPT_EVERY, states, decay)  # exp(step A)
    h = scratch(KEPT_EVERY + 1, states, decay)
    steps, gys = scratch(1, KEPT_EVERY, decay)[0], scratch(1, KEPT_EVERY, decay)[0]
    outs = scratch(1, KEPT_EVERY, decay)[0]  # y before the gate
    sum_b, sum_c = scratch(KEPT_EVERY, states, decay), scratch(KEPT_EVERY, states, decay)
    carried = scratch(GROUP, states, decay)  # dL/dh from later steps
    sum_a = scratch(GROUP, states, decay)
    for task in range(first, last):
        i, group = task // groups, task % groups
        start, stop = group * GROUP, min(blocks, (group + 1) * GROUP)
        carried[:] = 0
        sum_a[:] = 0
        for k in range(start * LANES, stop * LANES, LANES):
            store(gskip, (i, k), zeros(decay))
            store(gbias, (i, k), zeros(decay))
        for segment in range((length - 1) // KEPT_EVERY, -1, -1):
            low = segment * KEPT_EVERY
            high = min(low + KEPT_EVERY, length)
            sum_b[:] = 0
            sum_c[:] = 0
            for block in range(start, stop):
                k, j = block * LANES, block - start
                skipped, shift = load(skip, (k,)), load(bias, (k,))
                for n in range(states):
                    store(a, (n, 0), load(decay, (n, k)))
                    store(h, (0, n, 0), load(kept, (i, segment, n, k)))
                for t in range(low, high):
                    r = t - low
                    step, gy = load(delta, (i, t, k)) + shift, load(g, (i, t, k))
                    store(steps, (r, 0), softplus(step) if soft else step)
                    if gated:
                        gate = load(z, (i, t, k))
                        gy = gy * (gate * sigmoid(gate))
                    store(gys, (r, 0), gy)
                for t in range(low, high):  # the states again
                    r, ahead = t - low, min(k + LANES, channels - 1)  # the next block
                    prefetch(delta, (i, t, ahead))
                    prefetch(g, (i, t, ahead))
                    prefetch(x, (i, t, ahead))
                    prefetch(z, (i, t, ahead))
                    step, value = load(steps, (r, 0)), load(x, (i, t, k))
                    drive = step * value
                    out = skipped * value
                    for n in range(states):
                        factor = decayed(step * load(a, (n, 0)))
                        state = fma(factor, load(h, (r, n, 0)), drive * spread(b, (i, t, n)))
                        store(factors, (r, n, 0), factor)
                        store(h, (r + 1, n, 0), state)
                        out = fma(state, spread(c, (i, t, n)), out)
                    store(outs, (r, 0), out)
                total_skip = load(gskip, (i, k))
                for t in range(high - 1, low - 1, -1):
                    r = t - low
                    prefetch(gx, (i, t, k))
                    prefetch(gdelta, (i, t, k))
                    prefetch(gz, (i, t, k))
                    step, value, gy = load(steps, (r, 0)), load(x, (i, t, k)), load(gys, (r, 0))
                    drive = step * value
                    along_b, along_a = zeros(decay), zeros(decay)
                    for n in range(states):
                        gh = fma(gy, spread(c, (i, t, n)), load(carried, (j, n, 0)))
                        along_c = fma(gy, load(h, (r + 1, n, 0)), load(sum_c, (r, n, 0)))
                        store(sum_c, (r, n, 0), along_c)
                        store(sum_b, (r, n, 0), fma(gh, drive, load(sum_b, (r, n, 0))))
                        along_b = fma(gh, spread(b, (i, t, n)), along_b)
                        back = gh * load(factors, (r, n, 0))
                        store(carried, (j, n, 0), back)
                        turned = back * load(h, (r, n, 0))
                        along_a = fma(turned, load(a, (n, 0)), along_a)
                        store(sum_a, (j, n, 0), fma(turned, step, load(sum_a, (j, n, 0))))
                    store(gx, (i, t, k), skipped * gy + step * along_b)
                    store(steps, (r, 0), along_a * LN_2 + value * along_b)
                    total_skip = fma(gy, value, total_skip)
                store(gskip, (i, k), total_skip)
                total_bias = load(gbias, (i, k))
                for t in range(low, high):
                    r = t - low
                    gstep = load(steps, (r, 0))
                    if soft:
                        gstep = gstep * sigmoid(load(delta, (i, t, k)) + shift)
                    store(gdelta, (i, t, k), gstep)
                    total_bias = total_bias + gstep
                    if gated:
                        gate = load(z, (i, t, k))
                        open_ = sigmoid(gate)
                        slope = open_ * (1.0 + gate * (1.0 - open_))
                        store(gz, (i, t, k), load(g, (i, t, k)) * load(outs, (r, 0)) * slope)
                store(gbias, (i, k), total_bias)
            for t in range(low, high):
                for n in range(states):
                    gb[group, i, t, n] = lane_sum(load(sum_b, (t - low, n, 0)))
                    gc[group, i, t, n] = lane_sum(load(sum_c, (t - low, n, 0)))
        for block in range(start, stop):
            for n in range(states):
                store(ga, (i, n, block * LANES), load(sum_a, (block - start, n, 0)))


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
