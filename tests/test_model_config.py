"""A model folder that is damaged or hostile: a sentence, never a bare exception, never NaN."""

import copy
import hashlib
import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file, save

import nver
from helpers_cli import finish
from nver.errors import NverError, UsageError
from nver.models import shipped_folder
from nver.models.model_folder import read_model
from nver.recipe import parse_experiment

WRONG: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**9, 10**12, 2**63, 10**400, 1e308, -1e308),
    *(float("nan"), float("inf"), "", " ", "x", "x" * 5000, "\0", "../x", "a/b", "~x/y"),
    *([], [[]], [1, None], ["x", "x"], {}, {"a": 1}, {"a": ["laugh"]}, {"": {}}, [{}]),
]
PathOf = tuple[str | int, ...]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two encoders and three emotions, and a clip beside it."""
    root = tmp_path_factory.mktemp("model")
    for number, emotion in enumerate(("laugh", "cry", "sigh")):
        for clip in range(6):
            samples = np.random.default_rng([number, clip]).normal(0, 0.1, 3000 + 2000 * number)
            (root / "c" / emotion).mkdir(parents=True, exist_ok=True)
            soundfile.write(root / "c" / emotion / f"{clip}.wav", samples, 16000)
    recipe = {
        "corpora": ["mine"],
        "roots": {"mine": str(root / "c")},
        "store": str(root / "store"),
        "encoders": ["duration-level", "logmel-stats"],
        "classifiers": [{"name": "concat", "width": 4, "positions": 2}],
        "training": {"epochs": 1, "validation_share": 0.3},
        "families": {"loud": ["laugh", "cry"], "soft": ["sigh"]},
    }
    nver.train(parse_experiment(recipe), root / "m", workers=1)
    return root


def config_of(model: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((model / "m" / "config.json").read_text())
    return config


def paths(value: Any, at: PathOf = ()) -> Iterator[PathOf]:
    """Every place of a config but those inside `made`, which nothing reads."""
    if at:
        yield at
    lists = enumerate(value) if isinstance(value, list) else ()
    for key, own in value.items() if isinstance(value, dict) else lists:
        if at != ("made",):
            yield from paths(own, (*at, key))


def written(model: Path, folder: Path, text: str | bytes, weights: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "config.json").write_bytes(data)
    kept = (model / "m" / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(kept if weights is None else weights)
    return folder


def fault(model: Path, folder: Path) -> str:
    """What is wrong with the way that a folder is refused or answers; "" where nothing is."""
    try:
        (answer,) = nver.load_predictor(folder).predict(model / "c" / "cry" / "0.wav")
    except UsageError as error:
        return f"exit 2: {error}"
    except NverError as error:
        return "" if str(error).strip() else "an error without words"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    sound = answer.error or (0 <= answer.probability <= 1 and 0 <= answer.family_probability <= 1)
    return "" if sound else f"answered {answer}"


def changed(config: dict[str, Any], path: PathOf, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(config)
    node: Any = found
    for key in path[:-1]:
        node = node[key]
    if value is DELETED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return found


DELETED = object()


def test_every_key_with_every_wrong_value(model: Path, tmp_path: Path) -> None:
    config = config_of(model)
    every = list(paths(config))
    assert len(every) > 50
    wrong = []
    for path in every:
        for value in (*WRONG, DELETED):
            folder = written(model, tmp_path / "x", json.dumps(changed(config, path, value)))
            if said := fault(model, folder):
                wrong.append(f"{path} = {value!r:.40}: {said:.200}")
    assert not wrong


TEXTS: dict[str, Callable[[str], str | bytes]] = {
    "lists": lambda text: "[" * 100_000,
    "tables": lambda text: '{"a":' * 100_000,
    "lists in a key": lambda text: text.replace('"made":', f'"x": {"[" * 99_999}, "made":'),
    "a key twice": lambda text: text.replace('"version": 1', '"version": 1, "version": 1'),
    "no text": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "no UTF-8": lambda text: text.encode().replace(b"laugh", b"\xff\xfe"),
    "NUL": lambda text: "\0" * 100,
    "a number": lambda text: "7",
    "many digits": lambda text: text.replace('"version": 1', '"version": 1' + "0" * 5000),
    "true": lambda text: text.replace('"version": 1', '"version": true'),
    "version 1.5": lambda text: text.replace('"version": 1', '"version": 1.5'),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_config_that_is_no_config_is_refused(name: str, model: Path, tmp_path: Path) -> None:
    text = (model / "m" / "config.json").read_text()
    folder = written(model, tmp_path / "x", TEXTS[name](text))
    with pytest.raises(NverError) as error:
        read_model(folder)
    assert not isinstance(error.value, UsageError)
    assert "config.json" in str(error.value)


def test_predict_says_it_in_a_sentence_and_ends_with_1(model: Path, tmp_path: Path) -> None:
    config = changed(config_of(model), ("encoders", 0, "label"), [1])
    folder = written(model, tmp_path / "x", json.dumps(config))
    done = finish(model, "predict", "c/cry/0.wav", "--model", str(folder))
    assert done.code == 1
    assert "encoders.label: expected str, got [1]" in done.err


def with_weights(model: Path, folder: Path, data: bytes) -> Path:
    """A folder with other weights, whose config says that they are the right ones."""
    config = config_of(model) | {"weights_sha256": hashlib.sha256(data).hexdigest()}
    return written(model, folder, json.dumps(config), data)


def header(text: str, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text.encode() + b"\0" * 64


HEADERS = {
    "empty": b"",
    "short": b"\1\2\3",
    "huge length": header("{}", 2**63),
    "all ones": b"\xff" * 64,
    "deep": header("[" * 90_000),
    "overlap": header(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        '"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}'
    ),
    "terabytes": header('{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,64]}}'),
    "overflow": header(
        '{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,64]}}'
    ),
    "no such type": header('{"a":{"dtype":"F99","shape":[16],"data_offsets":[0,64]}}'),
    "bfloat16": header('{"a":{"dtype":"BF16","shape":[32],"data_offsets":[0,64]}}'),
    "other": save({"a": np.zeros(4, np.float32)}),
}


@pytest.mark.parametrize("name", HEADERS)
def test_weights_that_are_none_are_refused(name: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(NverError) as error:
        nver.load_predictor(with_weights(model, tmp_path / "x", HEADERS[name]))
    assert not isinstance(error.value, UsageError)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -3e38, 0.0])
def test_no_tensor_makes_a_model_answer_nan(value: float, model: Path, tmp_path: Path) -> None:
    tensors = load_file(model / "m" / "model.safetensors")
    wrong = []
    for name, tensor in tensors.items():
        data = save(tensors | {name: np.full_like(tensor, value)})
        if said := fault(model, with_weights(model, tmp_path / "x", data)):
            wrong.append(f"{name}: {said}")
    assert not wrong


def test_a_model_that_would_answer_nan_is_refused(model: Path, tmp_path: Path) -> None:
    tensors = load_file(model / "m" / "model.safetensors")
    huge = {n: np.full_like(t, 3e38) for n, t in tensors.items() if n.startswith("classifier.")}
    with pytest.raises(NverError, match="would answer NaN"):
        nver.load_predictor(with_weights(model, tmp_path / "x", save(tensors | huge)))


def test_a_clip_whose_answer_is_nan_has_a_row_that_says_so(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nver.classifiers.training.loop as loop

    predictor = nver.load_predictor(model / "m")
    monkeypatch.setattr(loop, "predict_proba", lambda *_: np.full((1, 3), np.nan, np.float32))
    (answer,) = predictor.predict(model / "c" / "cry" / "0.wav")
    assert (answer.reason, answer.answer, answer.sure) == ("model", "", False)
    assert "the model's answer is NaN" in answer.error


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_are_refused_or_do_no_harm(seed: int, model: Path, tmp_path: Path) -> None:
    """Of the shipped form of weights: in the header, and all over; the hash is made to fit."""
    draw = random.Random(seed)
    data = (model / "m" / "model.safetensors").read_bytes()
    head = 8 + struct.unpack("<Q", data[:8])[0]
    wrong = []
    for number in range(60):
        flipped = bytearray(data)
        flipped[draw.randrange(head if number % 2 else len(data))] ^= 1 << draw.randrange(8)
        if said := fault(model, with_weights(model, tmp_path / "x", bytes(flipped))):
            wrong.append(f"flip {number}: {said}")
    assert not wrong


def test_a_flipped_bit_of_the_shipped_weights_is_seen(tmp_path: Path) -> None:
    shipped = shipped_folder()
    data = bytearray((shipped / "model.safetensors").read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "config.json").write_bytes((shipped / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(bytes(data))
    with pytest.raises(NverError, match="its SHA-256 is not the one"):
        nver.load_predictor(tmp_path)
