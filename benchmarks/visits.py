"""What a run and its report call how often, and the processor seconds of a report.

    python benchmarks/visits.py --data ../shared/data --work DIR [--only-report]

Counts, in `nver run` of eight systems and in `nver report` after it, reads of predictions.csv and
calls of the functions that results are made of; then times `nver report` on thirteen systems whose
t-SNE is saved. Functions are found by name, so that the same script counts any version of nver.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import nver

COUNTED = ("read_predictions", "systems", "units_of", "interval_table", "fold_confusions")
RECIPE = """
encoders = ["logmel-stats", "prosody-stats", "duration-level"]
classifiers = [{classifiers}]
[[corpora]]
name = "emogator"
[filter]
speakers = ["000001-000040"]
emotions = [
  "Amusement", "Anger", "Contentment", "Sadness", "Fear", "Disgust", "Elation", "Pride", "Relief",
  "Interest",
]
[training]
epochs = 2
"""
EIGHT = '"linear", "fcn", {name = "concat", encoders = [["logmel-stats", "prosody-stats"]]}, ' \
        '{name = "reno", encoders = [["logmel-stats", "prosody-stats"]]}'  # fmt: skip
THIRTEEN = '"linear", "fcn", "cnn", "concat", {name = "late-average", ' \
           'encoders = [["logmel-stats", "prosody-stats"]]}'  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only-report", action="store_true", help="time the report, count nothing")
    arguments = parser.parse_args()
    print(nver.__file__)
    if not arguments.only_report:
        run = arrange(arguments, "eight", EIGHT)
        show("nver run, 8 systems", counted(run))
        report = report_of(arguments.work / "eight")
        show("nver report, 8 systems", counted(report))
    if not (arguments.work / "thirteen" / "predictions.csv").exists():
        arrange(arguments, "thirteen", THIRTEEN)()
    report = report_of(arguments.work / "thirteen")
    times = []
    for _ in range(3):
        start = time.process_time()
        report()
        times.append(time.process_time() - start)
    print("nver report, 13 systems, processor seconds:", *(f"{t:.1f}" for t in sorted(times)))


def arrange(arguments: argparse.Namespace, name: str, classifiers: str) -> Callable[[], object]:
    arguments.work.mkdir(exist_ok=True, parents=True)
    recipe = arguments.work / f"{name}.toml"
    recipe.write_text(RECIPE.replace("{classifiers}", classifiers))
    root = (arguments.data / "emogator" / "opus").resolve()
    places = ["--set", f"roots.emogator={root}", "--set", f"store={arguments.work / 'store'}"]
    words = ["run", str(recipe), "--out", str(arguments.work / name), "--workers", "2", *places]
    return lambda: command(words)


def report_of(folder: Path) -> Callable[[], object]:
    return lambda: command(["report", str(folder)])


def command(words: list[str]) -> None:
    from contextlib import redirect_stdout, suppress
    from io import StringIO

    from nver.cli import main as nver_main

    with suppress(SystemExit), redirect_stdout(StringIO()):
        nver_main(words)


def counted(act: Callable[[], object]) -> Counter[str]:
    found: Counter[str] = Counter()

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or "nver" not in code.co_filename or code.co_name not in COUNTED:
            return
        if code.co_name == "read_predictions" and "cells" in str(frame.f_locals.get("path", "")):
            return  # a kept cell, not the run's table
        if not (code.co_name == "systems" and frame.f_lasti > 10):  # a generator goes on
            found[code.co_name] += 1

    sys.setprofile(look)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


def show(title: str, found: Counter[str]) -> None:
    print(f"{title}:", ", ".join(f"{name} {found[name]}" for name in COUNTED))


if __name__ == "__main__":
    main()
