"""Functions that workers import."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from nver.errors import AudioError


def square(number: int) -> int:
    return number * number


def slowest_first(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0.0)
    return number


def process_of(job: Any) -> int:
    return os.getpid()


def talk(text: str) -> str:
    print(text)
    os.write(1, b"more\n")
    return sys.stdin.read() + text


def modules(job: Any) -> list[str]:
    return sorted(sys.modules)


def threads(job: Any) -> set[int]:
    import numpy as np
    import threadpoolctl

    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def fail(kind: str) -> str:
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exit":
        os._exit(3)
    if kind == "memory":
        raise MemoryError
    if kind == "audio":
        raise AudioError("x.wav: silent", "silent")
    if kind == "bug":
        return str({}["absent"])
    return kind


def note_and_sleep(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)


def torch_threads(job: Any) -> int:
    import torch

    return torch.get_num_threads()


def fail_of_several(kinds: list[str]) -> list[str]:
    return [fail(kind) for kind in kinds]


class EndsWhenLoaded:
    """A function that ends its process before the first job, and notes that it did."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder

    def load(self) -> None:
        (self.folder / str(os.getpid())).touch()
        fail(self.kind)

    def __call__(self, job: Any) -> Any:
        return job
