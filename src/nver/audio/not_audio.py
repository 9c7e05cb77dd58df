"""Files that only their name makes recordings: pointers, pages, archives; and what to do."""

import os
from pathlib import Path

from nver.errors import AudioError

HEAD = 512  # bytes that are looked at (our choice: an error's page or a pointer shows in them)
QUOTED = 60  # characters of a text in an error (our choice)
AGAIN = "fetch the recording again"
UNPACK = "unpack it and give the files in it"
ANNEX = "a pointer of git-annex, not the recording: run `git annex get` in its repository"
LFS = "a Git LFS pointer, not the recording: run `git lfs pull` in its repository"
# what a file begins with -> what it is; no audio that libsndfile or ffmpeg reads begins so
BEGINNINGS = {
    b"version https://git-lfs.github.com/spec/": LFS,
    b"version https://hawser.github.com/spec/": LFS,  # its name before the first release
    b"/annex/objects/": ANNEX,
    b"<": f"a web page or XML, not audio; perhaps an error of a server was saved: {AGAIN}",
    b"{": f"JSON, not audio; perhaps an error of a server was saved: {AGAIN}",
    b"PK\x03\x04": f"a ZIP archive, not audio: {UNPACK}",
    b"PK\x05\x06": "an empty ZIP archive, not audio",
    b"\x1f\x8b": f"compressed by gzip, not audio: {UNPACK}",
    b"BZh": f"compressed by bzip2, not audio: {UNPACK}",
    b"\xfd7zXZ\x00": f"compressed by xz, not audio: {UNPACK}",
    b"\x28\xb5\x2f\xfd": f"compressed by zstd, not audio: {UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"a 7z archive, not audio: {UNPACK}",
    b"Rar!\x1a\x07": f"a RAR archive, not audio: {UNPACK}",
    b"\x00\x05\x16\x07": "what a Mac keeps beside a file, not the recording; leave it out",
    b"%PDF-": "a PDF document, not audio",
}
_BEGINNINGS = tuple(BEGINNINGS)
TEXTS = (b"<", b"{")  # so short that they count at the head of a text alone


def read_head(path: Path) -> bytes:
    """The first bytes of a file that may be a recording.

    Raises:
        AudioError: "missing"; "empty" (zero bytes); "unreadable": a folder, a device, no
            permission, or no audio, for example a Git LFS pointer.
    """
    if not os.path.isfile(path):  # `Path.is_file` raises, for example for a name that is too long
        raise _no_file(path)
    try:
        with open(path, "rb", buffering=0) as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror})", "unreadable") from error
    if not head:
        raise AudioError(f"{path}: the file has zero bytes", "empty")
    if what := _named(head):
        raise AudioError(f"{path}: {what}", "unreadable")
    return head


def what_it_may_be(path: Path, head: bytes) -> str:
    """What a file is that no decoder takes, ", ..." for the end of an error; "": not known."""
    if _is_text(head):
        return f"; it is a text that begins with {_line(head)!r}"
    if not any(head) and _all_zero(path):
        return (
            f"; all its bytes are zero, as a copy or a download leaves it that broke off: {AGAIN}"
        )
    return ""


def _no_file(path: Path) -> AudioError:
    if os.path.islink(path) and ".git/annex/objects/" in os.readlink(path).replace("\\", "/"):
        return AudioError(f"{path}: {ANNEX}", "missing")
    if os.path.exists(path):
        return AudioError(f"{path}: a folder or a device, not a file", "unreadable")
    return AudioError(f"{path}: no such file", "missing")


def _named(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b".git/annex/objects/" in start and _is_text(head):
        return ANNEX  # a link of git-annex on a file system without links
    if not start.startswith(_BEGINNINGS):
        return ""
    found = next(b for b in _BEGINNINGS if start.startswith(b))
    return BEGINNINGS[found] if found not in TEXTS or _is_text(head) else ""


def _is_text(head: bytes) -> bool:
    try:
        head[: max(1, len(head) - 3)].decode()  # a letter of several bytes may be cut at the end
    except UnicodeDecodeError:
        return False
    return all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)


def _line(head: bytes) -> str:
    lines = head.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:QUOTED] if lines else ""


def _all_zero(path: Path) -> bool:
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            if block.count(0) < len(block):
                return False
    return True
