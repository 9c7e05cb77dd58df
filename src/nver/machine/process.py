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


class Worker:
    """A worker process, as its parent sees it."""

    def __init__(self, function: Callable[[Any], Any], number: int, workers: int) -> None:
        self.name = f"worker {number + 1} of {workers}"
        path = json.dumps([str(p) for p in sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=KEEP_MEMORY | os.environ | ONE_THREAD,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._jobs, self._results = self.process.stdin, self.process.stdout
        self._send(function)

    def _send(self, what: Any) -> None:
        data = pickle.dumps(what)
        try:
            self._jobs.write(data)
            self._jobs.flush()
        except OSError:
            raise self._death() from None

    def evaluate(self, job: Any) -> Any:
        self._send(job)
        try:
            error, result = pickle.load(self._results)  # noqa: S301  our own child's pipe
        except (EOFError, pickle.UnpicklingError):
            raise self._death() from None
        if error is not None:
            raise error
        return result

    def _death(self) -> WorkerError:
        code = self.process.wait()
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        if code == -getattr(signal, "SIGKILL", 9):
            how += ", as happens when memory runs out; fewer workers need less"
        return WorkerError(f"{self.name} {how}; what was finished is kept, run again to go on")

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


def serve() -> None:
    """Evaluate jobs from this process's pipe until that closes; the main loop of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the results
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        with suppress(EOFError):
            function = _load_function(jobs)
            while True:
                gc.freeze()  # what is loaded stays: it is not searched for garbage again and again
                job = pickle.load(jobs)  # noqa: S301  our own parent's pipe
                pickle.dump(_evaluate(function, job), results)
                results.flush()
    except BrokenPipeError:  # the parent is gone
        os._exit(1)


def _end_with(parent: int) -> None:
    """End this process soon after its parent ends, in the middle of a job too."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _load_function(jobs: IO[bytes]) -> Callable[[Any], Any]:
    try:
        return pickle.load(jobs)  # noqa: S301  our own parent's pipe
    except EOFError:
        raise
    except Exception as error:
        return partial(_raise, _as_nver_error(error))


def _raise(error: Exception, job: Any) -> None:
    raise error


def _evaluate(function: Callable[[Any], Any], job: Any) -> tuple[NverError | None, Any]:
    try:
        return None, function(job)
    except Exception as error:
        return _as_nver_error(error), None


def _as_nver_error(error: Exception) -> NverError:
    """An error that can be pickled for the parent and says what happened."""
    if isinstance(error, NverError):
        return error
    if os.environ.get("NVER_DEBUG"):
        return WorkerError("".join(traceback.format_exception(error)).rstrip())
    return WorkerError(f"{type(error).__name__}: {error} (NVER_DEBUG=1 shows where)")
