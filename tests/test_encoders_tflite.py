"""SoundStream and YAMNet: real weights where there are some, refusals everywhere."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fakes import burst
from nver.encoders import Encoder, EncoderSpec, FrameEncoder, load_encoder
from nver.encoders import yamnet as yn
from nver.encoders.base import FloatArray
from nver.encoders.codecs import soundstream as ss
from nver.encoders.codecs.codec_options import identity_options, read_codebooks
from nver.encoders.tflite import Published, read_model, start
from nver.errors import MissingExtraError, UsageError, WeightsError

HOP = ss.HOP


@pytest.fixture(scope="session")
def lyra(shared: Path) -> str:
    return str(shared / "weights/soundstream_lyra")


@pytest.fixture(scope="session")
def model(lyra: str) -> bytes:
    return read_model(lyra, ss.ENCODER, "soundstream")


@pytest.fixture(scope="session")
def quantiser(lyra: str) -> object:
    return start(read_model(lyra, ss.QUANTISER, "soundstream"))


@pytest.fixture(scope="session")
def soundstream(lyra: str) -> FrameEncoder:
    return load_frames("soundstream", lyra)


@pytest.fixture(scope="session")
def yamnet(shared: Path) -> FrameEncoder:
    return load_frames("yamnet", str(shared / "weights/yamnet"))


def load_frames(name: str, weights: str, **options: object) -> FrameEncoder:
    encoder: Encoder = load_encoder(name, weights, **options)  # type: ignore[arg-type]
    assert isinstance(encoder, FrameEncoder)
    return encoder


@pytest.fixture(scope="session")
def speech(lyra: str) -> FloatArray:
    """3.4 s at 16 kHz, Lyra's own test sentence."""
    return soundfile.read(Path(lyra) / "testdata/sample1_16kHz.wav", dtype="float32")[0]


def run_on(interpreter: object, waveform: FloatArray) -> FloatArray:
    """As `soundstream.encode`, but with the state that the interpreter has."""
    given = interpreter.get_input_details()[0]["index"]  # type: ignore[attr-defined]
    made = interpreter.get_output_details()[0]["index"]  # type: ignore[attr-defined]
    found = []
    for step in ss.steps(waveform):
        interpreter.set_tensor(given, step[None])  # type: ignore[attr-defined]
        interpreter.invoke()  # type: ignore[attr-defined]
        found.append(interpreter.get_tensor(made)[0, 0])  # type: ignore[attr-defined]
    return np.stack(found)


def test_soundstream_forgets_the_clip_before(
    soundstream: FrameEncoder, model: bytes, speech: FloatArray
) -> None:
    """Order would matter: the same model, not started again, gives other frames."""
    loud, soft = burst(0.7, 90, seed=1), 0.1 * speech[8_000:16_000]
    first = soundstream.frames(soft)[0]
    soundstream.frames(loud)
    assert np.array_equal(soundstream.frames(soft)[0], first)
    vectors = soundstream.embed([soft, loud])
    assert np.array_equal(soundstream.embed([loud, soft]), vectors[::-1])
    kept = start(model)
    run_on(kept, loud)
    assert np.abs(run_on(kept, soft) - first).max() > 0.1


def test_soundstream_is_causal(soundstream: FrameEncoder, speech: FloatArray) -> None:
    whole = soundstream.frames(speech)[0]
    assert whole.shape == (speech.size // HOP, 64)
    assert np.array_equal(soundstream.frames(speech[: 40 * HOP])[0], whole[:40])


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (319, 1), (320, 1), (639, 1), (640, 2), (1600, 5), (30_000, 93)]
)
def test_soundstream_averages_no_padding(
    samples: int, frames: int, soundstream: FrameEncoder, speech: FloatArray
) -> None:
    found, times = soundstream.frames(speech[:samples])
    assert found.shape == (frames, 64)
    assert times == pytest.approx(0.02 * np.arange(frames))
    if samples >= HOP:
        assert np.array_equal(found, soundstream.frames(speech[: frames * HOP])[0])


def test_soundstream_pooling(lyra: str, soundstream: FrameEncoder, speech: FloatArray) -> None:
    frames = soundstream.frames(speech)[0]
    both = load_encoder("soundstream", lyra, pooling="mean+std")
    assert soundstream.dim * 2 == both.dim == 128
    expected = np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
    assert both.embed([speech])[0] == pytest.approx(expected, abs=1e-4)


def test_more_codebooks_come_nearer(
    lyra: str, quantiser: object, soundstream: FrameEncoder, speech: FloatArray
) -> None:
    latents = soundstream.frames(speech[:32_000])[0]
    errors = []
    for number in (1, 16, 30, 46):  # of Lyra's three bit rates, and one
        found = ss.codes(quantiser, latents, number)
        assert found.shape == (100, 46)
        assert found[:, :number].min() >= 0
        assert found[:, :number].max() <= 15
        assert (found[:, number:] == -1).all()
        encoder = load_frames("soundstream", lyra, latents="quantised", codebooks=number)
        quantised = encoder.frames(speech[:32_000])[0]
        assert np.array_equal(quantised, ss.decode(quantiser, found))
        errors.append(np.linalg.norm(quantised - latents) / np.linalg.norm(latents))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.3


def test_soundstreams_codes_are_a_prefix(
    quantiser: object, soundstream: FrameEncoder, speech: FloatArray
) -> None:
    """Residual: the first codes do not depend on how many follow."""
    latents = soundstream.frames(speech[:3_200])[0]
    few, many = (ss.codes(quantiser, latents, number) for number in (16, 46))
    assert np.array_equal(few[:, :16], many[:, :16])


def test_soundstreams_identity(lyra: str, soundstream: FrameEncoder) -> None:
    all_of_them = {"latents": "quantised", "codebooks": 46}
    made = [
        load_encoder("soundstream", lyra, **options)  # type: ignore[arg-type]
        for options in ({}, {"latents": "quantised"}, {"latents": "quantised", "codebooks": 16})
    ]
    assert soundstream.identity.weights_hash == ss.ENCODER.sha256
    assert len({encoder.identity.fingerprint for encoder in made}) == 3
    assert load_encoder("soundstream", lyra, **all_of_them).identity == made[1].identity  # type: ignore[arg-type]
    assert load_encoder("soundstream", lyra, latents="continuous").identity == made[0].identity


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latents": "quantized"}, "did you mean 'quantised'"),
        ({"codebooks": 4}, "latents"),
        ({"latents": "quantised", "codebooks": 0}, "from 1 to 46"),
        ({"latents": "quantised", "codebooks": 47}, "from 1 to 46"),
        ({"latents": "quantised", "codebooks": 2.0}, "from 1 to 46"),
        ({"latents": "quantised", "codebooks": True}, "from 1 to 46"),
        ({"latents": "quantised", "codebooks": "most"}, "from 1 to 46"),
    ],
)
def test_codec_options_are_checked(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_codebooks(EncoderSpec("soundstream", options=options), 46)


def test_codec_options() -> None:
    read = [
        read_codebooks(EncoderSpec("mimi", options=options), 32)
        for options in ({}, {"latents": "quantised"}, {"latents": "quantised", "codebooks": 8})
    ]
    assert read == [0, 32, 8]
    assert identity_options(0) == {"latents": "continuous"}
    assert identity_options(8) == {"latents": "quantised", "codebooks": 8}


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (1, [0]),
        (15_599, [0]),
        (15_600, [0]),
        (15_601, [0, 1]),
        (15_600 + 7_680, [0, 7_680]),
        (32_000, [0, 7_680, 15_360, 16_400]),
    ],
)
def test_yamnets_windows_cover_the_clip(samples: int, starts: list[int]) -> None:
    assert yn.window_starts(samples) == starts
    assert max(starts) + yn.WINDOW >= samples


def test_yamnet_frames_are_the_networks_own_embeddings(
    yamnet: FrameEncoder, shared: Path, speech: FloatArray
) -> None:
    interpreter = start(read_model(str(shared / "weights/yamnet"), yn.FILE, ""), keep_tensors=True)
    frames, times = yamnet.frames(speech)
    assert times[:2] == pytest.approx([0, 0.48])
    for frame, begin in zip(frames, yn.window_starts(speech.size), strict=True):
        interpreter.set_tensor(
            interpreter.get_input_details()[0]["index"], speech[None, begin : begin + yn.WINDOW]
        )
        interpreter.invoke()
        # 121: the mean over all cells, which the scores of the classes are made of
        assert np.abs(frame - interpreter.get_tensor(121)[0]).max() <= 1e-6


def test_yamnet_averages_no_padding(yamnet: FrameEncoder, speech: FloatArray) -> None:
    """A clip that fills one of the three cells is not diluted by the two of silence."""
    short = speech[8_000 : 8_000 + yn.CELL]
    window = np.pad(short, (0, yn.WINDOW - short.size))
    alone, diluted = yamnet.embed([short, window])
    assert np.abs(alone - diluted).max() > 0.1
    filled = yamnet.frames(window)[0]
    assert len(filled) == len(yamnet.frames(short)[0]) == 1


def test_yamnet_hears_speech(yamnet: FrameEncoder, shared: Path, speech: FloatArray) -> None:
    """Through the network's last layer: class 0 of AudioSet's 521 is speech."""
    interpreter = start(read_model(str(shared / "weights/yamnet"), yn.FILE, ""))
    given = interpreter.get_input_details()[0]["index"]
    made = next(d for d in interpreter.get_output_details() if d["shape"][-1] == 521)["index"]
    interpreter.set_tensor(given, speech[None, 8_000 : 8_000 + yn.WINDOW])
    interpreter.invoke()
    assert interpreter.get_tensor(made)[0].argmax() == 0


@pytest.mark.parametrize("name", ["soundstream", "yamnet"])
@pytest.mark.parametrize("seconds", [1 / 16_000, 0.1, 30])
def test_any_length(
    name: str, seconds: float, soundstream: FrameEncoder, yamnet: FrameEncoder
) -> None:
    encoder = {"soundstream": soundstream, "yamnet": yamnet}[name]
    vector = encoder.embed([burst(seconds)])
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", ["soundstream", "yamnet"])
def test_one_thread(name: str, lyra: str, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ai_edge_litert import interpreter as litert

    asked = []

    class Counting(litert.Interpreter):  # type: ignore[misc]
        def __init__(self, **options: object) -> None:
            asked.append(options["num_threads"])
            super().__init__(**options)

    monkeypatch.setattr(litert, "Interpreter", Counting)
    weights = {"soundstream": lyra, "yamnet": str(shared / "weights/yamnet")}[name]
    load_encoder(name, weights).embed([burst(0.2)])
    assert set(asked) == {1}


@pytest.mark.parametrize("name", ["soundstream", "yamnet"])
def test_without_litert(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r'pip install "nver\[litert\]"'):
        load_encoder(name, "weights")


@pytest.mark.parametrize(("name", "file"), [("soundstream", ss.ENCODER), ("yamnet", yn.FILE)])
def test_only_the_published_file_is_run(name: str, file: Published, tmp_path: Path) -> None:
    def refused(weights: str | None) -> str:
        with pytest.raises(WeightsError) as caught:
            load_encoder(name, weights)
        return str(caught.value)

    assert file.url in refused(None)
    assert "no such file" in refused(str(tmp_path / "nowhere"))
    assert f"a folder without {file.name}" in refused(str(tmp_path))
    (tmp_path / file.name).write_bytes(b"\x1c\0\0\0TFL3")
    assert "8 bytes" in refused(str(tmp_path))
    (tmp_path / file.name).write_bytes(b"\x1c\0\0\0TFL3".ljust(file.size, b"\0"))
    assert f"SHA-256 {file.sha256}" in refused(str(tmp_path / file.name))
