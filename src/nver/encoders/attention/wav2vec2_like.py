"""Frame embeddings of attention models of the wav2vec 2.0 kind, pooled over time."""

from math import prod
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parametrize
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, Wav2Vec2FeatureExtractor

from nver.encoders.base import EncoderCard, EncoderSpec, FloatArray, FrameEncoder, frame_times
from nver.encoders.devices import find_device, full_precision
from nver.encoders.tensor_files import fitting
from nver.encoders.weights import (
    CONFIG,
    FRONTEND,
    check_frames,
    check_rate,
    check_sizes,
    find_folder,
    hash_weights,
    read_json,
    read_state,
    settings_of,
)
from nver.errors import UsageError, WeightsError, shown

# Each has been tested here against transformers' own output, alone and in any batch.
ARCHITECTURES = ("wav2vec2", "hubert", "wavlm", "unispeech-sat", "unispeech", "data2vec-audio")
ENCODER_PARTS = ("encoder.", "feature_extractor.", "feature_projection.")
WIDEST = 100_000  # samples of a frame; our choice, 400 in every published model here
UNUSED = "masked_spec_embed"  # stands for masked frames in training, is never used by an encoder


class TransformersEncoder(FrameEncoder):
    """A frozen wav2vec2-like model: waveform (samples,) -> frames (frames, hidden) -> vector.

    Each clip goes through the model alone, without padding and mask, in float32: so its vector is
    the one that transformers' own model gives for it, and cannot depend on a batch. (Padding leaks
    through the group norm of wav2vec2-base, hubert-base, wavlm-base and unispeech-sat-base.)

    The waveform is normalised as the model's own `preprocessor_config.json` says. A clip shorter
    than the receptive field of the convolutions (400 samples, 25 ms at 16 kHz, in all published
    models here) is then padded with zeros at its end to exactly one frame.

    `layer` is "last" (after the layer norm at the end, where there is one), an integer k for the
    output of the k-th transformer layer (0: the input of the first; negative from the end; the last
    is "last"), or "mean" for the mean over layers 1 to the last.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        folder, revision = find_folder(_weights(self.card, spec), spec.revision)
        self._device = find_device(spec.device)
        self._frontend = load_frontend(folder)
        model = load_model(folder, self.card)
        kernels, strides = model.config.conv_kernel, model.config.conv_stride
        _check_convolutions(kernels, strides, folder)
        self._hop, self._receptive_field = prod(strides), receptive_field(kernels, strides)
        self._depth: int = model.config.num_hidden_layers
        self._layer = canonical_layer(spec.layer, self._depth)
        state = {name: value for name, value in model.state_dict().items() if name != UNUSED}
        settings = settings_of(read_json(folder, CONFIG), read_json(folder, FRONTEND))
        self.identity = self.identify(
            hash_weights(state, settings),
            model.config.hidden_size,
            revision=revision,
            layer=str(self._layer),
            sampling_rate=int(self._frontend.sampling_rate),
        )
        self._model = _frozen(model).to(self._device)
        check_frames(self, folder)

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Frame embeddings (frames, hidden) and the start of each frame in s: its number x hop.

        The hop is the product of the convolutions' strides (320 samples, 20 ms at 16 kHz); a frame
        sees its receptive field from there on, and through attention the whole clip.
        """
        whole = self._layer != self._depth
        with torch.inference_mode(), full_precision(self._device):
            output = self._model(self._prepare(waveform), output_hidden_states=whole)
            hidden = self._select(output)[0].cpu().numpy()
        return hidden, frame_times(len(hidden), self._hop / self.sampling_rate)

    def _prepare(self, waveform: FloatArray) -> Tensor:
        """(1, samples), normalised, at least one receptive field long."""
        normalised = self._frontend(
            waveform, sampling_rate=self.sampling_rate, return_tensors="pt"
        ).input_values
        missing = max(0, self._receptive_field - normalised.shape[1])
        return F.pad(normalised, (0, missing)).to(self._device, torch.float32)

    def _select(self, output: Any) -> Tensor:
        """(1, frames, hidden) of the layer; the last is always what the model ends in.

        transformers 4 and 5 disagree on the last of `hidden_states` where a layer norm follows it.
        """
        if self._layer == self._depth:
            return output.last_hidden_state
        if self._layer == "mean":
            layers = (*output.hidden_states[1 : self._depth], output.last_hidden_state)
            return torch.stack(layers).mean(dim=0)
        return output.hidden_states[self._layer]


def load_frontend(folder: Path) -> Any:
    """The model's own waveform normalisation."""
    check_rate(read_json(folder, FRONTEND), folder)
    with fitting(f"{folder / FRONTEND} is refused by transformers"):
        frontend = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    if not isinstance(frontend, Wav2Vec2FeatureExtractor):
        raise WeightsError(
            f"{folder / FRONTEND} describes a {type(frontend).__name__}; expected a"
            " Wav2Vec2FeatureExtractor, which takes waveforms"
        )
    return frontend


def load_model(folder: Path, card: EncoderCard) -> Any:
    """The model with the folder's weights in float32 on the CPU, every parameter accounted for."""
    settings, found = read_json(folder, CONFIG), read_state(folder)
    _check_architecture(settings, folder, card)
    check_sizes(settings, found, folder / CONFIG)
    with fitting(f"{folder / CONFIG} is refused by transformers"):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"), torch.random.fork_rng(devices=[]):  # no initial values
            model = AutoModel.from_config(config, trust_remote_code=False)
    prefix = model.base_model_prefix + "."
    state = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    if UNUSED in model.state_dict():
        state.setdefault(UNUSED, torch.zeros(config.hidden_size))
    with fitting(f"the weights in {folder} do not fit its {CONFIG}"):
        result = model.load_state_dict(state, strict=False, assign=True)
    _check_fit(result.missing_keys, result.unexpected_keys, folder)
    return model.float().eval()


def receptive_field(kernels: list[int], strides: list[int]) -> int:
    """Samples that one frame of a stack of convolutions sees."""
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field


def canonical_layer(layer: int | str, depth: int) -> int | str:
    """0 to `depth`, or "mean": one name for what the user may write in several ways."""
    if layer == "mean":
        return layer
    try:
        number = depth if layer == "last" else int(layer)
    except ValueError:
        raise UsageError(
            f'layer {layer!r} is neither a number, nor "last", nor "mean" (of all layers)'
        ) from None
    if not -depth - 1 <= number <= depth:
        raise UsageError(
            f"layer {layer} is out of range: this model has the layers 0 (the input of the first)"
            f" to {depth} (the last); negative numbers count from the end"
        )
    return number if number >= 0 else number + depth + 1


def _weights(card: EncoderCard, spec: EncoderSpec) -> str:
    weights = spec.weights or card.weights or (spec.name if "/" in spec.name else None)
    if weights is None:
        raise UsageError(
            f"{spec.name} needs weights: a hub id (organisation/model) or a local folder"
        )
    return weights


def _check_architecture(config: dict[str, Any], folder: Path, card: EncoderCard) -> None:
    found = config.get("model_type")
    if found not in ARCHITECTURES:
        raise WeightsError(
            f"{folder} holds a model of type {found!r}; this encoder takes one of"
            f" {', '.join(ARCHITECTURES)}"
        )
    if card.family in ARCHITECTURES and found != card.family:
        raise WeightsError(
            f"{folder} holds a {found} model, but {card.name} is a {card.family} model: name the"
            f" encoder of those weights, or 'transformers' for any"
        )
    if config.get("add_adapter"):
        raise WeightsError(
            f"{folder} ends in a length adapter (add_adapter), so that its frames have another rate"
            " than its layers'; nver takes models without one"
        )


def _check_convolutions(kernels: Any, strides: Any, folder: Path) -> None:
    """Raise `WeightsError` where the settings, which no weight bounds, ask for a huge clip."""
    sizes = [*kernels, *strides]
    if not all(isinstance(size, int) and size > 0 for size in sizes) or (
        receptive_field(kernels, strides) > WIDEST
    ):
        raise WeightsError(
            f"{folder / CONFIG}: expected convolutions that see at most {WIDEST:,} samples; got "
            f"conv_kernel {shown(list(kernels))} and conv_stride {shown(list(strides))}"
        )


def _check_fit(missing: list[str], unexpected: list[str], folder: Path) -> None:
    extra = [name for name in unexpected if name.startswith(ENCODER_PARTS)]
    for names, what in ((missing, "lack"), (extra, "have, beyond what it describes,")):
        if names:
            raise WeightsError(
                f"the weights in {folder} are not of the model that its {CONFIG} describes: they"
                f" {what} {len(names)} tensors, such as {sorted(names)[0]}"
            )


def _frozen(model: Any) -> Any:
    """The model without gradients, its positional convolution's weight norm applied for good."""
    for module in list(model.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
    return model.requires_grad_(False)
