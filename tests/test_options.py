"""The help texts: each ends with an example, and the examples run, one after the other."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import soundfile
from click.testing import CliRunner

import nver.cli
from helpers_audio_mamba import untrained_folder
from nver.cli import COMMANDS, cli
from nver.cli.options import CORPUS_OPTION, WEIGHTS, example
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import UsageError


def commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, of groups and of the commands in them."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


ALL = list(commands())


def examples(path: tuple[str, ...]) -> list[str]:
    """The lines of the example at the end of a command's help."""
    said = CliRunner().invoke(cli, [*path, "--help"]).output
    before, found, lines = said.partition("\n  Example:\n")
    assert found, said + f"nver {' '.join(path)} --help has no example"
    assert "Options:" in before, "the example is not at the end"
    return [line.strip() for line in lines.splitlines() if line.strip()]


def test_the_commands_of_the_store_are_among_them() -> None:
    assert {("store", name) for name in ("stats", "verify", "export", "gc")} <= set(ALL)
    assert {path[0] for path in ALL if path} == set(COMMANDS)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_ends_with_an_example_of_its_command(path: tuple[str, ...]) -> None:
    for line in examples(path):
        assert line.startswith(" ".join(["nver", *path]))


RECIPE = """
corpora = ["laughs-and-cries"]
encoders = ["logmel-stats"]
classifiers = ["linear"]
folds = {number = 2}
training = {epochs = 1, validation_share = 0.5}
[roots]
laughs-and-cries = "my-recordings"
"""
PRETRAINING = """
network = {width = 16, depth = 1, inner = 16, states = 4, rank = 1, stem = [4, 8]}
self_supervised = {epochs = 1, batch_size = 8, crop = 64}
"""
STORY = ["list", "doctor", "corpus", "init", "extract", "store", "store verify", "store export",
         "store gc", "run", "status", "report", "train", "predict", "pretrain",
         "convert"]  # fmt: skip


def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All but the one of `nver demo`, which its own test runs."""
    monkeypatch.chdir(tmp_path)
    for sound in ("laugh", "cry"):
        (tmp_path / "my-recordings" / sound).mkdir(parents=True)
        for speaker in range(1, 11):
            file = tmp_path / "my-recordings" / sound / f"p{speaker}.wav"
            soundfile.write(file, make_clip(sound, speaker, 1), 16_000)
    untrained_folder(tmp_path / "ssam_base_200_16x4_4x256_fp16_r1")
    for name, text in {"compare": RECIPE, "mine": RECIPE, "own": PRETRAINING}.items():
        (tmp_path / f"{name}.toml").write_text(text)
    for path in STORY:
        for line in examples(tuple(path.split())):
            with pytest.raises(SystemExit) as stop:
                nver.cli.main(shlex.split(line)[1:])
            assert stop.value.code == 0, f"{line}\n{capfd.readouterr().err}"
    assert set(STORY) | {"", "demo", "store stats"} == {" ".join(path) for path in ALL}


def test_lines_of_an_example_are_not_wrapped() -> None:
    long = "nver run compare.toml " + " ".join(["--set filter.emotions=[]"] * 6)
    command = click.Command("run", epilog=example(long, "nver run"))
    assert CliRunner().invoke(command, ["--help"]).output.endswith(f"  {long}\n    nver run\n")


def options(option: object, *arguments: str) -> dict[str, object]:
    """What a command gets from one of the shared options."""
    found: dict[str, object] = {}
    command = click.command(option(lambda **given: found.update(given)))  # type: ignore[operator]
    command.main(list(arguments), standalone_mode=False)
    return found


def test_a_corpus_option_is_json_or_text() -> None:
    given = ["a=3", "b=[1, 2]", "c=x=y", "d = true"]
    arguments = [word for text in given for word in ("--corpus-option", text)]
    read = options(CORPUS_OPTION, *arguments)["options"]
    assert read == {"a": 3, "b": [1, 2], "c": "x=y", "d": True}


def test_weights_are_text() -> None:
    assert options(WEIGHTS, "--weights", "ecapa=3")["weights"] == {"ecapa": "3"}


@pytest.mark.parametrize("slip", ["ecapa", "=folder", "ecapa="])
def test_half_a_pair_is_refused(slip: str) -> None:
    with pytest.raises(UsageError, match=f"--weights takes ENCODER=WEIGHTS; got '{slip}'"):
        options(WEIGHTS, "--weights", slip)
