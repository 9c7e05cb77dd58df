"""A pool of single-threaded worker processes: jobs in, results out in order, memory flat."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from queue import SimpleQueue
from typing import Any, Generic, Self, TypeVar

from nver.errors import UsageError
from nver.machine.counting import counted
from nver.machine.process import Worker, WorkerError
from nver.machine.threads import one_thread, usable_cores

__all__ = ["Pool", "WorkerError", "run_jobs", "usable_cores"]

Job = TypeVar("Job")
Result = TypeVar("Result")

WINDOW = 4  # jobs under way per worker: no worker waits for the parent, and memory is bounded
GRACE_S = 2.0  # for a worker to end by itself


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    stage: str = "work",
    unit: str = "job",
    show: bool = False,
) -> Iterator[Result]:
    """The function's result for each job, in order, as they become ready.

    Args:
        function: a module's top-level function, or an instance of a module's class; pickled.
        workers: processes of one thread each; 1: this process, held to one thread meanwhile;
            None: one process for each usable core.
        stage, unit: what is done, and what a job is called, where progress is shown.
        show: show the progress on stderr.

    Raises:
        WorkerError: a worker died.
        NverError: a job raised it.
    """
    with Pool(function, workers or usable_cores()) as pool:
        yield from counted(pool.map(jobs), stage, len(jobs), unit, show)


class Pool(Generic[Job, Result]):
    """Workers that evaluate one function; each is started when there is a job for it."""

    def __init__(self, function: Callable[[Job], Result], workers: int) -> None:
        if workers < 1:
            raise UsageError(f"expected at least one worker, got {workers}")
        _check_importable(function, workers)
        self._function, self.workers = function, workers
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._results: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self._running: dict[int, Worker] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        for number in range(self.workers if self.workers > 1 else 0):
            thread = threading.Thread(target=self._hand_out_jobs, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
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

    def map(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Results in the order of the jobs; a result that is ready early is kept."""
        done: dict[int, Result] = {}
        expected = 0
        for number, result in self.unordered(jobs):
            done[number] = result
            while expected in done:
                yield done.pop(expected)
                expected += 1

    def unordered(
        self, jobs: Iterable[Job], window: int | None = None
    ) -> Iterator[tuple[int, Result]]:
        """(job's number, result) as they become ready; at most `window` jobs are under way."""
        if self.workers == 1:
            yield from enumerate(self._in_this_process(jobs))
            return
        waiting, under_way = iter(enumerate(jobs)), 0
        while True:
            for job in islice(waiting, (window or WINDOW * self.workers) - under_way):
                self._jobs.put(job)
                under_way += 1
            if not under_way:
                return
            number, result, error = self._results.get()
            if error is not None:
                raise error
            under_way -= 1
            yield number, result

    def _in_this_process(self, jobs: Iterable[Job]) -> Iterator[Result]:
        for job in jobs:
            with one_thread():
                result = self._function(job)
            yield result

    def _hand_out_jobs(self, number: int) -> None:
        """Hand jobs to a worker, one at a time; runs in a thread of this process."""
        while (item := self._jobs.get()) is not None and not self._closing.is_set():
            try:
                if number not in self._running:
                    self._running[number] = Worker(self._function, number, self.workers)
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
