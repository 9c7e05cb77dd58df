"""What C libraries print while they decode is not seen, and all else is."""

import ctypes
import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nver.audio.library_prints import _streams, no_prints
from nver.audio.recording import load_audio, read_start
from nver.errors import AudioError

pytestmark = pytest.mark.skipif(_streams() is None, reason="glibc alone lets streams be exchanged")
PLACES = (22, 148, 402)  # bytes of the blocks of an SDS whose damage libsndfile prints


def damaged(folder: Path) -> list[Path]:
    """MIDI sample dumps called WAV with damaged blocks, and no MP3s; libraries print of each."""
    file = io.BytesIO()
    soundfile.write(file, 0.5 * np.sin(np.arange(16000) / 20), 16000, format="SDS")
    files = []
    for place in PLACES:
        content = bytearray(file.getvalue())
        content[place] = 0x11
        files.append(folder / f"{place}.wav")
        files[-1].write_bytes(content)
    for number, content in enumerate((b"\xff\xfb\x90\x64" + bytes(999), b"ID3" + bytes(99))):
        files.append(folder / f"{number}.mp3")
        files[-1].write_bytes(content)
    return files


def decode(file: Path) -> None:
    for read in (lambda: load_audio(file, 16000), lambda: read_start(file, 30.0)):
        with suppress(AudioError):
            read()


def test_the_libraries_do_print(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Else the tests below show nothing."""
    for file in damaged(tmp_path):
        with suppress(soundfile.SoundFileError):
            soundfile.read(file)
    ctypes.CDLL(None).fflush(None)
    said = capfd.readouterr()
    assert "Error" in said.out
    assert said.err


@pytest.mark.parametrize("threads", [1, 4])
def test_nothing_is_printed_while_audio_is_decoded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], threads: int
) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(decode, damaged(tmp_path) * 20))
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")


def test_what_python_prints_meanwhile_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    with no_prints():
        print("answer")
        with no_prints():
            libc.puts(b"inner")
        libc.puts(b"outer")
    libc.puts(b"afterwards")
    libc.fflush(None)
    assert capfd.readouterr().out == "answer\nafterwards\n"


def test_an_error_inside_ends_it(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    with pytest.raises(ValueError, match="inside"), no_prints():
        raise ValueError("inside")
    libc.puts(b"seen")
    libc.fflush(None)
    assert capfd.readouterr().out == "seen\n"


@pytest.mark.parametrize("command", [["predict"], ["corpus", "mine", "--root"]])
def test_json_is_json_whatever_the_files_are(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "cry").mkdir()
    files = damaged(tmp_path / "cry")
    code = "from nver.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command, str(tmp_path), "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)
    assert "Error" not in done.stderr
    assert "Note:" not in done.stderr
    assert len(files) == len(PLACES) + 2
