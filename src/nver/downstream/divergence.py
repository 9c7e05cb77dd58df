"""The Rényi divergence of RENO, equation (2), as pure functions.

L_RD = 1/(β-1) · log Σ_j (z_x,j + δ)^β · (z_y,j + δ)^(1-β),  j = 1..d

Glossary: z = softmax of a branch's vector over its d values (author's code), x = the first stream
and y = the second (author's code), β = order, δ = what keeps z away from zero.
Does not include: the symmetrised and the renormalised forms.
"""

from collections.abc import Callable
from math import log, log1p

import torch
from torch import Tensor

BETA = 2.0  # author's code, marked as the paper's; the paper's text has lost the value
DELTA = 0.2  # same source


def log_probabilities(vectors: Tensor) -> Tensor:
    """log z: log-softmax over the last axis."""
    return torch.log_softmax(vectors, dim=-1)


def renyi(log_x: Tensor, log_y: Tensor, beta: float = BETA, delta: float = DELTA) -> Tensor:
    """L_RD of each row, from log z_x and log z_y of shape (..., d); shape (...).

    Summed in the logarithm, so that nothing under- or overflows, with δ = 0 too.
    """
    terms = beta * _log_plus(log_x, delta) + (1 - beta) * _log_plus(log_y, delta)
    return torch.logsumexp(terms, dim=-1) / (beta - 1)


def divergence_floor(dim: int, delta: float = DELTA, beta: float = BETA) -> float:
    """The least value of `renyi`, which it has when z_x = z_y: log(1 + δd) / (β-1).

    With S = Σ(z + δ) = 1 + δd the terms are S times those of two proper distributions (z + δ)/S,
    so L_RD = log(S)/(β-1) + D_β, and a Rényi divergence D_β is never negative (van Erven and
    Harremos 2014). For β = 2 the floor is log(1 + δd).
    """
    return log1p(delta * dim) / (beta - 1)


def _log_plus(log_z: Tensor, delta: float) -> Tensor:
    """log(z + δ)."""
    return torch.logaddexp(log_z, log_z.new_tensor(log(delta))) if delta else log_z


# name -> (log z_x, log z_y, β, δ) -> a divergence of each row
DIVERGENCES: dict[str, Callable[[Tensor, Tensor, float, float], Tensor]] = {"renyi": renyi}
