"""Attention, equation (1) of RENO: Attention(Q, K, V) = softmax(QKᵀ/√d_k) V.

Q = XW_Q, K = XW_K, V = XW_V as printed, without biases; the heads are joined by W_O (Vaswani et
al. 2017). Shapes: X (batch, tokens, width), d_k = width / heads. Cross-attention, which is not in
RENO, takes K and V from other tokens.
"""

from math import sqrt

from torch import Tensor, nn

from nver.errors import UsageError


class SelfAttention(nn.Module):
    """(batch, tokens, width) -> the same shape; dropout on the attention weights.

    Where `others` (batch, any number, width) are given, the tokens attend to those.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise UsageError(f"attention over {width} values cannot be split in {heads} heads")
        self.heads = heads
        self.W_Q = nn.Linear(width, width, bias=False)
        self.W_K = nn.Linear(width, width, bias=False)
        self.W_V = nn.Linear(width, width, bias=False)
        self.W_O = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, others: Tensor | None = None) -> Tensor:
        source = tokens if others is None else others
        Q = self._split(self.W_Q(tokens))
        K, V = (self._split(W(source)) for W in (self.W_K, self.W_V))
        scores = Q @ K.transpose(-2, -1) / sqrt(Q.shape[-1])  # (batch, heads, tokens, tokens)
        mixed = self.dropout(scores.softmax(dim=-1)) @ V  # (batch, heads, tokens, d_k)
        return self.W_O(mixed.transpose(1, 2).flatten(2))

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
