"""A pool of single-threaded worker processes: jobs in, results out in order, memory flat.

A worker that dies is started again. Its job is tried once more, alone: then it is clear which job
ends its process, and that one alone is given up.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from queue import SimpleQueue
from typing import Any, Generic, Self, TypeVar

from nver.errors import UsageError
from nver.machine.counting import counted
from nver.machine.process import Worker, WorkerDeath, WorkerError
from nver.machine.threads import one_thread, usable_cores

__all__ = ["Pool", "WorkerDeath", "WorkerError", "run_jobs", "usable_cores"]

Job = TypeVar("Job")
Result = TypeVar("Result")
Pieces = Callable[[Job], Sequence[Job]]  # what of a job is tried alone
# the result of a job that ended its process so many times, the last time alone
Lost = Callable[[Job, WorkerDeath, int], Result]

WINDOW = 4  # jobs under way per worker: no worker waits for the parent, and memory is bounded
GRACE_S = 2.0  # for a worker to end by itself
# Our choices. SIGKILL may come from outside: so many times in all, a job that was alone is tried
# again and not given up. So many workers in a row that die before their first job are too many.
PARDONS = 10
MOST_STARTS = 12


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    stage: str = "work",
    unit: str = "job",
    show: bool = False,
    lost: Lost | None = None,
) -> Iterator[Result]:
    """The function's result for each job, in order, as they become ready.

    Args:
        function: a module's top-level function, or an instance of a module's class; pickled.
        workers: processes of one thread each; 1: this process, held to one thread meanwhile;
            None: one process for each usable core.
        stage, unit: what is done, and what a job is called, where progress is shown.
        show: show the progress on stderr.
        lost: see `Pool.unordered`.

    Raises:
        WorkerError: a job ended its process twice and there is no `lost`, or no process starts.
        NverError: a job raised it.
    """
    with Pool(function, workers or usable_cores()) as pool:
        yield from counted(pool.map(jobs, lost=lost), stage, len(jobs), unit, show)


class Pool(Generic[Job, Result]):
    """Workers that evaluate one function; each is started when there is a job for it.

    A function with a method `load` is loaded by it, once, before a worker's first job.
    """

    def __init__(self, function: Callable[[Job], Result], workers: int) -> None:
        if workers < 1:
            raise UsageError(f"expected at least one worker, got {workers}")
        _check_importable(function, workers)
        self._function, self.workers = function, workers
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._results: SimpleQueue[tuple[tuple[int, Any], Any, BaseException | None]]
        self._results = SimpleQueue()
        self._running: dict[int, Worker] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._failed_starts, self._pardons = 0, PARDONS

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
        for number in list(self._running):
            self._discard(number)

    def map(self, jobs: Iterable[Job], *, lost: Lost | None = None) -> Iterator[Result]:
        """Results in the order of the jobs; a result that is ready early is kept."""
        done: dict[int, Result] = {}
        expected = 0
        for number, result in self.unordered(jobs, lost=lost):
            done[number] = result
            while expected in done:
                yield done.pop(expected)
                expected += 1

    def unordered(
        self,
        jobs: Iterable[Job],
        window: int | None = None,
        *,
        pieces: Pieces | None = None,
        lost: Lost | None = None,
    ) -> Iterator[tuple[int, Result]]:
        """(job's number, result) as they become ready; at most `window` jobs are under way.

        Args:
            pieces: what is tried alone of a job whose worker died, each with a result of its own;
                None: the whole job.
            lost: gives the result of a piece that ends its process alone too; None: that raises.
        """
        pieces, lost = pieces or _whole, lost or _give_up
        if self.workers == 1:
            yield from self._in_this_process(jobs, pieces, lost)
            return
        waiting, under_way, most = iter(enumerate(jobs)), 0, window or WINDOW * self.workers
        died: list[tuple[int, Job, WorkerDeath]] = []
        while True:
            for job in islice(waiting, 0 if died else most - under_way):
                self._jobs.put(job)
                under_way += 1
            if under_way:
                (number, done), result, error = self._results.get()
                under_way -= 1
                if isinstance(error, WorkerDeath):
                    died.append((number, done, error))
                elif error is not None:
                    raise error
                else:
                    yield number, result
            elif died:
                number, failed, death = died.pop(0)
                for piece in pieces(failed):
                    yield number, self._try_alone(piece, death, lost)
            else:
                return

    def _in_this_process(
        self, jobs: Iterable[Job], pieces: Pieces, lost: Lost
    ) -> Iterator[tuple[int, Result]]:
        """As `unordered`; of a job that runs out of memory the pieces are tried."""
        for number, job in enumerate(jobs):
            try:
                results = [self._call(job)]
            except MemoryError:
                results = [self._call(piece, lost) for piece in pieces(job)]
            yield from ((number, result) for result in results)

    def _call(self, job: Job, lost: Lost | None = None) -> Result:
        try:
            with one_thread():
                return self._function(job)
        except MemoryError:
            if lost is None:
                raise
        found: Result = lost(job, WorkerDeath("this process", "ran out of memory"), 2)
        return found

    def _try_alone(self, job: Job, death: WorkerDeath, lost: Lost) -> Result:
        """The result of a job whose worker died, while no other job is under way."""
        deaths = 1
        while True:
            if death.killed:  # it may be memory that was short: the other workers hold none of it
                for number in set(self._running) - {0}:
                    self._discard(number)
            worker = self._worker(0)
            try:
                result: Result = worker.evaluate(job)
                return result
            except WorkerDeath as error:
                self._discard(0)
                death, deaths = error, deaths + 1
            if not (death.killed and self._pardons):
                given_up: Result = lost(job, death, deaths)
                return given_up
            self._pardons -= 1

    def _hand_out_jobs(self, number: int) -> None:
        """Hand jobs to a worker, one at a time; runs in a thread of this process."""
        while (item := self._jobs.get()) is not None and not self._closing.is_set():
            try:
                self._results.put((item, self._worker(number).evaluate(item[1]), None))
            except WorkerDeath as death:
                self._discard(number)
                self._results.put((item, None, death))
            except BaseException as error:
                self._results.put((item, None, error))
                return

    def _worker(self, number: int) -> Worker:
        """A worker that is ready for jobs: the one that runs, or a new one."""
        while number not in self._running:
            worker = Worker(self._function, number, self.workers)
            self._running[number] = worker
            if self._closing.is_set():
                worker.stop(0.0)
            try:
                worker.start()
                self._failed_starts = 0
            except WorkerDeath as death:
                self._discard(number)
                self._failed_starts += 1
                if death.raised or self._failed_starts >= MOST_STARTS or self._closing.is_set():
                    raise WorkerError(
                        f"{worker.name} {death.how} before its first job; try with one worker, "
                        "which shows why: workers=1 (--workers 1)"
                    ) from None
        return self._running[number]

    def _discard(self, number: int) -> None:
        """Forget a worker; it ends now if it has not."""
        if worker := self._running.pop(number, None):
            worker.stop(0.0)
            worker.close()


def _whole(job: Job) -> Sequence[Job]:
    return (job,)


def _give_up(job: Any, death: WorkerDeath, deaths: int) -> Any:
    raise death


def _check_importable(function: Callable[..., Any], workers: int) -> None:
    module = getattr(function, "__module__", None) or type(function).__module__
    if workers > 1 and module == "__main__":
        raise UsageError(
            f"{function!r} is defined in the script that runs, which workers do not import; "
            "move it into a module, or take workers=1"
        )
