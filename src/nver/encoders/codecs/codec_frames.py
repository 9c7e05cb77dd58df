"""The latents of EnCodec, DAC and Mimi, before or after the quantiser, as frame embeddings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from torch import Tensor
from transformers.utils import logging

from nver.encoders.base import EncoderCard, EncoderSpec, FloatArray, FrameEncoder, frame_times
from nver.encoders.codecs.codec_options import identity_options, read_codebooks
from nver.encoders.devices import find_device, full_precision
from nver.encoders.tensor_files import elements, fitting
from nver.encoders.weights import (
    CONFIG,
    FRONTEND,
    check_frames,
    check_sizes,
    find_folder,
    hash_weights,
    read_json,
    read_state,
    settings_of,
)
from nver.errors import WeightsError, shown

LONGEST_HOP = 24_000  # samples: a second of Mimi's; our choice, the published have 320 to 1920
MOST_TIMES = 2  # the values of the weights that their model may have: names and forms differ
DECODER_PARTS = ("decoder.", "decoder_transformer.", "upsample.")  # no embedding depends on them


class Family(NamedTuple):
    """How to get a codec's latents (1, width, frames) from its model in transformers."""

    model: str
    codebooks: Callable[[Any], int]  # how many, from the model
    quantise: Callable[[Any, Tensor, int], Tensor]  # the decoder's input, of this many codebooks
    hop: Callable[[Any], int] = lambda config: config.hop_length  # samples
    encode: Callable[[Any, Tensor], Tensor] = lambda model, waveform: model.encoder(waveform)


class CodecEncoder(FrameEncoder):
    """A frozen codec: (samples,) -> frames (samples // hop, width) -> vector.

    Each clip goes through the encoder alone, followed by zeros up to a whole number of hops as the
    codec itself adds; a frame is a hop that the clip fills, so no padding is averaged (our choice).
    A clip shorter than a hop is one frame. A hop is 20 ms for DAC at 16 kHz, 13.3 ms for EnCodec,
    80 ms for Mimi.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        self._family = FAMILIES[self.card.family]
        folder, revision = find_folder(spec.weights or self.card.weights or "", spec.revision)
        config = check_settings(folder, self.card)
        state = read_state(folder)
        check_sizes(read_json(folder, CONFIG), state, folder / CONFIG)
        self._device = find_device(spec.device)
        model = load_model(folder, self._family, state)
        # of the file's own names, which do not change with transformers' version
        used = {name: t for name, t in state.items() if not name.startswith(DECODER_PARTS)}
        with fitting(f"{folder / CONFIG} is none of {self.card.name}"):
            most, self._hop = self._family.codebooks(model), self._family.hop(model.config)
        check_hop(self._hop, folder)
        self._codebooks = read_codebooks(spec, most)
        self.identity = self.identify(
            hash_weights(used, config),
            model.config.hidden_size,
            revision=revision,
            options=identity_options(self._codebooks),
        )
        self._model = model.to(self._device)
        check_frames(self, folder)

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Frame embeddings (frames, width) and the start of each hop in s."""
        valid = max(1, waveform.size // self._hop)
        whole = ceil(waveform.size / self._hop) * self._hop
        padded = np.pad(waveform, (0, whole - waveform.size)).astype(np.float32, copy=False)
        with torch.inference_mode(), full_precision(self._device):
            latents = self._family.encode(
                self._model, torch.from_numpy(padded)[None, None].to(self._device)
            )[..., :valid]
            if self._codebooks:
                latents = self._family.quantise(self._model, latents, self._codebooks)
            frames = latents[0].T.contiguous().cpu().numpy()
        return frames, frame_times(valid, self._hop / self.sampling_rate)


def check_settings(folder: Path, card: EncoderCard) -> dict[str, Any]:
    """The folder's config, if it is of the card's codec, for one channel, at the card's rate."""
    config, frontend = read_json(folder, CONFIG), read_json(folder, FRONTEND)
    if config.get("model_type") != card.family:
        raise WeightsError(
            f"{folder} holds a model of type {config.get('model_type')!r}; {card.name} is a model"
            f" of type {card.family!r}"
        )
    for rate in (config.get("sampling_rate"), frontend.get("sampling_rate")):
        if rate not in (None, card.sampling_rate):
            raise WeightsError(
                f"{folder} holds a codec for {rate} Hz; {card.name} is for {card.sampling_rate} Hz"
            )
    if (
        config.get("audio_channels", 1) != 1
        or config.get("normalize")
        or config.get("chunk_length_s")
    ):
        raise WeightsError(
            f"{folder} holds a codec for several channels, or one that normalises or cuts its"
            f" input; {card.name} does none of it"
        )
    return settings_of(config, frontend)


def check_hop(hop: Any, folder: Path) -> None:
    """Raise `WeightsError` where a hop, which no weight bounds, is not of a codec."""
    if isinstance(hop, bool) or not isinstance(hop, int) or not 1 <= hop <= LONGEST_HOP:
        raise WeightsError(
            f"{folder / CONFIG}: expected a hop of 1 to {LONGEST_HOP:,} samples; got {shown(hop)}"
        )


def load_model(folder: Path, family: Family, state: dict[str, Tensor]) -> Any:
    """transformers' model with these weights in float32 on the CPU, every parameter accounted for.

    transformers puts them in their places itself, as its names change from version to version.
    """
    refusal = f"the weights in {folder} do not fit the model of its {CONFIG}"
    with fitting(refusal), _quiet():
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            size = elements(getattr(transformers, family.model)(config).state_dict())
        if size > MOST_TIMES * elements(state):
            raise WeightsError(f"{refusal}: that has {size:,} values, they {elements(state):,}")
        model, found = getattr(transformers, family.model).from_pretrained(
            None,
            config=config,
            state_dict=dict(state),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
        )
    for key, what in (
        ("mismatched_keys", "have another shape for"),
        ("missing_keys", "lack"),
        ("unexpected_keys", "have, beyond it,"),
    ):
        names = sorted(str(name) for name in found[key])
        if names:
            raise WeightsError(f"{refusal}: they {what} {len(names)} tensors, such as {names[0]}")
    return model.float().eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bar and its table of unfit tensors, which our error names."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _encodec_quantised(model: Any, latents: Tensor, codebooks: int) -> Tensor:
    # Residual codes: the first do not depend on how many follow.
    return model.quantizer.decode(model.quantizer.encode(latents)[:codebooks])


def _mimi_latents(model: Any, waveform: Tensor) -> Tensor:
    encoder = model.encoder
    if hasattr(encoder, "encoder_transformer"):  # later versions of transformers 5
        return encoder(waveform).latents
    hidden = model.encoder_transformer(encoder(waveform).transpose(1, 2))[0]
    return model.downsample(hidden.transpose(1, 2))


def _mimi_quantised(model: Any, latents: Tensor, codebooks: int) -> Tensor:
    codes = model.quantizer.encode(latents, codebooks)
    return model.quantizer.decode(codes.transpose(0, 1))


FAMILIES = {
    "encodec": Family(
        "EncodecModel",
        codebooks=lambda model: model.quantizer.num_quantizers,
        quantise=_encodec_quantised,
    ),
    "dac": Family(
        "DacModel",
        codebooks=lambda model: model.config.n_codebooks,
        quantise=lambda model, latents, codebooks: model.quantizer(latents, codebooks)[0],
    ),
    "mimi": Family(
        "MimiModel",
        hop=lambda config: round(config.sampling_rate / config.frame_rate),
        codebooks=lambda model: model.config.num_quantizers,
        encode=_mimi_latents,
        quantise=_mimi_quantised,
    ),
}
