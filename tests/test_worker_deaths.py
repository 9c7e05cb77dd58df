"""A worker that dies: the run ends complete, and what ends a worker is named."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import helpers_engine as work
import nver
from helpers_cli import finish
from helpers_deaths import Killer
from helpers_extraction import RATE, calls, plugged_in, toy, write_clips
from nver.corpora import inspection
from nver.corpora.measurement import Measurement, measure
from nver.embeddings import EmbeddingStore
from nver.embeddings.extraction import Extraction, extract, read_embeddings
from nver.embeddings.store.upkeep import verify
from nver.machine import pool
from nver.machine.pool import Pool, WorkerError, run_jobs

HOW = {
    "abort_at": "killed by SIGABRT",
    "exit_at": "ended with exit code 3",
    "kill_at": "killed by SIGKILL, as happens when memory runs out",
}


@pytest.fixture(autouse=True)
def plug_in(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The toy encoders and classifiers as a plug-in, which workers and commands find."""
    yield from plugged_in(tmp_path_factory.mktemp("plug-in"), monkeypatch)


def vectors(done: Extraction, store: Path) -> np.ndarray[Any, Any]:
    return read_embeddings(done.clips, done.identities[0], EmbeddingStore(store))


# --- the pool


def end_at_three(number: int) -> int:
    if number == 3:
        os.abort()
    return number


@pytest.mark.parametrize("kind", ["kill", "exit"])
def test_the_other_jobs_are_finished(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "PARDONS", 1)
    jobs = ["a", kind, "b", "c", kind, "d"]
    deaths: list[int] = []

    def lost(job: str, death: Any, times: int) -> str:
        deaths.append(times)
        return "lost"

    found = list(run_jobs(work.fail, jobs, workers=2, lost=lost))
    assert found == ["a", "lost", "b", "c", "lost", "d"]
    assert deaths == ([3, 2] if kind == "kill" else [2, 2])


def test_a_job_in_pieces_has_a_result_for_each() -> None:
    with Pool(work.fail_of_several, 2) as workers:
        found = workers.unordered(
            [["a", "exit", "b"], ["c"]],
            pieces=lambda job: [[one] for one in job],
            lost=lambda job, death, times: ["lost"],
        )
        results: dict[int, list[str]] = {0: [], 1: []}
        for number, result in found:
            results[number] += result
    assert results == {0: ["a", "lost", "b"], 1: ["c"]}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_without_memory_is_tried_again_and_lost(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PARDONS", 0)
    lost: Any = lambda job, death, times: f"{death.how} {times}"  # noqa: E731
    found = list(run_jobs(work.fail, ["a", "memory", "b"], workers=workers, lost=lost))
    assert found == ["a", "ran out of memory 2", "b"]


@pytest.mark.parametrize(("kind", "starts"), [("exit", 1), ("kill", 3)])
def test_workers_that_never_start_end_the_run(
    kind: str, starts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_STARTS", 3)
    ended = work.EndsWhenLoaded(kind, tmp_path)
    with pytest.raises(WorkerError, match="before its first job; try with one worker"):
        list(run_jobs(ended, [1, 2, 3], workers=2))
    assert len(list(tmp_path.iterdir())) <= starts + 1, "the other worker may be starting"


# --- an extraction


@pytest.mark.parametrize("option", [*HOW])
@pytest.mark.parametrize("bad", [(0,), (5, 6), (3, 17, 39)], ids=["one", "neighbours", "three"])
def test_a_clip_that_ends_its_worker_is_named_and_the_others_are_embedded(
    option: str, bad: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PARDONS", 0)
    table = write_clips(tmp_path / "clips", 40)
    samples = round(0.05 * RATE)
    for row in bad[1:]:  # as long as the first of them, so that the encoder ends at each
        noise = np.random.default_rng(row).uniform(-0.5, 0.5, samples + bad[0])
        nver_write(table["file"][row], noise)
    doomed = toy(**{option: samples + bad[0]})
    done = extract(table, [doomed], tmp_path / "store", workers=2)
    assert done.skipped["clip"].tolist() == [table["clip"][row] for row in bad]
    assert set(done.skipped["reason"]) == {"crashed"}
    for row, message in zip(bad, done.skipped["message"], strict=True):
        assert message.startswith(table["file"][row])
        assert (
            f"embedding it ended the process twice: it {HOW[option]}".replace(
                "it killed", "it was killed"
            )
            in message
        )
    assert (done.counts[0].computed, len(done.clips)) == (40 - len(bad), 40 - len(bad))
    alone = extract(done.clips, [toy()], tmp_path / "other", workers=1)
    assert (vectors(done, tmp_path / "store") == vectors(alone, tmp_path / "other")).all()
    assert verify(EmbeddingStore(tmp_path / "store")).faults == ()


def nver_write(file: str, samples: Any) -> None:
    import soundfile

    soundfile.write(file, samples, RATE)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_clip_that_fills_the_memory_costs_that_clip(workers: int, tmp_path: Path) -> None:
    table = write_clips(tmp_path / "clips", 20)
    full = toy(memory_at=round(0.05 * RATE) + 7)
    done = extract(table, [full], tmp_path / "store", workers=workers)
    ((clip, reason, message),) = done.skipped[["clip", "reason", "message"]].to_numpy()
    assert (clip, reason, "MemoryError" in message) == ("clip00007", "encoder", True)


def test_decoding_that_fills_the_memory_costs_that_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nver.embeddings import batches

    def read(file: str, **span: Any) -> Any:
        if "clip00003" in file:
            raise MemoryError
        return original(file, **span)

    original = batches.read_recording
    monkeypatch.setattr(batches, "read_recording", read)
    done = extract(write_clips(tmp_path / "c", 5), [toy()], tmp_path / "store", workers=1)
    assert done.skipped[["clip", "reason"]].to_numpy().tolist() == [["clip00003", "memory"]]
    assert "more memory than is free" in done.skipped["message"][0]


EXTRACT = """
import sys, pandas as pd
from nver.embeddings.extraction import extract
from helpers_extraction import toy
done = extract(pd.read_csv(sys.argv[1]), [toy(log=sys.argv[3], slow_s=float(sys.argv[4]))],
               sys.argv[2], workers=2)
print(len(done.clips), done.counts[0].computed, len(done.skipped))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


KILLS = [3, pytest.param(10, marks=pytest.mark.long)]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")
@pytest.mark.parametrize("kills", KILLS)
def test_an_extraction_whose_workers_are_killed_ends_as_without(kills: int, tmp_path: Path) -> None:
    clips = 100 * kills
    table = write_clips(tmp_path / "clips", clips)
    table.to_csv(tmp_path / "clips.csv", index=False)
    log = tmp_path / "calls.log"
    process = start(EXTRACT, tmp_path / "clips.csv", tmp_path / "store", log, 0.02)
    killer = Killer(process, kills, 1.0)
    killer.start()
    assert process.communicate()[0].split() == [str(clips), str(clips), "0"]
    killer.join()
    assert killer.done >= min(kills, 2), "it ended before it could be disturbed"
    assert calls(log) >= clips
    done = extract(table, [toy()], tmp_path / "store", workers=1)
    assert done.counts[0].computed == 0
    other = extract(table, [toy()], tmp_path / "other", workers=1)
    assert (vectors(done, tmp_path / "store") == vectors(other, tmp_path / "other")).all()
    assert verify(EmbeddingStore(tmp_path / "store")).faults == ()


# --- a grid

RECIPE = """
corpora = [{name = "synthetic", speakers = 4, clips_per_sound = 2}]
encoders = ["duration-level"]
folds = {number = 2}
training = {epochs = 5}
store = "store"
"""
SLOW = 'classifiers = ["linear", {name = "slow", slow_s = 0.02}]\n'
DOOMED = 'classifiers = ["linear", {name = "doomed", how = "HOW"}]\n'
RUN = "import sys; from nver.cli import main; main(sys.argv[1:])"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")
@pytest.mark.parametrize("kills", KILLS)
def test_a_grid_whose_workers_are_killed_ends_as_without(
    kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = RECIPE.replace("epochs = 5", f"epochs = {15 * kills}") + SLOW
    Path("recipe.toml").write_text(recipe)
    process = start(RUN, "run", "recipe.toml", "--out", "killed", "--workers", 2)
    killer = Killer(process, kills, 1.0)
    killer.start()
    out = process.communicate()[0]
    killer.join()
    assert (process.returncode, "report: " in out) == (0, True)
    assert killer.done >= min(kills, 2), "it ended before it could be disturbed"
    done = finish(tmp_path, "run", "recipe.toml", "--out", "quiet", "--workers", "1")
    assert done.code == 0, done.err
    for table in ("predictions.csv", "trainings.csv", "folds.csv", "missing.csv"):
        assert Path("killed", table).read_bytes() == Path("quiet", table).read_bytes()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("abort", "it was killed by SIGABRT"),
        ("kill", "it was killed by SIGKILL, as happens when memory runs out"),
        ("memory", "it ran out of memory"),
    ],
)
def test_a_cell_that_ends_its_worker_is_named_and_the_others_are_finished(
    how: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PARDONS", 0)
    (tmp_path / "recipe.toml").write_text(RECIPE + DOOMED.replace("HOW", how))
    done = finish(tmp_path, "run", "recipe.toml", "--out", "run", "--workers", "2")
    assert done.code == 1
    named = "not finished: synthetic: doomed on duration-level, speaker-independent folds, seed 0"
    assert named in done.err
    assert f"training its fold 1 ended the process twice: {said}" in done.err
    missing = pd.read_csv(tmp_path / "run" / "missing.csv")
    assert missing["kind"].tolist() == ["cell"]
    found = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert set(found["classifier"]) == {"linear"}
    page = (tmp_path / "run" / "report" / "index.html").read_text()
    assert "Not finished, synthetic: doomed on duration-level" in page
    assert finish(tmp_path, "report", "run").code == 0


def test_a_grid_without_a_finished_cell_is_a_failure(tmp_path: Path) -> None:
    recipe = RECIPE + DOOMED.replace("HOW", "abort").replace('"linear", ', "")
    (tmp_path / "recipe.toml").write_text(recipe)
    done = finish(tmp_path, "run", "recipe.toml", "--out", "run", "--workers", "2")
    assert (done.code, "not finished: synthetic: doomed" in done.err) == (1, True)


# --- a corpus


def end_at_bad(file: str, start: float, end: float) -> Measurement:
    if "bad" in file:
        os.abort()
    if "large" in file:
        raise MemoryError
    return measure(file, start, end)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corpus_with_clips_that_end_a_process(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for emotion in ("joy", "fear"):
        write_clips(tmp_path / "clips" / emotion, 20)
    names = ["large"] if workers == 1 else ["large", "bad", "bad-too"]
    for name in names:
        os.rename(
            tmp_path / "clips" / "joy" / f"clip0000{len(name)}.wav",
            tmp_path / "clips" / "joy" / f"{name}.wav",
        )
    monkeypatch.setattr(inspection, "usable_cores", lambda: workers)
    monkeypatch.setattr(inspection, "measure", end_at_bad)
    monkeypatch.setattr(inspection, "measure_clips", measure_with_ends)
    facts = inspection.inspect_corpus(nver.load_corpus("mine", root=tmp_path / "clips"))
    assert {Path(note.clip).stem: note.reason for note in facts.unusable} == {
        name: "memory" if name == "large" else "crashed" for name in names
    }
    assert sum(facts.sampling_rates.values()) == facts.clips - len(names)


def measure_with_ends(clips: Any) -> list[Measurement]:
    """What a worker imports in the place of `measure_clips`."""
    inspection.measure = end_at_bad
    return MEASURE(clips)


MEASURE = inspection.measure_clips


# --- a prediction


def test_a_prediction_that_fills_the_memory_costs_that_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nver.models import predictor

    def read(clip: Any, rate: int) -> Any:
        if "clip00001" in str(clip):
            raise MemoryError
        return original(clip, rate)

    original = predictor._read
    monkeypatch.setattr(predictor, "_read", read)
    files = write_clips(tmp_path / "clips", 3, 0.2)["file"].tolist()
    answers = nver.load_predictor().predict(files)
    assert [answer.reason for answer in answers] == ["", "memory", ""]
    assert answers[1].error == "decoding it takes more memory than is free"
