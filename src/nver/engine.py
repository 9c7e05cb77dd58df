"""A pool of single-threaded worker processes: jobs in, results out in order, memory flat.

A worker is a fresh interpreter, talked to by two pipes. The user's script is never imported by it,
so that no `if __name__ == "__main__"` guard is needed, and a worker imports only what its function
needs. It ends when its pipe closes: also when this process is killed.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar

from nver.errors import NverError, UsageError

Job = TypeVar("Job")
Result = TypeVar("Result")

WINDOW = 8  # jobs a worker handed out ahead of the oldest unfinished one: bounds memory
GRACE_S = 2.0  # for a worker to end by itself
# What numerical libraries read when they are loaded; a worker is one thread.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
     "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)  # fmt: skip
# The worker takes over this process's import path before it imports anything of ours.
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import nver.engine as e; e.serve()"
)


class WorkerError(NverError):
    """A worker process died, or a job failed in a way that says nothing to a user."""


def usable_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    unit: str = "job",
    show: bool = False,
) -> Iterator[Result]:
    """The function's result for each job, in order, as they become ready.

    Args:
        function: a module's top-level function, or an instance of a module's class; pickled.
        workers: processes of one thread each; 1: this process, held to one thread meanwhile;
            None: one a usable core.
        unit, show: of a progress bar on stderr, silent when piped.

    Raises:
        WorkerError: a worker died.
        NverError: a job raised it.
    """
    from tqdm import tqdm

    with Pool(function, workers or usable_cores()) as pool:
        results = pool.map(jobs, window=len(jobs) or 1)
        yield from tqdm(results, total=len(jobs), unit=unit, disable=None if show else True)


class Pool(Generic[Job, Result]):
    """Workers that evaluate one function; each is started when there is a job for it."""

    def __init__(self, function: Callable[[Job], Result], workers: int) -> None:
        if workers < 1:
            raise UsageError(f"expected at least one worker, got {workers}")
        _check_importable(function, workers)
        self._function, self.workers = function, workers
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._results: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self._running: dict[int, _Worker] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        for number in range(self.workers if self.workers > 1 else 0):
            thread = threading.Thread(target=self._attend, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for _ in self._threads:
            self._jobs.put(None)
        for worker in list(self._running.values()):
            worker.stop(GRACE_S if kind is None else 0.0)
        for thread in self._threads:
            thread.join()
        for worker in self._running.values():
            worker.stop(0.0)
            worker.close()

    def map(self, jobs: Iterable[Job], window: int | None = None) -> Iterator[Result]:
        """Results in the order of the jobs, of which no more than `window` are under way."""
        if self.workers == 1:
            yield from self._here(jobs)
            return
        waiting, done = iter(enumerate(jobs)), dict[int, Result]()
        submitted = 0
        for expected in count():
            while submitted - expected < (window or WINDOW * self.workers):
                job = next(waiting, None)
                if job is None:
                    break
                self._jobs.put(job)
                submitted += 1
            if expected == submitted:
                return
            while expected not in done:
                number, result, error = self._results.get()
                if error is not None:
                    raise error
                done[number] = result
            yield done.pop(expected)

    def _here(self, jobs: Iterable[Job]) -> Iterator[Result]:
        for job in jobs:
            with one_thread():
                result = self._function(job)
            yield result

    def _attend(self, number: int) -> None:
        """What a thread of this process does for a worker: hand it jobs, one at a time."""
        while (item := self._jobs.get()) is not None and not self._closing.is_set():
            try:
                if number not in self._running:
                    self._running[number] = _Worker(self._function, number, self.workers)
                self._results.put((item[0], self._running[number].evaluate(item[1]), None))
            except BaseException as error:
                self._results.put((item[0], None, error))
                return


def _check_importable(function: Callable[..., Any], workers: int) -> None:
    module = getattr(function, "__module__", None) or type(function).__module__
    if workers > 1 and module == "__main__":
        raise UsageError(
            f"{function!r} is defined in the script that runs, which workers do not import; "
            "move it into a module, or take workers=1"
        )


class _Worker:
    """A worker process, as its parent sees it."""

    def __init__(self, function: Callable[[Any], Any], number: int, workers: int) -> None:
        self.name = f"worker {number + 1} of {workers}"
        path = json.dumps([str(p) for p in sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
        )
        self._send(function)

    def _pipe(self, which: str) -> IO[bytes]:
        pipe: IO[bytes] = getattr(self.process, which)
        return pipe

    def _send(self, what: Any) -> None:
        data = pickle.dumps(what)
        try:
            self._pipe("stdin").write(data)
            self._pipe("stdin").flush()
        except OSError:
            raise self._death() from None

    def evaluate(self, job: Any) -> Any:
        self._send(job)
        try:
            error, result = pickle.load(self._pipe("stdout"))  # noqa: S301  our own child's pipe
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
        """End the process: by itself within that time, or by force."""
        if grace_s:
            try:
                self._pipe("stdin").close()
                self.process.wait(grace_s)
                return
            except (subprocess.TimeoutExpired, OSError):
                pass
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        for which in ("stdin", "stdout"):
            with suppress(OSError):
                self._pipe(which).close()


def serve() -> None:
    """What a worker process does: evaluate jobs from its pipe until that closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the results
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        reply: tuple[NverError | None, Any]
        with suppress(EOFError):
            function = _load_function(jobs)
            while True:
                job = pickle.load(jobs)  # noqa: S301  our own parent's pipe
                reply = _evaluate(function, job)
                pickle.dump(reply, results)
                results.flush()
    except BrokenPipeError:  # the parent is gone
        os._exit(1)


def _load_function(jobs: IO[bytes]) -> Callable[[Any], Any]:
    try:
        function: Callable[[Any], Any] = pickle.load(jobs)  # noqa: S301  our own parent's pipe
    except EOFError:
        raise
    except Exception as error:
        return partial(_raise, _tellable(error))
    return function


def _raise(error: Exception, job: Any) -> None:
    raise error


def _evaluate(function: Callable[[Any], Any], job: Any) -> tuple[NverError | None, Any]:
    try:
        with one_thread():
            return None, function(job)
    except Exception as error:
        return _tellable(error), None


def _tellable(error: Exception) -> NverError:
    """An error that survives the way to the parent and says what happened."""
    if isinstance(error, NverError):
        return error
    return WorkerError("".join(traceback.format_exception(error)).rstrip())


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the numerical libraries loaded so far to one thread, and give theirs back after."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    with threadpool_limits(limits=1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)
