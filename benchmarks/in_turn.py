"""How the benchmarks of Audio-Mamba measure: all sides in one process, one after the other."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of processor time a call of each side, after one call that is not counted.

    Processor time, of all threads, is hardly moved by what else runs on the machine.
    """
    for side in sides.values():
        side()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.process_time()
            side()
            times[name].append(time.process_time() - start)
    return {name: median(seconds) for name, seconds in times.items()}


def row(*cells: object) -> None:
    """A line of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
