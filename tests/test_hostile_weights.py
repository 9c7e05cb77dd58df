"""Weights that lie: settings of any type and size, bombs, damaged headers; a sentence each time."""

import io
import json
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fakes import tiny_transformer_folder
from helpers_audio_mamba import untrained_network
from helpers_codecs import codec_folder
from nver.encoders import load_encoder
from nver.encoders.audio_mamba.checkpoints import convert
from nver.encoders.tensor_files import read_safetensors
from nver.encoders.weights import hash_weights, read_checkpoint, read_json
from nver.errors import NverError, WeightsError
from nver.registry import lookup

WRONG: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 10**6, 10**9, 2**63, 10**400, 1e308, -1e308),
    *(float("nan"), float("inf"), "", " ", "x", "x" * 5000, "\0", "../x"),
    *([], [[]], [1, None], ["x"], [0], [-1], [10**6], [10**9] * 3, [2] * 400),
    *({}, {"a": 1}, {"": {}}, [{}]),
]
FILES = ("config.json", "preprocessor_config.json")
MAKERS: dict[str, Callable[[Path], Path]] = {
    **{kind: lambda to, k=kind: tiny_transformer_folder(to, k) for kind in ("hubert", "wavlm")},
    **{name: lambda to, n=name: codec_folder(to, n) for name in ("encodec-24khz", "mimi")},
}
CLIP = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)


def settings(folder: Path) -> list[tuple[str, str]]:
    """(file, key): every key of a folder's files, and of the model's own defaults."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder).to_dict()
    own = {file: json.loads((folder / file).read_text()) for file in FILES}
    return [(file, key) for file in FILES for key in {**own[file], **(config if own else {})}]


def fault(name: str, folder: Path) -> str:
    """What is wrong with the way that weights are refused or used; "" where nothing is."""
    try:
        vectors = load_encoder(name, str(folder)).encode([CLIP])
    except NverError as error:
        return "" if str(error).strip() else "an error without words"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if np.isfinite(vectors).all() else "NaN"


def try_settings(name: str, folder: Path, number: int | None) -> list[str]:
    """The faults of wrong values in the settings: of so many drawn at random, or of all."""
    every = [(*place, value) for place in settings(folder) for value in WRONG]
    wrong = []
    for file, key, value in every if number is None else random.Random(0).sample(every, number):
        text = (folder / file).read_text()
        (folder / file).write_text(json.dumps({**json.loads(text), key: value}))
        if said := fault(name if name in CODECS else "transformers", folder):
            wrong.append(f"{file}: {key} = {value!r:.60}: {said:.300}")
        (folder / file).write_text(text)
    return wrong


CODECS = ("encodec-24khz", "mimi")


@pytest.mark.parametrize("name", MAKERS)
def test_wrong_settings_are_refused(name: str, tmp_path: Path) -> None:
    """A sample, so that the suite stays short; the next test has all."""
    assert not try_settings(name, MAKERS[name](tmp_path / "model"), 15)


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_every_wrong_setting_is_refused(name: str, tmp_path: Path) -> None:
    assert not try_settings(name, MAKERS[name](tmp_path / "model"), None)


TERABYTES = {
    "hubert": {"hidden_size": 10**9, "num_hidden_layers": 10**6, "intermediate_size": 10**12},
    "wavlm": {"num_buckets": 10**7, "conv_dim": [10**9], "num_conv_pos_embeddings": 10**6},
    "encodec-24khz": {"num_filters": 10**6, "codebook_size": 10**9, "hidden_size": 10**8},
    "mimi": {"num_quantizers": 10**6, "upsampling_ratios": [10**9], "num_hidden_layers": 10**5},
}


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, keys in TERABYTES.items() for key in keys]
)
def test_a_size_that_no_file_holds_is_refused_by_name(name: str, key: str, tmp_path: Path) -> None:
    folder = MAKERS[name](tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: TERABYTES[name][key]}))
    with pytest.raises(WeightsError, match=rf"config\.json: {key} is .* which no model of its"):
        load_encoder(name if name in CODECS else "transformers", str(folder))


TEXTS = {
    "lists": b"[" * 100_000,
    "tables": b'{"model_type":' * 100_000,
    "a list": b"[1]",
    "nothing": b"",
    "half": b'{"model_type": "hub',
    "no UTF-8": b'{"model_type": "\xff"}',
    "a key twice": b'{"model_type": "hubert", "model_type": "hubert"}',
    "many digits": b'{"model_type": "hubert", "hidden_size": 1' + b"0" * 5000 + b"}",
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_config_that_is_none_is_refused_by_name(text: str, file: str, tmp_path: Path) -> None:
    folder = tiny_transformer_folder(tmp_path / "model", "hubert")
    (folder / file).write_bytes(TEXTS[text])
    with pytest.raises(WeightsError, match=file):
        load_encoder("transformers", str(folder))


def test_a_folder_in_the_place_of_a_config_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(WeightsError, match=r"config\.json cannot be read"):
        read_json(tmp_path, "config.json")


@pytest.mark.parametrize("places", [[], "x", {"a": 1}, {"a": ["b"]}, {"a": "../b"}, {"a": ""}, 7])
def test_an_index_of_shards_of_another_type_is_refused(places: Any, tmp_path: Path) -> None:
    folder = tiny_transformer_folder(tmp_path / "model", "hubert")
    (folder / "model.safetensors").unlink()
    index = json.dumps({"weight_map": places})
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(WeightsError, match=r"weight_map|names the shard|is not a table"):
        load_encoder("transformers", str(folder))


PLACES = ["~nobody/x", "x" * 5000, "a/" * 3000, "a\0b", " ", "con", "../../x", "\udcff"]


@pytest.mark.parametrize("weights", PLACES)
@pytest.mark.parametrize(
    "name", ["hubert-base", "mimi", "ecapa", "d-vector", "audio-mamba-tiny", "nver-mamba"]
)
def test_a_place_that_can_be_none_is_refused(
    name: str, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError):
        load_encoder(name, weights)


def header(text: str, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text.encode() + b"\0" * 64


HEADERS = {
    "empty": b"",
    "a length of 2^63": header("{}", 2**63),
    "a length beyond the file": header("{}", 10**6),
    "deep": header('{"a":' * 30_000),
    "overlap": header(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        '"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}'
    ),
    "a hole": header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[32,40]}}'),
    "terabytes": header('{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,64]}}'),
    "overflow": header(
        '{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,64]}}'
    ),
    "negative": header('{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,64]}}'),
    "no such type": header('{"a":{"dtype":"F99","shape":[16],"data_offsets":[0,64]}}'),
    "no table": header('{"a":7}'),
    "a page": b"<!DOCTYPE html><html></html>" * 10,
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_safetensors_file_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(HEADERS[name])
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        read_safetensors(tmp_path / "model.safetensors")


def nan_in(state: dict[str, torch.Tensor], value: float) -> dict[str, torch.Tensor]:
    name = max(state, key=lambda key: state[key].numel())
    changed = state[name].clone()
    changed.view(-1)[-1] = value
    return state | {name: changed}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_nan_in_a_models_weights_is_named(value: float, tmp_path: Path) -> None:
    folder = tiny_transformer_folder(tmp_path / "model", "hubert")
    file = folder / "model.safetensors"
    save_file(nan_in(read_safetensors(file), value), file, {"format": "pt"})
    with pytest.raises(WeightsError, match="has values that are NaN or infinite"):
        load_encoder("transformers", str(folder))


def test_weights_so_large_that_they_give_nan_are_refused(tmp_path: Path) -> None:
    folder = tiny_transformer_folder(tmp_path / "model", "hubert")
    file = folder / "model.safetensors"
    huge = {name: torch.full_like(tensor, 3e38) for name, tensor in read_safetensors(file).items()}
    save_file(huge, file, {"format": "pt"})
    with pytest.raises(WeightsError, match="NaN or infinite: its settings or weights are damaged"):
        load_encoder("transformers", str(folder))


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def compressed(data: bytes) -> bytes:
    """The same archive with its entries compressed."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for entry in archive.infolist():
            other.writestr(entry.filename, archive.read(entry))
    return buffer.getvalue()


def with_pickle(change: Callable[[bytes], bytes]) -> bytes:
    """An archive of torch whose pickle is changed; its storages are as they were."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"w": torch.arange(64.0)}))) as archive,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as other,
    ):
        for entry in archive.infolist():
            data = archive.read(entry)
            is_pickle = entry.filename.endswith("data.pkl")
            other.writestr(entry.filename, change(data) if is_pickle else data)
    return buffer.getvalue()


def number(value: int) -> bytes:
    """The opcode of pickle for an integer below 2^31."""
    return b"J" + struct.pack("<i", value)


ONE = torch.zeros(1)
BOMBS: dict[str, Callable[[], bytes]] = {
    "stride 0": lambda: saved({"w": ONE.expand(10**12)}),
    "stride 0 in two dimensions": lambda: saved({"w": ONE.expand(10**6, 10**6)}),
    "stride 0 of small weights": lambda: saved({"w": ONE.expand(5 * 10**9)}),
    "stride 0, of halves": lambda: saved({"w": ONE.half().expand(10**12)}),
    "overlapping windows": lambda: saved(
        {"w": torch.zeros(10**4).as_strided((5000, 5000), (1, 1))}
    ),
    "a row again and again": lambda: saved({"w": torch.zeros(64).expand(10**9, 64)}),
    "many views of one storage": lambda: saved(
        dict(zip(map(str, range(2000)), [torch.zeros(10**5)] * 2000, strict=True))
    ),
    "under model": lambda: saved({"model": {"w": ONE.expand(10**12)}}),
    "old format": lambda: old_format({"w": ONE.expand(10**12)}),
    "sparse": lambda: saved(
        {"w": torch.sparse_coo_tensor(size=(10**6, 10**6), check_invariants=True)}
    ),
    "meta": lambda: saved({"w": torch.empty(10**12, device="meta")}),
    "a storage that lies": lambda: with_pickle(lambda data: data.replace(b"K@", number(2**31 - 1))),
    "compressed": lambda: compressed(saved({"w": torch.zeros(10**7)})),
    "a compressed pickle": lambda: compressed(saved({"x" * 10**6: 1, "w": torch.zeros(4)})),
    "half a file": lambda: saved({"w": torch.zeros(1000)})[:2000],
    "no tensors": lambda: saved({"w": 7}),
    "a list": lambda: saved([torch.zeros(2)]),
    "keys that are no names": lambda: saved({3: torch.zeros(2)}),
    "NaN": lambda: saved({"w": torch.tensor([1.0, float("nan")])}),
    "code": lambda: pickle.dumps({"w": print}),
}


def old_format(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


READ = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
from nver.encoders.audio_mamba.checkpoints import read_weights
from nver.encoders.weights import read_checkpoint
from nver.errors import WeightsError
for file in sys.argv[1:]:
    for read in (read_checkpoint, read_weights):
        try:
            read(Path(file))
            print(Path(file).stem, "was read")
        except WeightsError as error:
            said = str(error)
            print(Path(file).stem, "refused", "alloc" in said or "memory" in said, said[:200])
        except BaseException as error:
            print(Path(file).stem, "WRONG", type(error).__name__, error)
"""


def test_bombs_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    """All in one process of 8 GB of addresses, 2 of which torch takes."""
    files = []
    for name, make in BOMBS.items():
        file = tmp_path / f"{name.replace(' ', '_')}.pth"
        file.write_bytes(make())
        files.append(str(file))
    command = [sys.executable, "-c", READ, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) == 2 * len(BOMBS)
    assert not [line for line in lines if " refused False " not in line]


def test_weights_that_share_their_data_are_read(tmp_path: Path) -> None:
    shared = torch.randn(100, 100)
    torch.save({"a": shared, "b": shared, "c": shared.T}, tmp_path / "a.bin")
    assert set(read_checkpoint(tmp_path / "a.bin")) == {"a", "b", "c"}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int8])
def test_every_type_of_tensor_has_a_hash(dtype: torch.dtype) -> None:
    one, other = torch.zeros(4, dtype=dtype), torch.ones(4, dtype=dtype)
    assert hash_weights({"w": one}, {}) != hash_weights({"w": other}, {})
    assert hash_weights({"w": one}, {}) != hash_weights({"w": one[:2]}, {})


SIZES = {
    "a wide token": {"cls_token": torch.zeros(1, 1, 10**6)},
    "a wide scan": {"blocks.0.mixer.A_log": torch.zeros(10**6, 1)},
    "many states": {"blocks.0.mixer.A_log": torch.zeros(1, 10**6)},
    "no shape": {"patch_embed.proj.weight": torch.zeros(3)},
    "a patch of nothing": {"patch_embed.proj.weight": torch.zeros(4, 1, 0, 0)},
    "an odd patch": {"patch_embed.proj.weight": torch.zeros(4, 1, 7, 9)},
    "many convolutions": {
        f"patch_embed.stem.{n}.conv.weight": torch.zeros(1000, 1, 1, 1) for n in range(9)
    },
    "a token of no width": {"cls_token": torch.zeros(1, 1, 0)},
    "a scalar": {"cls_token": torch.tensor(1.0)},
}


@pytest.mark.parametrize("what", SIZES)
def test_sizes_that_a_checkpoint_cannot_have_are_refused(what: str, tmp_path: Path) -> None:
    state = untrained_network().state_dict()
    save_file({**state, **SIZES[what]}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="Audio-Mamba"):
        convert(tmp_path / "a.safetensors", tmp_path / "out")


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_of_a_checkpoint_are_refused_or_do_no_harm(seed: int, tmp_path: Path) -> None:
    draw, whole = random.Random(seed), saved(untrained_network().state_dict())
    wrong = []
    for flip in range(40):
        data = bytearray(whole)
        place = draw.randrange(len(data)) if flip % 2 else -draw.randrange(1, 6000)
        data[place] ^= 1 << draw.randrange(8)
        (tmp_path / "a.pth").write_bytes(data)
        try:
            convert(tmp_path / "a.pth", tmp_path / str(flip))
        except NverError:
            continue
        except Exception as error:
            wrong.append(f"{flip}: {type(error).__name__}: {error}")
    assert not wrong


@pytest.mark.parametrize("name", ["yamnet", "soundstream"])
@pytest.mark.parametrize("change", ["flipped", "cut", "empty", "folder"])
def test_a_tflite_file_that_is_not_the_published_one_is_refused(
    name: str, change: str, tmp_path: Path
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")
    module = __import__(f"nver.encoders.{'codecs.' * (name == 'soundstream')}{name}", fromlist="x")
    file = module.FILE if name == "yamnet" else module.ENCODER
    size = {"cut": file.size - 1, "empty": 0}.get(change, file.size)
    place = tmp_path / file.name
    place.mkdir() if change == "folder" else place.write_bytes(bytes(size))
    with pytest.raises(WeightsError, match=r"\.tflite"):
        load_encoder(lookup("encoders", name).name, str(tmp_path))
