"""Attention, equation (1) of RENO: Attention(Q, K, V) = softmax(QKᵀ/√d_k) V.

Q = XW_Q, K = XW_K, V = XW_V as printed, without biases; the heads are joined by W_O (Vaswani et
al. 2017). Shapes: X (batch, tokens, width), d_k = width / heads. Cross-attention, which is not in
RENO, takes K and V from other tokens.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from nver.classifiers.layers.drop_attention import drop_attend
from nver.errors import UsageError


class SelfAttention(nn.Module):
    """(batch, tokens, width) -> the same shape; dropout on the attention weights.

    Where `others` (batch, any number, width) are given, the tokens attend to them.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise UsageError(f"attention over {width} values cannot be split in {heads} heads")
        self.heads, self.dropout = heads, dropout
        self.W_Q = nn.Linear(width, width, bias=False)
        self.W_K = nn.Linear(width, width, bias=False)
        self.W_V = nn.Linear(width, width, bias=False)
        self.W_O = nn.Linear(width, width, bias=False)

    def forward(self, tokens: Tensor, others: Tensor | None = None) -> Tensor:
        Q, K, V = (self._split(x) for x in self._projected(tokens, others))
        Q = Q / sqrt(Q.shape[-1])  # not the scores, which are many more
        if self.training and self.dropout:
            mixed = drop_attend(Q, K, V, self.dropout)
        else:
            mixed = (Q @ K.transpose(-2, -1)).softmax(dim=-1) @ V
        return self.W_O(mixed.transpose(1, 2).flatten(2))  # from (batch, heads, tokens, d_k)

    def _projected(self, tokens: Tensor, others: Tensor | None) -> tuple[Tensor, ...]:
        """Q, K and V of all heads, (batch, any number, width) each: one product where it can be."""
        if others is not None:
            return self.W_Q(tokens), self.W_K(others), self.W_V(others)
        together = torch.cat([self.W_Q.weight, self.W_K.weight, self.W_V.weight])
        return linear(tokens, together).chunk(3, dim=-1)

    def _split(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, width) -> (batch, heads, tokens, d_k)."""
        batch, count, width = tokens.shape
        return tokens.reshape(batch, count, self.heads, width // self.heads).transpose(1, 2)


class AttentionBlock(nn.Module):
    """Attention with a residual and LayerNorm around it (author's code)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads, dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, others: Tensor | None = None) -> Tensor:
        return self.norm(tokens + self.attention(tokens, others))
