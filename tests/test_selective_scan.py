"""Every form of the scan against the reference, and the reference against the formula."""

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import nver
from nver.encoders.selective_scan import (
    FORMS,
    best_form,
    numba_form,
    reference_scan,
    selective_scan,
)
from nver.errors import UsageError

OPTIONAL = ("D", "z", "delta_bias")


def make_inputs(
    clips: int, length: int, channels: int, states: int, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Seeded inputs as a trained Mamba has them: steps of 0.01 to 3, decays of 1 to `states`."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    inputs = {
        "x": normal(clips, length, channels),
        "delta": normal(clips, length, channels) - 1,
        "A": -torch.arange(1, states + 1) * torch.exp(0.3 * normal(channels, states)),
        "B": normal(clips, length, states),
        "C": normal(clips, length, states),
        "D": normal(channels),
        "z": normal(clips, length, channels),
        "delta_bias": 0.1 * normal(channels),
    }
    return {name: tensor.to(dtype) for name, tensor in inputs.items()}


def scanned(inputs: dict[str, Tensor], form: str, soft: bool = True) -> Tensor:
    return selective_scan(**inputs, delta_softplus=soft, form=form)  # type: ignore[arg-type]


def referred(inputs: dict[str, Tensor], soft: bool = True) -> Tensor:
    """The reference in float64."""
    exact = {name: tensor.double() for name, tensor in inputs.items()}
    return reference_scan(**exact, delta_softplus=soft)  # type: ignore[arg-type]


def relative_error(a: Tensor, b: Tensor) -> float:
    """max |a - b| / max |b|, the issue's measure."""
    return float((a - b).abs().max() / b.abs().max())


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_reference_is_the_formula() -> None:
    inputs = make_inputs(1, 4, 2, 3, torch.float64)
    x, delta, A, B, C, D, z, bias = inputs.values()
    expected = torch.empty(4, 2, dtype=torch.float64)
    for e in range(2):
        h = [0.0] * 3
        for t in range(4):
            step = math.log1p(math.exp(delta[0, t, e] + bias[e]))
            for n in range(3):
                h[n] = math.exp(step * A[e, n]) * h[n] + step * float(B[0, t, n] * x[0, t, e])
            y = sum(h[n] * float(C[0, t, n]) for n in range(3)) + float(D[e] * x[0, t, e])
            expected[t, e] = y * float(z[0, t, e]) / (1 + math.exp(-z[0, t, e]))
    torch.testing.assert_close(referred(inputs)[0], expected, rtol=1e-12, atol=1e-12)


SHAPES = [
    (2, 1, 16, 1),
    (1, 15, 32, 4),
    (2, 16, 16, 24),
    (3, 17, 48, 16),
    (1, 251, 272, 24),  # more than one group of blocks
    (2, 33, 5, 3),  # no multiple of 16 channels
    (1, 2, 17, 2),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_form_is_the_reference(form: str, shape: tuple[int, int, int, int]) -> None:
    inputs = make_inputs(*shape)
    assert relative_error(scanned(inputs, form), referred(inputs)) <= 2e-6


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("left_out", [(), ("D",), ("z",), ("delta_bias",), OPTIONAL], ids=str)
@pytest.mark.parametrize("soft", [True, False])
def test_what_is_optional(form: str, left_out: tuple[str, ...], soft: bool) -> None:
    inputs = make_inputs(2, 20, 16, 4)
    if not soft:
        inputs["delta"], inputs["delta_bias"] = inputs["delta"].exp(), inputs["delta_bias"].abs()
    for name in left_out:
        del inputs[name]
    assert relative_error(scanned(inputs, form, soft), referred(inputs, soft)) <= 2e-6


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_autograds_through_the_reference(form: str) -> None:
    inputs = make_inputs(2, 40, 272, 5)
    exact = {name: tensor.double() for name, tensor in inputs.items()}
    weight = torch.randn(2, 40, 272, generator=torch.Generator().manual_seed(1))
    for tensor in (*inputs.values(), *exact.values()):
        tensor.requires_grad_()
    (scanned(inputs, form) * weight).sum().backward()
    (referred(exact) * weight).sum().backward()
    for name, tensor in inputs.items():
        assert tensor.grad is not None
        assert relative_error(tensor.grad, exact[name].grad) <= 1e-5, name  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("soft", "left_out"), [(True, ()), (False, ("z", "D", "delta_bias"))], ids=["mamba", "plain"]
)
def test_gradcheck_in_float64(form: str, soft: bool, left_out: tuple[str, ...]) -> None:
    inputs = make_inputs(1, 18, 2, 2, torch.float64)
    if not soft:
        inputs["delta"] = inputs["delta"].exp()
    for name in left_out:
        del inputs[name]
    leaves = tuple(tensor.requires_grad_() for tensor in inputs.values())
    assert torch.autograd.gradcheck(
        lambda *tensors: scanned(dict(zip(inputs, tensors, strict=True)), form, soft), leaves
    )


@pytest.mark.parametrize("name", ["x", "delta", "A", "B", "C", "D", "z", "delta_bias"])
def test_a_gradient_alone_is_that_among_all(name: str) -> None:
    inputs = make_inputs(1, 20, 16, 3)
    inputs[name].requires_grad_()
    alone = torch.autograd.grad(scanned(inputs, "numba").sum(), inputs[name])[0]
    assert not scanned({k: v.detach() for k, v in inputs.items()}, "numba").requires_grad
    for tensor in inputs.values():
        tensor.requires_grad_()
    among = torch.autograd.grad(scanned(inputs, "numba").sum(), inputs[name])[0]
    assert torch.equal(alone, among)


def test_any_number_of_threads_gives_the_same_bits(threads: None) -> None:
    results = []
    for number in (1, 2, 3, 5):
        torch.set_num_threads(number)
        inputs = make_inputs(2, 40, 272, 5)
        leaves = [tensor.requires_grad_() for tensor in inputs.values()]
        y = scanned(inputs, "numba")
        results.append([y, *torch.autograd.grad(y.square().sum(), leaves)])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "value"),
    [("delta", 100.0), ("delta", -100.0), ("z", 200.0), ("z", -200.0), ("A", -1e4), ("A", -0.0)],
)
def test_extremes(form: str, name: str, value: float) -> None:
    inputs = make_inputs(1, 20, 16, 3)
    inputs[name][..., ::2] = value
    found, expected = scanned(inputs, form), referred(inputs)
    assert torch.isfinite(found).all()
    assert (found - expected).abs().max() <= 2e-6 * max(1, float(expected.abs().max()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["A", "delta"])
@pytest.mark.parametrize("factor", [-1, -100])
def test_a_state_that_grows(form: str, name: str, factor: float) -> None:
    """Not in any Mamba, and not for the kernels; the torch form takes it over, to infinity."""
    inputs = {k: v for k, v in make_inputs(1, 20, 16, 3).items() if k != "delta_bias"}
    inputs["delta"] = inputs["delta"].exp()
    inputs[name] = factor * inputs[name]
    found = scanned(inputs, form, False)
    expected = reference_scan(**inputs)  # type: ignore[arg-type]
    finite = torch.isfinite(expected)
    assert torch.equal(torch.isfinite(found), finite)
    assert finite.all() == (factor == -1)
    torch.testing.assert_close(found[finite], expected[finite], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_strided_and_narrow_inputs(form: str) -> None:
    plain = make_inputs(2, 20, 16, 3)
    strided = {
        name: torch.stack([tensor, tensor], dim=-1).flatten(-2)[..., ::2]
        for name, tensor in plain.items()
    }
    assert torch.equal(scanned(strided, form), scanned(plain, form))
    narrow = {name: tensor.bfloat16() for name, tensor in plain.items()}
    y = scanned(narrow, form)
    assert y.dtype == torch.bfloat16
    assert relative_error(y.double(), referred(narrow)) <= 2**-8


def test_the_best_form_per_device() -> None:
    assert (best_form("cpu"), best_form("cuda")) == ("numba", "torch")


@pytest.mark.parametrize(
    ("form", "device", "message"),
    [("numbo", "cpu", "unknown form of the scan"), ("numba", "meta", "the tensors are on meta")],
)
def test_a_form_that_cannot_be(form: str, device: str, message: str) -> None:
    inputs = {name: tensor.to(device) for name, tensor in make_inputs(1, 2, 16, 1).items()}
    with pytest.raises(UsageError, match=message):
        scanned(inputs, form)


WRONG = {
    "x": (2, 20),
    "delta": (2, 19, 16),
    "A": (17, 3),
    "B": (2, 20, 4),
    "C": (1, 20, 3),
    "D": (1,),
    "z": (2, 20, 32),
    "delta_bias": (16, 1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", WRONG)
def test_shapes_that_do_not_fit(name: str, form: str) -> None:
    inputs = make_inputs(2, 20, 16, 3)
    inputs[name] = torch.zeros(WRONG[name])
    with pytest.raises(UsageError, match=r"the scan's x has the shape .*, and .* has .*, expected"):
        scanned(inputs, form)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_convolution(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    both = torch.randn(2, 9, 64, generator=generator).to(dtype)
    weight, bias = torch.randn(4, 32, generator=generator), torch.randn(32, generator=generator)
    y = torch.empty(2, 9, 32, dtype=dtype)
    numba_form.convolve_into(y, both[..., :32], weight, bias)
    padded = F.pad(both[..., :32].double().mT, (3, 0))
    expected = F.silu(F.conv1d(padded, weight.double().t()[:, None], bias.double(), groups=32)).mT
    assert relative_error(y.double(), expected) <= (2e-6 if dtype == torch.float32 else 2**-8)


def test_narrowing_rounds_to_nearest_even() -> None:
    x = torch.cat([torch.randn(4096, generator=torch.Generator().manual_seed(0)), torch.zeros(16)])
    x = torch.cat([x, torch.tensor([1 + 2**-8, 1 + 3 * 2**-8] * 8)]).reshape(1, 1, -1)
    y = torch.empty_like(x, dtype=torch.bfloat16)
    zeros = torch.zeros(1, x.shape[-1])
    single = torch.empty_like(x)
    numba_form.convolve_into(single, x, zeros + 1, zeros[0])
    numba_form.convolve_into(y, x, zeros + 1, zeros[0])
    assert torch.equal(y, single.bfloat16())


RUN = """
import sys, torch
if {hidden}: sys.modules["numba"] = None
from nver.encoders.selective_scan import best_form, selective_scan
a = torch.ones(1, 3, 16)
y = selective_scan(a, a, -torch.ones(16, 2), a[..., :2], a[..., :2])
print(best_form("cpu"), float(y[0, 2, 0]))
if not {hidden}:
    from nver.encoders.selective_scan.kernels import scan
    print(sum(scan.stats.cache_hits.values()), scan._cache.cache_path)
"""


def run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_without_numba() -> None:
    form, y = run(RUN.format(hidden=True))
    inputs = torch.ones(1, 3, 16)
    expected = reference_scan(inputs, inputs, -torch.ones(16, 2), inputs[..., :2], inputs[..., :2])
    assert form == "torch"
    assert float(y) == pytest.approx(float(expected[0, 2, 0]), rel=1e-6)


def test_with_a_numba_that_does_not_work(tmp_path: Path) -> None:
    """As numba is when numpy is newer than it knows: its import raises."""
    (tmp_path / "numba.py").write_text("raise ImportError('needs another numpy')")
    code = """
from nver.encoders.selective_scan import best_form, selective_scan
print(best_form("cpu"))
try:
    selective_scan(*[__import__("torch").ones(1, 1, 1)] * 5, form="numba")
except Exception as error:
    print(type(error).__name__)
"""
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["torch", "MissingExtraError"]
    assert done.stderr.count("slower (needs another numpy)") == 1


BITS = """
import hashlib, torch
from nver.encoders.selective_scan import selective_scan
torch.manual_seed(0)
inputs = [torch.randn(2, 40, 32), torch.randn(2, 40, 32), -torch.rand(32, 4),
          torch.randn(2, 40, 4), torch.randn(2, 40, 4)]
more = {"D": torch.randn(32), "z": torch.randn(2, 40, 32), "delta_bias": torch.randn(32)}
tensors = [tensor.requires_grad_() for tensor in (*inputs, *more.values())]
y = selective_scan(*inputs, **more, delta_softplus=True)
y.square().sum().backward()
for tensor in (y, *(tensor.grad for tensor in tensors)):
    print(hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest())
"""


@pytest.mark.long  # compiles the kernels anew: half a minute
def test_kernels_that_were_just_compiled_and_kept_ones_give_the_same_bits(tmp_path: Path) -> None:
    first, second = (run(BITS, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first == second


def test_no_kernel_calls_a_function_of_another_library() -> None:
    """What the one above needs: a call would find one copy when compiled, another when kept."""
    from numba.core.registry import CPUDispatcher

    from nver.encoders.selective_scan import kernels

    functions = [f for f in vars(kernels).values() if isinstance(f, CPUDispatcher)]
    helpers = [f for f in functions if f not in (kernels.scan, kernels.scan_gradient,
                                                 kernels.convolve)]  # fmt: skip
    assert len(helpers) >= 9
    assert all(helper.targetoptions["forceinline"] for helper in helpers)


def test_kernels_are_kept_under_a_read_only_installation(tmp_path: Path) -> None:
    """Neither beside the file nor in the user's cache folder can anything be written."""
    site, cache = tmp_path / "site", tmp_path / "cache"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(nver.__file__).parent, site / "nver", ignore=ignored)
    (site / "nver/encoders/selective_scan/__pycache__").write_text("in the way of a folder")
    environment = {
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": "/dev/null/none",
        "HOME": "/dev/null/none",
        "NVER_CACHE": str(cache),
    }
    first = run(RUN.format(hidden=False), **environment)
    second = run(RUN.format(hidden=False), **environment)
    assert (first[2], second[2]) == ("0", "1")
    assert Path(first[3]).is_relative_to(cache / "numba")
    unwritable = run(RUN.format(hidden=False), **environment | {"NVER_CACHE": "/dev/null/none"})
    assert unwritable[:2] == first[:2]
