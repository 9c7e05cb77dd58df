"""The Rényi divergence against a float64 numpy evaluation of the printed formula."""

import numpy as np
import pytest
import torch

from nver.classifiers.losses.divergence import (
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


# ------------------------------------------------------------------------------ the ablations


def proper(v, delta):
    z = np.exp(v - v.max(axis=-1, keepdims=True))
    z = z / z.sum(axis=-1, keepdims=True)
    return (z + delta) / (1 + delta * v.shape[-1])


def renormalised_formula(x, y, beta, delta):
    p, q = proper(x, delta), proper(y, delta)
    return np.log((p**beta * q ** (1 - beta)).sum(axis=-1)) / (beta - 1)


def symmetric_formula(x, y, beta, delta):
    return (printed_formula(x, y, beta, delta) + printed_formula(y, x, beta, delta)) / 2


def kl_formula(x, y, beta, delta):
    p, q = proper(x, delta), proper(y, delta)
    return (p * np.log(p / q)).sum(axis=-1)


FORMULAS = {
    "renyi": printed_formula,
    "renyi-renormalised": renormalised_formula,
    "renyi-symmetric": symmetric_formula,
    "kl": kl_formula,
}
every_divergence = pytest.mark.parametrize("name", list(DIVERGENCES))
PLACES = [(2.0, 0.2), (2.0, 1e-8), (2.0, 0.0), (0.5, 0.2), (3.0, 0.01)]


def of_name(name, x, y, beta=BETA, delta=DELTA, dtype=torch.float64):
    logs = [log_probabilities(torch.as_tensor(v, dtype=dtype)) for v in (x, y)]
    return DIVERGENCES[name](*logs, beta, delta).numpy()


def test_every_divergence_has_a_formula_here():
    assert set(FORMULAS) == set(DIVERGENCES)


@every_divergence
@pytest.mark.parametrize(("dtype", "steps"), [(torch.float64, 40), (torch.float32, 400)])
@pytest.mark.parametrize(("beta", "delta"), PLACES)
@pytest.mark.parametrize("dim", [1, 2, 256])
def test_equals_its_formula_in_float64(name, dim, beta, delta, dtype, steps):
    x, y = vectors(dim)
    expected = FORMULAS[name](x, y, beta, delta)
    atol = steps * torch.finfo(dtype).eps / abs(beta - 1)
    got = of_name(name, x, y, beta, delta, dtype)
    np.testing.assert_allclose(got, expected, rtol=atol, atol=atol)


@every_divergence
@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
def test_gradient_of_every_divergence(name, delta):
    x, y = (torch.tensor(v, requires_grad=True) for v in vectors(5, rows=3))
    measure = DIVERGENCES[name]
    loss = lambda a, b: measure(log_probabilities(a), log_probabilities(b), 2.0, delta)  # noqa: E731
    assert torch.autograd.gradcheck(loss, (x, y))


@every_divergence
@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
@pytest.mark.parametrize("size", [0.0, 1e3, 1e6])
def test_values_and_gradients_stay_finite(name, delta, size):
    x = torch.tensor([[size, 0.0, -size]], requires_grad=True)
    y = torch.tensor([[-size, 0.0, size]], requires_grad=True)
    value = DIVERGENCES[name](log_probabilities(x), log_probabilities(y), 2.0, delta)
    value.sum().backward()
    for tensor in (value, x.grad, y.grad):
        assert torch.isfinite(tensor).all()


@every_divergence
@pytest.mark.parametrize(("beta", "delta"), PLACES)
@pytest.mark.parametrize("dim", [1, 7, 256])
def test_every_floor_is_attained_at_equal_inputs_and_only_there(name, dim, beta, delta):
    x, y = vectors(dim)
    floor = divergence_floor(dim, delta, beta, name)
    np.testing.assert_allclose(of_name(name, x, x, beta, delta), floor, atol=1e-12)
    if dim > 1:
        assert (of_name(name, x, y, beta, delta) > floor).all()


def test_symmetric_has_no_direction():
    x, y = vectors(16)
    np.testing.assert_allclose(of_name("renyi-symmetric", x, y), of_name("renyi-symmetric", y, x))


@pytest.mark.parametrize(("beta", "delta"), PLACES)
def test_renormalised_is_the_printed_form_less_a_constant(beta, delta):
    """So both have one gradient: an ablation of one by the other can show nothing but rounding."""
    x, y = vectors(64)
    difference = of_name("renyi", x, y, beta, delta) - divergence_floor(64, delta, beta)
    renormalised = of_name("renyi-renormalised", x, y, beta, delta)
    np.testing.assert_allclose(difference, renormalised, atol=1e-12)


def test_kl_is_the_limit_of_the_renormalised_form():
    x, y = vectors(64)
    near = of_name("renyi-renormalised", x, y, beta=1 + 1e-6, delta=0.01)
    np.testing.assert_allclose(of_name("kl", x, y, delta=0.01), near, rtol=1e-4)


@pytest.mark.parametrize("delta", [0.0, 1e-8, 0.2])
@pytest.mark.parametrize("spread", [1.0, 30.0, 1000.0])
def test_the_gradient_by_log_z_is_bounded(delta, spread):
    log_x, log_y = (
        log_probabilities(torch.tensor(v)).requires_grad_() for v in vectors(50, spread, rows=9)
    )
    renyi(log_x, log_y, 2.0, delta).sum().backward()
    assert (log_x.grad.abs().sum(-1) <= 2 + 1e-9).all()
    assert (log_y.grad.abs().sum(-1) <= 1 + 1e-9).all()
