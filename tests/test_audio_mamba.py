"""Audio-Mamba gives upstream's numbers, in both orders of tokens, for any clips in any batch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fakes import burst
from helpers_audio_mamba import log_mel_in_double, untrained_folder, untrained_network
from nver.encoders import Encoder, load_encoder
from nver.encoders.audio_mamba.encoder import AudioMambaEncoder, arrange, patches_of, runnable
from nver.encoders.audio_mamba.frontend import log_mel, mel_filters, rows_of, split
from nver.encoders.audio_mamba.frozen import FrozenAudioMamba, packed
from nver.encoders.audio_mamba.network import AudioMamba, Sizes, position_embedding
from nver.encoders.audio_mamba.short import ShortAudioMamba
from nver.errors import UsageError, WeightsError

WEIGHTS = "fixtures/ssam_mini48d3_gen.safetensors"
EDGES = ("short0p3s", "exact200", "s2p0")  # 0.3 s, 200 frames to the frame, 2.0 s


@pytest.fixture(scope="module")
def upstream(shared: Path) -> dict[str, np.ndarray]:
    """What the official code gave, with the weights of WEIGHTS."""
    with np.load(shared / "fixtures/ssam_mini48d3_gen.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def encoder(shared: Path) -> AudioMambaEncoder:
    made = load_encoder("audio-mamba-tiny", str(shared / WEIGHTS))
    assert isinstance(made, AudioMambaEncoder)
    return made


@pytest.fixture(scope="module")
def in_time(shared: Path) -> Encoder:
    return load_encoder("audio-mamba-tiny", str(shared / WEIGHTS), token_order="time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(untrained_folder(tmp_path_factory.mktemp("weights")))


def difference(a: Any, b: Any) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def test_log_mel_is_upstreams(upstream: dict[str, np.ndarray]) -> None:
    waveform, theirs = torch.from_numpy(upstream["waveform"]), upstream["log_mel"][0, 0]
    exact = log_mel_in_double(waveform)
    rounding = difference(theirs, exact)  # of a float32 Fourier transform, whose bits processors
    assert rounding <= 3e-5  # with and without AVX-512 do not share
    assert difference(log_mel(waveform), exact) <= rounding + 1e-6


def test_no_mel_band_is_empty() -> None:
    filters = mel_filters()
    assert filters.shape == (201, 80)
    assert (filters > 0).any(dim=0).all()


def run_blocks(network: Any, chunk: torch.Tensor, blocks: Any) -> list[tuple[Any, Any]]:
    """hidden and residual after each block."""
    made = []
    hidden = network.embed(chunk)
    residual = torch.zeros_like(hidden)
    for block in blocks:
        hidden, residual = block(hidden, residual)
        made.append((hidden.clone(), residual.clone()))
    return made


@pytest.mark.parametrize("form", ["network", "frozen"])
@torch.no_grad()
def test_every_block_is_upstreams(
    form: str, encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]
) -> None:
    frozen = encoder._network
    assert isinstance(frozen, FrozenAudioMamba)
    network, chunk = frozen.network, torch.from_numpy(upstream["chunk0_input"][0])
    assert difference(network.embed(chunk), upstream["chunk0_tokens_in"]) <= 1e-5
    made = run_blocks(network, chunk, network.blocks if form == "network" else frozen.blocks)
    assert len(made) == 3
    for number, (hidden, residual) in enumerate(made):
        assert difference(hidden, upstream[f"chunk0_block{number}_hidden"]) <= 1e-4
        assert difference(residual, upstream[f"chunk0_block{number}_residual"]) <= 1e-4
    tokens = network(chunk) if form == "network" else frozen(chunk, [50])
    assert difference(tokens, upstream["chunk0_encoder_norm_out"][:, 1:]) <= 1e-4
    for order, name in (("upstream", "forward_features"), ("time", "time_ordered_features")):
        assert difference(arrange(tokens, order), upstream[f"chunk0_{name}"][0]) <= 1e-5


def test_scene_and_timestamps_are_upstreams(
    encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]
) -> None:
    waveform = upstream["waveform"]
    rows, times = encoder.frames(waveform)
    assert rows.shape == (93, 240)
    assert difference(rows, upstream["timestamp_embeddings"][0]) <= 1e-5
    assert difference(times, upstream["timestamps_ms"][0] / 1000) <= 1e-6
    assert difference(encoder.encode([waveform]), upstream["scene_embedding"]) <= 1e-5


@pytest.mark.parametrize("edge", EDGES)
def test_edge_lengths_are_upstreams(
    edge: str, encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]
) -> None:
    clip = upstream["waveform"][: upstream[f"{edge}_n_samples"]]
    assert len(encoder.frames(clip)[0]) == upstream[f"{edge}_frames_out"]
    assert difference(encoder.encode([clip]), upstream[f"{edge}_scene"]) <= 1e-5


def test_a_batch_is_upstreams(encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]) -> None:
    assert (
        difference(encoder.encode(list(upstream["batch2_input"])), upstream["batch2_scene"]) <= 1e-5
    )


@pytest.mark.parametrize(
    ("frames", "rows"),
    [(1, 1), (2, 1), (31, 8), (199, 50), (200, 50), (201, 51), (371, 93), (400, 100)],
)
def test_rows_are_upstreams(frames: int, rows: int) -> None:
    assert rows_of(frames) == rows
    padded = (frames // 200 + 1) * 200  # upstream pads a multiple of 200 by 200
    assert rows == padded // 4 - int(50 * (padded - frames) / 200)


@pytest.mark.parametrize("order", ["upstream", "time"])
@pytest.mark.parametrize("rows", [1, 2, 5, 6, 8, 49, 50, 51, 93])
def test_patches_are_those_of_the_rows(rows: int, order: str) -> None:
    """No token of a later patch is in the rows, and one of the last patch is."""
    patch = torch.arange(250.0).reshape(1, 250, 1) // 5
    assert patches_of(rows, order) == int(arrange(patch, order)[:rows].max()) + 1


def test_time_order_keeps_the_time(
    in_time: Encoder, encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]
) -> None:
    waveform = upstream["waveform"]
    rows, times = in_time.frames(waveform)  # type: ignore[attr-defined]
    assert difference(rows[:50], upstream["chunk0_time_ordered_features"][0]) <= 1e-5
    assert rows.shape == (93, 240)
    assert np.allclose(times, np.arange(93) * 0.04, atol=1e-6)
    assert in_time.identity.fingerprint != encoder.identity.fingerprint


def test_time_order_trims_the_padding(in_time: Encoder, encoder: AudioMambaEncoder) -> None:
    """Of a clip of 0.3 s only its own 8 patches in time are kept; upstream keeps all places."""
    tokens = torch.arange(250.0).reshape(1, 250, 1)
    assert arrange(tokens, "time")[:8].long().unique().tolist() == list(range(40))
    kept = arrange(tokens, "upstream")[:8].long() // 5  # the patch in time of each token
    assert kept.tolist() == [[10 * k + j // 5 for k in range(5)] for j in range(8)]
    clip = burst(0.3)
    chunk = split(log_mel(torch.from_numpy(clip)))
    exact = in_time._network(chunk, [50])  # type: ignore[attr-defined]
    assert difference(in_time.encode([clip])[0], exact[0, :40].reshape(8, -1).mean(dim=0)) <= 1e-6


def test_the_padding_does_not_reach_the_rows_in_time_order(in_time: Encoder) -> None:
    """The scan is causal: what follows the clip in its chunk changes no row that is kept."""
    network = in_time._network.network  # type: ignore[attr-defined]
    chunk = split(log_mel(torch.from_numpy(burst(1.0))))
    other = chunk.clone()
    other[:, 104:] = 3.0  # 101 frames, the patch of the last reaches to 104
    a, b = (arrange(network(c), "time") for c in (chunk, other))
    assert torch.equal(a[:26], b[:26])
    assert not torch.equal(a[26:], b[26:])


DURATIONS = (0.0001, 0.01, 0.3, 1.99, 2.0, 2.01, 5.3, 0.3)  # s


def test_clips_of_any_length_do_not_depend_on_their_batch(folder: str) -> None:
    encoder = load_encoder("audio-mamba-tiny", folder)
    clips = [burst(max(d, 1 / 16_000), seed=i) for i, d in enumerate(DURATIONS)]
    alone = np.concatenate([encoder.embed([clip]) for clip in clips])
    assert np.isfinite(alone).all()
    assert np.array_equal(encoder.embed(clips), alone)
    assert np.array_equal(encoder.embed(clips[::-1])[::-1], alone)
    assert np.array_equal(encoder.embed([clips[3], clips[6]]), alone[[3, 6]])


def test_a_short_clip_is_filled_to_201_samples(folder: str) -> None:
    encoder = load_encoder("audio-mamba-tiny", folder)
    short = burst(0.01)
    filled = np.concatenate([short, np.zeros(41, np.float32)])
    assert np.array_equal(encoder.embed([short]), encoder.embed([filled]))
    assert len(encoder.frames(short)[0]) == 1  # type: ignore[attr-defined]


def test_memory_that_cannot_be_written_or_is_reversed(folder: str) -> None:
    encoder = load_encoder("audio-mamba-tiny", folder)
    clip = burst(0.4)
    locked = clip.copy()
    locked.flags.writeable = False
    assert np.array_equal(encoder.embed([locked, clip[::-1][::-1]]), encoder.embed([clip, clip]))


@pytest.mark.parametrize(
    "sizes", [{"width": 16}, {"width": 48, "states": 7}, {"depth": 3, "taps": 3}]
)
def test_frozen_is_the_network(sizes: dict[str, int]) -> None:
    network = untrained_network(**sizes)
    chunks = torch.randn(2, 200, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(chunks)
    frozen = FrozenAudioMamba(network)
    assert relative(frozen(chunks, [50, 50]), expected) <= 2e-6
    part = frozen(chunks, [7, 50])
    assert relative(part[0, :35], expected[0, :35]) <= 2e-6
    assert not part[0, 35:].any()
    assert torch.equal(part[1], frozen(chunks[1:], [50])[0])


OURS = {"width": 32, "inner": 48, "states": 5, "patch": (8, 16), "stem": (4, 8)}


def test_short_is_the_network() -> None:
    network = untrained_network(**OURS)
    chunks = torch.randn(2, 200, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(chunks)
    short = ShortAudioMamba(network)
    assert expected.shape == (2, 125, 32)
    assert relative(short(chunks, [25, 25]), expected) <= 2e-6
    part = short(chunks, [7, 25])
    assert relative(part[0, :35], expected[0, :35]) <= 2e-6
    assert not part[0, 35:].any()


def test_convolutions_see_nothing_that_follows_a_patch() -> None:
    network = untrained_network(**OURS)
    chunk = torch.randn(1, 200, 80, generator=torch.Generator().manual_seed(0))
    other = chunk.clone()
    other[:, 104:] += 1
    with torch.no_grad():
        a, b, cut = network(chunk), network(other), network(chunk[:, :104])
    assert relative(a[:, :65], b[:, :65]) <= 2e-6
    assert relative(a[:, :65], cut) <= 2e-6
    assert relative(a[:, 65:], b[:, 65:]) > 1e-2


def test_sizes_of_our_own_are_read_from_the_weights(tmp_path: Path) -> None:
    network = untrained_network(**OURS)
    assert Sizes.of(network.state_dict()) == network.sizes == Sizes(depth=2, rank=2, **OURS)
    encoder = load_encoder("nver-mamba", str(untrained_folder(tmp_path, **OURS)))
    rows, times = encoder.frames(burst(2.1))  # type: ignore[attr-defined]
    assert rows.shape == (27, 160)
    assert np.allclose(times, np.arange(27) * 0.08)


def test_channels_that_the_kernels_cannot_take(tmp_path: Path) -> None:
    network = untrained_network(width=40)
    with pytest.raises(ValueError, match="120 channels are no multiple of 16"):
        FrozenAudioMamba(network)(torch.zeros(1, 200, 80), [50])
    encoder = load_encoder("audio-mamba-tiny", str(untrained_folder(tmp_path, width=40)))
    with torch.no_grad():
        tokens = network(split(log_mel(torch.from_numpy(burst(1.0)))))
    assert difference(encoder.frames(burst(1.0))[0], arrange(tokens, "upstream")[:26]) <= 1e-5


def test_bfloat16_is_near(folder: str) -> None:
    made = [load_encoder("audio-mamba-tiny", folder, precision=p) for p in ("float32", "bfloat16")]
    a, b = (encoder.encode([burst(1.0), burst(0.3)]) for encoder in made)
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert (1 - cosine <= 3e-4).all()
    assert difference(a, b) > 1e-5
    assert made[0].identity.fingerprint != made[1].identity.fingerprint


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(96, 200), (7, 3), (1, 1)])
def test_packed_weights(dtype: torch.dtype, shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, generator=generator)
    x = torch.randn(1, 251, shape[1], generator=generator)
    found = packed(weight.to(dtype))(x.to(dtype))
    assert relative(found.float(), x @ weight.t()) <= (1e-5 if dtype == torch.float32 else 2e-2)


def test_the_network_itself_is_the_encoder_elsewhere(
    encoder: AudioMambaEncoder, upstream: dict[str, np.ndarray]
) -> None:
    """As on a GPU: the network in groups of chunks, filled with zeros, in both precisions."""
    network = encoder._network.network  # type: ignore[attr-defined]
    chunks = split(torch.from_numpy(upstream["log_mel"][0, 0]))
    elsewhere = runnable(network, torch.device("cpu"), torch.float32, fast=False)
    expected = encoder._network(chunks, [50, 50])
    assert relative(elsewhere(chunks, [50, 50]), expected) <= 2e-6
    narrow = runnable(network, torch.device("cpu"), torch.bfloat16, fast=False)(chunks, [50, 50])
    assert 1e-5 < relative(narrow, expected) <= 2e-2
    assert narrow.dtype == torch.float32


def test_without_numba(folder: str, tmp_path: Path) -> None:
    code = (
        "import sys, numpy; sys.modules['numba'] = None; import nver; "
        f"encoder = nver.load_encoder('audio-mamba-tiny', {folder!r}); "
        f"numpy.save({str(tmp_path / 'v.npy')!r}, encoder.encode([numpy.load(sys.argv[1])]))"
    )
    np.save(tmp_path / "clip.npy", burst(2.5))
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "clip.npy")], check=True)
    expected = load_encoder("audio-mamba-tiny", folder).encode([burst(2.5)])
    assert difference(np.load(tmp_path / "v.npy"), expected) <= 1e-5 * np.abs(expected).max()


def test_gradient_reaches_every_parameter_but_those_of_pre_training() -> None:
    network = untrained_network().train()
    network(
        torch.randn(1, 200, 80, generator=torch.Generator().manual_seed(0))
    ).square().sum().backward()
    without = {name for name, p in network.named_parameters() if p.grad is None}
    assert without == {
        "pos_embed",
        "mask_token",
        *(f"pred.{i}.{k}" for i in (0, 2) for k in ("weight", "bias")),
    }
    assert all(p.grad.abs().sum() > 0 for p in network.parameters() if p.grad is not None)


def test_positions_are_upstreams(encoder: AudioMambaEncoder) -> None:
    stored = encoder._network.network.pos_embed[0]  # type: ignore[attr-defined]
    assert difference(position_embedding(48), stored) <= 5e-6  # theirs is computed in float32


def test_other_sizes_load(tmp_path: Path) -> None:
    folder = untrained_folder(tmp_path, width=32, depth=1, inner=48, states=5, taps=2, rank=3)
    encoder = load_encoder("audio-mamba-base", str(folder), pooling="mean+std")
    assert encoder.encode([burst(0.5)]).shape == (1, encoder.dim) == (1, 2 * 160)


def test_a_published_size_under_another_name_is_refused(tmp_path: Path) -> None:
    folder = untrained_folder(tmp_path, width=192, depth=1)
    assert load_encoder("audio-mamba-tiny", str(folder)).dim == 960
    with pytest.raises(WeightsError, match="holds the weights of audio-mamba-tiny"):
        load_encoder("audio-mamba-base", str(folder))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token_order": "frequency"}, "unknown value of token_order 'frequency'"),
        ({"precision": "float16"}, "did you mean 'bfloat16'"),
        ({"order": "time"}, "unknown option of audio-mamba-tiny 'order'"),
        ({"layer": 3}, "no layers to choose from"),
        ({"device": "quantum"}, "device 'quantum' is unknown"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str, folder: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_encoder("audio-mamba-tiny", folder, **options)


def test_new_weights_are_random_and_seeded() -> None:
    networks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        networks.append(AudioMamba(Sizes(16, depth=1)))
    steps = torch.nn.functional.softplus(networks[0].blocks[0].mixer.dt_proj.bias)  # type: ignore[union-attr]
    assert 1e-3 <= steps.min() < steps.max() <= 1e-1 + 1e-6
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["cls_token"], states[2]["cls_token"])
