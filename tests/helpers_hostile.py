"""Takes files one by one through the reader, `measure` and a predictor, and says how it went.

As a program it reads paths from stdin and prints a line of JSON before and after each: so the last
line names the file that a process died of.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


def visit_all(files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """file -> what `visit` found; {"crash": signal} for a file that ended the process."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [str(file) for file in files]
    while waiting:
        run = subprocess.run(
            [sys.executable, __file__],
            input="\n".join(waiting),
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        found |= {line["file"]: line for line in lines if "seconds" in line}
        if run.returncode:
            begun = [line["file"] for line in lines if line["file"] not in found]
            assert begun, f"it never began: {run.stderr}"
            found[begun[-1]] = {"crash": run.returncode, "stderr": run.stderr[-2000:]}
        waiting = [file for file in waiting if file not in found]
    return found


def visit(file: str, predict: Callable[[str], Any]) -> dict[str, Any]:
    """What each way into nver made of a file, and what it cost.

    reader, measure, predict: "" for success, a reason of an `AudioError`, or "RAW ..." for any
    other exception. seconds: of processor time. megabytes: the peak above the level before.
    """
    from nver.audio.recording import load_audio
    from nver.corpora.measurement import measure
    from nver.errors import AudioError

    def tried(way: Callable[[], str]) -> str:
        try:
            return way()
        except AudioError as error:
            return error.reason
        except Exception as error:
            return f"RAW {type(error).__name__}: {error}"

    before, begin = _reset_peak(), time.process_time()
    answers: list[Any] = []

    def answer() -> str:
        answers.append(predict(file))
        return str(answers[0].reason)

    ways = {
        "reader": tried(lambda: str(load_audio(file, 16000).size and "")),
        "measure": tried(lambda: measure(file).reason),
        "predict": tried(answer),
    }
    seconds = time.process_time() - begin
    sure = bool(answers and answers[0].sure)
    return {**ways, "sure": sure, "seconds": seconds, "megabytes": _memory("VmHWM") - before}


def _reset_peak() -> float:
    """Begin a new peak of memory, and return the present level in MB; 0 where Linux is not."""
    if not STATUS.exists():
        return 0.0
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> float:
    if not STATUS.exists():
        return 0.0
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main() -> None:
    import nver

    # what a library prints must not reach our stdout: the lines of JSON go by a copy of it
    out = os.fdopen(os.dup(1), "w")
    predictor = nver.load_predictor()
    for file in sys.stdin.read().splitlines():
        print(json.dumps({"file": file}), file=out, flush=True)
        found = visit(file, lambda file: predictor.predict(file)[0])
        print(json.dumps({"file": file, **found}), file=out, flush=True)


if __name__ == "__main__":
    main()
