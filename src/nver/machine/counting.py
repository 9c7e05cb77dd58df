"""How far long work is, on stderr: a bar on a terminal; elsewhere a line now and then."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

EVERY_S = 10.0  # our choice: a line of a count comes at most so often
Item = TypeVar("Item")


def say(line: str, show: bool) -> None:
    """Print a line on stderr, if it is to be shown."""
    if show and sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def counted(items: Iterable[Item], stage: str, total: int, unit: str, show: bool) -> Iterator[Item]:
    """The items, as they come, with their progress shown."""
    with Count(stage, total, unit, show) as progress:
        for item in items:
            progress.update()  # first: who takes the last one may not ask for another
            yield item


class Count:
    """The count of a stage of work: nothing is printed unless `show`.

    Where stderr is no terminal, the first line says what is to be done and the last what was done;
    of a `brief` stage these are left out, and only a count that is late is printed.

    Args:
        stage: what is done, one word: "extract".
        total: of how many; unit: of what ("clip").
        initial: how many were done before.
    """

    def __init__(
        self,
        stage: str,
        total: int,
        unit: str,
        show: bool,
        *,
        initial: int = 0,
        brief: bool = False,
    ) -> None:
        self.stage, self.total, self.unit, self.done = stage, total, unit, initial
        self._bar: Any = None
        self._lines = show and total > 0 and sys.stderr is not None
        self._brief, self._details, self._said = brief, "", -1
        if self._lines and sys.stderr.isatty():
            from tqdm import tqdm

            self._lines = False
            self._bar = tqdm(desc=stage, total=total, initial=initial, unit=unit, leave=not brief)

    def __enter__(self) -> Self:
        self._next = time.monotonic() + EVERY_S
        if not self._brief:
            self._print()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif not self._brief and self._said != self.done:
            self._print()

    def update(self, number: int = 1) -> None:
        """Count what was done since the last call."""
        self.done += number
        if self._bar is not None:
            self._bar.update(number)
        elif time.monotonic() >= self._next:
            self._print()

    def details(self, values: Mapping[str, str]) -> None:
        """Show values beside the count: the loss of a training."""
        self._details = "".join(f", {name} {value}" for name, value in values.items())
        if self._bar is not None:
            self._bar.set_postfix(values)

    def _print(self) -> None:
        units = f"{self.unit}s" if self.total != 1 else self.unit
        count = f"{self.done:,}/{self.total:,} {units}"
        say(f"{self.stage}: {count}{self._details}", self._lines)
        self._next, self._said = time.monotonic() + EVERY_S, self.done
