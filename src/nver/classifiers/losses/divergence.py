"""The Rényi divergence of RENO, equation (2), and what may stand in its place, as pure functions.

L_RD = 1/(β-1) · log Σ_j (z_x,j + δ)^β · (z_y,j + δ)^(1-β),  j = 1..d

Glossary: z = softmax of a branch's vector over its d values (author's code), x = the first stream
and y = the second (author's code), β = order, δ = what keeps z away from zero, S = Σ(z + δ) = 1 +
δd, p = (z_x + δ)/S and q = (z_y + δ)/S: two proper distributions.

All but `renyi` are ablations of ours, not in the paper. Everything is summed in the logarithm, so
that nothing under- or overflows, with δ = 0 too. The gradient of the Rényi forms is bounded for
every z and δ: its absolute values sum to at most β/|β-1| by log z_x, and to 1 by log z_y.
"""

from math import log, log1p

import torch
from torch import Tensor

BETA = 2.0  # author's code, marked as the paper's; the paper's text has lost the value
DELTA = 0.2  # same source


def log_probabilities(vectors: Tensor) -> Tensor:
    """log z: log-softmax over the last axis."""
    return torch.log_softmax(vectors, dim=-1)


def renyi(log_x: Tensor, log_y: Tensor, beta: float, delta: float) -> Tensor:
    """L_RD of each row, from log z_x and log z_y of shape (..., d); shape (...)."""
    terms = beta * _log_plus(log_x, delta) + (1 - beta) * _log_plus(log_y, delta)
    return torch.logsumexp(terms, dim=-1) / (beta - 1)


def renyi_renormalised(log_x: Tensor, log_y: Tensor, beta: float, delta: float) -> Tensor:
    """D_β(p‖q) of each row: `renyi` of (z + δ)/(1 + δd), which sums to 1.

    It is `renyi` less its floor, a constant, so its gradient is the same: what an ablation with it
    shows beside the printed form is rounding.
    """
    log_p, log_q = _log_renormalised(log_x, delta), _log_renormalised(log_y, delta)
    return torch.logsumexp(beta * log_p + (1 - beta) * log_q, dim=-1) / (beta - 1)


def renyi_symmetric(log_x: Tensor, log_y: Tensor, beta: float, delta: float) -> Tensor:
    """The mean of `renyi` in both directions, of each row."""
    return (renyi(log_x, log_y, beta, delta) + renyi(log_y, log_x, beta, delta)) / 2


def kl(log_x: Tensor, log_y: Tensor, beta: float, delta: float) -> Tensor:
    """Kullback-Leibler Σ p·log(p/q) of each row, the limit β -> 1 of `renyi_renormalised`.

    `beta` plays no part.
    """
    log_p, log_q = _log_renormalised(log_x, delta), _log_renormalised(log_y, delta)
    return (log_p.exp() * (log_p - log_q)).sum(dim=-1)


def _log_plus(log_z: Tensor, delta: float) -> Tensor:
    """log(z + δ)."""
    return torch.logaddexp(log_z, log_z.new_tensor(log(delta))) if delta else log_z


def _log_renormalised(log_z: Tensor, delta: float) -> Tensor:
    """log p, p = (z + δ)/(1 + δd)."""
    return _log_plus(log_z, delta) - log1p(delta * log_z.shape[-1])


# each (log z_x, log z_y, β, δ) -> a divergence of each row
DIVERGENCES = {
    "renyi": renyi,
    "renyi-renormalised": renyi_renormalised,
    "renyi-symmetric": renyi_symmetric,
    "kl": kl,
}
PROPER = ("renyi-renormalised", "kl")  # of p and q, which sum to 1


def divergence_floor(
    dim: int, delta: float = DELTA, beta: float = BETA, name: str = "renyi"
) -> float:
    """The least value of a divergence of `DIVERGENCES` over d = `dim` values, at z_x = z_y.

    It is 0 for a divergence of proper distributions, else log(1 + δd) / (β-1): its terms are S
    times the terms of p and q, so L_RD = log(S)/(β-1) + D_β(p‖q), and a Rényi divergence D_β is
    never negative (van Erven and Harremos 2014). For β = 2 it is log(1 + δd).
    """
    return 0.0 if name in PROPER else log1p(delta * dim) / (beta - 1)
