"""Toys that run the whole pipeline offline in seconds: an encoder, and model folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers_audio_mamba import untrained_folder
from helpers_codecs import TINY as TINY_CODECS
from helpers_codecs import codec_folder
from helpers_speakers import NARROW as NARROW_SPEAKERS
from helpers_speakers import d_vector_file, speaker_folder
from nver.encoders.base import Encoder, EncoderCard, EncoderIdentity, EncoderSpec, FloatArray
from nver.registry import ENCODERS

LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
TINY: dict[str, dict[str, Any]] = {  # kind -> the model type and what is unlike the default
    "wav2vec2": {"model_type": "wav2vec2"},
    "wav2vec2-layer-norm": {"model_type": "wav2vec2", **LAYER_NORM},
    "hubert": {"model_type": "hubert"},
    "hubert-layer-norm": {"model_type": "hubert", **LAYER_NORM},
    "wavlm": {"model_type": "wavlm"},
    "wavlm-layer-norm": {"model_type": "wavlm", **LAYER_NORM},
    "unispeech-sat": {"model_type": "unispeech-sat"},
    "unispeech-sat-layer-norm": {"model_type": "unispeech-sat", **LAYER_NORM},
    "unispeech": {"model_type": "unispeech"},
    "data2vec-audio": {"model_type": "data2vec-audio"},
    "mms": {"model_type": "wav2vec2", **LAYER_NORM, "num_attention_heads": 2},
}
TINY_DIM, TINY_DEPTH = 32, 2
WEIGHTLESS = tuple(name for name, place in ENCODERS.items() if ".weightless." in place)
BUILT_IN = ("nver-mamba",)  # encoders whose weights are in the package
REAL_OF_NAME = {  # encoders that run published files only, and where they lie beside the project
    "soundstream": "weights/soundstream_lyra",
    "yamnet": "weights/yamnet",
}
TINY_OF_NAME = {  # which kind stands for the weights of a registered encoder
    "wavlm-base": "wavlm",
    "unispeech-sat-base": "unispeech-sat",
    "wav2vec2-base": "wav2vec2",
    "hubert-base": "hubert",
    "mms-1b": "mms",
    "voc2vec": "wav2vec2",
    "voc2vec-hubert-ls-pt": "hubert",
    "transformers": "wav2vec2-layer-norm",
    "audio-mamba-tiny": "audio-mamba",
    "audio-mamba-small": "audio-mamba",
    "audio-mamba-base": "audio-mamba",
}


def tiny_transformer_folder(
    folder: Path,
    kind: str = "wav2vec2",
    *,
    seed: int = 0,
    do_normalize: bool = True,
    **config: Any,
) -> Path:
    """A saved model of a kind of `TINY`: random weights, the published stack of convolutions.

    32 channels, 2 layers, 7 convolutions of the standard kernels and strides (or as `config` has
    it); about 100 kB.
    """
    import torch
    from transformers import AutoConfig, AutoModel, Wav2Vec2FeatureExtractor

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(AutoConfig.for_model(**{**_tiny_config(kind), **config}))
    save_model(model, folder)
    Wav2Vec2FeatureExtractor(do_normalize=do_normalize).save_pretrained(folder)
    return folder


def tiny_weights(name: str, folder: Path) -> str | None:
    """What to pass as `weights` of a registered encoder in a test: None where it needs none."""
    if name in WEIGHTLESS or name in BUILT_IN:
        return None
    if name in TINY_CODECS:
        return str(codec_folder(folder / name, name))
    if name in NARROW_SPEAKERS:
        return str(speaker_folder(folder / name, name))
    if name == "d-vector":
        return str(d_vector_file(folder / name))
    assert name in TINY_OF_NAME, f"say here how to make random weights of {name}"
    if TINY_OF_NAME[name] == "audio-mamba":
        return str(untrained_folder(folder / name))
    return str(tiny_transformer_folder(folder / name, TINY_OF_NAME[name]))


def burst(
    duration_s: float = 1.0, f0: float = 220.0, *, seed: int = 0, sampling_rate: int = 16_000
) -> FloatArray:
    """(samples,): a harmonic sound in noise with a rise and a fall, peak about 0.5."""
    time = np.arange(round(duration_s * sampling_rate)) / sampling_rate
    rng = np.random.default_rng(seed)
    voice = sum(np.sin(2 * np.pi * f0 * k * time + k) / k for k in range(1, 6))
    envelope = np.sin(np.pi * (time + 0.5 / sampling_rate) / duration_s)
    sound = 0.25 * envelope * voice + 0.02 * rng.standard_normal(time.size)
    return sound.astype(np.float32)


def save_model(model: Any, folder: Path) -> None:
    """`save_pretrained` without its progress bar, so with config.json and model.safetensors."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})


def _tiny_config(kind: str) -> dict[str, Any]:
    return {
        "hidden_size": TINY_DIM,
        "num_hidden_layers": TINY_DEPTH,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 19 if kind == "data2vec-audio" else 16,
        "num_conv_pos_embedding_groups": 8,
        "initializer_range": 0.2,
        **TINY[kind],
    }


class ToyEncoder(Encoder):
    """Eight numbers a clip, of the waveform alone: fast, deterministic, without a frontend."""

    code_version = 1

    def __init__(self, spec: EncoderSpec) -> None:
        self.card, self.spec = TOY, spec
        self.identity = EncoderIdentity(
            name=spec.name,
            revision="local",
            weights_hash="none",
            layer=str(spec.layer),
            pooling=spec.pooling,
            sampling_rate=TOY.sampling_rate,
            code_version=self.code_version,
            dim=8,
        )

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([_toy_vector(w) for w in waveforms])


def _toy_vector(waveform: FloatArray) -> FloatArray:
    energies = [np.sqrt(np.mean(part**2)) for part in np.array_split(waveform, 8) if part.size]
    vector = np.zeros(8, np.float32)
    vector[: len(energies)] = energies
    return vector


TOY = EncoderCard(
    name="toy",
    family="toy",
    dim=8,
    sampling_rate=16_000,
    licence="Apache-2.0",
    url="",
    citation="",
    load=ToyEncoder,
    layers=True,
    poolings=("mean",),
)
