"""A small Audio-Mamba that only runs forward: the numbers of `network`, with nothing to compile.

The states of all steps are held at once, which is 1 MB for nver-mamba and would be 14 for the
smallest published one; a step is then one instruction of torch instead of five.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.audio_mamba.network import AudioMamba, Block, encode_alone


class ShortAudioMamba:
    """The tokens of chunks, each alone, as `AudioMamba` gives them without gradient."""

    def __init__(self, network: AudioMamba, dtype: torch.dtype = torch.float32) -> None:
        self.network, self.dtype = network.requires_grad_(False), dtype
        self.blocks = [ShortBlock(cast(Block, block)) for block in network.blocks]

    @torch.no_grad()
    def __call__(self, chunks: Tensor, patches: Sequence[int]) -> Tensor:
        """(chunks, tokens, width) from (chunks, 200, 80); see `encode_alone`."""
        with torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32):
            return encode_alone(self.network, self.blocks, chunks, patches)


class ShortBlock:
    """One block; takes and gives what `Block` does, for one chunk (1, length, width)."""

    def __init__(self, block: Block) -> None:
        self.norm, self.mixer = block.norm, block.mixer
        self.decay = -torch.exp(self.mixer.A_log).t().contiguous()  # A, (states, inner)

    def __call__(self, hidden: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        mixer, residual = self.mixer, (residual + hidden).float()
        x, z = mixer.in_proj(self.norm(residual)).chunk(2, dim=-1)
        x = F.silu(mixer.conv1d(x.mT)[..., : x.shape[1]]).mT
        rank_delta, B, C = mixer.x_proj(x).float().split(mixer.splits, dim=-1)
        x, steps = x[0].float(), F.softplus(mixer.dt_proj(rank_delta)).float()[0]
        states = (steps * x)[:, None] * B[0, :, :, None]  # of each step what it adds
        factors = torch.exp(steps[:, None] * self.decay)
        each = states.unbind()  # made the states after the steps
        for before, after, factor in zip(each, each[1:], factors.unbind()[1:], strict=False):
            after.addcmul_(factor, before)
        y = torch.einsum("lne,ln->le", states, C[0]) + mixer.D * x
        return mixer.out_proj(y * F.silu(z[0]))[None], residual
