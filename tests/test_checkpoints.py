"""Audio-Mamba's checkpoints: the right one is found, read without running anything, converted."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from helpers_audio_mamba import untrained_folder, untrained_network
from nver.cli.convert import command
from nver.encoders import load_encoder
from nver.encoders.audio_mamba.checkpoints import (
    Shell,
    build_network,
    convert,
    find_weights,
    hash_used,
    read_weights,
)
from nver.encoders.audio_mamba.network import AudioMamba, Sizes
from nver.errors import NverError, UsageError, WeightsError

RELEASED = {"tiny": (192, 4_808_704), "small": (384, 17_985_472), "base": (768, 69_443_392)}
OFFICIAL = "fixtures/official_layout_mini48d3"
EXACT = "fixtures/ssam_mini48d3_gen.safetensors"


@pytest.mark.parametrize("size", RELEASED)
def test_released_keys_and_shapes(size: str, shared: Path) -> None:
    width, elements = RELEASED[size]
    shapes = json.loads((shared / f"fixtures/ssam_{size}_state_shapes.json").read_text())
    with torch.device("meta"):
        state = {name: torch.empty(shape) for name, shape in shapes.items()}
        network = build_network(state, size)
    assert network.sizes == Sizes(width)
    assert len(network.state_dict()) == 143
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == elements


def test_trainable_parameters() -> None:
    with torch.device("meta"):
        network = AudioMamba(Sizes(192))
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 4_760_512


def test_the_highest_number_is_taken(shared: Path, tmp_path: Path) -> None:
    assert find_weights(shared / OFFICIAL).name == "checkpoint-99.pth"
    (tmp_path / "checkpoints").mkdir()
    for name in ("checkpoint-9", "checkpoint-10", "checkpoint-099x", "log", "checkpoint-2"):
        (tmp_path / f"checkpoints/{name}.pth").touch()
    assert find_weights(tmp_path).name == "checkpoint-10.pth"


def test_a_released_checkpoint_is_read(shared: Path) -> None:
    state, exact = read_weights(find_weights(shared / OFFICIAL)), load_file(shared / EXACT)
    assert state.keys() == exact.keys()
    assert all(torch.equal(state[name], exact[name]) for name in exact)
    assert hash_used(state) == hash_used(exact)


def test_the_hash_is_of_what_is_used() -> None:
    state = untrained_network().state_dict()
    before = hash_used(state)
    assert hash_used(state | {"mask_token": state["mask_token"] + 1}) == before
    assert hash_used(state | {"pred.0.bias": state["pred.0.bias"] + 1}) == before
    assert hash_used(state | {"cls_token": state["cls_token"] + 1e-7}) != before


class Command:
    """Unpickled naively, it makes the file `mark`."""

    def __init__(self, mark: Path, how: str) -> None:
        self.mark, self.how = mark, how

    def __reduce__(self) -> Any:
        line = f"open({str(self.mark)!r}, 'w')"
        return {
            "os": (os.system, (f"touch {self.mark}",)),
            "subprocess": (subprocess.Popen, (["touch", str(self.mark)],)),
            "eval": (eval, (line,)),
            "exec": (exec, (line,)),
            "open": (open, (str(self.mark), "w")),
            "mkdir": (os.mkdir, (str(self.mark),)),
            "import": (__import__, ("antigravity",)),
            "getattr": (getattr, (os, "system")),
        }[self.how]


HOWS = {
    "os": r"(posix|nt)\.system",
    "subprocess": r"(subprocess|commands)\.Popen",
    "eval": "eval",
    "exec": "exec",
    "open": r"open",
    "mkdir": r"(posix|nt)\.mkdir",
    "import": "__import__",
}


def checkpoint(path: Path, **parts: Any) -> Path:
    torch.save({"model": untrained_network(depth=1).state_dict(), "epoch": 9} | parts, path)
    return path


@pytest.mark.parametrize("place", ["args", "model", "optimizer", "inside"])
@pytest.mark.parametrize("how", HOWS)
def test_a_hostile_checkpoint_is_refused_and_nothing_runs(
    how: str, place: str, tmp_path: Path
) -> None:
    mark = tmp_path / "it ran".replace(" ", "-")
    evil: Any = Command(mark, how)
    parts = {"args": [{"deep": (evil,)}]} if place == "inside" else {place: evil}
    file = checkpoint(tmp_path / "checkpoint-1.pth", **parts)
    with pytest.raises(WeightsError, match=f"nothing of it was run: it names .*{HOWS[how]}"):
        read_weights(file)
    assert not mark.exists()


def test_the_hostile_checkpoint_is_hostile(tmp_path: Path) -> None:
    """What the tests above refuse does run in Python's own unpickler."""
    mark = tmp_path / "it-ran"
    pickle.loads(pickle.dumps(Command(mark, "mkdir")))  # noqa: S301 - our own, to show it is real
    assert mark.exists()


def with_pickle(path: Path, data: bytes) -> Path:
    """A checkpoint whose data.pkl is `data`."""
    buffer = io.BytesIO()
    torch.save({}, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name.endswith("data.pkl") else old.read(name))
    return path


NAMESPACE = b"cargparse\nNamespace\n"
RAW = {
    "a shell called with a command": NAMESPACE + b"(cos\nsystem\n(X\x04\x00\x00\x00truetRtR.",
    "a command as the state of a shell": NAMESPACE + b")\x81}(X\x01\x00\x00\x00acos\nsystem\nub.",
    "a command called by build": NAMESPACE + b")\x81cos\nsystem\nb.",
    "torch's loader": b"ctorch\nload\n(X\x01\x00\x00\x00xtR.",
    "a module's attribute": b"ctorch.serialization\nos.system\n(X\x04\x00\x00\x00truetR.",
    "the rebuilder of a type": b"ctorch._tensor\n_rebuild_from_type\n(cos\nsystem\n)tR.",
    "an instance opcode": b"(X\x04\x00\x00\x00trueios\nsystem\n.",
    "an object opcode": b"(cos\nsystem\nX\x04\x00\x00\x00trueo.",
    "a name from the stack": b"X\x02\0\0\0osX\x06\0\0\0system\x93X\x01\0\0\0a\x85R.",
    "the extension registry": b"\x82\x01.",
    "a call of a call": NAMESPACE + b")R)R.",
    "items set in a shell": NAMESPACE + b")\x81X\x01\x00\x00\x00aX\x01\x00\x00\x00bs.",
    "items appended to a shell": NAMESPACE + b")\x81X\x01\x00\x00\x00aa.",
    "a persistent id of no storage": b"X\x01\x00\x00\x00aQ.",
    "no pickle at all": b"hello",
    "an empty pickle": b"",
}


@pytest.mark.parametrize("what", RAW)
@pytest.mark.parametrize("protocol", [2, 4])
def test_hostile_opcodes_are_refused(what: str, protocol: int, tmp_path: Path) -> None:
    file = with_pickle(tmp_path / "a.pth", b"\x80" + bytes([protocol]) + RAW[what])
    with pytest.raises(WeightsError, match=r"refused, and nothing of it was run|cannot be read"):
        read_weights(file)


def test_a_shell_keeps_nothing_it_is_given() -> None:
    shell = Shell.__new__(Shell, 1, a=2)
    shell.__init__(1, a=2)  # type: ignore[misc]
    shell.__setstate__({"__class__": int, "__reduce__": print, "a": 1})
    assert vars(shell) == {}
    assert type(shell) is Shell


def test_the_shells_are_allowed_only_while_reading(shared: Path, tmp_path: Path) -> None:
    file = find_weights(shared / OFFICIAL)
    read_weights(file)
    with pytest.raises(pickle.UnpicklingError, match=r"argparse\.Namespace"):
        torch.load(file, weights_only=True)


NOT_WEIGHTS = {
    "no zip": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "not a checkpoint of torch"),
    "empty": (lambda path: path.touch(), "not a checkpoint of torch"),
    "no state dict": (lambda path: torch.save([1, 2], path), "holds no state dict"),
    "numbers": (lambda path: torch.save({"model": {"a": 1}}, path), "holds no state dict"),
    "another zip": (lambda path: zipfile.ZipFile(path, "w").close(), "cannot be read"),
    "cut": (
        lambda path: path.write_bytes(checkpoint(path).read_bytes()[:-4000]),
        "not a checkpoint of torch|cannot be read",
    ),
}


@pytest.mark.parametrize("what", NOT_WEIGHTS)
def test_a_file_of_no_weights(what: str, tmp_path: Path) -> None:
    make, message = NOT_WEIGHTS[what]
    make(tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=message):
        read_weights(tmp_path / "a.pth")


def changed(state: dict[str, torch.Tensor], what: str) -> dict[str, torch.Tensor]:
    if what == "another model":
        return {"embeddings.weight": torch.ones(2, 2)}
    if what == "a key too many":
        return state | {"head.weight": torch.ones(1)}
    if what == "a key too few":
        return {k: v for k, v in state.items() if k != "blocks.0.mixer.D"}
    return state | {"blocks.1.norm.weight": torch.ones(7)}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("another model", "no weights of Audio-Mamba"),
        ("a key too many", r"does not fit Audio-Mamba: .*head\.weight"),
        ("a key too few", r"does not fit Audio-Mamba: .*blocks\.0\.mixer\.D"),
        ("another shape", r"does not fit Audio-Mamba: .*blocks\.1\.norm\.weight"),
    ],
)
def test_weights_that_do_not_fit(what: str, message: str, tmp_path: Path) -> None:
    state = changed(untrained_network().state_dict(), what)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=message):
        load_encoder("audio-mamba-tiny", str(tmp_path))


@pytest.mark.parametrize(
    ("weights", "message"),
    [("nowhere", "no such file or folder"), (".", "neither model.safetensors nor checkpoints")],
)
def test_no_weights_there(weights: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=message):
        load_encoder("audio-mamba-tiny", str(tmp_path / weights))


@pytest.mark.parametrize("size", RELEASED)
def test_without_weights_the_error_says_where_they_are(size: str) -> None:
    message = rf"ssam_{size}_200_16x4_4x256_fp16_r1 .*drive\.google\.com.*github\.com/SarthakYadav"
    with pytest.raises(WeightsError, match=message):
        load_encoder(f"audio-mamba-{size}")


def test_convert(shared: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(shared / OFFICIAL), str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    file = tmp_path / "out/model.safetensors"
    assert said["file"] == str(file)
    assert said["file_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    config = json.loads((tmp_path / "out/config.json").read_text())
    source = shared / OFFICIAL / "checkpoints/checkpoint-99.pth"
    assert config["source"] == {
        "file": "checkpoint-99.pth",
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    assert (config["width"], config["depth"], config["sha256"]) == (48, 3, said["file_sha256"])
    exact, written = load_file(shared / EXACT), load_file(file)
    assert all(torch.equal(written[name], exact[name]) for name in exact)
    loaded = [load_encoder("audio-mamba-tiny", str(w)) for w in (tmp_path / "out", source)]
    assert loaded[0].identity == loaded[1].identity
    assert loaded[0].identity.weights_hash == said["weights_sha256"]


def test_convert_is_repeatable_and_overwrites_nothing(tmp_path: Path) -> None:
    source = untrained_folder(tmp_path / "source")
    made = [convert(source, tmp_path / name) for name in ("a", "b")]
    assert made[0].file_sha256 == made[1].file_sha256
    with pytest.raises(UsageError, match="exists"):
        convert(source, tmp_path / "a")


BAD_TENSORS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "nan": (lambda t: t * torch.nan, "'cls_token' has values that are NaN"),
    "integers": (lambda t: t.to(torch.int32), r"cls_token is torch\.int32"),
    "sparse": (lambda t: t.to_sparse(), "'cls_token' is not a plain tensor"),
    "meta": (lambda t: t.to("meta"), "'cls_token' is not a plain tensor"),
}


@pytest.mark.parametrize("what", BAD_TENSORS)
def test_convert_refuses_a_tensor_that_is_no_weight(what: str, tmp_path: Path) -> None:
    change, message = BAD_TENSORS[what]
    state = untrained_network().state_dict()
    torch.save(state | {"cls_token": change(state["cls_token"])}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=message):
        convert(tmp_path / "a.pth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert_says_the_hashes_and_refuses_the_hostile(tmp_path: Path) -> None:
    good = checkpoint(tmp_path / "good.pth")
    done = CliRunner().invoke(command, [str(good), str(tmp_path / "out")])
    assert done.exit_code == 0
    assert (
        hashlib.sha256((tmp_path / "out/model.safetensors").read_bytes()).hexdigest() in done.output
    )
    bad = checkpoint(tmp_path / "bad.pth", args=Command(tmp_path / "ran", "mkdir"))
    done = CliRunner().invoke(command, [str(bad), str(tmp_path / "bad")])
    assert isinstance(done.exception, NverError)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "bad").exists()


def test_as_a_command(tmp_path: Path) -> None:
    bad = checkpoint(tmp_path / "bad.pth", args=Command(tmp_path / "ran", "os"))
    nver = [sys.executable, "-c", "from nver.cli import main; main()"]
    done = subprocess.run(
        [*nver, "convert", str(bad), str(tmp_path / "out")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("nver: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()
