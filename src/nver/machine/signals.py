"""The signals that ask a process to end: Ctrl-C, `kill`, a closed terminal, a batch system's.

What they end keeps what it has finished, on the way that Ctrl-C takes: an exception that no
`except Exception` catches.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
# A closed terminal may send SIGHUP twice, and some batch systems SIGTERM: what comes within this
# time after the first (our choice) does not interrupt the writing of what is finished.
AGAIN_S = 5.0


class Stopped(KeyboardInterrupt):
    """This process was asked to end by a signal; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def raising_stopped() -> Iterator[None]:
    """Each signal of `ENDING` raises `Stopped` meanwhile; a second Ctrl-C ends the process at once.

    A signal that is ignored, as by `nohup`, stays ignored; a handler of the caller's own stays.
    """
    if threading.current_thread() is not threading.main_thread():  # others may set no handler
        yield
        return
    unhandled = (signal.SIG_DFL, signal.default_int_handler)
    before = {n: signal.getsignal(n) for n in ENDING if signal.getsignal(n) in unhandled}
    stop = _Stop()
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stop:
    """A handler of signals: it raises `Stopped`."""

    def __init__(self) -> None:
        self.first = float("-inf")

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if number == signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
        elif now - self.first < AGAIN_S:
            return
        self.first = max(self.first, now)
        raise Stopped(number)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in what is done meanwhile, if it takes longer.

    Only the main thread of a process can be interrupted, and not on Windows: elsewhere nothing is.
    """
    timer: Any = getattr(signal, "setitimer", None)
    if not timer or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _raise_timeout)
    timer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        timer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise_timeout(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


@contextmanager
def held_back() -> Iterator[None]:
    """The signals of `ENDING` wait meanwhile, and in the processes that are started meanwhile."""
    mask: Any = getattr(signal, "pthread_sigmask", None)  # not on Windows
    before = mask(signal.SIG_BLOCK, ENDING) if mask else ()
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, before)


def let_through() -> None:
    """Undo `held_back` in a process that was started meanwhile."""
    if mask := getattr(signal, "pthread_sigmask", None):
        mask(signal.SIG_UNBLOCK, ENDING)
