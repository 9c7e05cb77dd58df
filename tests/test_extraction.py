"""Extraction: what is computed again and what is not, what is skipped, kills, workers."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner

from helpers_extraction import RATE, calls, plugged_in, table_of, toy, write_clips
from nver.cli import main
from nver.embeddings import EmbeddingStore, EmbeddingView, batches, missing_vectors
from nver.embeddings.extraction import Extraction, as_spec, extract, read_embeddings
from nver.embeddings.store.upkeep import stats, verify
from nver.encoders.base import EncoderSpec
from nver.errors import AudioError, StoreError, UsageError


@pytest.fixture(autouse=True)
def toys(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The toy encoders as a plug-in on the import path, which workers take over."""
    yield from plugged_in(tmp_path_factory.mktemp("plug-in"), monkeypatch)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.log"


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store")


def computed(extraction: Extraction) -> list[int]:
    return [count.computed for count in extraction.counts]


# --- what is computed again


def nothing(table: pd.DataFrame) -> pd.DataFrame:
    return table


def rename(table: pd.DataFrame) -> pd.DataFrame:
    new = [Path(file).with_name(f"renamed-{i}.wav") for i, file in enumerate(table["file"])]
    for old, file in zip(table["file"], new, strict=True):
        os.rename(old, file)
    return table_of(new)


def touch(table: pd.DataFrame) -> pd.DataFrame:
    for file in table["file"]:
        os.utime(file)
    return table


def shuffle(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(frac=1, random_state=0)


def change_in_place(table: pd.DataFrame) -> pd.DataFrame:
    """Other bytes, same size and time of modification to the second."""
    file = Path(table["file"][3])
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    return table


def copy_one(table: pd.DataFrame) -> pd.DataFrame:
    copy = Path(table["file"][0]).with_name("copy.wav")
    shutil.copy(table["file"][0], copy)
    return pd.concat([table, table_of([copy])], ignore_index=True)


def spans(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[2:4, "end"] = 0.04
    table.loc[5, "start"] = 0.0  # the whole file, said otherwise
    return table


def remove_one(table: pd.DataFrame) -> pd.DataFrame:
    return table[1:]


@pytest.mark.parametrize(
    ("change", "options", "again"),
    [
        (nothing, {}, 0),
        (rename, {}, 0),
        (touch, {}, 0),
        (shuffle, {}, 0),
        (copy_one, {}, 0),
        (remove_one, {}, 0),
        (change_in_place, {}, 1),
        (spans, {}, 3),
        (nothing, {"layer": 2}, 10),
        (nothing, {"code_version": 2}, 10),
        (nothing, {"rate": 8000}, 10),
        (nothing, {"name": "toy-other"}, 10),
    ],
)
def test_only_what_is_missing_is_computed(
    tmp_path: Path,
    store: EmbeddingStore,
    log: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    options: dict[str, Any],
    again: int,
) -> None:
    table = write_clips(tmp_path / "clips", 10)
    first = extract(table, [toy(log=str(log))], store, workers=1)
    assert (computed(first), first.counts[0].reused, calls(log)) == ([10], 0, 10)
    table = change(table)
    spec = toy(**{"log": str(log), **options})
    second = extract(table, [spec], store, workers=1)
    assert (computed(second), calls(log)) == ([again], 10 + again)
    assert second.counts[0].reused == len(table) - again
    assert second.skipped.empty
    vectors = read_embeddings(second.clips, second.identities[0], store)
    assert (vectors == fresh(table, spec, tmp_path)).all()
    extract(table, [toy(log=str(log))], store, workers=1)
    third = extract(table, [spec], store, workers=1)
    assert computed(third) == [0]


def fresh(table: pd.DataFrame, spec: EncoderSpec, folder: Path) -> Any:
    """What another, empty store gives."""
    store = EmbeddingStore(folder / "fresh")
    done = extract(table, [spec], store, workers=1)
    shutil.rmtree(store.root)
    with pytest.raises(StoreError):
        read_embeddings(done.clips, done.identities[0], EmbeddingStore(store.root))
    done = extract(table, [spec], store := EmbeddingStore(store.root), workers=1)
    return read_embeddings(done.clips, done.identities[0], store)


def test_rehash_sees_a_change_behind_an_unchanged_time(
    tmp_path: Path, store: EmbeddingStore, log: Path
) -> None:
    table, spec = write_clips(tmp_path / "clips", 4), toy(log=str(log))
    for file in table["file"]:
        os.utime(file, (1e9, 1e9))
    extract(table, [spec], store, workers=1)
    change_in_place(table)
    os.utime(table["file"][3], (1e9, 1e9))
    assert computed(extract(table, [spec], store, workers=1)) == [0]
    assert computed(extract(table, [spec], store, workers=1, rehash=True)) == [1]


def test_clips_with_equal_content_all_get_their_vector(
    tmp_path: Path, store: EmbeddingStore, log: Path
) -> None:
    table = write_clips(tmp_path / "clips", 3)
    shutil.copy(table["file"][2], table["file"][0])
    done = extract(table, [toy(log=str(log))], store, workers=1)
    assert (computed(done), done.counts[0].reused, calls(log)) == ([2], 1, 2)
    vectors = read_embeddings(done.clips, done.identities[0], store)
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()


def test_a_clip_is_decoded_once_for_all_encoders(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, resampled = [], []
    monkeypatch.setattr(
        batches, "decode", lambda job, f=batches.decode: decoded.append(job.row) or f(job)
    )
    monkeypatch.setattr(
        batches, "resample", lambda w, a, b, f=batches.resample: resampled.append(b) or f(w, a, b)
    )
    table = write_clips(tmp_path / "clips", 5)
    specs = [toy(), toy("toy-other"), toy(rate=8000)]
    done = extract(table, specs, store, workers=1)
    assert (computed(done), sorted(decoded)) == ([5, 5, 5], list(range(5)))
    assert sorted(resampled) == [8000] * 5 + [16000] * 5
    extract(table, [*specs, toy(layer=3)], store, workers=1)
    assert len(decoded) == 10
    assert len(resampled) == 15


# --- bad clips


def bad_files(folder: Path) -> dict[str, Path]:
    """reason -> a file for it."""
    folder.mkdir()
    files = {
        "missing": folder / "gone.wav",
        "empty": folder / "empty.wav",
        "unreadable": folder / "text.wav",
        "silent": folder / "silent.wav",
        "not finite": folder / "nan.wav",
    }
    files["empty"].touch()
    files["unreadable"].write_text("this is not audio at all")
    soundfile.write(files["silent"], np.full(800, 1e-4), RATE)
    soundfile.write(files["not finite"], np.full(800, np.nan), RATE, subtype="FLOAT")
    return files


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_clips_are_skipped_with_a_reason(
    tmp_path: Path, store: EmbeddingStore, log: Path, workers: int
) -> None:
    bad = bad_files(tmp_path / "bad")
    good = write_clips(tmp_path / "clips", 3)
    table = pd.concat([good[:2], table_of(list(bad.values())), good[2:]], ignore_index=True)
    for _ in range(2):
        done = extract(table, [toy(log=str(log))], store, workers=workers)
        assert list(done.clips["clip"]) == list(good["clip"])
        assert list(done.clips.index) == [0, 1, 2]
        assert list(done.skipped["reason"]) == list(bad)
        assert list(done.skipped["file"]) == [str(file) for file in bad.values()]
        assert list(done.skipped["clip"]) == ["gone", "empty", "text", "silent", "nan"]
        for message, file in zip(done.skipped["message"], bad.values(), strict=True):
            assert message.startswith(f"{file}: ")
            assert message.count(str(file)) == 1
        assert calls(log) == 3, "bad clips do not reach an encoder, good ones do so once"
    assert read_embeddings(done.clips, done.identities[0], store).shape == (3, 6)


def test_two_files_with_the_same_fault_are_both_named(
    tmp_path: Path, store: EmbeddingStore
) -> None:
    files = [bad_files(tmp_path / name)["silent"] for name in ("a", "b")]
    done = extract(table_of(files), [toy()], store, workers=1)
    assert list(done.skipped["file"]) == [str(file) for file in files]
    assert all(m.startswith(f"{f}: ") for m, f in zip(done.skipped["message"], files, strict=True))
    assert done.clips.empty


@pytest.mark.parametrize(("start", "end", "reason"), [
    (9.0, None, "empty"), (0.02, 0.02, "empty"), (-1.0, 0.02, "unreadable"),
])  # fmt: skip
def test_a_bad_span_is_skipped(
    tmp_path: Path, store: EmbeddingStore, start: float, end: float | None, reason: str
) -> None:
    table = write_clips(tmp_path / "clips", 3)
    table.loc[1, ["start", "end"]] = start, end
    done = extract(table, [toy()], store, workers=1)
    assert list(done.skipped["reason"]) == [reason]
    assert list(done.clips["clip"]) == list(table["clip"][[0, 2]])


def test_an_encoder_that_fails_on_a_clip_costs_that_clip(
    tmp_path: Path, store: EmbeddingStore, log: Path
) -> None:
    """For all encoders: they are compared on the same clips. What was computed is kept."""
    table = write_clips(tmp_path / "clips", 6)
    limit = soundfile.info(table["file"][3]).frames / RATE
    specs = [toy("toy-other", log=str(log)), toy(fail_over_s=limit)]
    done = extract(table, specs, store, workers=1)
    assert list(done.clips["clip"]) == list(table["clip"][:4])
    assert [(c.computed, c.reused) for c in done.counts] == [(6, 0), (4, 0)]
    assert set(done.skipped["reason"]) == {"encoder"}
    assert done.skipped["message"][0] == f"{table['file'][4]}: toy: ValueError: too long for a toy"
    again = extract(table, specs, store, workers=1)
    assert [(c.computed, c.reused) for c in again.counts] == [(0, 4), (0, 4)]
    assert calls(log) == 6
    pd.testing.assert_frame_equal(again.skipped, done.skipped)


def test_a_vector_that_is_not_finite_is_not_stored(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import helpers_extraction

    whole = helpers_extraction.ToyEncoder._one

    def one(self: Any, w: Any) -> Any:
        return np.where(len(w) == RATE * 0.05 + 2, np.nan, whole(self, w)).astype(np.float32)

    monkeypatch.setattr(helpers_extraction.ToyEncoder, "_one", one)
    done = extract(write_clips(tmp_path / "clips", 4), [toy()], store, workers=1)
    assert list(done.skipped["clip"]) == ["clip00002"]
    assert "NaN or infinite" in done.skipped["message"][0]


def test_a_file_that_changes_while_it_is_read_is_not_stored_under_its_old_content(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_clips(tmp_path / "clips", 4)

    def change_first(job: Any, f: Any = batches.read_recording, **span: Any) -> Any:
        if "clip00003" in job:
            change_in_place(table)
        return f(job, **span)

    monkeypatch.setattr(batches, "read_recording", change_first)
    done = extract(table, [toy()], store, workers=1)
    assert list(done.skipped["clip"]) == ["clip00003"]
    assert "changed while it was read" in done.skipped["message"][0]
    monkeypatch.undo()
    assert len(store.view(done.identities[0])) == 3


def test_long_clips_go_to_the_encoder_in_portions(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = []
    monkeypatch.setattr(
        batches, "embed", lambda e, w, f=batches.embed: together.append(len(w)) or f(e, w)
    )
    monkeypatch.setattr(batches, "PORTION_S", 0.12)
    table = write_clips(tmp_path / "clips", 7)
    whole = extract(table, [toy()], store, workers=1)
    assert together == [0, 3, 3, 1]
    assert computed(whole) == [7]


# --- errors that end a run


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("encoders", "error", "words"),
    [
        ([], UsageError, "no encoder given"),
        (["tyo"], UsageError, "did you mean 'toy'"),
        ([EncoderSpec("toy", options={"slow": 1})], UsageError, "did you mean 'slow_s'"),
        ([EncoderSpec("toy", pooling="max")], UsageError, "pooling"),
    ],
)
def test_an_encoder_that_cannot_be_had_ends_the_run(
    tmp_path: Path, encoders: Any, error: type[Exception], words: str, workers: int
) -> None:
    table = write_clips(tmp_path / "clips", 1)
    with pytest.raises(error, match=words):
        extract(table, encoders, tmp_path / "store", workers=workers)


def test_reading_what_is_not_there_is_an_error(tmp_path: Path, store: EmbeddingStore) -> None:
    table = write_clips(tmp_path / "clips", 3)
    done = extract(table[:2], [toy()], store, workers=1)
    with pytest.raises(StoreError, match="no toy embedding for 1 of 3 clips"):
        read_embeddings(table, done.identities[0], store)
    os.unlink(table["file"][0])
    with pytest.raises(AudioError, match="no such file"):
        read_embeddings(table, done.identities[0], store)


def test_a_spec_from_text() -> None:
    assert as_spec("hubert-base") == EncoderSpec("hubert-base")
    assert as_spec("hubert-base=/a=b") == EncoderSpec("hubert-base", "/a=b")
    assert as_spec(EncoderSpec("x")) == EncoderSpec("x")


# --- workers


def test_the_numbers_do_not_depend_on_the_workers(tmp_path: Path) -> None:
    table = write_clips(tmp_path / "clips", 100)
    read = []
    for workers in (1, 2):
        store = EmbeddingStore(tmp_path / f"store{workers}")
        done = extract(table, ["logmel-stats", toy()], store, workers=workers)
        assert computed(done) == [100, 100]
        read.append([read_embeddings(done.clips, i, store) for i in done.identities])
    assert all((a == b).all() for a, b in zip(*read, strict=True))


def test_a_batch_is_a_stretch_of_the_corpus_whatever_was_done_before(tmp_path: Path) -> None:
    """So that an encoder whose bits depend on the batch gives the same after a kill."""
    from nver.embeddings import key_clips

    table = write_clips(tmp_path / "clips", 70)
    store = EmbeddingStore(tmp_path / "store")
    done = extract(table[8:40], [toy()], store, workers=1)
    os.unlink(table["file"][2])
    missing = missing_vectors.MissingVectors(
        key_clips(table, store), [store.view(done.identities[0])]
    )
    rows = [[job.row for job in batch] for batch in missing.batches()]
    assert rows == [[0, 1, 3, 4, 5, 6, 7], [*range(40, 48)], [*range(48, 64)], [*range(64, 70)]]


# --- kills and interrupts

WEIGHTLESS = ["logmel-stats", "prosody-stats"]
RUN = """
import sys, pandas as pd
from nver.embeddings import missing_vectors
from nver.embeddings.extraction import extract
missing_vectors.SHARD_ROWS, missing_vectors.SHARD_S = int(sys.argv[4]), 1.0
from helpers_extraction import toy
specs = [toy(log=sys.argv[3], slow_s=0.004)] if sys.argv[3] else ["logmel-stats", "prosody-stats"]
table = pd.read_csv(sys.argv[1])
done = extract(table, specs, sys.argv[2], workers=int(sys.argv[5]))
print(*(count.computed for count in done.counts))
"""


def start(table: Path, store: Path, log: Path | str, workers: int = 2, rows: int = 64) -> Any:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(table), str(store), str(log), str(rows), str(workers)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_calls(log: Path, number: int, process: Any) -> None:
    while calls(log) < number and process.poll() is None:
        time.sleep(0.005)


def test_killed_at_any_moment_and_gone_on(tmp_path: Path, log: Path) -> None:
    clips, kills = 256, 3
    table = write_clips(tmp_path / "clips", clips)
    table.to_csv(tmp_path / "clips.csv", index=False)
    moments, lost_at_most = random.Random(0), 64 + 10 * 16  # a shard, and batches under way
    for _ in range(kills):
        process = start(tmp_path / "clips.csv", tmp_path / "store", log)
        wait_for_calls(log, calls(log) + moments.randrange(70), process)
        time.sleep(moments.random() / 10)
        process.kill()
        process.communicate()
        assert verify(EmbeddingStore(tmp_path / "store")).faults == ()
    process = start(tmp_path / "clips.csv", tmp_path / "store", log)
    assert process.communicate()[0]
    assert clips <= calls(log) <= clips + kills * lost_at_most
    assert_equal_to_uninterrupted(table, [toy()], tmp_path)


def assert_equal_to_uninterrupted(
    table: pd.DataFrame, specs: list[Any], folder: Path, workers: int = 1
) -> None:
    store, other = EmbeddingStore(folder / "store"), EmbeddingStore(folder / "other")
    done = extract(table, specs, store, workers=1)
    assert computed(done) == [0] * len(specs)
    assert verify(store).faults == ()
    extract(table, specs, other, workers=workers)
    for identity in done.identities:
        here, there = (read_embeddings(done.clips, identity, s) for s in (store, other))
        assert (here == there).all()


def test_ctrl_c_keeps_all_that_was_computed(tmp_path: Path, log: Path) -> None:
    table = write_clips(tmp_path / "clips", 256)
    table.to_csv(tmp_path / "clips.csv", index=False)
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from helpers_extraction import OPTIONS; OPTIONS.update(log=sys.argv[1], "
        "slow_s=0.01); from nver.cli import main; main(sys.argv[2:])"
    )
    arguments = ["extract", "table", "--root", str(tmp_path / "clips.csv"), "--encoder", "toy"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(log), *arguments, "--store", str(tmp_path / "store"),
         "--workers", "1"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    wait_for_calls(log, 70, process)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert said.splitlines()[-1] == "nver: interrupted; what was finished is kept"
    done = extract(table, [toy()], tmp_path / "store", workers=1)
    assert 64 <= done.counts[0].reused < 256
    assert verify(EmbeddingStore(tmp_path / "store")).faults == ()


def test_an_interrupted_write_is_made_again(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    adds = []

    def add(self: Any, keys: Any, vectors: Any, f: Any = EmbeddingView.add) -> None:
        adds.append(len(keys))
        if len(adds) == 1:
            raise KeyboardInterrupt
        f(self, keys, vectors)

    monkeypatch.setattr(EmbeddingView, "add", add)
    monkeypatch.setattr(missing_vectors, "SHARD_ROWS", 16)
    table = write_clips(tmp_path / "clips", 40)
    with pytest.raises(KeyboardInterrupt):
        extract(table, [toy()], store, workers=1)
    assert adds == [16, 16]
    assert extract(table, [toy()], store, workers=1).counts[0].reused == 16


def test_two_processes_extract_into_one_store(tmp_path: Path) -> None:
    table = write_clips(tmp_path / "clips", 160)
    halves = table[:100], table[60:]
    processes = []
    for number, half in enumerate(halves):
        half.to_csv(tmp_path / f"{number}.csv", index=False)
        log = tmp_path / f"{number}.log"
        processes.append(start(tmp_path / f"{number}.csv", tmp_path / "store", log, workers=1))
    assert [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert_equal_to_uninterrupted(table, [toy()], tmp_path)


# --- the command line


def run_cli(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command_says_what_was_done(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "mine").mkdir()
    write_clips(tmp_path / "mine" / "laugh", 2, seed=1)
    write_clips(tmp_path / "mine" / "cry", 2, seed=2)
    bad_files(tmp_path / "mine" / "bad")
    common = ["--root", tmp_path / "mine", "--encoder", "toy", "--store", tmp_path / "store"]
    common += ["--workers", "1"]
    code, out, err = run_cli(capsys, "extract", "mine", *common)
    assert (code, "4 computed, 0 reused" in out) == (0, True)
    assert "4 usable clips in" in out
    assert "silent" in err
    assert "text.wav: cannot be decoded" in err
    code, out, err = run_cli(capsys, "extract", "mine", *common, "--strict", "--json")
    said = json.loads(out)
    assert code == 1
    assert [(e["name"], e["computed"], e["reused"]) for e in said["encoders"]] == [("toy", 0, 4)]
    assert {row["reason"] for row in said["skipped"]} >= {"silent", "not finite", "unreadable"}
    code, out, _ = run_cli(capsys, "extract", "mine", *common, "--layer", "3")
    assert (code, "4 computed" in out) == (0, True)


def test_nothing_usable_is_a_failure(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "mine").mkdir()
    bad_files(tmp_path / "mine" / "bad")
    common = ["--root", tmp_path / "mine", "--encoder", "toy", "--store", tmp_path / "store"]
    assert run_cli(capsys, "extract", "mine", *common, "--workers", "1")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["extract", "table", "--root", "nowhere.csv", "--encoder", "toy"], 1, "nowhere.csv"),
        (["extract", "table", "--root", "nowhere.csv"], 2, "Missing option '--encoder'"),
        (["extract", "emogatro", "--encoder", "toy"], 2, "did you mean 'emogator'"),
        (["store", "stats", "--store", "nowhere"], 1, "no embedding store"),
        (["store", "export", "x"], 2, "Missing argument 'OUT'"),
        (["store", "nonsense"], 2, "No such command"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    capsys: Any, arguments: list[str], code: int, words: str
) -> None:
    got, _, err = run_cli(capsys, *arguments)
    assert (got, words in err, "Traceback" in err) == (code, True, False)


def test_the_store_commands(tmp_path: Path, capsys: Any) -> None:
    table = write_clips(tmp_path / "clips", 3)
    table.to_csv(tmp_path / "clips.csv", index=False)
    place = ["--store", tmp_path / "store"]
    extract(table, [toy(), toy(code_version=2)], tmp_path / "store", workers=1)
    code, out, _ = run_cli(capsys, "store", "stats", *place)
    assert (code, "6 embeddings" in out, out.count("toy")) == (0, True, 2)
    found = json.loads(run_cli(capsys, "store", "stats", *place, "--json")[1])
    assert [entry["rows"] for entry in found] == [3, 3]
    assert run_cli(capsys, "store", "export", "toy", tmp_path / "out", *place)[0] == 2
    code, out, _ = run_cli(capsys, "store", "gc", *place, "--superseded")
    assert (code, "1 identities dropped" in out) == (0, True)
    table_root = ["--corpus", "table", "--root", tmp_path / "clips.csv"]
    code, out, _ = run_cli(capsys, "store", "export", "toy", tmp_path / "out", *place, *table_root)
    assert (code, "3 clips in" in out) == (0, True)
    assert np.load(tmp_path / "out" / "embeddings.npy").shape == (3, 6)
    assert run_cli(capsys, "store", "verify", *place)[1].endswith("all is well\n")
    for shard in (tmp_path / "store").rglob("*.safetensors"):
        os.truncate(shard, 100)
    code, out, err = run_cli(capsys, "store", "verify", *place)
    assert (code, "1 fault(s)" in out, shard.name in err) == (1, True, True)
    code, _, err = run_cli(capsys, "store", "verify", *place, "--repair")
    assert (code, "0 embeddings are left" in err) == (0, True)
    assert run_cli(capsys, "store", "verify", *place)[0] == 0


def test_help_needs_no_store() -> None:
    from nver.cli.store import command

    assert "verify" in CliRunner().invoke(command, ["--help"]).output


# --- on real recordings


def stored_rows(store: Path) -> list[int]:
    rows = {entry.identity["name"]: entry.rows for entry in stats(EmbeddingStore(store))}
    return [rows.get(name, 0) for name in WEIGHTLESS]


@pytest.mark.long
def test_ten_kills_on_emogator(shared: Path, tmp_path: Path) -> None:
    from nver.corpora import load_corpus

    table = load_corpus("emogator", root=shared / "data" / "emogator" / "opus").table
    table.to_csv(tmp_path / "clips.csv", index=False)
    moments, store, stored = random.Random(1), tmp_path / "store", [[0, 0]]
    for _ in range(10):
        process = start(tmp_path / "clips.csv", store, "", rows=1024)
        time.sleep(3 + 12 * moments.random())
        process.kill()
        process.communicate()
        assert verify(EmbeddingStore(store)).faults == ()
        stored.append(stored_rows(store))
        assert stored[-1] >= stored[-2], "what was written stays"
    process = start(tmp_path / "clips.csv", store, "", rows=1024)
    last = [int(count) for count in process.communicate()[0].split()]
    everything = stored_rows(store)
    print(f"stored after each kill: {stored[1:]}, computed by the last run: {last}")
    assert [a + b for a, b in zip(stored[-1], last, strict=True)] == everything
    assert everything[0] == everything[1] > 23_000
    assert_equal_to_uninterrupted(table, WEIGHTLESS, tmp_path, workers=2)
