"""A toy encoder that workers find as a plug-in, and clips to give it."""

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import soundfile

from nver import registry
from nver.encoders.base import Encoder, EncoderCard, EncoderIdentity, EncoderSpec

RATE = 16_000
OPTIONS = {
    "code_version": 1,
    "slow_s": 0.0,
    "log": "",
    "fail_over_s": 1e9,
    "rate": RATE,
    "abort_at": 0,
    "exit_at": 0,
    "kill_at": 0,
    "memory_at": 0,
    **json.loads(os.environ.get("TOY_OPTIONS", "{}")),  # for a command, which has no such options
}


class ToyEncoder(Encoder):
    """(samples,) -> 6 statistics, scaled by the layer's number.

    Options: `log`, a file that gets a line a clip; `slow_s`, time a clip; `fail_over_s`, clips that
    it fails on; `code_version` and `rate`, which the identity takes over; `abort_at`, `exit_at`,
    `kill_at`, `memory_at`: of how many samples the clips are that end the process so.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self.options = {**OPTIONS, **spec.options}
        self.scale = 1.0 if spec.layer == "last" else float(spec.layer)
        self.identity = EncoderIdentity(
            name=spec.name,
            revision=spec.revision or "none",
            weights_hash="none",
            layer=str(spec.layer),
            pooling=spec.pooling,
            sampling_rate=self.options["rate"],
            code_version=self.options["code_version"],
            dim=6,
        )

    def embed(self, waveforms: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        return np.stack([self._one(w) for w in waveforms])

    def _one(self, w: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self._end(len(w))
        if len(w) > self.options["fail_over_s"] * self.sampling_rate:
            raise ValueError("too long for a toy")
        time.sleep(self.options["slow_s"])
        if self.options["log"]:
            with open(self.options["log"], "a") as log:
                log.write(f"{self.name} {os.getpid()} {len(w)}\n")
        numbers = [w.mean(), w.std(), w.max(), w.min(), len(w), np.abs(np.diff(w)).sum()]
        return (np.array(numbers) * self.scale).astype(np.float32)

    def _end(self, samples: int) -> None:
        """End the process as a native crash, the OOM killer, or a shortage of memory does."""
        if samples == self.options["abort_at"]:
            os.abort()
        if samples == self.options["exit_at"]:
            os._exit(3)
        if samples == self.options["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if samples == self.options["memory_at"]:
            raise MemoryError


def card(name: str) -> EncoderCard:
    return EncoderCard(
        name, "toy", 6, RATE, "CC0-1.0", "", "", ToyEncoder, options=OPTIONS, layers=True
    )


TOY, OTHER = card("toy"), card("toy-other")


def plugged_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a fixture: the toys as a plug-in in this folder, which workers and commands find."""
    write_plug_in(folder)
    monkeypatch.syspath_prepend(str(folder))
    registry.targets.cache_clear()
    yield folder
    registry.targets.cache_clear()


def write_plug_in(folder: Path) -> None:
    """What an installed package with these encoders would have beside it."""
    info = folder / "nver_toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nver-toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[nver.encoders]\ntoy = helpers_extraction:TOY\ntoy-other = helpers_extraction:OTHER\n"
        "[nver.classifiers]\nslow = helpers_deaths:SLOW\ndoomed = helpers_deaths:DOOMED\n"
    )


def toy(name: str = "toy", **options: object) -> EncoderSpec:
    layer = options.pop("layer", "last")
    return EncoderSpec(name, layer=layer, options=options)  # type: ignore[arg-type]


def write_clips(folder: Path, number: int, seconds: float = 0.05, seed: int = 0) -> pd.DataFrame:
    """Files of noise, each of another length, and their table."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    files = []
    for i in range(number):
        noise = random.uniform(-0.5, 0.5, round(seconds * RATE) + i)
        files.append(folder / f"clip{i:05d}.wav")
        soundfile.write(files[-1], noise, RATE)
    return table_of(files)


def table_of(files: Sequence[Path]) -> pd.DataFrame:
    columns = {"clip": [f.stem for f in files], "file": [str(f) for f in files]}
    rest = {"start": np.nan, "end": np.nan, "speaker": None, "emotion": "joy"}
    return pd.DataFrame({**columns, **rest})


def calls(log: Path) -> int:
    """How many clips the toy encoders embedded, in all processes."""
    return len(log.read_text().splitlines()) if log.exists() else 0
