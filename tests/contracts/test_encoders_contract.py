"""Every encoder in the registry keeps the contract, and no clip's vector depends on its batch."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile

from fakes import (
    BUILT_IN,
    REAL_OF_NAME,
    TINY_OF_NAME,
    WEIGHTLESS,
    burst,
    tiny_transformer_folder,
    tiny_weights,
)
from nver.encoders import Encoder, EncoderCard, load_encoder
from nver.encoders.base import KINDS, FloatArray
from nver.errors import AudioError, UsageError
from nver.registry import lookup, names

ENCODERS = names("encoders")
GIVEN_BY_USER = {
    "transformers",
    "audio-mamba-tiny",
    "audio-mamba-small",
    "audio-mamba-base",
    "d-vector",
    "yamnet",
    "soundstream",
}
DURATIONS = (0.9, 0.02, 2.1, 0.3, 0.0001, 0.9, 1.4, 0.051)  # s; two are under one frame


T = TypeVar("T")


class OnDemand(dict[str, T]):
    """Values by encoder's name, made when asked for: a test is skipped only for its own encoder."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> T:
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="session")
def weights(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, str | None]:
    folder = tmp_path_factory.mktemp("weights")

    def make(name: str) -> str | None:
        if name in REAL_OF_NAME:
            return str(request.getfixturevalue("shared") / REAL_OF_NAME[name])
        return tiny_weights(name, folder)

    return OnDemand(make)


@pytest.fixture(scope="session")
def encoders(weights: dict[str, str | None]) -> dict[str, Encoder]:
    return OnDemand(lambda name: load_encoder(name, weights[name]))


@pytest.fixture(scope="session")
def clips() -> list[FloatArray]:
    return [burst(max(d, 1 / 16_000), 120 + 60 * i, seed=i) for i, d in enumerate(DURATIONS)]


@pytest.fixture(scope="session")
def real_clips(shared: Path) -> list[FloatArray]:
    """40 clips of EmoGator, of many speakers and emotions, as they come."""
    files = sorted((shared / "data/emogator/opus").glob("*.opus"))[::577][:40]
    if len(files) < 40:
        pytest.skip(f"fewer than 40 clips in {shared / 'data/emogator/opus'}")
    return [soundfile.read(file, dtype="float32")[0] for file in files]


def in_batches(encoder: Encoder, clips: list[FloatArray]) -> FloatArray:
    """Each clip's vector, in input order, from batches of random sizes in random order."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(clips))
    cuts = np.sort(rng.choice(np.arange(1, len(clips)), 3, replace=False))
    vectors = np.empty((len(clips), encoder.dim), np.float32)
    for batch in np.split(order, cuts):
        vectors[batch] = encoder.embed([clips[i] for i in batch])
    return vectors


def check_batch_invariance(encoder: Encoder, clips: list[FloatArray]) -> None:
    alone = np.concatenate([encoder.embed([clip]) for clip in clips])
    assert (in_batches(encoder, clips) == alone).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_batch_does_not_matter(
    name: str, encoders: dict[str, Encoder], clips: list[FloatArray]
) -> None:
    check_batch_invariance(encoders[name], clips)


@pytest.mark.parametrize("name", ENCODERS)
def test_batch_does_not_matter_on_real_clips(
    name: str, encoders: dict[str, Encoder], real_clips: list[FloatArray]
) -> None:
    check_batch_invariance(encoders[name], real_clips)


@pytest.mark.parametrize("name", ENCODERS)
def test_card(name: str) -> None:
    card: EncoderCard = lookup("encoders", name)
    assert card.name == name
    assert card.licence
    assert card.citation
    assert card.kind in KINDS
    assert card.url.startswith("https://")
    assert card.sampling_rate > 0
    assert card.dim is None or card.dim > 0
    assert (card.weights is None) == (name in (*WEIGHTLESS, *BUILT_IN, *GIVEN_BY_USER))


@pytest.mark.parametrize("name", ENCODERS)
def test_identity(name: str, encoders: dict[str, Encoder]) -> None:
    encoder, card = encoders[name], lookup("encoders", name)
    identity = encoder.identity
    assert encoder.name == identity.name == name
    assert encoder.sampling_rate == card.sampling_rate
    assert identity.code_version == type(encoder).code_version >= 1
    assert identity.weights_hash
    assert identity.revision
    assert identity == type(identity)(**vars(identity))
    if name in WEIGHTLESS or name in BUILT_IN:
        assert encoder.dim == card.dim


@pytest.mark.parametrize("name", ENCODERS)
def test_shape_type_and_order(
    name: str, encoders: dict[str, Encoder], clips: list[FloatArray]
) -> None:
    encoder = encoders[name]
    vectors = encoder.encode(clips)
    assert vectors.shape == (len(clips), encoder.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.array_equal(encoder.encode(clips[::-1]), vectors[::-1])
    assert len(np.unique(vectors[[0, 2, 3, 6]], axis=0)) == 4


@pytest.mark.parametrize("name", ENCODERS)
def test_empty_list(name: str, encoders: dict[str, Encoder]) -> None:
    assert encoders[name].encode([]).shape == (0, encoders[name].dim)


@pytest.mark.parametrize("name", ENCODERS)
def test_array_and_file_agree(name: str, encoders: dict[str, Encoder], tmp_path: Path) -> None:
    clip, rate = burst(0.5, sampling_rate=22_050), 22_050
    stereo = np.stack([clip, 0.5 * clip], axis=1)
    soundfile.write(tmp_path / "clip.wav", stereo, rate, subtype="FLOAT")
    from_file = encoders[name].encode([tmp_path / "clip.wav", str(tmp_path / "clip.wav")])
    from_array = encoders[name].encode([stereo], sampling_rate=rate)
    assert np.array_equal(from_file[0], from_array[0])
    assert np.array_equal(from_file[1], from_array[0])


@pytest.mark.parametrize("name", ENCODERS)
def test_silent_clip_is_named(name: str, encoders: dict[str, Encoder], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hush.wav", np.zeros(1600), 16_000)
    with pytest.raises(AudioError, match=r"hush\.wav: silent") as caught:
        encoders[name].encode([burst(), tmp_path / "hush.wav"])
    assert caught.value.reason == "silent"


@pytest.mark.parametrize("name", ENCODERS)
def test_same_vector_from_a_second_load(
    name: str, encoders: dict[str, Encoder], weights: dict[str, str | None]
) -> None:
    again = load_encoder(name, weights[name])
    assert again.identity == encoders[name].identity
    assert np.array_equal(again.encode([burst()]), encoders[name].encode([burst()]))


@pytest.mark.parametrize("name", [name for name in ENCODERS if lookup("encoders", name).layers])
def test_identity_knows_layer_pooling_and_weights(
    name: str, weights: dict[str, str | None], tmp_path: Path
) -> None:
    other = str(tiny_transformer_folder(tmp_path / "other", TINY_OF_NAME[name], seed=1))
    made = [
        load_encoder(name, weights[name]),
        load_encoder(name, weights[name], layer=1),
        load_encoder(name, weights[name], layer="mean"),
        load_encoder(name, weights[name], pooling="mean+std"),
        load_encoder(name, other),
    ]
    assert len({encoder.identity.fingerprint for encoder in made}) == len(made)
    assert load_encoder(name, weights[name], layer=2).identity == made[0].identity
    assert made[3].dim == 2 * made[0].dim == made[3].encode([burst()]).shape[1]


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in WEIGHTLESS])
def test_local_weights_take_no_revision(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are local and have no revision; got 'v2'"):
        load_encoder(name, str(tmp_path), revision="v2")


@pytest.mark.parametrize("name", WEIGHTLESS)
@pytest.mark.parametrize(
    "options",
    [{"weights": "some/weights"}, {"revision": "main"}, {"layer": 1}, {"pooling": "mean+std"}],
    ids=lambda o: next(iter(o)),
)
def test_weightless_encoders_take_no_weights(name: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=name):
        load_encoder(name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ENCODERS)
def test_unknown_option_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="unknown option"):
        load_encoder(name, whiskers=3)
