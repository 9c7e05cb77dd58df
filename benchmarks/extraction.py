"""Extraction against bare decoding of the same files, and whether memory stays flat.

    python benchmarks/extraction.py ROOT [--clips N] [--workers 1 2] [--rounds 3]

ROOT is a corpus folder that `nver.load_corpus("emogator", root=ROOT)` reads. Both sides run in
turn, each in a fresh process with the same number of single-threaded workers:

    bare     soundfile reads each file, soxr resamples it to 16 kHz where needed; nothing is kept
    extract  nver.extract with logmel-stats and prosody-stats into an empty store: hashes, decoding,
             checks, both encoders, shards and index

Wall and processor time of the call, start of the workers included; the ratio is bare / extract.
Memory is the peak of the parent and of the largest worker.
"""

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

ENCODERS = ("logmel-stats", "prosody-stats")
RATE = 16_000  # Hz, of both encoders
FIRST = 1000  # clips that the memory of all is compared with


def bare(files: Sequence[str]) -> int:
    """Decode and resample; the number of files that could be."""
    import soundfile
    import soxr

    done = 0
    for file in files:
        try:
            samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            continue
        mono = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
        if rate != RATE:
            soxr.resample(mono, rate, RATE, quality="HQ")
        done += 1
    return done


def run_bare(files: list[str], workers: int) -> int:
    if workers == 1:
        return bare(files)
    with get_context("spawn").Pool(workers) as pool:
        return sum(pool.imap_unordered(bare, [files[i : i + 32] for i in range(0, len(files), 32)]))


def run_extract(root: Path, clips: int | None, workers: int) -> int:
    import nver

    table = nver.load_corpus("emogator", root=root).table
    with TemporaryDirectory() as folder:
        return len(nver.extract(table[:clips], ENCODERS, folder, workers=workers).clips)


def measured(call: Callable[[], int]) -> dict[str, float]:
    """What a call took: s of wall and of processor time, and peak memory in MiB."""
    peaks: dict[str, float] = {}
    done = threading.Event()
    watch = threading.Thread(target=watch_children, args=(peaks, done))
    watch.start()
    start = time.perf_counter()
    clips = call()
    wall = time.perf_counter() - start
    done.set()
    watch.join()
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "clips": clips,
        "wall_s": wall,
        "cpu_s": sum(u.ru_utime + u.ru_stime for u in usages),
        "parent_mib": usages[0].ru_maxrss / 1024,
        "worker_mib": max(peaks.values(), default=0.0),
    }


def watch_children(peaks: dict[str, float], done: threading.Event) -> None:
    """Peak memory (MiB) of each child process so far, twice a second.

    Not from getrusage, which for a child counts its parent's memory before exec too.
    """
    while not done.wait(0.5):
        for listing in Path("/proc/self/task").glob("*/children"):
            for pid in listing.read_text().split():
                with suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    line = next(line for line in lines if line.startswith("VmHWM"))
                    peaks[pid] = int(line.split()[1]) / 1024


def child(side: str, root: Path, clips: int | None, workers: int) -> None:
    if side == "bare":
        files = sorted(str(f) for f in root.rglob("*") if f.suffix in (".mp3", ".opus", ".wav"))
        facts = measured(lambda: run_bare(files[:clips], workers))
    else:
        import nver  # noqa: F401  both sides are timed from after their imports

        facts = measured(lambda: run_extract(root, clips, workers))
    print(json.dumps(facts))


def run_child(side: str, root: Path, clips: int | None, workers: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(root), "--child", side, "--workers", str(workers)]
    if clips is not None:
        command += ["--clips", str(clips)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(said))


def compare(root: Path, clips: int | None, workers: int, rounds: int) -> None:
    walls, cpus = [], []
    for _ in range(rounds):
        sides = {side: run_child(side, root, clips, workers) for side in ("bare", "extract")}
        for side, facts in sides.items():
            rate = facts["clips"] / facts["wall_s"]
            print(
                f"{workers} worker(s)  {side:8} {facts['clips']:6,} clips  {rate:7.1f} clips/s  "
                f"wall {facts['wall_s']:7.2f} s  cpu {facts['cpu_s']:7.2f} s"
            )
        walls.append(sides["bare"]["wall_s"] / sides["extract"]["wall_s"])
        cpus.append(sides["bare"]["cpu_s"] / sides["extract"]["cpu_s"])
    print(
        f"{workers} worker(s)  ratio by wall {median(walls):.2f}, by cpu {median(cpus):.2f} "
        f"(median of {rounds}; the aim is 0.50)\n"
    )


def memory(root: Path, clips: int | None, workers: int) -> None:
    few, all_of_them = (run_child("extract", root, n, workers) for n in (FIRST, clips))
    for name, facts in (("first", few), ("all", all_of_them)):
        print(
            f"{workers} worker(s)  {name:5} {facts['clips']:6,} clips: parent "
            f"{facts['parent_mib']:.0f} MiB, largest worker {facts['worker_mib']:.0f} MiB"
        )
    together = [f["parent_mib"] + workers * f["worker_mib"] for f in (few, all_of_them)]
    print(f"{workers} worker(s)  memory ratio {together[1] / together[0]:.2f} (the aim is 1.30)\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--clips", type=int)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=["bare", "extract"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.root, options.clips, options.workers[0])
        return
    for workers in options.workers:
        compare(options.root, options.clips, workers, options.rounds)
    memory(options.root, options.clips, max(options.workers))


if __name__ == "__main__":
    main()
