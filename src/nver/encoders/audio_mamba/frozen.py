"""Audio-Mamba that only runs forward, on a CPU: the numbers of `network`, sooner.

Each chunk goes through alone, so that its tokens cannot depend on its neighbours, and all its
intermediate arrays stay in the cache. The matrix products are oneDNN's with weights packed
beforehand; all between them is done by the kernels of the scan: the convolution with its
activation, and softplus, scan, skip and gate.
"""

from collections.abc import Callable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.audio_mamba.network import EPSILON, TOKENS, AudioMamba, Block, encode_alone
from nver.encoders.selective_scan.inputs import Inputs
from nver.encoders.selective_scan.numba_form import convolve_into, prepared_decay, scan_into

ROUNDING = 2**-8  # of bfloat16; a wrong layout is far beyond it
Product = Callable[[Tensor], Tensor]


class FrozenAudioMamba:
    """The tokens of chunks, as `AudioMamba` gives them, in evaluation and without gradient.

    `dtype` is that of the matrix products and of what goes between them: float32, or bfloat16,
    with the residual, the norms and the inside of the scan in float32 all the same.
    """

    def __init__(self, network: AudioMamba, dtype: torch.dtype = torch.float32) -> None:
        self.network = network.requires_grad_(False)
        self.blocks = [FrozenBlock(cast(Block, block), dtype) for block in network.blocks]

    @torch.no_grad()
    def __call__(self, chunks: Tensor, patches: Sequence[int]) -> Tensor:
        """(chunks, 250, width) from (chunks, 200, 80); see `encode_alone`."""
        return encode_alone(self.network, self.blocks, chunks, patches)


class FrozenBlock:
    """One block; takes and gives what `Block` does, but overwrites the residual it is given."""

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        mixer = block.mixer
        self.norm = block.norm.weight, block.norm.bias
        self.dtype, self.splits = dtype, mixer.splits
        self.in_proj = packed(mixer.in_proj.weight.to(dtype))
        self.x_proj = packed(mixer.x_proj.weight.to(dtype))
        self.dt_proj = packed(mixer.dt_proj.weight.to(dtype))
        self.out_proj = packed(mixer.out_proj.weight.to(dtype))
        self.taps = mixer.conv1d.weight[:, 0].t().contiguous()
        self.conv_bias = cast(Tensor, mixer.conv1d.bias)
        self.dt_bias, self.D = mixer.dt_proj.bias, mixer.D
        self.A = -torch.exp(mixer.A_log)
        self.decay = prepared_decay(self.A)
        self.kept = torch.empty(0, 0, 0, 0)

    def __call__(self, hidden: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        residual.add_(hidden)
        normed = F.layer_norm(residual, residual.shape[-1:], *self.norm, EPSILON)
        x, z = self.in_proj(normed.to(self.dtype)).chunk(2, dim=-1)
        mixed = torch.empty_like(x, memory_format=torch.contiguous_format)
        convolve_into(mixed, x, self.taps, self.conv_bias)
        rank_delta, B, C = torch.split(self.x_proj(mixed), self.splits, dim=-1)
        delta = self.dt_proj(rank_delta.contiguous())
        B, C = (t.to(torch.float32, memory_format=torch.contiguous_format) for t in (B, C))
        y = torch.empty_like(mixed)
        inputs = Inputs(mixed, delta, self.A, B, C, self.D, z, self.dt_bias, soft=True)
        scan_into(y, inputs, self.decay, self.kept)
        return self.out_proj(y), residual


def packed(weight: Tensor) -> Product:
    """x -> x weight^T with the weight (out, in) laid out for oneDNN once; else torch's own.

    torch has this for the graphs it freezes itself and does not promise it, so it is tried first.
    """
    try:
        ops = torch.ops.mkldnn
        laid_out = ops._reorder_linear_weight(weight, TOKENS + 1)

        def product(x: Tensor) -> Tensor:
            return ops._linear_pointwise(x, laid_out, None, "none", [], "")

        probe = torch.linspace(-1, 1, 2 * weight.shape[1]).reshape(1, 2, -1).to(weight.dtype)
        error = (product(probe) - F.linear(probe, weight)).abs().max()
        if error <= ROUNDING * probe.abs().sum() * weight.abs().max():
            return product
    except (AttributeError, RuntimeError, TypeError):
        pass
    return lambda x: F.linear(x, weight)
