"""What the decoders' C libraries print: nothing, while they decode.

libsndfile prints faults of some formats on C's stdout, among the answers of `nver predict --json`,
and libmpg123 prints notes on stderr that name no file. The error or the remark of the file says
what is wrong with it.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class _Streams:
    """C's stdout and stderr, two variables of glibc that point to a stream each."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        libc.fopen.restype = ctypes.c_void_p
        self._nothing = libc.fopen(os.devnull.encode(), b"w")
        self._variables = [ctypes.c_void_p.in_dll(libc, name) for name in ("stdout", "stderr")]
        self._before: list[int | None] = []
        self._threads, self._lock = 0, threading.Lock()

    def enter(self) -> None:
        with self._lock:
            self._threads += 1
            if self._threads == 1:
                self._before = [variable.value for variable in self._variables]
                self._set([self._nothing] * len(self._variables))

    def leave(self) -> None:
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self._set(self._before)

    def _set(self, streams: list[int | None]) -> None:
        for variable, stream in zip(self._variables, streams, strict=True):
            variable.value = stream


@contextmanager
def no_prints() -> Iterator[None]:
    """Send nowhere what C libraries print meanwhile, in several threads too.

    File descriptors 1 and 2 stay as they are, and so does what Python prints. Of C libraries only
    glibc lets its streams be exchanged; with another one nothing is held back.
    """
    streams = _streams()
    if streams is None:
        yield
        return
    streams.enter()
    try:
        yield
    finally:
        streams.leave()


@cache
def _streams() -> _Streams | None:
    if os.name != "posix":
        return None
    libc = ctypes.CDLL(None)
    return _Streams(libc) if hasattr(libc, "gnu_get_libc_version") else None
