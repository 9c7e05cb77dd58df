"""The Rényi divergence against a float64 numpy evaluation of the printed formula."""

import numpy as np
import pytest
import torch

from nver.downstream.divergence import (
    BETA,
    DELTA,
    DIVERGENCES,
    divergence_floor,
    log_probabilities,
    renyi,
)


def printed_formula(x, y, beta, delta):
    """Equation (2), term by term."""
    z_x, z_y = (np.exp(v) / np.exp(v).sum(axis=-1, keepdims=True) for v in (x, y))
    terms = (z_x + delta) ** beta * (z_y + delta) ** (1 - beta)
    return np.log(terms.sum(axis=-1)) / (beta - 1)


def vectors(dim, spread=1.0, rows=50):
    return np.random.default_rng(dim).normal(scale=spread, size=(2, rows, dim))


def measured(x, y, beta=BETA, delta=DELTA, dtype=torch.float64):
    logs = [log_probabilities(torch.as_tensor(v, dtype=dtype)) for v in (x, y)]
    return renyi(*logs, beta, delta).numpy()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(
    ("beta", "delta"), [(2.0, 0.2), (2.0, 1e-8), (2.0, 0.0), (0.5, 0.2), (3.0, 0.01), (1.1, 0.2)]
)
@pytest.mark.parametrize("dim", [1, 2, 120, 256])
def test_equals_the_printed_formula(dim, beta, delta, spread, dtype):
    x, y = vectors(dim, spread)
    expected = printed_formula(x, y, beta, delta)
    rounding = 40 * torch.finfo(dtype).eps
    np.testing.assert_allclose(
        measured(x, y, beta, delta, dtype), expected, rtol=rounding, atol=rounding / abs(beta - 1)
    )


def test_default_in_float32_is_exact_to_a_few_steps():
    x, y = vectors(256)
    expected = printed_formula(x, y, BETA, DELTA)
    np.testing.assert_allclose(measured(x, y, dtype=torch.float32), expected, rtol=5e-7)


@pytest.mark.parametrize("beta", [2.0, 3.0, 0.5])
@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
@pytest.mark.parametrize("dim", [1, 7, 256])
def test_the_floor_is_reached_by_equal_vectors_and_by_no_others(dim, delta, beta):
    x, y = vectors(dim)
    floor = divergence_floor(dim, delta, beta)
    np.testing.assert_allclose(measured(x, x, beta, delta), floor, atol=1e-12)
    assert (measured(x, y, beta, delta) >= floor - 1e-12).all()
    if dim > 1:
        assert (measured(x, y, beta, delta) > floor).all()


@pytest.mark.parametrize(("dim", "above"), [(120, 4.3e-3), (256, 1.2e-3), (3072, 9e-6)])
def test_the_published_loss_is_nearly_inert(dim, above):
    x, y = vectors(dim, rows=2000 if dim < 3000 else 200)
    excess = (measured(x, y) - divergence_floor(dim)).mean()
    assert excess == pytest.approx(above, rel=0.1)


def test_defaults_are_those_of_the_authors_code():
    assert (BETA, DELTA) == (2.0, 0.2)
    assert divergence_floor(256) == pytest.approx(np.log(1 + 0.2 * 256))
    assert DIVERGENCES["renyi"] is renyi


def test_it_has_a_direction():
    x, y = vectors(16)
    assert not np.allclose(measured(x, y, delta=0.01), measured(y, x, delta=0.01))


@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
def test_gradient(delta):
    x, y = (torch.tensor(v, requires_grad=True) for v in vectors(5, rows=3))
    loss = lambda a, b: renyi(log_probabilities(a), log_probabilities(b), 2.0, delta)  # noqa: E731
    assert torch.autograd.gradcheck(loss, (x, y))


@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
@pytest.mark.parametrize("size", [1e3, 1e6])
def test_nothing_overflows(delta, size):
    x = torch.tensor([[size, 0.0, -size]], requires_grad=True)
    y = torch.tensor([[-size, 0.0, size]], requires_grad=True)
    divergence = renyi(log_probabilities(x), log_probabilities(y), 2.0, delta)
    divergence.sum().backward()
    for tensor in (divergence, x.grad, y.grad):
        assert torch.isfinite(tensor).all()
