"""The forms of the scan against the reference loop, forward and with the gradient.

    python benchmarks/selective_scan.py [--rounds 5] [--threads 1]

One process, the sides in turn, processor time, medians. The reference is `reference_scan`: its
loop runs over views made by unbind, which is kinder to it than indexing (whose gradient fills a
whole array of zeros for each step). Two kinds of arguments:

    plain   x, delta, A, B, C, D
    mamba   with z, delta_bias and softplus too, as in a Mamba

Error: max |a - b| / max |b| against the reference in float64. And what compiling costs: the first
call of the kernels in a fresh process, without and with a cache.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from in_turn import in_turn, row
from torch import Tensor

from nver.encoders.selective_scan import FORMS, reference_scan, selective_scan

SHAPES = ((8, 251, 1536, 16), (8, 251, 2304, 24))  # clips, length, channels, states
PLAIN = ("x", "delta", "A", "B", "C", "D")
SCANS: dict[str, Callable[..., Tensor]] = {
    "reference": reference_scan,
    **{form: partial(selective_scan, form=form) for form in FORMS},
}


def make_inputs(shape: tuple[int, ...], kind: str) -> dict[str, Tensor]:
    clips, length, channels, states = shape
    generator = torch.Generator().manual_seed(0)
    normal = partial(torch.randn, generator=generator)
    inputs = {
        "x": normal(clips, length, channels),
        "delta": normal(clips, length, channels) - 2,
        "A": -torch.arange(1, states + 1) * torch.exp(0.3 * normal(channels, states)),
        "B": normal(clips, length, states),
        "C": normal(clips, length, states),
        "D": normal(channels),
        "z": normal(clips, length, channels),
        "delta_bias": 0.1 * normal(channels),
    }
    if kind == "plain":
        inputs = {name: inputs[name] for name in PLAIN}
        inputs["delta"] = F.softplus(inputs["delta"])
    return inputs


def both_ways(scan: Callable[..., Tensor], inputs: dict[str, Tensor], weight: Tensor) -> None:
    for tensor in inputs.values():
        tensor.grad = None
    scan(**inputs).backward(weight)


def error(scan: Callable[..., Tensor], inputs: dict[str, Tensor], exact: Tensor) -> float:
    return float((scan(**inputs) - exact).abs().max() / exact.abs().max())


def measure(shape: tuple[int, ...], kind: str, rounds: int) -> None:
    inputs = make_inputs(shape, kind)
    scans = {n: partial(s, delta_softplus=kind == "mamba") for n, s in SCANS.items()}
    forward = in_turn({name: partial(scan, **inputs) for name, scan in scans.items()}, rounds)
    exact = scans["reference"](**{name: tensor[:1].double() if tensor.ndim == 3 else tensor.double()
                                  for name, tensor in inputs.items()})  # fmt: skip
    first = {name: tensor[:1] if tensor.ndim == 3 else tensor for name, tensor in inputs.items()}
    errors = {name: error(scan, first, exact) for name, scan in scans.items()}
    weight = torch.randn(shape[:3], generator=torch.Generator().manual_seed(1))
    leaves = {name: tensor.requires_grad_() for name, tensor in inputs.items()}
    sides = {name: partial(both_ways, scan, leaves, weight) for name, scan in scans.items()}
    backward = in_turn(sides, rounds)
    for name in SCANS:
        row(
            shape,
            kind,
            name,
            f"{1e3 * forward[name]:.1f}",
            f"{forward['reference'] / forward[name]:.1f}",
            f"{1e3 * backward[name]:.0f}",
            f"{backward['reference'] / backward[name]:.1f}",
            f"{errors[name]:.1e}",
        )


FIRST_CALLS = """
import time, torch
torch.set_num_threads(1)
from nver.encoders.selective_scan import selective_scan
a = torch.ones(1, 32, 32, requires_grad=True)
b = torch.ones(1, 32, 4)
scan = lambda: selective_scan(a[..., :16], a[..., :16], -torch.ones(16, 4), b, b, z=a[..., 16:])
times = [time.perf_counter()]
from nver.encoders.selective_scan import numba_form
times.append(time.perf_counter())
with torch.no_grad():
    numba_form.convolve_into(torch.empty(1, 32, 16), a[..., :16], torch.ones(4, 16), torch.ones(16))
    scan()
times.append(time.perf_counter())
scan().sum().backward()
times.append(time.perf_counter())
print(*(after - before for before, after in zip(times, times[1:])))
"""


def measure_compilation() -> None:
    with TemporaryDirectory() as cache:
        for name in ("compiled", "from the cache"):
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALLS],
                env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            )
            row(name, *(f"{float(seconds):.2f}" for seconds in done.stdout.split()))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", type=int, nargs=4, action="append", metavar="N")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    heads = ("forward ms", "x reference", "forward + backward ms", "x reference", "error")
    row("clips, length, channels, states", "arguments", "form", *heads)
    row(*["---"] * 8)
    for shape in args.shape or SHAPES:
        for kind in ("plain", "mamba"):
            measure(tuple(shape), kind, args.rounds)
    print()
    row("first call in a process, s", "import of numba", "forward kernels", "gradient kernel")
    row(*["---"] * 4)
    measure_compilation()


if __name__ == "__main__":
    main()
