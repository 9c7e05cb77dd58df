"""Speaker encoders: their frontends against golden numbers, their layouts, their checkpoints."""

import pickle
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from fakes import burst
from helpers_golden import golden_clips
from helpers_speakers import (
    NARROW,
    PUBLISHED,
    d_vector_file,
    fbank_in_double,
    speaker_folder,
    speaker_net,
    speaker_state,
)
from nver.encoders import EncoderSpec, load_encoder
from nver.encoders.speakers.d_vector import find_checkpoint
from nver.encoders.speakers.speaker_models import D_VECTOR
from nver.encoders.spectra.fbank import fbank
from nver.encoders.spectra.mfcc import mfcc
from nver.errors import WeightsError
from nver.registry import lookup

GOLDEN = Path(__file__).parent / "golden/mfcc_librosa.npz"
SPEECHBRAIN = Path(__file__).parent / "golden/speechbrain.npz"


@pytest.mark.parametrize("name", golden_clips())
def test_mfcc_is_librosas(name: str) -> None:
    expected = np.load(GOLDEN)[name]
    found = mfcc(golden_clips()[name], 40)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4


def test_d_vector_is_the_mean_of_the_lstm(tmp_path: Path) -> None:
    file = d_vector_file(tmp_path)
    lstm = torch.nn.LSTM(40, 64, 3, batch_first=True, bidirectional=True)
    state = torch.load(file, weights_only=True)["encoder_state_dict"]
    lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in state.items()})
    clip = burst(1.3)
    with torch.no_grad():
        expected = lstm(torch.from_numpy(mfcc(clip, 40))[None])[0][0].numpy()
    encoder = load_encoder("d-vector", str(file))
    assert np.abs(encoder.embed([clip])[0] - expected.mean(axis=0)).max() <= 1e-6
    frames, times = encoder.encode_frames([clip])[0]  # type: ignore[attr-defined]
    assert np.abs(frames - expected).max() <= 1e-6
    assert times == pytest.approx(np.arange(len(frames)) * 0.032)
    both = load_encoder("d-vector", str(file), pooling="mean+std").embed([clip])[0]
    assert both == pytest.approx(np.concatenate([expected.mean(0), expected.std(0)]), abs=1e-6)


def test_d_vector_declares_its_parameters(tmp_path: Path) -> None:
    state = torch.load(d_vector_file(tmp_path), weights_only=True)["encoder_state_dict"]
    assert D_VECTOR.parameters == sum(tensor.numel() for tensor in state.values())


def test_d_vector_takes_a_folder_with_one_checkpoint(tmp_path: Path) -> None:
    file = d_vector_file(tmp_path)
    by_file, by_folder = (load_encoder("d-vector", str(w)) for w in (file, tmp_path))
    assert by_file.identity == by_folder.identity
    assert by_file.identity != load_encoder("d-vector", str(d_vector_file(tmp_path, 1))).identity
    (tmp_path / "other.pt").write_bytes(file.read_bytes())
    with pytest.raises(WeightsError, match=r"other\.pt, saved_model\.pt"):
        load_encoder("d-vector", str(tmp_path))


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harmed"),)  # type: ignore[return-value]


def test_d_vector_runs_nothing_of_a_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"encoder_state_dict": Harmful()}, tmp_path / "zip.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps({"encoder_state_dict": Harmful()}, protocol=2))
    for name in ("zip.pt", "bare.pt"):
        with pytest.raises(WeightsError):
            load_encoder("d-vector", name)
    assert not Path("harmed").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"losses": [1.0]}, "no entry 'encoder_state_dict'"),
        ({"encoder_state_dict": [1.0]}, "not a table of tensors"),
        ({"encoder_state_dict": {"linear_layer.weight": torch.zeros(2)}}, "d-vector's LSTM"),
    ],
)
def test_d_vector_refuses_other_checkpoints(tmp_path: Path, content: object, words: str) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=words):
        load_encoder("d-vector", str(tmp_path / "other.pt"))


@pytest.mark.parametrize("weights", [None, "nowhere", "."])
def test_d_vector_says_where_its_weights_are(
    weights: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"\.pt"):
        find_checkpoint(EncoderSpec("d-vector", weights))


def test_d_vector_tells_real_speakers_apart(shared: Path) -> None:
    encoder = load_encoder("d-vector", str(shared / "weights/speaker_wq2012"))
    files = sorted((shared / "data/librispeech").glob("*.opus"))[:100:3]  # ten speakers
    clips = [soundfile.read(file, frames=48_000, dtype="float32")[0] for file in files]
    vectors = encoder.encode(clips, 16_000)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    speakers = [file.stem.split("_")[4] for file in files]
    scores: tuple[list[float], list[float]] = ([], [])
    for a, b in combinations(range(len(files)), 2):
        scores[speakers[a] == speakers[b]].append(float(vectors[a] @ vectors[b]))
    other, same = map(np.array, scores)
    assert (same[:, None] > other[None]).mean() > 0.97  # the area under the curve


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("clip", ["burst", "short"])
def test_bands_and_vector_are_speechbrains(name: str, clip: str, tmp_path: Path) -> None:
    golden, waveform = np.load(SPEECHBRAIN), golden_clips()[clip]
    padded = torch.from_numpy(np.pad(waveform, (0, 640)))
    theirs, exact = golden[f"{name} {clip} bands"], fbank_in_double(padded, NARROW[name]["mels"])
    rounding = np.abs(theirs - exact).max()  # of a float32 Fourier transform, whose bits processors
    assert rounding <= 2e-4  # with and without AVX-512 do not share
    bands = fbank(padded, NARROW[name]["mels"])
    assert np.abs(bands.numpy() - exact).max() <= rounding + 1e-4
    encoder = load_encoder(name, str(speaker_folder(tmp_path, name)))
    expected = golden[f"{name} {clip} vector"]
    # upstream's x-vector has random numbers up to 9e-5 in its means
    allowed = 1e-3 if name == "x-vector" else 1e-5
    found = encoder.embed([np.pad(waveform, (0, 640))])[0]
    assert np.abs(found - expected).max() <= allowed * np.abs(expected).max()


@pytest.mark.parametrize("name", NARROW)
def test_published_sizes(name: str) -> None:
    with torch.device("meta"):
        net = speaker_net(name, PUBLISHED)
    card = lookup("encoders", name)
    assert card.dim == net.width
    assert card.parameters == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("samples", [1, 160, 639, 640, 1600, 480_000])
def test_any_length(name: str, samples: int, tmp_path: Path) -> None:
    encoder = load_encoder(name, str(speaker_folder(tmp_path, name)))
    clip = burst(30)[:samples] if samples > 1 else np.full(1, 0.3, np.float32)
    assert np.isfinite(encoder.embed([clip])).all()


@pytest.mark.parametrize("name", NARROW)
def test_speaker_weights_from_file_or_folder(name: str, tmp_path: Path) -> None:
    folder = speaker_folder(tmp_path / "a", name)
    by_folder = load_encoder(name, str(folder))
    assert by_folder.identity == load_encoder(name, str(folder / "embedding_model.ckpt")).identity
    other = load_encoder(name, str(speaker_folder(tmp_path / "b", name, seed=1)))
    assert other.identity.weights_hash != by_folder.identity.weights_hash


@pytest.mark.parametrize("name", NARROW)
def test_other_speaker_weights_are_refused(name: str, tmp_path: Path) -> None:
    def refused(weights: Path) -> str:
        with pytest.raises(WeightsError) as caught:
            load_encoder(name, str(weights))
        return str(caught.value)

    file = tmp_path / "embedding_model.ckpt"
    assert "has no embedding_model.ckpt" in refused(tmp_path)
    assert "no such folder" in refused(tmp_path / "no/hub/id")
    state = speaker_state(name)
    key = sorted(state)[-1]
    torch.save({k: v for k, v in state.items() if k != key}, file)
    assert key in refused(file)
    torch.save({**state, "classifier.weight": torch.zeros(2)}, file)
    assert "classifier.weight" in refused(file)
    torch.save({"model": Harmful()}, file)
    assert "not unpickled" in refused(file)
    file.write_bytes(b"<!DOCTYPE html>")
    assert "no PyTorch file" in refused(file)
    file.write_bytes(b"\x80\x02jRIFF")
    assert "fetch it again" in refused(file) or "not unpickled" in refused(file)
