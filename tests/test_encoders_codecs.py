"""EnCodec, DAC and Mimi against transformers' own models: random weights, published layout."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fakes import burst
from helpers_codecs import TINY, codec_folder, codec_model
from nver.encoders import FrameEncoder, load_encoder
from nver.encoders.base import FloatArray
from nver.errors import MissingExtraError, UsageError, WeightsError

HOPS = {"encodec-24khz": 320, "dac-16khz": 320, "mimi": 1920}
CAUSAL = ("encodec-24khz", "mimi")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("codecs")
    return {name: str(codec_folder(place / name, name)) for name in TINY}


def load(name: str, folders: dict[str, str], **options: Any) -> FrameEncoder:
    encoder = load_encoder(name, folders[name], **options)
    assert isinstance(encoder, FrameEncoder)
    return encoder


def clip(name: str, seconds: float = 0.5) -> FloatArray:
    return burst(seconds, sampling_rate=TINY[name][1])


def as_batch(waveform: FloatArray, hop: int) -> torch.Tensor:
    whole = np.pad(waveform, (0, -waveform.size % hop))
    return torch.from_numpy(whole)[None, None]


def own_latents(name: str, waveform: torch.Tensor) -> torch.Tensor:
    found = codec_model(name).encoder(waveform)
    return found.latents if name == "mimi" else found


def own_quantised(name: str, waveform: torch.Tensor, codebooks: int) -> torch.Tensor:
    """(1, width, frames) that the model's own `encode` makes for its decoder."""
    model = codec_model(name)
    if name == "dac-16khz":
        return model.encode(waveform, n_quantizers=codebooks).quantized_representation
    if name == "mimi":
        return model.quantizer.decode(model.encode(waveform, num_quantizers=codebooks).audio_codes)
    rate = codebooks * 75 * 4 / 1000  # 75 frames/s, 16 entries
    model.config.target_bandwidths = [rate]
    codes = model.encode(waveform, bandwidth=rate).audio_codes
    return model.quantizer.decode(codes[0].transpose(0, 1))


@pytest.mark.parametrize("name", TINY)
def test_latents_are_the_models_own(name: str, folders: dict[str, str]) -> None:
    waveform, hop = clip(name), HOPS[name]
    with torch.no_grad():
        expected = own_latents(name, as_batch(waveform, hop))[0].T.numpy()
    frames, times = load(name, folders).frames(waveform)
    assert len(frames) == waveform.size // hop
    assert np.abs(frames - expected[: len(frames)]).max() <= 1e-5 * np.abs(expected).max()
    assert times == pytest.approx(np.arange(len(frames)) * hop / TINY[name][1])


@pytest.mark.parametrize("codebooks", [1, 3, "all"])
@pytest.mark.parametrize("name", TINY)
def test_quantised_latents_are_what_the_decoder_gets(
    name: str, codebooks: int | str, folders: dict[str, str]
) -> None:
    encoder = load(name, folders, latents="quantised", codebooks=codebooks)
    used = encoder.identity.options["codebooks"]
    assert used == {"encodec-24khz": 8, "dac-16khz": 12, "mimi": 8}[name] or used == codebooks
    waveform = clip(name)
    with torch.no_grad():
        expected = own_quantised(name, as_batch(waveform, HOPS[name]), used)[0].T.numpy()
    frames = encoder.frames(waveform)[0]
    assert np.abs(frames - expected[: len(frames)]).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("name", TINY)
def test_no_padding_is_averaged(name: str, folders: dict[str, str]) -> None:
    encoder, hop = load(name, folders), HOPS[name]
    for samples, frames in ((1, 1), (hop - 1, 1), (hop, 1), (2 * hop - 1, 1), (3 * hop + 7, 3)):
        found, times = encoder.frames(clip(name)[:samples])
        assert found.shape == (frames, encoder.dim)
        assert len(times) == frames
        vector = encoder.embed([clip(name)[:samples]])[0]
        assert vector == pytest.approx(found.mean(axis=0), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
def test_causal_codecs_do_not_see_the_end(name: str, folders: dict[str, str]) -> None:
    # At its start EnCodec reflects, so that its first frames see six more.
    encoder, hop, waveform = load(name, folders), HOPS[name], clip(name, 1.3)
    whole = encoder.frames(waveform)[0]
    for samples in (12 * hop, 12 * hop + hop // 2):
        part = encoder.frames(waveform[:samples])[0]
        assert len(part) == 12
        assert np.abs(part - whole[:12]).max() <= 1e-5 * np.abs(whole).max()


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("seconds", [0.1, 30])
def test_any_length(name: str, seconds: float, folders: dict[str, str]) -> None:
    assert np.isfinite(load(name, folders).embed([clip(name, seconds)])).all()


@pytest.mark.parametrize("name", TINY)
def test_identity(name: str, folders: dict[str, str], tmp_path: Path) -> None:
    other = {name: str(codec_folder(tmp_path, name, seed=1))}
    made = [
        load(name, folders),
        load(name, other),
        load(name, folders, pooling="mean+std"),
        load(name, folders, latents="quantised"),
        load(name, folders, latents="quantised", codebooks=2),
    ]
    assert len({encoder.identity.fingerprint for encoder in made}) == len(made)
    assert load(name, folders, latents="continuous").identity == made[0].identity
    assert made[2].dim == 2 * made[0].dim == made[2].embed([clip(name)]).shape[1]


@pytest.mark.parametrize("name", TINY)
def test_the_decoder_is_not_in_the_identity(
    name: str, folders: dict[str, str], tmp_path: Path
) -> None:
    codec_folder(tmp_path, name)
    state = load_file(tmp_path / "model.safetensors")
    changed = {k: v + 1 if k.startswith("decoder") else v for k, v in state.items()}
    save_file(changed, tmp_path / "model.safetensors")
    again = load(name, {name: str(tmp_path)})
    assert again.identity == load(name, folders).identity


def refused(name: str, folder: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_encoder(name, str(folder))
    return str(caught.value)


@pytest.mark.parametrize("name", TINY)
def test_other_weights_are_refused(name: str, tmp_path: Path) -> None:
    codec_folder(tmp_path, name)
    file = tmp_path / "model.safetensors"
    state = load_file(file)
    key = sorted(k for k in state if k.startswith("encoder.") and k.endswith(".bias"))[0]
    save_file({k: v for k, v in state.items() if k != key}, file)
    assert "lack 1 tensors" in refused(name, tmp_path)
    save_file({**state, key: torch.zeros(3)}, file)
    assert "shape" in refused(name, tmp_path)
    save_file({**state, "lm_head.weight": torch.zeros(3)}, file)
    assert "lm_head.weight" in refused(name, tmp_path)


def test_another_codec_is_refused(folders: dict[str, str]) -> None:
    assert "type 'dac'" in refused("mimi", Path(folders["dac-16khz"]))


@pytest.mark.parametrize(
    ("config", "words"),
    [({"sampling_rate": 48_000}, "48000 Hz"), ({"audio_channels": 2}, "several channels")],
)
def test_the_other_encodec_is_refused(config: dict[str, int], words: str, tmp_path: Path) -> None:
    assert words in refused("encodec-24khz", codec_folder(tmp_path, "encodec-24khz", **config))


def test_too_many_codebooks(folders: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="from 1 to 12"):
        load("dac-16khz", folders, latents="quantised", codebooks=13)


@pytest.mark.parametrize("name", TINY)
def test_without_transformers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r'pip install "nver\[transformers\]"'):
        load_encoder(name)
