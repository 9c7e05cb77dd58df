"""Audio-Mamba (SSAM) as a torch module whose state dict is upstream's, key by key.

Yadav and Tan (2024), "Audio Mamba: Selective State Spaces for Self-Supervised Audio
Representations", arXiv 2406.02178; the defaults of github.com/SarthakYadav/audio-mamba-official
(configs/ssam_*_200_16x4.py). A block is Add -> Norm -> Mixer, the mixer one unidirectional Mamba
(Gu and Dao 2023). Differentiable throughout; `frozen` has the form that only runs forward, fast.
Ours are the sizes that upstream has fixed: other patches, and strided convolutions before them.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nver.encoders.selective_scan import selective_scan
from nver.errors import UsageError, WeightsError

FRAMES, MELS = 200, 80  # of a chunk: img_size of the configs
PATCH = (4, 16)  # frames x mel bands: patch_size as published
GRID = (FRAMES // PATCH[0], MELS // PATCH[1])  # 50 patches in time, 5 in frequency
TOKENS = GRID[0] * GRID[1]
STEPS = (1e-3, 1e-1)  # softplus(dt_proj.bias) of new weights: Mamba's dt_min and dt_max
EPSILON = 1e-6  # of every layer norm: norm_epsilon
AnyBlock = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # as `Block`
STEM = re.compile(r"patch_embed\.stem\.\d\.conv\.weight")


@dataclass(frozen=True)
class Sizes:
    """The sizes of an Audio-Mamba; the defaults are the same in all three published ones."""

    width: int  # embed_dim: 192 tiny, 384 small, 768 base
    depth: int = 12
    inner: int = 0  # channels of the scan; 0: 3 x width (expand = 3)
    states: int = 24  # d_state
    taps: int = 4  # d_conv
    rank: int = 0  # of the projection to the steps; 0: width / 16, rounded up
    patch: tuple[int, int] = PATCH  # frames x mel bands
    stem: tuple[int, ...] = ()  # ours: channels of the convolutions, each of stride 2, before it

    def __post_init__(self) -> None:
        object.__setattr__(self, "inner", self.inner or 3 * self.width)
        object.__setattr__(self, "rank", self.rank or math.ceil(self.width / 16))
        object.__setattr__(self, "patch", tuple(self.patch))
        object.__setattr__(self, "stem", tuple(self.stem))
        step = 2 ** len(self.stem)
        if FRAMES % self.patch[0] or MELS % self.patch[1] or any(n % step for n in self.patch):
            raise UsageError(
                f"a patch of {self.patch} frames x bands does not divide {FRAMES} x {MELS} into"
                f" multiples of {step}, to which {len(self.stem)} convolutions reduce it"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Patches of a chunk in time and in frequency."""
        return FRAMES // self.patch[0], MELS // self.patch[1]

    @property
    def least(self) -> int:
        """A number of weights that a network of these sizes has at least."""
        convolutions = sum(9 * a * b for a, b in pairwise((1, *self.stem)))
        projections = self.inner * (3 * self.width + self.rank + self.states)
        return self.depth * projections + self.tokens * self.width + convolutions

    @property
    def tokens(self) -> int:
        """Patches of a chunk."""
        return math.prod(self.grid)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> "Sizes":
        """The sizes that a state dict has."""
        try:
            stem = tuple(
                len(tensor) for name, tensor in sorted(state.items()) if STEM.fullmatch(name)
            )
            kernel = state["patch_embed.proj.weight"].shape[2:]
            inner, states = state["blocks.0.mixer.A_log"].shape
            return cls(
                width=state["cls_token"].shape[-1],
                depth=sum(name.endswith(".mixer.A_log") for name in state),
                inner=inner,
                states=states,
                taps=state["blocks.0.mixer.conv1d.weight"].shape[-1],
                rank=state["blocks.0.mixer.dt_proj.weight"].shape[-1],
                patch=(kernel[0] * 2 ** len(stem), kernel[1] * 2 ** len(stem)),
                stem=stem,
            )
        except (KeyError, ValueError) as error:
            raise WeightsError(
                f"these are no weights of Audio-Mamba: {error} is missing or of another shape;"
                f" they have {len(state)} tensors, such as {next(iter(state), 'none')!r}"
            ) from error


class AudioMamba(nn.Module):
    """Chunks of the log-mel spectrogram (chunks, 200, 80) -> tokens (chunks, 250, width).

    Token 5 t + f is the patch of frames 4 t to 4 t + 3 and mel bands 16 f to 16 f + 15 (of the
    published sizes). A chunk cut short gives the first of these tokens: none depends on what
    follows it. New weights are random, the scan's as Mamba draws them.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))  # for pre-training only
        self.pos_embed = nn.Parameter(
            position_embedding(width, sizes.grid)[None], requires_grad=False
        )
        self.patch_embed = Patches(sizes)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.depth))
        self.encoder_norm = nn.LayerNorm(width, EPSILON)
        hidden, pixels = nn.Linear(width, width), nn.Linear(width, math.prod(sizes.patch))
        self.pred = nn.Sequential(hidden, nn.GELU(), pixels)  # for pre-training only

    def forward(self, chunks: Tensor) -> Tensor:
        return self.encode(self.embed(chunks))

    def encode(self, hidden: Tensor, blocks: Iterable[AnyBlock] | None = None) -> Tensor:
        """Tokens from what `embed` gives, through the network's blocks or others in their place."""
        residual = torch.zeros_like(hidden)
        for block in blocks or self.blocks:
            hidden, residual = block(hidden, residual)
        return self.encoder_norm(hidden + residual)[:, 1:]

    def embed(self, chunks: Tensor) -> Tensor:
        """(chunks, 1 + tokens, width): the class token, which comes first, and the patches."""
        return self.place(self.patch_embed(chunks))

    def place(self, patches: Tensor) -> Tensor:
        """The class token and (chunks, tokens, width), each with its place added."""
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(patches), -1, -1)
        places = self.pos_embed[:, 1 : patches.shape[1] + 1]
        return torch.cat([first, patches + places], dim=1)


def encode_alone(
    network: AudioMamba, blocks: Sequence[AnyBlock], chunks: Tensor, patches: Sequence[int]
) -> Tensor:
    """(chunks, tokens, width) of chunks (chunks, 200, 80), each alone through these blocks.

    `patches` says how many patches in time of each chunk are encoded; the tokens of the others are
    zero. No token depends on what follows it, so this changes none and takes less time.
    """
    sizes = network.sizes
    tokens = chunks.new_zeros(len(chunks), sizes.tokens, sizes.width)
    for number, count in enumerate(patches):
        chunk = chunks[number : number + 1, : count * sizes.patch[0]]
        tokens[number, : count * sizes.grid[1]] = network.encode(network.embed(chunk), blocks)[0]
    return tokens


class Patches(nn.Module):
    """(chunks, 250, width) from chunks (chunks, 200, 80), time first."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        channels = (1, *sizes.stem)
        if sizes.stem:  # else no key of it is in the state dict
            self.stem = nn.Sequential(*(Halving(*pair) for pair in pairwise(channels)))
        kernel = tuple(n // 2 ** len(sizes.stem) for n in sizes.patch)
        self.proj = nn.Conv2d(channels[-1], sizes.width, kernel, kernel)
        self.sizes = sizes

    def forward(self, chunks: Tensor) -> Tensor:
        image = chunks[:, None]
        if self.sizes.stem:
            image = self.stem(image.to(memory_format=torch.channels_last))
        return self.proj(image).permute(0, 2, 3, 1).flatten(1, 2)


class Halving(nn.Module):
    """A 3 x 3 convolution of stride 2, layer norm over channels, GELU: half the frames and bands.

    Row t sees the frames up to 2 t + 1: padded before the first frame and never after the last,
    so that what follows a patch does not reach it.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, 2)
        self.norm = nn.LayerNorm(out, EPSILON)

    def forward(self, image: Tensor) -> Tensor:
        found = self.conv(F.pad(image, (1, 0, 1, 0)))
        return F.gelu(self.norm(found.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Add -> Norm -> Mixer on (chunks, length, width); the residual stays in float32."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.mixer = Mixer(sizes)
        self.norm = nn.LayerNorm(sizes.width, EPSILON)

    def forward(self, hidden: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        residual = (residual + hidden).float()
        return self.mixer(self.norm(residual)), residual


class Mixer(nn.Module):
    """Mamba (Gu and Dao 2023, figure 3): (chunks, length, width) -> the same shape."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.splits = [sizes.rank, sizes.states, sizes.states]
        inner = sizes.inner
        self.in_proj = nn.Linear(sizes.width, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, sizes.taps, groups=inner, padding=sizes.taps - 1)
        self.x_proj = nn.Linear(inner, sum(self.splits), bias=False)
        self.dt_proj = nn.Linear(sizes.rank, inner)
        self.A_log = nn.Parameter(torch.arange(1.0, sizes.states + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, sizes.width, bias=False)
        nn.init.uniform_(self.dt_proj.weight, -(sizes.rank**-0.5), sizes.rank**-0.5)
        nn.init.uniform_(self.dt_proj.bias, math.log(STEPS[0]), math.log(STEPS[1]))
        step = self.dt_proj.bias.detach().exp()
        self.dt_proj.bias.data = step + torch.log(-torch.expm1(-step))  # softplus, inverted

    def forward(self, hidden: Tensor) -> Tensor:
        x, z = self.in_proj(hidden).chunk(2, dim=-1)
        x = F.silu(self.conv1d(x.mT)[..., : x.shape[1]]).mT
        rank_delta, B, C = self.x_proj(x).split(self.splits, dim=-1)
        y = selective_scan(
            x,
            F.linear(rank_delta, self.dt_proj.weight),
            -torch.exp(self.A_log),
            B,
            C,
            D=self.D,
            z=z,
            delta_bias=self.dt_proj.bias,
            delta_softplus=True,
        )
        return self.out_proj(y)


def position_embedding(width: int, grid: tuple[int, int] = GRID) -> Tensor:
    """(251, width): zeros for the class token, then sine and cosine of the patch's place.

    A row is [sin f w, cos f w, sin t w, cos t w], w_i = 10000^(-i / (width / 4)): frequency first.
    """
    powers = torch.arange(width // 4, dtype=torch.float64) / (width / 4)
    time, band = torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij")
    angles = [place.reshape(-1, 1) * 10000**-powers for place in (band, time)]
    rows = torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)
    return torch.cat([torch.zeros(1, width, dtype=rows.dtype), rows]).float()
