"""A small Audio-Mamba that only runs forward: the numbers of `network`, with nothing to compile.

The states of all steps are held at once, which is 1 MB for nver-mamba and would be 14 for the
smallest published one; a step is then one instruction of torch instead of five.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.audio_mamba.network import AudioMamba, Block, Mixer, each_alone


class ShortAudioMamba:
    """The tokens of chunks, each alone, as `AudioMamba` gives them without gradient."""

    def __init__(self, network: AudioMamba, dtype: torch.dtype = torch.float32) -> None:
        self.network, self.dtype = network.requires_grad_(False), dtype
        self.blocks = [cast(Block, block) for block in network.blocks]
        self.decays = [-torch.exp(block.mixer.A_log).t().contiguous() for block in self.blocks]

    @torch.no_grad()
    def __call__(self, chunks: Tensor, patches: Sequence[int]) -> Tensor:
        """(chunks, tokens, width) from (chunks, 200, 80).

        `patches` says of how many patches in time each chunk's tokens are asked for; the others
        are zero.
        """
        with torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32):
            return each_alone(self.encode, self.network.sizes, chunks, patches)

    def encode(self, chunk: Tensor) -> Tensor:
        """(1, tokens, width) from one chunk (1, frames, 80)."""
        hidden = self.network.embed(chunk)
        residual = torch.zeros_like(hidden)
        for block, decay in zip(self.blocks, self.decays, strict=True):
            residual = (residual + hidden).float()
            hidden = mix(block.mixer, decay, block.norm(residual))
        return self.network.encoder_norm(hidden + residual)[:, 1:]


def mix(mixer: Mixer, decay: Tensor, hidden: Tensor) -> Tensor:
    """What the mixer gives for one chunk (1, length, width); decay is its A, (states, inner)."""
    x, z = mixer.in_proj(hidden).chunk(2, dim=-1)
    x = F.silu(mixer.conv1d(x.mT)[..., : x.shape[1]]).mT
    rank_delta, B, C = mixer.x_proj(x).float().split(mixer.splits, dim=-1)
    x, steps = x[0].float(), F.softplus(mixer.dt_proj(rank_delta)).float()[0]
    states = (steps * x)[:, None] * B[0, :, :, None]  # what each step adds, made the state after it
    factors = torch.exp(steps[:, None] * decay)
    each = states.unbind()
    for before, after, factor in zip(each, each[1:], factors.unbind()[1:], strict=False):
        after.addcmul_(factor, before)
    y = torch.einsum("lne,ln->le", states, C[0]) + mixer.D * x
    return mixer.out_proj(y * F.silu(z[0]))[None]
