"""The `nver` command in this process, for a fixture that many tests share."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import nver.cli


@dataclass(frozen=True)
class Finished:
    """A command that ended: the folder where it was called, its exit code, what it said."""

    folder: Path
    code: int
    out: str
    err: str


def finish(folder: Path, *args: str) -> Finished:
    """Call `nver` in a folder, with a cache folder in it."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("NVER_CACHE", str(folder / "cache"))
        with pytest.raises(SystemExit) as stop:
            nver.cli.main(list(args))
    return Finished(folder, int(stop.value.code or 0), out.getvalue(), err.getvalue())
