"""Classifiers of a plug-in that end their process, and a killer of worker processes."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from nver.classifiers.base import Classifier, ClassifierCard


class Mortal(Classifier):
    """A linear layer on the first stream; each step takes time, or ends the process."""

    def __init__(self, dims: Sequence[int], emotions: int, how: str, slow_s: float) -> None:
        super().__init__()
        self.layer, self.how, self.slow_s = nn.Linear(dims[0], emotions), how, slow_s

    def forward(self, streams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        if self.how == "abort":
            os.abort()
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "memory":
            raise MemoryError
        time.sleep(self.slow_s)
        return self.layer(streams[0]), torch.zeros(())


def card(name: str, how: str) -> ClassifierCard:
    return ClassifierCard(name, name, "", (1, None), Mortal, {"how": how, "slow_s": 0.0})


SLOW, DOOMED = card("slow", ""), card("doomed", "abort")


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(child) for child in found.stdout.split()]


class Killer(threading.Thread):
    """Kills workers of a process, at random moments, so many times or until it ends."""

    def __init__(self, process: subprocess.Popen[str], kills: int, most_s: float) -> None:
        super().__init__(daemon=True)
        self.process, self.kills, self.most_s, self.done = process, kills, most_s, 0
        self.moments = random.Random(kills)

    def run(self) -> None:
        while self.done < self.kills and self.process.poll() is None:
            time.sleep(self.most_s * self.moments.random())
            # a worker that computes: it has been there for a while
            if old := [pid for pid in children(self.process.pid) if age_s(pid) > 0.3]:
                os.kill(self.moments.choice(old), signal.SIGKILL)
                self.done += 1


def age_s(pid: int) -> float:
    try:
        return time.time() - Path(f"/proc/{pid}").stat().st_ctime
    except OSError:
        return 0.0
