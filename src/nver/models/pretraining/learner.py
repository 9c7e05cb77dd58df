"""The network in training: Audio-Mamba, its reconstruction, and a head for the emotions."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nver.encoders.audio_mamba.frontend import rows_of
from nver.encoders.audio_mamba.network import FRAMES, AudioMamba, Sizes


class Learner(nn.Module):
    """Audio-Mamba and a linear head on the mean of its rows, the embedding of the encoder.

    Where the recipe has `teaching`, a second linear model, the `pupil`, predicts the teachers'
    embeddings (`taught` numbers) from the same mean. Another network that has `sizes` and gives
    tokens (clips, tokens, width) can take Audio-Mamba's place, but not in `reconstruct`.
    """

    def __init__(self, encoder: nn.Module, emotions: int, dropout: float, taught: int = 0) -> None:
        super().__init__()
        self.encoder = cast(AudioMamba, encoder)
        self.dropout, sizes = nn.Dropout(dropout), self.encoder.sizes
        self.head = nn.Linear(sizes.grid[1] * sizes.width, emotions)
        self.pupil = nn.Linear(sizes.grid[1] * sizes.width, taught) if taught else None

    def reconstruct(self, chunks: Tensor, masked: Tensor, valid: Tensor) -> Tensor:
        """The mean squared error of the masked patches' pixels, of (clips, frames, 80).

        `masked` and `valid` are (clips, tokens); patches beyond a clip's end do not count. Masked
        patches are blanked before the convolutions too, through which their neighbours saw them.
        """
        sizes = self.encoder.sizes
        pixels = to_pixels(chunks, sizes)
        blanked = from_pixels(pixels.masked_fill(masked[..., None], 0), sizes)
        patches = self.encoder.patch_embed(blanked)
        patches = torch.where(masked[..., None], self.encoder.mask_token.to(patches), patches)
        found = self.encoder.pred(self.encoder.encode(self.encoder.place(patches)))
        error = (found.float() - pixels).square().mean(dim=-1)
        return error[masked & valid].mean()

    def embed(self, chunks: Tensor, rows: Tensor) -> Tensor:
        """The embeddings (clips, bands x width): the mean of the first `rows` rows in time."""
        tokens = self.encoder(chunks).float()
        grid = tokens.reshape(len(tokens), -1, self.head.in_features)
        inside = torch.arange(grid.shape[1], device=grid.device) < rows[:, None]
        return (grid * inside[..., None]).sum(dim=1) / rows[:, None]

    def forward(self, chunks: Tensor, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits (clips, emotions), and the teachers' embeddings as predicted (clips, taught)."""
        mean = self.embed(chunks, rows)
        taught = None if self.pupil is None else self.pupil(mean).float()
        return self.head(self.dropout(mean)).float(), taught


def to_pixels(chunks: Tensor, sizes: Sizes) -> Tensor:
    """Patches (clips, tokens, pixels) from chunks (clips, frames, 80), in the tokens' order."""
    high, wide = sizes.patch
    grid = chunks.reshape(len(chunks), -1, high, sizes.grid[1], wide)
    return grid.transpose(2, 3).flatten(3).flatten(1, 2)


def from_pixels(pixels: Tensor, sizes: Sizes) -> Tensor:
    """The inverse of `to_pixels`."""
    grid = pixels.reshape(len(pixels), -1, sizes.grid[1], *sizes.patch)
    return grid.transpose(2, 3).flatten(3).flatten(1, 2)


def mixed_loss(logits: Tensor, emotions: Tensor, partner: Tensor, share: Tensor,
               smoothing: float) -> Tensor:  # fmt: skip
    """Cross-entropy against the clip's own emotion and its partner's, by share."""
    own, other = (
        F.cross_entropy(logits, which, reduction="none", label_smoothing=smoothing)
        for which in (emotions, emotions[partner])
    )
    return (share * own + (1 - share) * other).mean()


def clip_rows(frames: Sequence[int], sizes: Sizes) -> Tensor:
    """The number of rows (clips,) that the encoder keeps of so many frames; at least one."""
    rows = [min(rows_of(n, sizes.grid[0]), sizes.grid[0]) for n in frames]
    return torch.from_numpy(np.maximum(rows, 1))


def whole_chunks(length: int, sizes: Sizes) -> int:
    """`length` frames rounded up to whole patches, at most a chunk."""
    return min(-(-length // sizes.patch[0]) * sizes.patch[0], FRAMES)
