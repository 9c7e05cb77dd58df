"""Our networks as they are usually written: torch's own layers, one after the other."""

from math import sqrt

import torch
from torch import Tensor, nn

from nver.classifiers.layers.attention import SelfAttention
from nver.classifiers.layers.convolution import ConvPool


def plainly(network: nn.Module) -> nn.Module:
    """The same network with the same weights, its layers replaced in place by torch's own."""
    for name, child in network.named_children():
        if isinstance(child, ConvPool):
            setattr(network, name, PlainConvolution(child))
        elif isinstance(child, SelfAttention):
            setattr(network, name, PlainAttention(child))
        else:
            plainly(child)
    return network


class PlainConvolution(nn.Module):
    """(batch, L, inputs) -> (batch, P, filters): convolution, ReLU, max-pool."""

    def __init__(self, ours: ConvPool) -> None:
        super().__init__()
        self.conv, self.relu = ours.conv, nn.ReLU()
        positions = ours.positions
        self.pool: nn.Module = (
            nn.MaxPool1d(2, ceil_mode=True)
            if positions is None
            else nn.AdaptiveMaxPool1d(positions)
        )

    def forward(self, h: Tensor) -> Tensor:
        pooled: Tensor = self.pool(self.relu(self.conv(h.transpose(1, 2))))
        return pooled.transpose(1, 2)


class PlainAttention(nn.Module):
    """(batch, tokens, width) -> the same shape."""

    def __init__(self, ours: SelfAttention) -> None:
        super().__init__()
        self.heads, self.dropout = ours.heads, nn.Dropout(ours.dropout)
        self.W_Q, self.W_K, self.W_V, self.W_O = ours.W_Q, ours.W_K, ours.W_V, ours.W_O

    def forward(self, tokens: Tensor, others: Tensor | None = None) -> Tensor:
        source = tokens if others is None else others
        Q, K, V = (
            x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x in (self.W_Q(tokens), self.W_K(source), self.W_V(source))
        )
        weights = torch.softmax(Q @ K.transpose(-2, -1) / sqrt(Q.shape[-1]), dim=-1)
        mixed = self.dropout(weights) @ V
        return self.W_O(mixed.transpose(1, 2).flatten(2))
