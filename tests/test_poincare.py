"""The Poincaré ball against mpmath and geoopt, at its edges, its gradients, and in ONNX."""

import warnings
from collections.abc import Callable
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from helpers_onnx import exported
from nver.classifiers.layers import poincare

DIM = 6
CS = (1e-3, 0.1, 1.0, 10.0)
SHARES = (1e-12, 1e-9, 1e-6, 1e-3, 0.1, 0.5, 0.9, 0.99, 0.999)  # of the radius
M = torch.linspace(-0.9, 0.8, 4 * DIM).reshape(4, DIM)
Z, R = torch.linspace(-1, 1.2, 3 * DIM).reshape(3, DIM).flip(1), torch.tensor([-0.4, 0.0, 0.7])
maps = Callable[..., Tensor]


def vectors(share: float, c: float, clips: int = 3, seed: int = 0) -> Tensor:
    """(clips, DIM) float32 of norm share/√c; at 0.999 rounding could lead over it: none does."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(clips, DIM, generator=generator, dtype=torch.float64)
    x *= share * (1 - 2e-7) / c**0.5 / x.norm(dim=1, keepdim=True)
    return x.float()


def pairs(c: float) -> list[tuple[Tensor, Tensor]]:
    """Any size with any, and the same or opposite, nearly and exactly."""
    found = [(vectors(a, c), vectors(b, c, seed=1)) for a, b in product(SHARES[::2], repeat=2)]
    for share in SHARES:
        x = vectors(share, c)
        near = (x * (1 - 1e-4 * torch.linspace(0, 1, DIM))).float()
        found += [(x, near), (x, -near), (x, x), (x, -x)]
    return found


# ------------------------------------------------------- the textbook's formulas, with 60 digits


def mp(x: Tensor) -> Any:
    return mpmath.matrix([[mpmath.mpf(float(v))] for v in x])


def dot(x: Any, y: Any) -> Any:
    return (x.T * y)[0]


def text_exp(v: Any, c: Any) -> Any:
    n = mpmath.sqrt(c * dot(v, v))
    return mpmath.tanh(n) / n * v if n else v


def text_log(y: Any, c: Any) -> Any:
    n = mpmath.sqrt(c * dot(y, y))
    return mpmath.atanh(n) / n * y if n else y


def text_add(x: Any, y: Any, c: Any) -> Any:
    xy, xx, yy = dot(x, y), dot(x, x), dot(y, y)
    above = (1 + 2 * c * xy + c * yy) * x + (1 - c * xx) * y
    return above / (1 + 2 * c * xy + c**2 * xx * yy)


def text_scale(x: Any, c: Any, r: Any) -> Any:
    n = mpmath.sqrt(c * dot(x, x))
    return mpmath.tanh(r * mpmath.atanh(n)) / n * x if n else x


def text_matrix(x: Any, c: Any) -> Any:
    matrix = mpmath.matrix(M.double().tolist())
    moved, n = matrix * x, mpmath.sqrt(dot(x, x))
    m, root = mpmath.sqrt(dot(moved, moved)), mpmath.sqrt(c)
    return mpmath.tanh(m / n * mpmath.atanh(root * n)) / root / m * moved


def text_distance(x: Any, y: Any, c: Any) -> Any:
    between = text_add(-x, y, c)
    root = mpmath.sqrt(c)
    return mpmath.matrix([2 / root * mpmath.atanh(root * mpmath.sqrt(dot(between, between)))])


def text_midpoint(x: Any, y: Any, c: Any) -> Any:
    lx, ly = (2 / (1 - c * dot(p, p)) for p in (x, y))
    return text_scale((lx * x + ly * y) / (lx + ly - 2), c, mpmath.mpf("0.5"))


def text_logits(x: Any, c: Any) -> Any:
    """Ganea et al. (2018), equation 25, with Shimizu's points and normals."""
    root, found = mpmath.sqrt(c), []
    for z, r in zip(Z, R.tolist(), strict=True):
        normal, r = mp(z), mpmath.mpf(r)
        size = mpmath.sqrt(dot(normal, normal))
        point = mpmath.tanh(root * r) / root * normal / size
        a = mpmath.sech(root * r) ** 2 * normal
        moved = text_add(-point, x, c)
        length = mpmath.sqrt(dot(a, a))
        inner = 2 * root * dot(moved, a) / ((1 - c * dot(moved, moved)) * length)
        found.append(2 / (1 - c * dot(point, point)) * length / root * mpmath.asinh(inner))
    return mpmath.matrix(found)


def worst(
    ours: maps, text: Callable[..., Any], inputs: list[Tensor], c: float, scale: str = "result"
) -> float:
    """The largest relative error of a vector; "operand": relative to the larger operand."""
    results, errors = ours(*inputs, c).reshape(len(inputs[0]), -1), []
    with mpmath.workdps(60):
        for row, *given in zip(results, *inputs, strict=True):
            expected = mpmath.matrix(text(*map(mp, given), mpmath.mpf(c)))
            base = expected if scale == "result" else max(map(mp, given), key=mpmath.norm)
            wrong, size = mpmath.norm(mp(row) - expected), mpmath.norm(base)
            errors.append(float(wrong / size if size else wrong))
    return max(errors)


UNARY: dict[str, tuple[maps, Callable[..., Any]]] = {
    "exp_0": (poincare.exp_0, text_exp),
    "log_0": (poincare.log_0, text_log),
    **{
        f"scale {r}": (
            lambda x, c, r=r: poincare.mobius_scale(x, r, c),
            lambda x, c, r=r: text_scale(x, c, mpmath.mpf(r)),
        )
        for r in (-1.0, 1e-3, 0.5, 0.99)
    },
    "matrix": (lambda x, c: poincare.mobius_matrix(x, M, c), text_matrix),
    "logits": (lambda x, c: poincare.hyperplane_logits(x, Z, R, c), text_logits),
}
BINARY: dict[str, tuple[maps, Callable[..., Any], str]] = {
    "add": (poincare.mobius_add, text_add, "operand"),
    "distance": (poincare.distance, text_distance, "result"),
    "midpoint": (lambda x, y, c: poincare.gyromidpoint([x, y], c), text_midpoint, "operand"),
}


@pytest.mark.parametrize("c", CS)
@pytest.mark.parametrize("name", UNARY)
def test_maps_of_one_point_equal_the_textbook(name: str, c: float) -> None:
    ours, text = UNARY[name]
    errors = {share: worst(ours, text, [vectors(share, c)], c) for share in SHARES}
    assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("c", CS)
@pytest.mark.parametrize("name", BINARY)
def test_maps_of_two_points_equal_the_textbook(name: str, c: float) -> None:
    ours, text, scale = BINARY[name]
    errors = [worst(ours, text, [x, y], c, scale) for x, y in pairs(c)]
    assert max(errors) <= 1e-6


@pytest.mark.parametrize("c", CS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_of_exp_is_the_vector(c: float, dtype: torch.dtype) -> None:
    """From the smallest vector to one whose point lies at 0.999 of the radius."""
    for size in (*SHARES, 2.0, 3.0, 3.8):
        v = vectors(size, c).to(dtype)
        back = poincare.log_0(poincare.exp_0(v, c), c)
        most = 1e-4 if dtype == torch.float32 else 1e-12
        assert ((back - v).norm(dim=1) / v.norm(dim=1)).max() <= most, size


@pytest.mark.parametrize(
    ("ours", "text", "most"),
    [
        (poincare._tanhc, mpmath.tanh, 100.0),
        (poincare._artanhc, mpmath.atanh, 0.99),
        (poincare._arsinhc, mpmath.asinh, 1e12),
    ],
)
def test_the_functions_are_exact_to_float64(ours: maps, text: Any, most: float) -> None:
    """On both sides of where the series ends, too."""
    near = poincare.SERIES * torch.tensor([0.5, 0.99, 1.0, 1.01, 2.0], dtype=torch.float64)
    s = torch.cat([torch.logspace(-30, 0, 31, dtype=torch.float64) * most, near])
    with mpmath.workdps(40):
        roots = [mpmath.sqrt(mpmath.mpf(v)) for v in s.tolist()]
        expected = [float(text(root) / root) for root in roots]
    np.testing.assert_allclose(ours(s).numpy(), expected, rtol=2e-14)


def test_float32_formulas_would_fail_these_tests() -> None:
    x = vectors(0.999, 1.0)
    size = x.norm(dim=1, keepdim=True)
    errors = worst(lambda x, c: size.atanh() / size * x, text_log, [x], 1.0)
    assert errors > 1e-6


def test_three_points_have_a_midpoint_that_no_order_changes() -> None:
    points = [vectors(share, 1.0, seed=i) for i, share in enumerate((0.3, 0.9, 0.999))]
    first = poincare.gyromidpoint(points, 1.0)
    torch.testing.assert_close(poincare.gyromidpoint(points[::-1], 1.0), first, rtol=1e-6, atol=0)
    with mpmath.workdps(60):
        for row, *given in zip(first, *points, strict=True):
            xs = [mp(x) for x in given]
            factors = [2 / (1 - dot(x, x)) for x in xs]
            above = mpmath.matrix(DIM, 1)
            for factor, x in zip(factors, xs, strict=True):
                above += factor * x
            expected = text_scale(above / (sum(factors) - 3), 1, mpmath.mpf("0.5"))
            assert mpmath.norm(mp(row) - expected) <= 1e-6 * mpmath.norm(expected)


# -------------------------------------------------------------------------------------- geoopt


@pytest.fixture(scope="module")
def geoopt_math() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it uses torch.jit.script
        from geoopt.manifolds.stereographic import math
    return math


def geoopt_maps(math: ModuleType, k: Tensor) -> dict[str, maps]:
    def midpoint(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack(
            [math.weighted_midpoint(torch.stack(p), k=k) for p in zip(x, y, strict=True)]
        )

    scale = partial(math.mobius_scalar_mul, torch.tensor(0.5, dtype=torch.float64), k=k)
    return {
        "exp_0": partial(math.expmap0, k=k),
        "log_0": partial(math.logmap0, k=k),
        "scale 0.5": scale,
        "matrix": lambda x: math.mobius_matvec(M.double(), x, k=k),
        "add": partial(math.mobius_add, k=k),
        "distance": partial(math.dist, k=k),
        "midpoint": midpoint,
    }


@pytest.mark.parametrize("c", CS)
@pytest.mark.parametrize(
    "name", ["exp_0", "log_0", "scale 0.5", "matrix", "add", "distance", "midpoint"]
)
def test_geoopt_in_float64_says_the_same(name: str, c: float, geoopt_math: ModuleType) -> None:
    """Its own error is about 1e-16 over the norm in radii: at 1e-12 it is 1e-4, ours is not."""
    theirs = geoopt_maps(geoopt_math, torch.tensor(-c, dtype=torch.float64))[name]
    for share in SHARES:
        inputs = (
            [vectors(share, c)] if name in UNARY else [vectors(share, c, seed=s) for s in (0, 1)]
        )
        a = {**UNARY, **BINARY}[name][0](*inputs, c).double().reshape(3, -1)
        b = theirs(*(x.double() for x in inputs)).reshape(3, -1)
        base = b if name != "add" else inputs[0].double()
        assert ((a - b).norm(dim=1) / base.norm(dim=1)).max() <= 1e-5 + 5e-16 / share, share


# ----------------------------------------------------------------------------------- gradients


def plain(name: str, x: Tensor, y: Tensor, c: Tensor) -> Tensor:
    """The textbook's formulas in float64, differentiated by torch."""

    def norm(v: Tensor) -> Tensor:
        return v.norm(dim=-1, keepdim=True)

    def add(x: Tensor, y: Tensor) -> Tensor:
        xy, xx, yy = ((a * b).sum(-1, keepdim=True) for a, b in ((x, y), (x, x), (y, y)))
        above = (1 + 2 * c * xy + c * yy) * x + (1 - c * xx) * y
        return above / (1 + 2 * c * xy + c**2 * xx * yy)

    root = c.sqrt()
    log = (root * norm(x)).atanh() * x / (root * norm(x))
    if name == "exp_0":
        return (root * norm(x)).tanh() * x / (root * norm(x))
    if name == "log_0":
        return log
    if name in ("scale 0.5", "matrix"):
        v = 0.5 * log if name == "scale 0.5" else log @ M.double().T
        return (root * norm(v)).tanh() * v / (root * norm(v))
    if name == "add":
        return add(x, y)
    return (2 / root * (root * norm(add(-x, y))).atanh()).squeeze(-1)


@pytest.mark.parametrize("c", CS)
@pytest.mark.parametrize("name", ["exp_0", "log_0", "scale 0.5", "matrix", "add", "distance"])
def test_gradients_equal_those_of_float64(name: str, c: float) -> None:
    ours = {**UNARY, **BINARY}[name][0]
    for share in SHARES:
        x, y = (vectors(share, c, seed=s) for s in (0, 1))
        inputs = [x] if name in UNARY else [x, y]
        narrow = [v.clone().requires_grad_() for v in (*inputs, torch.tensor(c))]
        wide = [v.double().requires_grad_() for v in (x, y, torch.tensor(c))]
        out, expected = ours(*narrow), plain(name, *wide)
        weights = torch.linspace(-1, 1, out.numel()).reshape(out.shape)
        got = torch.autograd.grad((out * weights).sum(), narrow)
        used = [*wide[: len(inputs)], wide[-1]]
        want = torch.autograd.grad((expected * weights.double()).sum(), used)
        for a, b in zip(got, want, strict=True):
            rounding = 1e-15 if a.ndim == 0 else 0.0  # of c's gradient, which falls with the cube
            torch.testing.assert_close(
                a.double(), b, rtol=0, atol=1e-4 * float(b.abs().max()) + rounding
            )


EVERY: dict[str, maps] = {
    **{name: ours for name, (ours, _) in UNARY.items()},
    **{
        name: (lambda x, c, ours=ours, sign=sign: ours(x, sign * x.detach(), c))
        for sign in (1, -1)
        for name, (ours, _, _) in {f"{n} {sign}": entry for n, entry in BINARY.items()}.items()
    },
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", EVERY)
def test_values_and_gradients_are_finite_everywhere(name: str, dtype: torch.dtype) -> None:
    """At zero, at the smallest numbers, on the boundary and outside; with itself, its opposite."""
    for c, share in product((1e-3, 1.0, 10.0), (0.0, 1e-44, 1e-30, 1 - 6e-8, 1.0, 1.1, 1e6, 1e30)):
        x = (vectors(1.0, c).double() * share).to(dtype).requires_grad_()
        curvature = torch.tensor(c, dtype=dtype, requires_grad=True)
        out = EVERY[name](x, curvature)
        gradients = torch.autograd.grad(out.sum(), [x, curvature])
        assert out.dtype == dtype
        assert torch.isfinite(out).all(), (c, share)
        assert all(torch.isfinite(g).all() for g in gradients), (c, share)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [n for n in EVERY if "distance" not in n and n != "logits"])
def test_results_lie_inside_the_ball(name: str, dtype: torch.dtype) -> None:
    if name == "log_0":
        return
    for c, share in product((1e-3, 1.0, 10.0), (0.999, 1.0, 5.0, 1e6)):
        out = EVERY[name]((vectors(1.0, c) * share).to(dtype), c).double()
        assert (c**0.5 * out.norm(dim=1)).max() <= 1 - 0.5 * poincare.edge(dtype), (c, share)


def test_clipping_shortens_what_is_longer() -> None:
    x = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], requires_grad=True)
    clipped = poincare.clip_norm(x, 1.0)
    torch.testing.assert_close(clipped, torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]))
    clipped.sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


# ---------------------------------------------------------------------------------------- ONNX


EXPORTED = ("exp_0", "log_0", "scale 0.5", "matrix", "logits")


class Everything(torch.nn.Module):
    """All maps of two points and a curvature."""

    def forward(self, x: Tensor, y: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        unary = [UNARY[name][0](x, c) for name in EXPORTED]
        binary = [ours(x, y, c) for ours, _, _ in BINARY.values()]
        return (*unary, *binary, poincare.clip_norm(x, 0.5))


def test_onnx_gives_the_same_numbers() -> None:
    module = Everything()
    run = exported(module, (vectors(0.5, 1.0), vectors(0.5, 1.0), torch.tensor(1.0)))
    for c, share in product(CS, (0.0, *SHARES, 1.0, 2.0)):
        given = (vectors(share, c), vectors(share, c, seed=1), torch.tensor(c))
        for name, a, b in zip(
            [*EXPORTED, *BINARY, "clip"], run(*given), module(*given), strict=True
        ):
            assert a.dtype == np.float32
            size = max(float(b.norm()), 1e-38)
            assert np.linalg.norm(a - b.numpy()) <= 1e-6 * size, (name, c, share)
