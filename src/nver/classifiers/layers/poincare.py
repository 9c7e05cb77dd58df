"""The Poincaré ball of curvature -c as pure functions; a point x has √c‖x‖ < 1.

Glossary: c > 0 = a number or a scalar tensor, λ_x = 2/(1 - c‖x‖²). Vectors lie along the last
axis. Everything is computed in float64 and given in the dtype of the first argument: in float32
1 - c‖x‖² has no digits left near the boundary. A point on the boundary or outside is first drawn to
1 - `edge(dtype)` of the radius, so that values and gradients stay finite; the gradient of a norm at
zero is zero. The maps are Ganea, Bécigneul and Hofmann (2018), "Hyperbolic neural networks"; where
a formula here looks unlike theirs it is the same function without the subtraction that cancels.
A number that float32 does not hold is a tensor here: torch's ONNX exporter writes Python's numbers
in float32.
Does not include: maps at a point other than the origin, parallel transport, c ≤ 0.
"""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

Curvature = float | Tensor
TINY = 1e-60  # least square of a norm; its root is below every norm of float32's normal range
SERIES = 2.0**-13  # below this square a series of four terms is exact to float64


def exp_0(v: Tensor, c: Curvature) -> Tensor:
    """Tangent vector at the origin -> point: tanh(√c‖v‖) v / (√c‖v‖)."""
    wide, c64 = v.double(), _double(c)
    return _point(wide * _tanhc(c64 * _square(wide)), c64, v.dtype)


def clip_norm(v: Tensor, most: float) -> Tensor:
    """v, shortened to the norm `most` where it is longer (Guo et al. 2022)."""
    wide, longest = v.double(), _double(most)
    norm = _root(_square(wide))
    return (wide * (longest / torch.maximum(norm, longest))).to(v.dtype)


def log_0(y: Tensor, c: Curvature) -> Tensor:
    """Point -> tangent vector at the origin: artanh(√c‖y‖) y / (√c‖y‖)."""
    c64 = _double(c)
    wide = _inside(y, c64)
    return (wide * _artanhc(c64 * _square(wide))).to(y.dtype)


def mobius_add(x: Tensor, y: Tensor, c: Curvature) -> Tensor:
    """x ⊕ y, which does not commute: [(1 + 2c⟨x,y⟩ + c‖y‖²)x + (1 - c‖x‖²)y] / [...].

    With s = x + y the numerator is (1 - c‖x‖²)s + c‖s‖²x and the denominator
    c‖s‖² + (1 - c‖x‖²)(1 - c‖y‖²): no two large terms cancel.
    """
    c64 = _double(c)
    a, b = _inside(x, c64), _inside(y, c64)
    sum_ = a + b
    size, rest = c64 * _square(sum_), _rest(a, c64)
    return _point((rest * sum_ + size * a) / (size + rest * _rest(b, c64)), c64, x.dtype)


def mobius_scale(x: Tensor, r: float | Tensor, c: Curvature) -> Tensor:
    """r ⊗ x = exp_0(r log_0(x)); a tensor r has the shape of x but for a last axis of 1."""
    c64 = _double(c)
    return _point(exp_0(_double(r) * log_0(_inside(x, c64), c64), c64), c64, x.dtype)


def mobius_matrix(x: Tensor, M: Tensor, c: Curvature) -> Tensor:
    """M ⊗ x = exp_0(M log_0(x)): x (..., d), M (e, d) -> (..., e)."""
    c64 = _double(c)
    return _point(exp_0(log_0(_inside(x, c64), c64) @ M.double().T, c64), c64, x.dtype)


def distance(x: Tensor, y: Tensor, c: Curvature) -> Tensor:
    """d(x, y) = (2/√c) artanh(√c‖(-x) ⊕ y‖) of each pair: (..., d) -> (...).

    It equals (2/√c) arsinh(√c‖x - y‖ / √((1 - c‖x‖²)(1 - c‖y‖²))), which does not saturate.
    """
    c64 = _double(c)
    a, b = _inside(x, c64), _inside(y, c64)
    apart, rest = _square(a - b), _rest(a, c64) * _rest(b, c64)
    length = 2 * _root(apart) / rest.sqrt()
    return (length * _arsinhc(c64 * apart / rest)).squeeze(-1).to(x.dtype)


def gyromidpoint(points: Sequence[Tensor], c: Curvature) -> Tensor:
    """½ ⊗ (Σ λ_x x / Σ (λ_x - 1)) of n points, in any order; each and the result (..., d).

    Ungar (2005), "Analytic hyperbolic geometry". With V = Σ λ_x x and L = Σ (λ_x - 1) it is
    V / (L + √(L² - c‖V‖²)), and L² - c‖V‖² = n² + Σ_{x<y} 4c‖x - y‖² / ((1 - c‖x‖²)(1 - c‖y‖²)).
    """
    c64 = _double(c)
    wide = [_inside(point, c64) for point in points]
    factors = [2 / _rest(point, c64) for point in wide]
    V = torch.stack([f * x for f, x in zip(factors, wide, strict=True)]).sum(0)
    L = torch.stack(factors).sum(0) - len(wide)
    pairs = combinations(zip(factors, wide, strict=True), 2)
    spread = [c64 * f * g * _square(x - y) for (f, x), (g, y) in pairs]
    root = (len(wide) ** 2 + sum(spread, torch.zeros_like(L))).sqrt()
    return _point(V / (L + root), c64, points[0].dtype)


def hyperplane_logits(x: Tensor, Z: Tensor, r: Tensor, c: Curvature) -> Tensor:
    """Multinomial logistic regression on the ball: x (..., d), Z (k, d), r (k) -> (..., k).

    Signed distances to k hyperplanes, scaled by their normals' lengths, in the form of Shimizu,
    Mukuta and Harada (2021), "Hyperbolic neural networks++", equation 6:
    (2/√c)‖z‖ arsinh(λ_x √c⟨x, z/‖z‖⟩ cosh(2√c r) - (λ_x - 1) sinh(2√c r)).
    """
    c64 = _double(c)
    wide, normals, root = _inside(x, c64), Z.double(), c64**0.5
    sizes = _root(_square(normals))  # (k, 1)
    factor, shift = 2 / _rest(wide, c64), 2 * root * r.double()
    # (e^a ± e^-a)/2: ONNX runtimes have cosh and sinh in float32 only
    up, down = shift.exp() / 2, (-shift).exp() / 2
    along = factor * root * (wide @ (normals / sizes).T)
    u = along * (up + down) - (factor - 1) * (up - down)
    return (2 / root * sizes.squeeze(-1) * u * _arsinhc(u * u)).to(x.dtype)


def edge(dtype: torch.dtype) -> float:
    """How far from the boundary points are kept, in radii; our choice.

    Two steps of the dtype (2.4e-7 in float32), and 64 of float64 (1.4e-14), in which 1 - c‖x‖² is
    computed.
    """
    return max(2 * torch.finfo(dtype).eps, 64 * torch.finfo(torch.float64).eps)


# ------------------------------------------------------------------------------------- float64


def _double(number: float | Tensor) -> Tensor:
    if isinstance(number, Tensor):
        return number.double()
    return torch.tensor(number, dtype=torch.float64)


def _square(x: Tensor) -> Tensor:
    """‖x‖², (..., d) -> (..., 1)."""
    return (x * x).sum(dim=-1, keepdim=True)


def _rest(x: Tensor, c: Curvature) -> Tensor:
    """1 - c‖x‖², (..., d) -> (..., 1); λ_x is 2 over it."""
    return 1 - c * _square(x)


def _root(square: Tensor) -> Tensor:
    """√square, at zero with a gradient of zero."""
    return torch.maximum(square, _double(TINY)).sqrt()


def _inside(x: Tensor, c: Curvature, dtype: torch.dtype | None = None) -> Tensor:
    """x in float64, and no nearer to the boundary than the dtype's edge."""
    most, wide = _double(1 - edge(dtype or x.dtype)), x.double()
    return wide * (most / torch.maximum(_root(c * _square(wide)), most))


def _point(x: Tensor, c: Curvature, dtype: torch.dtype) -> Tensor:
    """A result in the caller's dtype, inside the ball there too."""
    return _inside(x, c, dtype).to(dtype)


def _tanhc(s: Tensor) -> Tensor:
    """tanh(√s)/√s of s ≥ 0."""
    root = _root(s)
    return root.tanh() / root


def _artanhc(s: Tensor) -> Tensor:
    """artanh(√s)/√s of 0 ≤ s < 1; by logarithms: ONNX runtimes have atanh in float32 only."""
    small = s < SERIES
    root = torch.where(small, _double(SERIES), s).sqrt()
    series = 1 + s / 3 * (1 + 3 * s / 5 * (1 + 5 * s / 7))
    return torch.where(small, series, ((1 + root) / (1 - root)).log() / (2 * root))


def _arsinhc(s: Tensor) -> Tensor:
    """arsinh(√s)/√s of s ≥ 0; by logarithms, as above."""
    small = s < SERIES
    safe = torch.where(small, _double(SERIES), s)
    root = safe.sqrt()
    series = 1 - s / 6 * (1 - 9 * s / 20 * (1 - 25 * s / 42))
    return torch.where(small, series, (root + (1 + safe).sqrt()).log() / root)
