"""x-vector and ECAPA-TDNN as torch modules whose state dicts are SpeechBrain's, key by key.

Snyder et al. (2018), "X-Vectors: Robust DNN Embeddings for Speaker Recognition"; Desplanques et
al. (2020), "ECAPA-TDNN", arXiv 2005.07143. Kernels and dilations come from the hyperparams.yaml
of speechbrain/spkrec-xvect-voxceleb and spkrec-ecapa-voxceleb; widths are the checkpoint's. Layers
are read from speechbrain.lobes.models.Xvector and ECAPA_TDNN; one clip at a time, so no masks.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNELS = (5, 3, 3, 1, 1)  # tdnn_kernel_sizes
DILATIONS = (1, 2, 3, 1, 1)  # tdnn_dilations
STD_OFFSET = 1e-5  # eps of StatisticsPooling
ECAPA_KERNEL, ECAPA_DILATIONS = 5, (2, 3, 4)  # of the first layer, of the three blocks (kernel 3)
VARIANCE_FLOOR = 1e-12  # eps of AttentiveStatisticsPooling
SHORTEST = 5  # frames: a convolution that sees 4 to each side reflects as many


def inside(name: str, layer: nn.Module) -> nn.Sequential:
    """A layer in a module of its own: SpeechBrain wraps torch's, so its keys have a name more."""
    return nn.Sequential(OrderedDict({name: layer}))


def convolution(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """A convolution over (1, channels, frames) that keeps the length, reflecting at the ends."""
    reach = dilation * (kernel - 1) // 2
    conv = nn.Conv1d(
        inputs, outputs, kernel, padding=reach, dilation=dilation, padding_mode="reflect"
    )
    return inside("conv", conv)


def batch_norm(channels: int) -> nn.Sequential:
    return inside("norm", nn.BatchNorm1d(channels))


def conv_layer(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution, ReLU, batch norm."""
    conv = convolution(inputs, outputs, kernel, dilation)
    return nn.Sequential(OrderedDict(conv=conv, relu=nn.ReLU(), norm=batch_norm(outputs)))


class XVector(nn.Module):
    """Bands (1, mels, frames) -> (1, width): five convolutions, statistics, one linear layer.

    SpeechBrain adds a random 1e-5 to 9e-5 to the means; this does not.
    """

    def __init__(self, mels: int, channels: list[int], width: int) -> None:
        super().__init__()
        self.mels, self.width = mels, width
        layers: list[nn.Module] = []
        shapes = zip([mels, *channels], channels, KERNELS, DILATIONS, strict=False)
        for inputs, outputs, kernel, dilation in shapes:
            conv = convolution(inputs, outputs, kernel, dilation)
            layers += [conv, nn.LeakyReLU(), batch_norm(outputs)]
        layers += [Statistics(), inside("w", nn.Linear(2 * channels[-1], width))]
        self.blocks = nn.ModuleList(layers)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> "XVector":
        """The net with the widths of a state dict."""
        convolutions = [state[f"blocks.{3 * n}.conv.weight"] for n in range(len(KERNELS))]
        channels = [weight.shape[0] for weight in convolutions]
        return cls(convolutions[0].shape[1], channels, state["blocks.16.w.weight"].shape[0])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.blocks:
            x = layer(x)
        return x


class Statistics(nn.Module):
    """(1, 2 channels): the mean over time, and the deviation (ddof 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=2), x.std(dim=2) + STD_OFFSET], dim=1)


class Ecapa(nn.Module):
    """Bands (1, mels, frames) -> (1, width)."""

    def __init__(
        self, mels: int, channels: int, merged: int, squeezed: int, attention: int, width: int
    ) -> None:
        super().__init__()
        self.mels, self.width = mels, width
        self.blocks = nn.ModuleList([conv_layer(mels, channels, ECAPA_KERNEL)])
        self.blocks.extend(Res2Block(channels, squeezed, dilation) for dilation in ECAPA_DILATIONS)
        self.mfa = conv_layer(channels * len(ECAPA_DILATIONS), merged)
        self.asp = AttentiveStatistics(merged, attention)
        self.asp_bn = batch_norm(2 * merged)
        self.fc = convolution(2 * merged, width)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> "Ecapa":
        """The net with the widths of a state dict."""
        first = state["blocks.0.conv.conv.weight"]
        return cls(
            mels=first.shape[1],
            channels=first.shape[0],
            merged=state["mfa.conv.conv.weight"].shape[0],
            squeezed=state["blocks.1.se_block.conv1.conv.weight"].shape[0],
            attention=state["asp.tdnn.conv.conv.weight"].shape[0],
            width=state["fc.conv.weight"].shape[0],
        )

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        merged = self.mfa(torch.cat(outputs[1:], dim=1))
        return self.fc(self.asp_bn(self.asp(merged)))[..., 0]


class Res2Block(nn.Module):
    """A residual block: eight groups of channels one after the other, then squeeze and excite."""

    def __init__(self, channels: int, squeezed: int, dilation: int) -> None:
        super().__init__()
        self.tdnn1 = conv_layer(channels, channels)
        self.res2net_block = Res2(channels, dilation)
        self.tdnn2 = conv_layer(channels, channels)
        self.se_block = SqueezeExcite(channels, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        return self.se_block(self.tdnn2(self.res2net_block(self.tdnn1(x)))) + x


class Res2(nn.Module):
    SCALE = 8  # res2net_scale

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        group = channels // self.SCALE
        self.blocks = nn.ModuleList(
            conv_layer(group, group, 3, dilation) for _ in range(self.SCALE - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, *others = x.chunk(self.SCALE, dim=1)
        outputs = [first]
        for number, (block, group) in enumerate(zip(self.blocks, others, strict=True)):
            outputs.append(block(group + outputs[-1] if number else group))
        return torch.cat(outputs, dim=1)


class SqueezeExcite(nn.Module):
    """Each channel times a number in 0..1 that the channels' means over time decide."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = convolution(channels, squeezed), convolution(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = F.relu(self.conv1(x.mean(dim=2, keepdim=True)))
        return torch.sigmoid(self.conv2(squeezed)) * x


class AttentiveStatistics(nn.Module):
    """(1, 2 channels, 1): mean and deviation over time, each channel with weights of its own."""

    def __init__(self, channels: int, attention: int) -> None:
        super().__init__()
        self.tdnn = conv_layer(3 * channels, attention)
        self.conv = convolution(attention, channels)

    def forward(self, x: Tensor) -> Tensor:
        even = x.new_full((1, 1, x.shape[2]), 1 / x.shape[2])
        context = [part.expand_as(x) for part in weighted(x, even)]
        weights = self.conv(torch.tanh(self.tdnn(torch.cat([x, *context], dim=1)))).softmax(dim=2)
        return torch.cat(weighted(x, weights), dim=1)


def weighted(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation over time, (1, channels, 1) each; the weights sum to 1 over time."""
    mean = (weights * x).sum(dim=2, keepdim=True)
    variance = (weights * (x - mean).square()).sum(dim=2, keepdim=True)
    return mean, variance.clamp_min(VARIANCE_FLOOR).sqrt()
