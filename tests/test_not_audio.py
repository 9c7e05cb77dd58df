"""Files that only their name makes recordings are called what they are, with what to do."""

import gzip
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nver.audio.recording import load_audio, read_recording
from nver.errors import AudioError

OID = "oid sha256:" + "0" * 64 + "\nsize 72790\n"
KEY = "SHA256E-s72790--" + "0" * 64 + ".wav"
FILES: dict[str, tuple[bytes, str]] = {
    "lfs": (f"version https://git-lfs.github.com/spec/v1\n{OID}".encode(), "git lfs pull"),
    "lfs, Windows": (
        f"version https://git-lfs.github.com/spec/v1\n{OID}".replace("\n", "\r\n").encode(),
        "git lfs pull",
    ),
    "lfs, old": (f"version https://hawser.github.com/spec/v1\n{OID}".encode(), "Git LFS pointer"),
    "annex": (f"/annex/objects/{KEY}\n".encode(), "git annex get"),
    "annex, no links": (f"../.git/annex/objects/F4/9X/{KEY}/{KEY}".encode(), "git annex get"),
    "page": (b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>", "a web page"),
    "page, BOM": (b"\xef\xbb\xbf\r\n  <HTML><BODY>Sign in</BODY></HTML>", "a web page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "fetch .* again"),
    "json": (b'{"error": "rate limit exceeded"}', "JSON"),
    "gzip": (gzip.compress(b"RIFF" * 99), "gzip.*unpack"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(99), "7z.*unpack"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + bytes(99), "RAR.*unpack"),
    "xz": (b"\xfd7zXZ\x00\x00\x04" + bytes(99), "xz.*unpack"),
    "a Mac's": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(99), "Mac"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3" + bytes(99), "PDF"),
    "text": ("Nicht gefunden: der Schlüssel fehlt\n".encode(), "text that begins with 'Nicht gef"),
    "shortcut": (b"[InternetShortcut]\r\nURL=https://x.org/a.wav", "text .*InternetShortcut"),
    "zeros": (bytes(5000), "all its bytes are zero"),
    "one zero": (bytes(1), "all its bytes are zero"),
    "noise": (bytes(range(128, 256)) * 9, r"cannot be decoded \([^;]*\)$"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_a_file_that_is_no_audio_is_called_what_it_is(
    tmp_path: Path, name: str, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"1001_DFA_ANG_XX.{suffix}"
    content, words = FILES[name]
    file.write_bytes(content)
    with pytest.raises(AudioError, match=words) as caught:
        load_audio(file, 16000)
    assert caught.value.reason == "unreadable"
    assert str(caught.value).startswith(str(file))
    assert capfd.readouterr() == ("", "")


def zipped(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", bytes(999))


def taken(file: Path) -> None:
    with tarfile.open(file, "w:bz2") as archive:
        archive.add(__file__, "a.wav")


@pytest.mark.parametrize(("make", "words"), [(zipped, "ZIP archive"), (taken, "bzip2")])
def test_an_archive_is_to_be_unpacked(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(AudioError, match=f"{words}.*unpack it"):
        read_recording(tmp_path / "a.wav")


@pytest.mark.skipif(os.name != "posix", reason="links need a right on Windows")
def test_a_link_of_git_annex_without_its_content(tmp_path: Path) -> None:
    link = tmp_path / "a.wav"
    link.symlink_to(f".git/annex/objects/F4/9X/{KEY}/{KEY}")
    with pytest.raises(AudioError, match="git annex get") as caught:
        read_recording(link)
    assert caught.value.reason == "missing"


@pytest.mark.parametrize("kind", ["NIST", "MAT5", "PVF", "SVX", "VOC", "IRCAM", "AVR", "SDS"])
def test_an_old_format_under_another_name_is_read(tmp_path: Path, kind: str) -> None:
    """NIST's header is a text; the content decides, not the suffix."""
    samples = 0.5 * np.sin(np.arange(8000) / 20)
    soundfile.write(tmp_path / "a", samples, 16000, format=kind)
    (tmp_path / "a").rename(tmp_path / "a.wav")
    assert len(read_recording(tmp_path / "a.wav").samples) == pytest.approx(8000, abs=40)
