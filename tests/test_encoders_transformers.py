"""Models through transformers: their numbers, their options, and weights that do not fit."""

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from fakes import TINY, TINY_DEPTH, TINY_DIM, burst, tiny_transformer_folder
from nver.encoders import load_encoder
from nver.encoders.attention.hub_models import MMS_1B
from nver.encoders.attention.wav2vec2_like import canonical_layer, receptive_field
from nver.encoders.base import FloatArray, FrameEncoder
from nver.errors import MissingExtraError, UsageError, WeightsError
from nver.registry import lookup, names

KINDS = list(TINY)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One saved model a kind; every other one does not normalise its waveforms."""
    root = tmp_path_factory.mktemp("kinds")
    return {
        kind: tiny_transformer_folder(root / kind, kind, do_normalize=number % 2 == 0)
        for number, kind in enumerate(KINDS)
    }


@pytest.fixture(scope="session")
def loaded(folders: dict[str, Path]) -> dict[str, FrameEncoder]:
    return {kind: load(folder) for kind, folder in folders.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh wav2vec2 folder that a test may spoil."""
    return tiny_transformer_folder(tmp_path / "model")


def load(folder: Path, **options: Any) -> FrameEncoder:
    encoder = load_encoder("transformers", str(folder), **options)
    assert isinstance(encoder, FrameEncoder)
    return encoder


def edit_json(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def own_vectors(folder: Path, clips: list[FloatArray], layer: int = -1) -> FloatArray:
    """The mean over time of transformers' own hidden state, one clip at a time."""
    import torch
    from transformers import AutoFeatureExtractor, AutoModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    model = AutoModel.from_pretrained(folder).eval()
    frontend = AutoFeatureExtractor.from_pretrained(folder)
    vectors = []
    for clip in clips:
        inputs = frontend(clip, sampling_rate=16_000, return_tensors="pt")
        with torch.no_grad():
            output = model(inputs.input_values, output_hidden_states=True)
        states = (*output.hidden_states[:-1], output.last_hidden_state)
        vectors.append(states[layer][0].mean(dim=0).numpy())
    return np.array(vectors)


def relative_error(a: FloatArray, b: FloatArray) -> float:
    return float(np.max(np.abs(a - b).max(axis=1) / np.abs(b).max(axis=1)))


# --- the numbers


@pytest.mark.parametrize("kind", KINDS)
def test_equals_transformers_own_model(
    kind: str, folders: dict[str, Path], loaded: dict[str, FrameEncoder]
) -> None:
    clips = [burst(0.026 + 0.13 * i, 100 + 50 * i, seed=i) for i in range(8)]
    assert relative_error(loaded[kind].encode(clips), own_vectors(folders[kind], clips)) <= 5e-6


@pytest.mark.parametrize("kind", KINDS)
def test_equals_transformers_own_model_on_real_clips(
    kind: str, folders: dict[str, Path], loaded: dict[str, FrameEncoder], shared: Path
) -> None:
    files = sorted((shared / "data/emogator/opus").glob("*.opus"))[::577][:40]
    if len(files) < 40:
        pytest.skip(f"fewer than 40 clips in {shared / 'data/emogator/opus'}")
    clips = [soundfile.read(file, dtype="float32")[0] for file in files]
    order = np.random.default_rng(0).permutation(len(clips))
    vectors = loaded[kind].embed([clips[i] for i in order])
    assert relative_error(vectors, own_vectors(folders[kind], clips)[order]) <= 5e-6


def test_padding_would_have_been_seen(folders: dict[str, Path]) -> None:
    """The tolerance of these tests is far below what a padded batch does under group norm."""
    import torch

    clips = [burst(0.5, seed=1), burst(1.5, seed=2)]
    encoder: Any = load(folders["wav2vec2"])
    batch = torch.zeros(2, clips[1].size)
    for row, clip in enumerate(clips):
        batch[row, : clip.size] = encoder._prepare(clip)[0]
    with torch.no_grad():
        padded = encoder._model(batch).last_hidden_state[0, : len(encoder.frames(clips[0])[0])]
    assert relative_error(padded.mean(dim=0)[None].numpy(), encoder.embed(clips[:1])) > 1e-2


@pytest.mark.parametrize("samples", [1, 2, 200, 399, 400])
@pytest.mark.parametrize("kind", KINDS)
def test_short_clips_are_padded_to_one_frame(
    kind: str, samples: int, loaded: dict[str, FrameEncoder]
) -> None:
    encoder: Any = loaded[kind]
    clip = burst(0.1, seed=3)[:samples]
    prepared = encoder._prepare(clip)[0].numpy()
    frames, times = encoder.frames(clip)
    assert frames.shape == (1, TINY_DIM)
    assert np.isfinite(frames).all()
    assert times.tolist() == [0.0]
    assert prepared.size == 400
    assert np.all(prepared[samples:] == 0.0)
    normalised = encoder._frontend(clip, sampling_rate=16_000).input_values[0]
    assert np.array_equal(prepared[:samples], normalised)


def test_receptive_field_follows_the_config(tmp_path: Path) -> None:
    assert receptive_field([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]) == 400
    assert receptive_field([4, 3], [2, 3]) == 8
    convolutions = {"conv_dim": [8, 8], "conv_kernel": [4, 3], "conv_stride": [2, 3]}
    folder = tiny_transformer_folder(tmp_path / "m", **convolutions)
    frames, times = load(folder).frames(burst(0.1)[: 8 + 6 + 5])
    assert len(frames) == 2
    assert np.allclose(times, [0.0, 6 / 16_000])


@pytest.mark.parametrize(
    ("layer", "state"), [("last", 2), (2, 2), (-1, 2), (1, 1), (-2, 1), ("1", 1), (0, 0), (-3, 0)]
)
@pytest.mark.parametrize("kind", ["hubert", "wavlm-layer-norm"])
def test_layers(kind: str, layer: int | str, state: int, folders: dict[str, Path]) -> None:
    encoder = load(folders[kind], layer=layer)
    own = own_vectors(folders[kind], [burst()], state)
    assert encoder.identity.layer == str(state)
    assert relative_error(encoder.encode([burst()]), own) <= 5e-6


@pytest.mark.parametrize("kind", ["wav2vec2", "mms"])
def test_mean_of_layers(kind: str, folders: dict[str, Path]) -> None:
    layers = [own_vectors(folders[kind], [burst()], k) for k in range(1, TINY_DEPTH + 1)]
    encoder = load(folders[kind], layer="mean")
    assert encoder.identity.layer == "mean"
    assert relative_error(encoder.encode([burst()]), np.mean(layers, axis=0)) <= 5e-6


@pytest.mark.parametrize("layer", [3, -4, "first", "1.5"])
def test_layers_that_are_not_there(layer: int | str, folders: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="layer"):
        load(folders["hubert"], layer=layer)


def test_canonical_layer_of_a_base_model() -> None:
    assert [canonical_layer(x, 12) for x in ("last", 12, -1, -13, 0)] == [12, 12, 12, 0, 0]


def test_mean_and_std_pooling(folders: dict[str, Path]) -> None:
    encoder = load(folders["wavlm"], pooling="mean+std")
    frames, _ = encoder.frames(burst())
    vector = encoder.encode([burst()])[0]
    assert np.allclose(vector[:TINY_DIM], frames.mean(axis=0), atol=1e-6)
    assert np.allclose(vector[TINY_DIM:], frames.std(axis=0), atol=1e-6)


def test_frames_and_times(folders: dict[str, Path]) -> None:
    [(frames, times)] = load(folders["hubert"]).encode_frames([burst(1.0)])
    assert frames.shape == (49, TINY_DIM)  # (16000 - 400) // 320 + 1
    assert np.allclose(times, np.arange(49) * 0.02)


def test_do_normalize_of_the_frontend_is_obeyed(tmp_path: Path) -> None:
    clip = burst()
    plain = load(tiny_transformer_folder(tmp_path / "plain", "mms", do_normalize=False))
    normal = load(tiny_transformer_folder(tmp_path / "normal", "mms"))
    assert relative_error(normal.encode([clip]), normal.encode([0.5 * clip])) < 1e-4
    assert relative_error(plain.encode([clip]), plain.encode([0.5 * clip])) > 1e-2
    assert plain.identity.weights_hash != normal.identity.weights_hash


def test_same_vectors_on_a_gpu(folders: dict[str, Path]) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    clips = [burst(0.3, seed=1), burst(1.2, seed=2)]
    on_cpu, on_gpu = (load(folders["wavlm"], device=d).encode(clips) for d in ("cpu", "cuda"))
    assert relative_error(on_gpu, on_cpu) < 1e-4


# --- the same weights, stored in other ways


def as_pickled(folder: Path, state: dict[str, Any]) -> None:
    import torch

    torch.save(state, folder / "pytorch_model.bin")


def as_old_pickle(folder: Path, state: dict[str, Any]) -> None:
    import torch

    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def as_shards(folder: Path, state: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    names = sorted(state)
    parts = {
        "model-00001-of-2.safetensors": names[::2],
        "model-00002-of-2.safetensors": names[1::2],
    }
    for file, part in parts.items():
        save_file({name: state[name].contiguous() for name in part}, folder / file)
    table = {name: file for file, part in parts.items() for name in part}
    index = {"metadata": {}, "weight_map": table}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def of_pre_training(folder: Path, state: dict[str, Any]) -> None:
    import torch

    prefixed = {f"wav2vec2.{name}": tensor for name, tensor in state.items()}
    as_pickled(folder, {**prefixed, "quantizer.codevectors": torch.ones(1, 4, 4)})


def of_old_weight_norm(folder: Path, state: dict[str, Any]) -> None:
    old = {"parametrizations.weight.original0": "weight_g"}
    old["parametrizations.weight.original1"] = "weight_v"
    renamed = {}
    for name, tensor in state.items():
        for new_name, old_name in old.items():
            name = name.replace(new_name, old_name)
        renamed[name] = tensor
    assert sum(name.endswith(("weight_g", "weight_v")) for name in renamed) == 2
    as_pickled(folder, renamed)


def without_unused(folder: Path, state: dict[str, Any]) -> None:
    as_pickled(folder, {k: v for k, v in state.items() if k != "masked_spec_embed"})


@pytest.mark.parametrize(
    "store",
    [as_pickled, as_old_pickle, as_shards, of_pre_training, of_old_weight_norm, without_unused],
)
def test_ways_to_store_weights(store: Callable[[Path, dict[str, Any]], None], folder: Path) -> None:
    from safetensors.torch import load_file

    expected = load(folder)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    store(folder, state)
    stored = load(folder)
    assert stored.identity.weights_hash == expected.identity.weights_hash
    assert np.array_equal(stored.encode([burst()]), expected.encode([burst()]))


def test_half_precision_weights_are_used_in_full(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    expected = load(folder).encode([burst()])
    state = load_file(folder / "model.safetensors")
    save_file({k: v.half() for k, v in state.items()}, folder / "model.safetensors")
    edit_json(folder / "config.json", dtype="float16")
    encoder: Any = load(folder)
    assert {str(p.dtype) for p in encoder._model.parameters()} == {"torch.float32"}
    assert 0 < relative_error(encoder.encode([burst()]), expected) < 1e-2


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"transformers_version": "4.0.0", "_name_or_path": "elsewhere"}, True),
        ({"layer_norm_eps": 1e-3}, False),
        ({"hidden_act": "relu"}, False),
    ],
    ids=["names", "eps", "activation"],
)
def test_hash_knows_what_decides_the_numbers(
    changes: dict[str, Any], same: bool, folder: Path
) -> None:
    before = load(folder).identity.weights_hash
    edit_json(folder / "config.json", **changes)
    assert (load(folder).identity.weights_hash == before) is same


def test_loading_draws_no_random_numbers(folder: Path) -> None:
    import torch

    before = torch.get_rng_state()
    load(folder)
    assert torch.equal(torch.get_rng_state(), before)


# --- weights that do not fit


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def change(name: str, **changes: Any) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / name, **changes)


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def with_index_of(shard: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
        index = {"weight_map": {"encoder.layer_norm.weight": shard}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return spoil


def without_a_layer(folder: Path) -> None:
    edit_json(folder / "config.json", num_hidden_layers=TINY_DEPTH + 1)


def with_a_layer_too_many(folder: Path) -> None:
    edit_json(folder / "config.json", num_hidden_layers=TINY_DEPTH - 1)


def as_another_architecture(folder: Path) -> None:
    edit_json(folder / "config.json", model_type="wavlm")


def with_tensors_in_a_table(folder: Path) -> None:
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    as_pickled(folder, {"model": state})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (drop("config.json"), r"has no config\.json"),
        (drop("preprocessor_config.json"), r"has no preprocessor_config\.json"),
        (drop("model.safetensors"), r"neither model\.safetensors nor pytorch_model\.bin"),
        (write("config.json", b"{"), r"config\.json is not JSON"),
        (write("config.json", b"[]"), "holds a list"),
        (write("preprocessor_config.json", b"\xff"), r"preprocessor_config\.json is not JSON"),
        (write("model.safetensors", b"\x00" * 100), "cannot be read"),
        (change("config.json", model_type="bert"), "type 'bert'"),
        (change("config.json", model_type=None), "type None"),
        (change("config.json", hidden_size=16), r"do not fit its config\.json"),
        (change("config.json", add_adapter=True), "length adapter"),
        (change("config.json", auto_map={"AutoModel": "evil.Model"}), "auto_map"),
        (change("preprocessor_config.json", auto_map={"X": "evil.X"}), "auto_map"),
        (
            change("preprocessor_config.json", feature_extractor_type="WhisperFeatureExtractor"),
            "WhisperFeatureExtractor",
        ),
        (without_a_layer, r"lack \d+ tensors, such as encoder\.layers\.2"),
        (with_a_layer_too_many, r"have, beyond .* such as encoder\.layers\.1"),
        (as_another_architecture, "lack|do not fit"),
        (with_tensors_in_a_table, "not a table of tensors"),
        (with_index_of("../model.safetensors"), "not in"),
        (with_index_of("model-1.safetensors"), "not in"),
    ],
)
def test_weights_that_do_not_fit(spoil: Callable[[Path], None], says: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(WeightsError, match=says):
        load(folder)


def test_named_encoder_takes_its_own_architecture_only(folders: dict[str, Path]) -> None:
    assert load_encoder("hubert-base", str(folders["hubert"])).dim == TINY_DIM
    with pytest.raises(WeightsError, match="wavlm-base is a wavlm model"):
        load_encoder("wavlm-base", str(folders["hubert"]))


def test_generic_encoder_needs_weights() -> None:
    with pytest.raises(UsageError, match="needs weights"):
        load_encoder("transformers")


def test_unusable_device_is_a_usage_error(folder: Path) -> None:
    for device in ("warp-drive", "cuda:97"):
        with pytest.raises(UsageError, match=device):
            load(folder, device=device)


# --- nothing of the weights is ever run


class Bomb:
    """Unpickling it writes the file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def plain_pickle(folder: Path, bomb: object) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"encoder.weight": bomb}, protocol=2))


def torch_pickle(folder: Path, bomb: object) -> None:
    as_pickled(folder, {"encoder.weight": bomb})


@pytest.mark.parametrize("store", [plain_pickle, torch_pickle])
def test_pickles_are_not_run(
    store: Callable[[Path, object], None], folder: Path, tmp_path: Path
) -> None:
    (folder / "model.safetensors").unlink()
    store(folder, Bomb(tmp_path / "ran"))
    with pytest.raises(WeightsError, match="not unpickled"):
        load(folder)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "ran")))  # noqa: S301 (the bomb is our own)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_code_beside_the_weights_is_not_run(name: str, folder: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n"
    (folder / "evil.py").write_text(code + "class Evil: ...\n")
    classes = ("AutoConfig", "AutoModel", "AutoFeatureExtractor")
    edit_json(folder / name, auto_map=dict.fromkeys(classes, "evil.Evil"))
    with pytest.raises(WeightsError, match="never runs"):
        load(folder)
    assert not (tmp_path / "ran").exists()


# --- the hub


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put_in_cache(cache: Path, hub_id: str) -> Path:
    repo = cache / f"models--{hub_id.replace('/', '--')}"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs/main").write_text(COMMIT)
    return tiny_transformer_folder(repo / "snapshots" / COMMIT, "hubert")


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_hub_id_from_the_cache(revision: str | None, hub_cache: Path) -> None:
    put_in_cache(hub_cache, "someone/something")
    encoder = load_encoder("someone/something", revision=revision)
    assert encoder.name == "someone/something"
    assert encoder.identity.revision == COMMIT
    named = load_encoder("hubert-base", "someone/something", revision)
    assert named.identity.revision == COMMIT
    assert np.array_equal(named.encode([burst()]), encoder.encode([burst()]))


def test_incomplete_cache_names_the_file(hub_cache: Path) -> None:
    (put_in_cache(hub_cache, "someone/something") / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"neither model\.safetensors"):
        load_encoder("someone/something")


@pytest.mark.parametrize(
    ("name", "weights"),
    [("hubert-base", None), ("no/such-model", None), ("hubert-base", "./no/such/folder")],
)
def test_offline_and_not_there(name: str, weights: str | None, hub_cache: Path) -> None:
    with pytest.raises(WeightsError, match="give a local folder"):
        load_encoder(name, weights)


def test_local_revision(folder: Path) -> None:
    assert load(folder).identity.revision == "local"


# --- the cards


def published(name: str) -> dict[str, Any]:
    """The published config, as far as it is unlike the architecture's default."""
    if name != "mms-1b":
        return {}
    large = {"hidden_size": 1280, "num_hidden_layers": 48, "num_attention_heads": 16}
    layer_norm = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
    return {**large, **layer_norm, "intermediate_size": 5120}


ON_THE_HUB = [n for n in names("encoders") if lookup("encoders", n).kind == "attention"]


@pytest.mark.parametrize("name", [n for n in ON_THE_HUB if n != "transformers"])
def test_declared_dim_and_parameters(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModel

    card = lookup("encoders", name)
    with torch.device("meta"):
        model = AutoModel.from_config(AutoConfig.for_model(card.family, **published(name)))
    assert model.config.hidden_size == card.dim
    assert sum(p.numel() for p in model.parameters()) == card.parameters


def test_non_commercial_licence_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    with caplog.at_level(logging.WARNING, "nver"):
        load_encoder("wav2vec2-base", str(folder))
        assert not caplog.records
        load_encoder("mms-1b", str(folder))
    assert "mms-1b" in caplog.text
    assert MMS_1B.licence in caplog.text
    assert "non-commercial" in caplog.text


def test_missing_transformers_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r'pip install "nver\[transformers\]"'):
        load(folder)


def test_cards_import_no_heavy_library() -> None:
    modules = ["attention.hub_models", "weightless.logmel_stats", "weightless.prosody_stats"]
    code = "import sys\n" + "".join(f"import nver.encoders.{m}\n" for m in modules)
    code += "print([m for m in ('torch', 'transformers', 'scipy', 'pandas') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
