"""Signals that ask a command to end: what is finished is kept, and the exit code says which."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers_audio_mamba import TINY_NETWORK
from helpers_cli import finish
from helpers_deaths import children
from helpers_extraction import calls, write_clips, write_plug_in
from nver import registry
from nver.embeddings import EmbeddingStore
from nver.embeddings.store.upkeep import stats, verify
from nver.machine.signals import ENDING, Stopped, raising_stopped

SAID = {
    signal.SIGINT: (130, "nver: interrupted; what was finished is kept"),
    signal.SIGTERM: (143, "nver: stopped by SIGTERM; what was finished is kept"),
    signal.SIGHUP: (129, "nver: stopped by SIGHUP; what was finished is kept"),
}
RECIPE = """
corpora = [{name = "synthetic", speakers = 4, clips_per_sound = 2}]
encoders = ["duration-level"]
classifiers = ["linear"]
folds = {number = 2}
training = {epochs = 2}
store = "store"
"""

OWN = f"""
[data]
root = "clips"
{TINY_NETWORK}[self_supervised]
epochs = 2
batch_size = 8
crop = 64
[supervised]
epochs = 0
"""


@pytest.fixture(autouse=True)
def unhandled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The signals as a shell leaves them, also where the tests run under `nohup`."""
    before = {number: signal.getsignal(number) for number in ENDING}
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def stop_after(calls: int, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; its so-and-so-manyth call comes with the signal."""
    done: list[None] = []

    def called(*args: Any, **kwargs: Any) -> Any:
        done.append(None)
        if len(done) == calls:
            os.kill(os.getpid(), number)
            time.sleep(60)
        return function(*args, **kwargs)

    return called


# command -> where the signal comes: a module's function, at which of its calls
COMMANDS = {
    "extract mine --root clips --encoder duration-level --store store --workers 1": (
        "nver.embeddings.batches.embed", 3),
    "run recipe.toml --out run --workers 1": ("nver.evaluation.cells.fold_training.fit_tuned", 2),
    "train recipe.toml --out model --workers 1": (
        "nver.evaluation.cells.fold_training.fit_tuned", 1),
    "predict clips --csv answers.csv": ("nver.models.predictor.Predictor._answer", 4),
    "pretrain own.toml --out own": ("nver.models.pretraining.run.save_checkpoint", 2),
    "corpus mine --root clips": ("nver.corpora.inspection.same_sounds", 1),
    "report done": ("nver.report.page.write_whole", 3),
    "store verify --store store": ("nver.embeddings.store.upkeep.faults_of", 1),
    "store export duration-level out --store store": (
        "nver.embeddings.store.store.EmbeddingView._read", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips, a recipe, a store and a finished run."""
    folder = tmp_path_factory.mktemp("made")
    for emotion in ("joy", "fear"):
        write_clips(folder / "clips" / emotion, 40, 0.2, seed=len(emotion))
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "own.toml").write_text(OWN.replace('"clips"', f'"{folder / "clips"}"'))
    assert finish(folder, "run", "recipe.toml", "--out", "done", "--workers", "1").code == 0
    return folder


@pytest.mark.parametrize("number", SAID)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_ends_every_command_in_the_same_way(
    command: str, number: int, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy(made, tmp_path)
    place, count = COMMANDS[command]
    owner, name = place.rsplit(".", 1)
    function = getattr(resolved(owner), name)
    with monkeypatch.context() as patch:
        patch.setattr(place, stop_after(count, number, function))
        done = finish(folder, *command.split())
    code, said = SAID[signal.Signals(number)]
    assert (done.code, done.err.strip().splitlines()[-1]) == (code, said)
    assert "Traceback" not in done.err
    assert verify(EmbeddingStore(folder / "store")).faults == ()
    assert not list(folder.rglob(".*.*")), "nothing half written is left"
    again = finish(folder, *command.split())
    assert again.code == 0, again.err


def copy(made: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(made, tmp_path / "made"))


def resolved(owner: str) -> Any:
    from pkgutil import resolve_name

    return resolve_name(owner)


def test_what_predict_has_answered_is_in_the_table(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nver.models.predictor import Predictor

    folder = copy(made, tmp_path)
    monkeypatch.setattr(Predictor, "_answer", stop_after(4, signal.SIGTERM, Predictor._answer))
    done = finish(folder, "predict", "clips", "--csv", "answers.csv", "--json")
    assert "3 of 80 files were answered; they are in answers.csv" in done.err
    assert len(pd.read_csv(folder / "answers.csv")) == 3


# --- in a process of its own

MAIN = "import sys; from nver.cli import main; main(sys.argv[1:])"


def start(
    code: str, *arguments: object, path: Path, wrapper: tuple[str, ...] = (), **options: Any
) -> Any:
    """A command as a process that leads its own group; `options` are the toy encoder's."""
    path_list = os.pathsep.join([str(path), *sys.path])
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path_list, "TOY_OPTIONS": json.dumps(options)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(condition: Callable[[], Any], process: Any) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.02)


@pytest.fixture
def extraction(tmp_path: Path) -> Iterator[tuple[Any, Path]]:
    """`nver extract` by two workers, of which each has embedded a clip or more; and its folder."""
    yield from started(tmp_path, ())


def started(tmp_path: Path, wrapper: tuple[str, ...]) -> Iterator[tuple[Any, Path]]:
    registry.targets.cache_clear()
    (tmp_path / "plug-in").mkdir()
    write_plug_in(tmp_path / "plug-in")
    write_clips(tmp_path / "clips", 400).to_csv(tmp_path / "clips.csv", index=False)
    log = tmp_path / "calls.log"
    arguments = ["extract", "table", "--root", tmp_path / "clips.csv", "--encoder", "toy"]
    arguments += ["--store", tmp_path / "store", "--workers", 2]
    toy = {"log": str(log), "slow_s": 0.02}
    process = start(MAIN, *arguments, path=tmp_path / "plug-in", wrapper=wrapper, **toy)
    wait_until(lambda: calls(log) > 64, process)
    yield process, tmp_path
    process.kill()
    process.communicate()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")
@pytest.mark.parametrize("number", SAID)
def test_a_signal_to_the_group_stops_the_workers(number: int, extraction: tuple[Any, Path]) -> None:
    """As a terminal does; no worker says anything, and none is left."""
    process, folder = extraction
    workers = children(process.pid)
    assert len(workers) == 2
    os.killpg(process.pid, number)
    said = process.communicate()[1].strip()
    code, last = SAID[signal.Signals(number)]
    assert (process.returncode, said.splitlines()[-1]) == (code, last)
    assert "Traceback" not in said
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    (kept,) = stats(EmbeddingStore(folder / "store"))
    assert kept.rows >= 32
    assert verify(EmbeddingStore(folder / "store")).faults == ()


def test_a_command_under_nohup_goes_on(tmp_path: Path) -> None:
    for process, _ in started(tmp_path, ("nohup",)):
        os.killpg(process.pid, signal.SIGHUP)
        out = process.communicate()[0]
        assert (process.returncode, "400 computed" in out) == (0, True)


HANGS = """
import sys, time
import nver.embeddings.missing_vectors as m
def hang(doing):
    print(doing, flush=True)
    while True: time.sleep(1)
m._ShardBuffer.add = lambda *_: hang("working")
m._write_all = lambda _: hang("writing")
from nver.cli import main
main(sys.argv[1:])
"""


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips" / "joy", 40)
    write_clips(tmp_path / "clips" / "fear", 40)
    arguments = ["extract", "mine", "--root", tmp_path / "clips", "--encoder", "duration-level"]
    arguments += ["--store", tmp_path / "store", "--workers", 1]
    process = start(HANGS, *arguments, path=tmp_path)
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode in (-signal.SIGINT, 130)


# --- the handlers


@pytest.mark.parametrize("number", ENDING)
def test_the_handlers_are_as_before(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=signal.Signals(number).name):
        stop_with([number])
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "own"])
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_is_handled_already_is_left_alone(number: int, handler: Any) -> None:
    signal.signal(number, handler)
    with raising_stopped():
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) == handler


def test_a_terminal_that_closes_twice_does_not_interrupt_the_writing() -> None:
    written = []
    with pytest.raises(Stopped, match="SIGHUP"):
        stop_with([signal.SIGHUP, signal.SIGHUP, signal.SIGTERM], written)
    assert written == ["all"]


def stop_with(numbers: list[int], written: list[str] | None = None) -> None:
    """The first signal while it works, the others while it writes."""
    with raising_stopped():
        try:
            os.kill(os.getpid(), numbers[0])
            time.sleep(60)
        finally:
            for number in numbers[1:]:
                os.kill(os.getpid(), number)
            if written is not None:
                written.append("all")
