"""A full disk is said to be full, whatever notices it; with space again the command completes."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers_audio_mamba import TINY_NETWORK, untrained_folder
from helpers_cli import finish
from helpers_extraction import write_clips
from nver.embeddings import EmbeddingStore
from nver.embeddings.store import index
from nver.embeddings.store.upkeep import verify
from nver.errors import DiskFullError, NverError, StoreError
from nver.machine.files import check_writable, scratch_folder, write_whole
from nver.machine.full_disk import full_disk_error, naming_full_disk

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
QUOTA = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/data/x")


def raised(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NO_SPACE, "^the disk is full .No space left on device.; free some space and run the same"),
        (QUOTA, "^/data/x: the disk is full .Disk quota exceeded."),
        (sqlite3.OperationalError("database or disk is full"), "^the disk is full .database or"),
        (OSError("524288 requested and 40928 written"), "^the disk is full .524288 requested"),
        (
            RuntimeError('Error while serializing: IoError(Os { code: 28, kind: StorageFull })'),
            "^the disk is full .Error while serializing",
        ),
        (raised(NverError("x: cannot be written"), NO_SPACE), "^the disk is full .No space left"),
        (DiskFullError("/a", "b"), "^/a: the disk is full .b."),
    ],
)  # fmt: skip
def test_what_libraries_say_of_a_full_disk(error: Exception, words: str) -> None:
    found = full_disk_error(error)
    assert found is not None
    assert found.args[0].endswith("run the same command again: what was finished is kept")
    with pytest.raises(DiskFullError, match=words):
        raise found


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        NverError("/the disk is full/x.wav: no such file"),
        ValueError("28 requested"),
        MemoryError(),
    ],
)
def test_what_is_no_full_disk(error: Exception) -> None:
    assert full_disk_error(error) is None
    with pytest.raises(type(error)), naming_full_disk(Path("x")):
        raise error


def no_space(*_: Any, **__: Any) -> Any:
    raise NO_SPACE


def test_a_file_that_cannot_be_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("old")
    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(DiskFullError, match=r"a\.csv: the disk is full"):
        write_whole(tmp_path / "a.csv", "new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_folder_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nver.machine.files.TemporaryFile", no_space)
    with pytest.raises(DiskFullError, match="the disk is full"):
        check_writable(tmp_path)


def test_a_full_temporary_folder() -> None:
    with pytest.raises(DiskFullError, match="the disk is full"), scratch_folder():
        raise OSError("160 requested and 0 written")


@pytest.mark.parametrize(
    ("code", "full"), [(sqlite3.SQLITE_IOERR, True), (sqlite3.SQLITE_IOERR, False),
                       (sqlite3.SQLITE_CANTOPEN, True), (sqlite3.SQLITE_CORRUPT, False)],
)  # fmt: skip
def test_an_unclear_error_of_the_index(
    code: int, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    if full:
        monkeypatch.setattr(index, "TemporaryFile", no_space)
    with pytest.raises(DiskFullError if full else StoreError), index.open_index(tmp_path):
        raise error


# --- a disk that is full in truth


@pytest.fixture
def disk(made: Path) -> Iterator[Path]:
    """A small file system of its own beside the clips; its size is given by `resize`."""
    folder = made / "disk"
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: it needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


RECIPE = """
corpora = ["mine"]
roots = {mine = "clips"}
encoders = ["logmel-stats"]
classifiers = ["linear"]
folds = {number = 2}
training = {epochs = 2}
"""
OWN = f"""
{TINY_NETWORK}[self_supervised]
epochs = 1
batch_size = 8
crop = 64
[supervised]
epochs = 0
"""
STORE = "--store ../store"  # on another disk
EXTRACT = "extract mine --root ../clips --encoder logmel-stats --encoder duration-level"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, recipes, a finished run and a checkpoint, which lie on a disk with space."""
    folder = tmp_path_factory.mktemp("made")
    for number, emotion in enumerate(("joy", "fear")):
        write_clips(folder / "clips" / emotion, 60, 0.1, seed=number)
    untrained_folder(folder / "untrained")
    work = folder / "disk"
    work.mkdir()
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "own.toml").write_text(OWN)
    (folder / "stored.toml").write_text(RECIPE + 'store = "store"\n')
    assert finish(work, *EXTRACT.split(), *STORE.split(), "--workers", "1").code == 0
    done = finish(work, "run", "../stored.toml", "--out", "../done", "--workers", "1")
    assert done.code == 0, done.err
    shutil.rmtree(work / "cache", ignore_errors=True)
    return folder


# a command, and sizes of the disk that are too small for it
COMMANDS = {
    f"{EXTRACT} --store store --workers 1": ("8k", "40k", "64k", "80k", "100k", "120k"),
    f"{EXTRACT} --store store --workers 2": ("60k", "100k"),
    "run ../recipe.toml --out run --workers 1": ("24k", "120k", "200k"),
    "run ../stored.toml --out run --workers 1": ("8k", "40k", "100k"),
    "train ../stored.toml --out model --workers 1": ("4k",),
    "pretrain ../own.toml --out own --root ../clips": ("8k", "100k", "300k"),
    "predict ../clips --csv answers.csv": ("4k", "8k"),
    "report done": ("FILES+40k", "FILES+200k"),
    "store export logmel-stats out --store ../store": ("8k", "60k"),
    "store export logmel-stats out.csv --format csv --store ../store": ("8k", "60k"),
    "convert ../untrained converted": ("8k", "FILES+60k"),
}


@pytest.mark.parametrize(
    ("command", "size"), [(command, size) for command, own in COMMANDS.items() for size in own]
)
def test_a_command_says_that_the_disk_is_full(
    command: str, size: str, disk: Path, made: Path
) -> None:
    if "done" in command:
        resize(disk, "20m")
        shutil.copytree(made / "done", disk / "done", ignore=shutil.ignore_patterns("report"))
    used = shutil.disk_usage(disk).used // 1024
    number = int(size.removeprefix("FILES+").removesuffix("k"))
    resize(disk, f"{used + number if 'FILES' in size else number}k")
    done = finish(disk, *command.split())
    assert done.code == 1, done.out
    (said,) = [line for line in done.err.splitlines() if line.startswith("nver: ")]
    assert ": the disk is full (" in said
    assert said.endswith("what was finished is kept")
    resize(disk, "20m")
    again = finish(disk, *command.split())
    assert again.code == 0, again.err
    for store in ("store", "cache/embeddings"):
        if (disk / store).exists():
            assert verify(EmbeddingStore(disk / store)).faults == ()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", ["list encoders", "list corpora --json", "--help"])
def test_standard_output_on_a_full_disk(command: str) -> None:
    code = "import sys; from nver.cli import main; main(sys.argv[1:])"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("nver: the disk is full (No space left on device)")
    assert len(done.stderr.splitlines()) == 1


def test_output_of_which_a_part_is_written_is_an_error(tmp_path: Path) -> None:
    """A file that may not grow takes a part of a write, as a disk does that becomes full."""
    resource = pytest.importorskip("resource")
    out = tmp_path / "out.json"
    with out.open("wb") as file:
        run = subprocess.run(
            [
                sys.executable,
                "-c",
                "from nver.cli import main; main()",
                "list",
                "encoders",
                "--json",
            ],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        )
    assert out.stat().st_size == 4096
    assert run.returncode == 1
    assert "too large" in run.stderr.lower()


@pytest.mark.parametrize("key", ["root", "name"])
def test_what_is_no_option_of_a_corpus_is_said(tmp_path: Path, key: str) -> None:
    (tmp_path / "c" / "laugh").mkdir(parents=True)
    shown = finish(tmp_path, "corpus", "c", "--corpus-option", f"{key}=x")
    assert (shown.code, f"--corpus-option {key}" in shown.err) == (2, True)
