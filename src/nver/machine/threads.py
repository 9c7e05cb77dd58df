"""How many threads the numerical libraries use: one, while nver computes.

A BLAS product on two threads rounds differently than on one, so that numbers would depend on the
machine's cores. nver uses several processes for several cores (`nver.machine.pool`).
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController


def usable_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the loaded numerical libraries to one thread, and restore their settings afterwards.

    Also a decorator. May be entered again, and in several Python threads at once: the setting of
    BLAS, one a process, is restored when the last of them leaves. OpenMP and torch have a setting
    for each thread.
    """
    _hold()
    try:
        yield
    finally:
        _release()


class _ThreadSettings(threading.local):
    """How often this Python thread entered `one_thread`, and the settings to restore."""

    def __init__(self) -> None:
        self.depth = self.modules = 0
        self.openmp: dict[str, tuple[Any, int]] = {}
        self.torch: int | None = None


_own = _ThreadSettings()
_lock = threading.Lock()
_holders = 0  # Python threads that hold BLAS
_blas: dict[str, tuple[Any, int]] = {}
_libraries: tuple[int, list[Any]] = (0, [])


def _hold() -> None:
    global _holders
    modules = len(sys.modules)  # a library is loaded by a module: no new module, no new library
    if not _own.depth or _own.modules != modules:
        with _lock:
            _holders += not _own.depth
            for library in _loaded(modules):
                _limit(library, _blas if library.user_api == "blas" else _own.openmp)
        if (torch := sys.modules.get("torch")) and _own.torch is None:
            _own.torch = torch.get_num_threads()
            torch.set_num_threads(1)
        _own.modules = modules
    _own.depth += 1


def _release() -> None:
    global _holders
    _own.depth -= 1
    if _own.depth:
        return
    if _own.torch is not None:
        sys.modules["torch"].set_num_threads(_own.torch)
        _own.torch = None
    _restore(_own.openmp)
    with _lock:
        _holders -= 1
        if not _holders:
            _restore(_blas)


def _loaded(modules: int) -> list[Any]:
    """The loaded numerical libraries; to look for them takes a millisecond or two."""
    global _libraries
    if _libraries[0] != modules:
        _libraries = modules, ThreadpoolController().lib_controllers
    return _libraries[1]


def _limit(library: Any, held: dict[str, tuple[Any, int]]) -> None:
    if library.filepath not in held:
        held[library.filepath] = library, library.num_threads
        _set(library, 1)


def _restore(held: dict[str, tuple[Any, int]]) -> None:
    for library, threads in held.values():
        _set(library, threads)
    held.clear()


def _set(library: Any, threads: int) -> None:
    # as of 3.7 threadpoolctl ignores every Python thread but the first that set OpenBLAS
    release = getattr(library, "clear_controlling_thread", None)
    if release:
        release(force=True)
    library.set_num_threads(threads)
    if release:
        release(force=True)  # whoever comes next, the caller's own limits included, may set it
