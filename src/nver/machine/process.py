"""A worker process: one thread, one function, jobs from one pipe and results into another.

It is a fresh interpreter that imports only what its function needs, and never the user's script, so
that no `if __name__ == "__main__"` guard is needed. It ends when its pipe closes, and within
seconds when its parent is killed, in the middle of a job too.
"""

import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO, Any

from nver.errors import NverError
from nver.machine.full_disk import full_disk_error
from nver.machine.signals import ENDING, held_back, let_through

# Variables that numerical libraries, torch among them, read when they are loaded.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
     "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)  # fmt: skip
# Variables of glibc: freed memory is kept for the next array. To give it back page by page took a
# tenth of the time of an extraction, and a fifth of a training on wide embeddings.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
}
WATCH_S = 2.0  # how often a worker checks that its parent lives (our choice)
# The worker takes over this process's import path before it imports anything of ours.
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from nver.machine.process import serve; serve()"
)


class WorkerError(NverError):
    """A worker process died, or a job failed in a way that says nothing to a user."""


class WorkerDeath(WorkerError):
    """A worker process ended, or had no memory left, in the middle of a job or before its first.

    Attributes:
        how: what happened to the process: "was killed by SIGSEGV".
        killed: by SIGKILL: when memory ran out, or by somebody.
        raised: it ended by itself, with an exit code.
    """

    def __init__(self, name: str, how: str, *, killed: bool = False, raised: bool = False) -> None:
        super().__init__(f"{name} {how}; what was finished is kept, run again to go on")
        self.how, self.killed, self.raised = how, killed, raised

    def said(self, doing: str, times: int) -> str:
        """A sentence: what ended the process so many times, and how."""
        often = {2: "twice"}.get(times, f"{times} times")
        return f"{doing} ended the process {often}: it {self.how}"


class Worker:
    """A worker process, as its parent sees it; `start` makes it ready for jobs."""

    def __init__(self, function: Callable[[Any], Any], number: int, workers: int) -> None:
        self.name = f"worker {number + 1} of {workers}"
        path = json.dumps([str(p) for p in sys.path])
        with held_back():  # until `serve` ignores them; a child takes over what is held back
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=KEEP_MEMORY | os.environ | ONE_THREAD,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._jobs, self._results = self.process.stdin, self.process.stdout
        self._function = function

    def start(self) -> None:
        """Hand over the function, and wait until the worker has loaded it.

        Raises:
            WorkerDeath: it ended before.
        """
        self._send(self._function)
        self._receive()

    def _send(self, what: Any) -> None:
        data = pickle.dumps(what)
        try:
            self._jobs.write(data)
            self._jobs.flush()
        except OSError:
            raise self._death() from None

    def evaluate(self, job: Any) -> Any:
        """The function's result.

        Raises:
            WorkerDeath: the process ended, or its memory ran out.
            NverError: the function raised it.
        """
        self._send(job)
        return self._receive()

    def _receive(self) -> Any:
        try:
            error, result = pickle.load(self._results)  # noqa: S301  our own child's pipe
        except (EOFError, pickle.UnpicklingError, OSError):
            raise self._death() from None
        if isinstance(error, MemoryError):
            raise WorkerDeath(self.name, "ran out of memory", killed=True)
        if error is not None:
            raise error
        return result

    def _death(self) -> WorkerDeath:
        code = self.process.wait()
        killed = code == -getattr(signal, "SIGKILL", 9)
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was killed by {_signal_name(-code)}"
        if killed:
            how += ", as happens when memory runs out (fewer workers need less)"
        return WorkerDeath(self.name, how, killed=killed, raised=code >= 0)

    def stop(self, grace_s: float) -> None:
        """End the process: it may end by itself within that time, then it is killed."""
        if grace_s:
            try:
                self._jobs.close()
                self.process.wait(grace_s)
                return
            except (subprocess.TimeoutExpired, OSError):
                pass
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        for pipe in (self._jobs, self._results):
            with suppress(OSError):
                pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def serve() -> None:
    """Evaluate jobs from this process's pipe until that closes; the main loop of a worker."""
    for number in ENDING:  # that the run ends is the parent's business
        signal.signal(number, signal.SIG_IGN)
    let_through()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the results
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        with suppress(EOFError):
            function = _load_function(jobs)
            _answer(results, (None, None))
            while True:
                gc.freeze()  # what is loaded stays: it is not searched for garbage again and again
                job = pickle.load(jobs)  # noqa: S301  our own parent's pipe
                _answer(results, _evaluate(function, job))
    except BrokenPipeError:  # the parent is gone
        os._exit(1)


def _answer(results: IO[bytes], what: tuple[Exception | None, Any]) -> None:
    pickle.dump(what, results)
    results.flush()


def _end_with(parent: int) -> None:
    """End this process soon after its parent ends, in the middle of a job too."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _load_function(jobs: IO[bytes]) -> Callable[[Any], Any]:
    """The function, with all that it loads before its first job, if it has a method `load`."""
    try:
        function: Callable[[Any], Any] = pickle.load(jobs)  # noqa: S301  our own parent's pipe
        if load := getattr(function, "load", None):
            load()
        return function
    except EOFError:
        raise
    except Exception as error:
        return partial(_raise, _as_told(error))


def _raise(error: Exception, job: Any) -> None:
    raise error


def _evaluate(function: Callable[[Any], Any], job: Any) -> tuple[Exception | None, Any]:
    try:
        return None, function(job)
    except Exception as error:
        return _as_told(error), None


def _as_told(error: Exception) -> NverError | MemoryError:
    """An error that can be pickled for the parent and says what happened."""
    if isinstance(error, NverError):
        return error
    if isinstance(error, MemoryError):
        return MemoryError()
    if full := full_disk_error(error):
        return full
    if os.environ.get("NVER_DEBUG"):
        return WorkerError("".join(traceback.format_exception(error)).rstrip())
    return WorkerError(f"{type(error).__name__}: {error} (NVER_DEBUG=1 shows where)")
