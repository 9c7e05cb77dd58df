"""The pool of worker processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import threadpoolctl

import helpers_engine as work
from nver.errors import AudioError, UsageError
from nver.machine.pool import Pool, run_jobs, usable_cores
from nver.machine.process import WorkerError
from nver.machine.threads import one_thread


@pytest.mark.parametrize("workers", [1, 2, 3, None])
def test_results_come_in_the_order_of_the_jobs(workers: int | None) -> None:
    assert list(run_jobs(work.square, range(20), workers=workers)) == [n * n for n in range(20)]


def test_a_slow_job_does_not_change_the_order() -> None:
    assert list(run_jobs(work.slowest_first, range(6), workers=2)) == list(range(6))


def test_no_jobs() -> None:
    assert list(run_jobs(work.square, [], workers=2)) == []


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert set(run_jobs(work.process_of, range(3), workers=1)) == {os.getpid()}
    assert os.getpid() not in set(run_jobs(work.process_of, range(3), workers=2))


def test_a_worker_is_started_when_there_is_a_job_for_it() -> None:
    with Pool(work.process_of, 4) as pool:
        assert len(set(pool.map([0]))) == 1
        assert len(pool._running) == 1


def test_jobs_are_taken_as_they_are_needed() -> None:
    """A million jobs are never held at once."""
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(10**6):
            taken.append(number)
            yield number

    with Pool(work.square, 2) as pool:
        results = pool.unordered(jobs(), window=5)
        for seen in range(30):
            number, result = next(results)
            assert result == number**2
            assert len(taken) == seen + 5


def test_what_a_job_prints_is_not_taken_for_its_result(capfd: Any) -> None:
    assert list(run_jobs(work.talk, ["a", "b"], workers=2)) == ["a", "b"]
    captured = capfd.readouterr()
    assert (captured.out, "more" in captured.err) == ("", True)


def test_a_worker_imports_only_what_its_function_needs() -> None:
    with Pool(work.modules, 2) as pool:
        (loaded,) = pool.map([None])
    assert not {"torch", "transformers", "pandas", "pytest"} & set(loaded)


# --- threads


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_has_one_thread(workers: int) -> None:
    pytest.importorskip("torch")
    assert list(run_jobs(work.threads, [0], workers=workers)) == [{1}]
    assert list(run_jobs(work.torch_threads, [0], workers=workers)) == [1]


def test_this_process_has_its_threads_back_after() -> None:
    torch = pytest.importorskip("torch")
    original = torch.get_num_threads()
    with threadpoolctl.threadpool_limits(3):
        torch.set_num_threads(3)
        before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
        with one_thread():
            assert torch.get_num_threads() == 1
        assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
        assert torch.get_num_threads() == 3
    torch.set_num_threads(original)


def test_the_last_python_thread_gives_the_threads_back() -> None:
    both_hold, first_left = threading.Barrier(2), threading.Event()
    held: list[int] = []

    def work(first: bool) -> None:
        with one_thread():
            both_hold.wait()
            if not first:
                first_left.wait()
                held.append(blas_threads())
        if first:
            first_left.set()

    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        threads = [threading.Thread(target=work, args=(first,)) for first in (True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (held, blas_threads()) == ([1], 3)


def blas_threads() -> int:
    """Of numpy's own BLAS."""
    infos = threadpoolctl.threadpool_info()
    return max(int(pool["num_threads"]) for pool in infos if pool["user_api"] == "blas")


def test_a_library_loaded_while_held_is_held_too() -> None:
    code = (
        "from nver.machine.threads import one_thread\n"
        "with one_thread():\n"
        "    import torch\n"
        "    with one_thread():\n"
        "        print(torch.get_num_threads())\n"
        "print(torch.get_num_threads())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "2"]


def test_usable_cores_is_what_the_system_allows() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


# --- failures


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("audio", AudioError, "^x.wav: silent$"),
        ("bug", WorkerError, "^KeyError: 'absent' .NVER_DEBUG=1"),
        ("kill", WorkerError, "of 2 was killed by SIGKILL.*memory.*run again"),
        ("exit", WorkerError, "of 2 ended with exit code 3"),
    ],
)
def test_a_failure_in_a_worker_is_told(kind: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        list(run_jobs(work.fail, ["fine", kind, "fine"], workers=2))


def test_a_bug_in_a_worker_shows_its_place_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVER_DEBUG", "1")
    with pytest.raises(WorkerError, match=r"(?s)Traceback.*helpers_engine.*KeyError: 'absent'"):
        list(run_jobs(work.fail, ["bug"] * 2, workers=2))


def test_a_failure_here_is_not_disguised() -> None:
    with pytest.raises(KeyError):
        list(run_jobs(work.fail, ["bug"], workers=1))


def test_the_reason_survives_the_way_from_the_worker() -> None:
    with pytest.raises(AudioError) as caught:
        list(run_jobs(work.fail, ["audio"], workers=2))
    assert caught.value.reason == "silent"


def test_no_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one worker, got -1"):
        list(run_jobs(work.square, [1], workers=-1))


def script(folder: Path, text: str, *arguments: str) -> subprocess.Popen[str]:
    file = folder / "script.py"
    file.write_text(text)
    return subprocess.Popen(
        [sys.executable, str(file), *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    text = (
        "import helpers_engine as w, nver.machine.pool as e\n"
        "print(*e.run_jobs(w.square, [2, 3], workers=2))"
    )
    process = script(tmp_path, text)
    assert process.communicate() == ("4 9\n", "")


def test_a_function_of_the_script_itself_is_refused(tmp_path: Path) -> None:
    text = "import nver.machine.pool as e\ndef f(x): return x\nlist(e.run_jobs(f, [1], workers=2))"
    _, said = script(tmp_path, text).communicate()
    assert "UsageError" in said
    assert "move it into a module" in said


def wait_until(condition: Any) -> bool:
    """Within half a minute, on however slow a machine."""
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def runs(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_ctrl_c_ends_the_workers_at_once(tmp_path: Path) -> None:
    text = (
        "import signal, sys, helpers_engine as w, nver.machine.pool as e\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's & ignores it
        "list(e.run_jobs(w.note_and_sleep, [sys.argv[1]] * 2, workers=2))"
    )
    folder = tmp_path / "pids"
    folder.mkdir()
    process = script(tmp_path, text, str(folder))
    assert wait_until(lambda: len(list(folder.iterdir())) == 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers get it too
    assert process.communicate()[1].count("KeyboardInterrupt") == 1
    assert wait_until(lambda: not any(runs(file.name) for file in folder.iterdir()))


LATE = """
import sys, time, helpers_engine as w, nver.machine.pool as e
with e.Pool(w.process_of, 2) as pool:
    print(*set(pool.map(range(40))), flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    process = script(tmp_path, LATE)
    assert process.stdout is not None
    workers = process.stdout.readline().split()
    assert all(runs(pid) for pid in workers)
    process.kill()
    process.communicate()
    assert wait_until(lambda: not any(runs(pid) for pid in workers))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_workers_end_with_their_parent_in_the_middle_of_a_job(tmp_path: Path) -> None:
    text = (
        "import sys, helpers_engine as w, nver.machine.pool as e\n"
        "list(e.run_jobs(w.note_and_sleep, [sys.argv[1]] * 2, workers=2))"
    )
    folder = tmp_path / "pids"
    folder.mkdir()
    process = script(tmp_path, text, str(folder))
    assert wait_until(lambda: len(list(folder.iterdir())) == 2)
    process.kill()
    process.communicate()
    assert wait_until(lambda: not any(runs(file.name) for file in folder.iterdir()))
