"""The embedding store, without audio and encoders: keys, contents, shards, index, upkeep."""

import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers_extraction import table_of, write_clips
from nver.embeddings.store import EmbeddingStore, as_keys, clip_key, key_clips
from nver.embeddings.store.contents import Content
from nver.embeddings.store.index import FILE_NAME, open_index
from nver.embeddings.store.keys import Keys, equal_keys
from nver.embeddings.store.shards import folder_name, write_shard
from nver.embeddings.store.store_export import export
from nver.embeddings.store.upkeep import collect_garbage, repair, stats, verify
from nver.encoders.base import EncoderIdentity
from nver.errors import AudioError, StoreError, UsageError

IDENTITY = EncoderIdentity("toy", "none", "abc", "last", "mean", 16000, 1, 4)
A = bytes(range(32))


def keys_of(*numbers: int) -> Keys:
    return as_keys([number.to_bytes(32, "big") for number in numbers])


def vectors_of(*numbers: int) -> Any:
    return np.array(numbers, np.float32)[:, None] * np.array([1, 10, 100, 0.1], np.float32)


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def filled(store: EmbeddingStore) -> EmbeddingStore:
    """Three shards: clips 0-9, 10-19, 20-29."""
    for start in (0, 10, 20):
        numbers = range(start, start + 10)
        store.view(IDENTITY).add(keys_of(*numbers), vectors_of(*numbers))
    return store


def shards(store: EmbeddingStore) -> list[Path]:
    return sorted((store.root / "shards").glob("*/*.safetensors"), key=lambda p: p.stat().st_mtime)


def is_whole(store: EmbeddingStore, *numbers: int) -> bool:
    found = verify(store)
    read = store.view(IDENTITY).read(keys_of(*numbers))
    return found.faults == () and bool((read == vectors_of(*numbers)).all())


# --- keys


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ((A, None, None), (A, float("nan"), float("nan")), True),
        ((A, 0.0, None), (A, None, None), True),
        ((A, -0.0, None), (A, None, None), True),
        ((A, 0.0, 1.5), (A, None, 1.5), True),
        ((A, -0.0, 1.5), (A, 0.0, 1.5), True),
        ((A, 0.5, 1.5), (A, 0.5, 1.5), True),
        ((A, 0.0, 1.5), (A, None, None), False),
        ((A, 0.5, 1.5), (A, 0.5, 1.6), False),
        ((A, 0.5, None), (A, None, 0.5), False),
        ((A, 0.0, 0.0), (A, None, None), False),
        ((A, 0.5, 1.5), (A[::-1], 0.5, 1.5), False),
    ],
)
def test_a_key_is_content_and_span(first: Any, second: Any, equal: bool) -> None:
    assert (clip_key(*first) == clip_key(*second)) is equal
    assert len(clip_key(*first)) == 32


def test_equal_keys_finds_the_first_of_each_group() -> None:
    first, group = equal_keys(keys_of(5, 256, 5, 0, 256, 1))
    assert sorted(first) == [0, 1, 3, 5]
    assert [list(np.flatnonzero(group == g)) for g in group] == [
        [0, 2], [1, 4], [0, 2], [3], [1, 4], [5],
    ]  # fmt: skip


# --- contents


def age(file: Path, seconds: float = 60.0) -> None:
    then = time.time() - seconds
    os.utime(file, (then, then))


def content(store: EmbeddingStore, file: Path, **options: bool) -> Any:
    return store.content_hashes([str(file)], **options)[str(file)]


@pytest.mark.parametrize(
    ("change", "rehash", "seen"),
    [
        ("another size", False, True),
        ("another time", False, True),
        ("same size and time", False, False),
        ("same size and time", True, True),
        ("too fresh to be sure of", False, True),
    ],
)
def test_a_hash_is_remembered_by_size_and_time(
    store: EmbeddingStore, tmp_path: Path, change: str, rehash: bool, seen: bool
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"one")
    if change != "too fresh to be sure of":
        age(file)
    before, then = content(store, file), file.stat()
    file.write_bytes(b"longer" if change == "another size" else b"two")
    if change in ("same size and time", "too fresh to be sure of"):
        os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
    after = content(store, file, rehash=rehash)
    assert (after.sha256 != before.sha256) is seen
    assert content(store, file) == after


def test_what_has_no_content_says_why(store: EmbeddingStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    names = ("absent.wav", "", "pipe.wav")
    found = store.content_hashes([os.path.join(tmp_path, name) for name in names])
    assert [error.reason for error in found.values() if isinstance(error, AudioError)] == [
        "missing",
        "unreadable",
        "unreadable",
    ]
    assert all(file in str(error) for file, error in found.items())


def test_names_that_are_no_utf8(store: EmbeddingStore, tmp_path: Path) -> None:
    file = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.bin")
    Path(file).write_bytes(b"x")
    age(Path(file))
    assert isinstance(store.content_hashes([file])[file], Content)
    assert isinstance(store.content_hashes([file])[file], Content)


def test_a_table_without_files_is_refused(store: EmbeddingStore) -> None:
    with pytest.raises(UsageError, match="clip and file"):
        key_clips(pd.DataFrame({"path": ["a"]}), store)


# --- adding and reading


def test_what_is_added_is_read_in_any_order(filled: EmbeddingStore) -> None:
    view, order = filled.view(IDENTITY), (25, 3, 3, 14, 0, 29)
    assert (view.read(keys_of(*order)) == vectors_of(*order)).all()
    assert view.missing(keys_of(29, 30, 0, 31)).tolist() == [False, True, False, True]
    assert len(view) == 30
    assert view.read(keys_of()).shape == (0, 4)
    assert [len(b) for b in view.read_batches(keys_of(*range(30)), rows=12)] == [12, 12, 6]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"revision": "v2"},
        {"weights_hash": "abd"},
        {"layer": "3"},
        {"pooling": "mean+std"},
        {"sampling_rate": 8000},
        {"code_version": 2},
        {"dim": 5},
        {"options": {"order": "time"}},
    ],
)
def test_another_identity_has_nothing(filled: EmbeddingStore, change: dict[str, Any]) -> None:
    other = filled.view(replace(IDENTITY, **change))
    assert other.missing(keys_of(*range(30))).all()
    with pytest.raises(StoreError, match="for 2 of 2 clips; `nver extract`"):
        other.read(keys_of(0, 1))


def test_a_key_keeps_its_vector(filled: EmbeddingStore) -> None:
    view = filled.view(IDENTITY)
    view.add(keys_of(5, 30), vectors_of(99, 30))
    assert is_whole(filled, 5, 30)
    files = shards(filled)
    view.add(keys_of(5, 6), vectors_of(98, 97))
    assert shards(filled) == files, "a shard that brings nothing new does not stay"
    assert is_whole(filled, *range(31))


@pytest.mark.parametrize(
    "vectors", [np.zeros((2, 3), np.float32), np.zeros((1, 4), np.float32), np.zeros((2, 4))]
)
def test_vectors_of_another_form_are_refused(store: EmbeddingStore, vectors: Any) -> None:
    with pytest.raises(ValueError, match=r"expected float32 \(2, 4\)"):
        store.view(IDENTITY).add(keys_of(1, 2), vectors)


def test_an_empty_add_writes_nothing(store: EmbeddingStore) -> None:
    store.view(IDENTITY).add(keys_of(), np.empty((0, 4), np.float32))
    assert shards(store) == []


def test_a_store_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no embedding store"):
        EmbeddingStore(tmp_path, create=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be a store"):
        EmbeddingStore(tmp_path / "file")


def test_the_default_store_lies_in_the_cache_folder() -> None:
    assert EmbeddingStore().root == Path(os.environ["NVER_CACHE"]) / "embeddings"


# --- what a kill or a bad disk leaves


def lose_index(store: EmbeddingStore) -> None:
    (store.root / FILE_NAME).unlink()


def overwrite_index(store: EmbeddingStore) -> None:
    (store.root / FILE_NAME).write_bytes(b"not a database, by no means" * 100)


def cut_index(store: EmbeddingStore) -> None:
    file = store.root / FILE_NAME
    os.truncate(file, 700)


def empty_index(store: EmbeddingStore) -> None:
    os.truncate(store.root / FILE_NAME, 0)


@pytest.mark.parametrize("harm", [lose_index, overwrite_index, cut_index, empty_index])
def test_the_index_is_made_again_from_the_shards(
    filled: EmbeddingStore, harm: Callable[[EmbeddingStore], None], caplog: Any
) -> None:
    harm(filled)
    with caplog.at_level(logging.WARNING, "nver"):
        again = EmbeddingStore(filled.root)
    assert is_whole(again, *range(30))
    assert ("was damaged" in caplog.text) is (harm in (overwrite_index, cut_index))


def test_a_shard_that_the_index_does_not_know_is_taken_in(filled: EmbeddingStore) -> None:
    """Killed between the rename and the index."""
    folder = filled.root / "shards" / folder_name(IDENTITY)
    write_shard(folder, IDENTITY.to_json(), keys_of(40, 41), vectors_of(40, 41))
    assert filled.view(IDENTITY).missing(keys_of(40)).all()
    again = EmbeddingStore(filled.root)
    assert is_whole(again, *range(30), 40, 41)


def test_a_part_of_a_file_is_not_seen(filled: EmbeddingStore) -> None:
    """Killed before the rename."""
    part = shards(filled)[0].with_name(".0123.safetensors.tmp")
    part.write_bytes(b"half")
    assert is_whole(EmbeddingStore(filled.root), *range(30))
    collect_garbage(filled)
    assert part.exists(), "it may belong to a process that runs"
    age(part, 7200)
    collect_garbage(filled)
    assert not part.exists()


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-50] ^= 1
    file.write_bytes(data)


def spoil_header(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[3] ^= 255
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (flip, "checksum"),
        (spoil_header, "not a whole shard"),
        (lambda f: os.truncate(f, 200), "not a whole shard"),
        (lambda f: os.truncate(f, f.stat().st_size - 1), "not a whole shard"),
        (lambda f: os.truncate(f, 0), "not a whole shard"),
        (lambda f: f.write_bytes(b"\x10" + bytes(7) + b'{"no": "header"}'), "not a whole shard"),
        (lambda f: f.unlink(), "is gone"),
    ],
)
def test_a_damaged_shard_is_named_and_set_aside(
    filled: EmbeddingStore, harm: Callable[[Path], None], words: str
) -> None:
    view, victim = filled.view(IDENTITY), shards(filled)[1]
    harm(victim)
    found = verify(filled)
    assert [(str(victim) in fault, words in fault) for fault in found.faults] == [(True, True)]
    if words != "checksum":
        with pytest.raises(StoreError, match="--repair"):
            view.read(keys_of(*range(30)))
    for path in repair(filled, found):
        assert path.exists()
    assert view.missing(keys_of(*range(30))).sum() == 10
    left = np.flatnonzero(~view.missing(keys_of(*range(30)))).tolist()
    assert is_whole(EmbeddingStore(filled.root), *left)


def test_a_vector_that_is_not_finite_is_found(store: EmbeddingStore) -> None:
    vectors = vectors_of(1, 2)
    vectors[1, 2] = np.nan
    store.view(IDENTITY).add(keys_of(1, 2), vectors)
    assert "NaN" in verify(store).faults[0]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM vectors WHERE row = 3", "not as the index has them"),
        ("UPDATE vectors SET row = 4 WHERE row = 3", "not as the index has them"),
        ("UPDATE vectors SET shard = 99 WHERE row = 3", "shards that it does not know"),
        ("UPDATE shards SET rows = 11", "the index records 11 rows"),
    ],
)
def test_an_index_that_says_something_else_is_found(
    filled: EmbeddingStore, sql: str, words: str
) -> None:
    with open_index(filled.root) as index, index.transaction():
        index.connection.execute(sql)
    found = verify(filled)
    assert any(words in fault for fault in found.faults)
    repair(filled, found)
    assert is_whole(filled, *range(30))


def test_a_foreign_file_among_the_shards_is_reported(filled: EmbeddingStore, caplog: Any) -> None:
    foreign = shards(filled)[0].with_name("foreign.safetensors")
    foreign.write_bytes(b"something else")
    again = EmbeddingStore(filled.root)
    assert str(foreign) in caplog.text
    assert str(foreign) in verify(again).faults[0]


def test_a_locked_or_broken_index_is_a_store_error(filled: EmbeddingStore) -> None:
    with (
        pytest.raises(StoreError, match="no such table"),
        open_index(filled.root) as index,
    ):
        index.query("SELECT * FROM nonsense")


# --- several processes

WRITER = """
import sys
import test_embeddings as t
from nver.embeddings import EmbeddingStore
view = EmbeddingStore(sys.argv[1]).view(t.IDENTITY)
for start in range(int(sys.argv[2]), 80, 7):
    numbers = range(start, start + 10)
    view.add(t.keys_of(*numbers), t.vectors_of(*numbers))
"""


def test_two_processes_write_one_store(store: EmbeddingStore) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store.root, str(n)], env=environment)
        for n in (0, 3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    numbers = [n for n in range(90) if not store.view(IDENTITY).missing(keys_of(n))[0]]
    assert len(numbers) >= 80
    assert is_whole(store, *numbers)


# --- upkeep


def test_stats_says_what_is_there(filled: EmbeddingStore) -> None:
    other = replace(IDENTITY, layer="2")
    filled.view(other).add(keys_of(1), vectors_of(1))
    found = {entry.identity["layer"]: entry for entry in stats(filled)}
    assert {layer: (e.rows, e.shards) for layer, e in found.items()} == {
        "last": (30, 3),
        "2": (1, 1),
    }
    assert found["last"].fingerprint == IDENTITY.fingerprint
    assert sum(entry.bytes for entry in found.values()) == sum(
        path.stat().st_size for path in shards(filled)
    )
    assert {i.layer for i in filled.identities()} == {"last", "2"}


def test_gc_merges_small_shards(filled: EmbeddingStore) -> None:
    filled.view(IDENTITY).add(keys_of(3, 30), vectors_of(-1, 30))  # 3 has a vector already
    done = collect_garbage(filled)
    assert (done.merged, done.files) == (4, 3)
    assert len(shards(filled)) == 1
    assert is_whole(filled, *range(31))
    assert is_whole(EmbeddingStore(filled.root), *range(31))
    assert collect_garbage(filled).merged == 0


def test_gc_leaves_what_is_damaged_to_verify(filled: EmbeddingStore) -> None:
    flip(shards(filled)[0])
    assert collect_garbage(filled).merged == 0
    assert len(verify(filled).faults) == 1


def test_gc_removes_what_a_killed_gc_left(filled: EmbeddingStore) -> None:
    old = {path: path.read_bytes() for path in shards(filled)}
    collect_garbage(filled)
    for path, data in old.items():
        path.write_bytes(data)
    again = EmbeddingStore(filled.root)
    assert is_whole(again, *range(30))
    collect_garbage(again)
    assert len(shards(again)) == 1
    assert is_whole(again, *range(30))


def test_a_reader_finds_what_gc_moved_meanwhile(
    filled: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nver.embeddings.store import store as module

    opened = module.open_shard

    def open_late(path: Path) -> Any:
        monkeypatch.setattr(module, "open_shard", opened)
        collect_garbage(filled)
        return opened(path)

    monkeypatch.setattr(module, "open_shard", open_late)
    assert (filled.view(IDENTITY).read(keys_of(5, 25)) == vectors_of(5, 25)).all()


@pytest.mark.parametrize(
    ("change", "goes"),
    [({"code_version": 2}, True), ({"code_version": 2, "dim": 4}, True), ({"layer": "2"}, False)],
)
def test_gc_drops_what_is_superseded(
    filled: EmbeddingStore, change: dict[str, Any], goes: bool
) -> None:
    newer = replace(IDENTITY, **change)
    filled.view(newer).add(keys_of(1), vectors_of(1))
    done = collect_garbage(filled, superseded=True)
    assert done.identities == ((IDENTITY.fingerprint,) if goes else ())
    assert len(filled.view(IDENTITY)) == (0 if goes else 30)
    assert len(filled.view(newer)) == 1
    assert verify(EmbeddingStore(filled.root)).faults == ()


def test_gc_drops_what_is_asked_for(filled: EmbeddingStore) -> None:
    collect_garbage(filled, [filled.find("toy")])
    assert (stats(filled), shards(filled), len(filled.view(IDENTITY))) == ([], [], 0)


def test_find_takes_a_name_or_a_fingerprint(filled: EmbeddingStore) -> None:
    assert filled.find("toy") == IDENTITY == filled.find(IDENTITY.fingerprint[:8])
    line = f"{IDENTITY.fingerprint[:12]}  toy  .*weights_hash=abc layer=last"
    with pytest.raises(UsageError, match=f"nothing for 'joy'.*\n  {line}"):
        filled.find("joy")
    filled.view(replace(IDENTITY, layer="2")).add(keys_of(1), vectors_of(1))
    with pytest.raises(UsageError, match="several identities for 'toy'"):
        filled.find("toy")


# --- export


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_what_is_exported_reads_back(store: EmbeddingStore, tmp_path: Path, form: str) -> None:
    table = write_clips(tmp_path / "clips", 5)
    table = pd.concat([table, table_of([tmp_path / "absent.wav"])], ignore_index=True)
    keys = key_clips(table, store)
    vectors = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    store.view(IDENTITY).add(keys.keys[:5], vectors)
    done = export(store, IDENTITY, tmp_path / "out", table=table[::-1], format=form)
    assert (done.clips, done.left_out) == (5, 1)
    clips, read = read_export(done.files)
    assert (read == vectors[::-1]).all()
    assert list(clips["clip"]) == list(table["clip"][:5][::-1])
    everything = export(store, IDENTITY, tmp_path / "all", format=form)
    clips, read = read_export(everything.files)
    order = [list(clips["file"]).index(file) for file in table["file"][:5]]
    assert (read[order] == vectors).all()
    assert list(clips["key"]) == sorted(key.tobytes().hex() for key in keys.keys[:5])


def read_export(files: tuple[Path, ...]) -> tuple[pd.DataFrame, Any]:
    if len(files) == 2:
        return pd.read_csv(files[1]), np.load(files[0])
    table = pd.read_csv(files[0])
    return table, table[[f"e{i}" for i in range(4)]].to_numpy(np.float32)


def test_perturbed_clips_are_counted_apart_and_not_exported(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    table = write_clips(tmp_path / "clips", 2)
    both = pd.concat([table.assign(perturbation=kind) for kind in ("", "noise-17dB")])
    store.view(IDENTITY).add(key_clips(both, store).keys, vectors_of(1, 2, 3, 4))
    (entry,) = stats(store)
    assert (entry.rows, entry.perturbed) == (4, 2)
    done = export(store, IDENTITY, tmp_path / "out")
    assert (done.clips, done.perturbed) == (2, 2)
    clips, read = read_export(done.files)
    assert set(clips["file"]) == set(table["file"])
    assert set(read[:, 0]) == {1, 2}


def test_an_export_of_nothing_is_an_error(filled: EmbeddingStore, tmp_path: Path) -> None:
    table = write_clips(tmp_path / "clips", 2)
    with pytest.raises(StoreError, match="no toy embedding of these clips"):
        export(filled, IDENTITY, tmp_path / "out", table=table)
    with pytest.raises(UsageError, match="did you mean 'npy'"):
        export(filled, IDENTITY, tmp_path / "out", format="npz")


# --- size

READER = """
import json, resource, sys
import numpy as np
from nver.embeddings import EmbeddingStore
from nver.encoders.base import EncoderIdentity
identity = EncoderIdentity(**json.loads(sys.argv[2]))
rows = int(sys.argv[3])
keys = np.random.default_rng(0).integers(0, 256, (rows, 32), np.uint8)
view = EmbeddingStore(sys.argv[1]).view(identity)
assert not view.missing(keys).any()
order = np.random.default_rng(1).permutation(rows)
seen = 0
for batch in view.read_batches(keys[order]):
    assert (batch[:, 0] == order[seen : seen + len(batch)]).all()
    seen += len(batch)
assert seen == rows
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def fill_at_random(store: EmbeddingStore, rows: int, dim: int, a_shard: int) -> EncoderIdentity:
    identity = replace(IDENTITY, dim=dim)
    view = store.view(identity)
    keys = np.random.default_rng(0).integers(0, 256, (rows, 32), np.uint8)
    for start in range(0, rows, a_shard):
        numbers = np.arange(start, min(start + a_shard, rows), dtype=np.float32)
        view.add(keys[start : start + a_shard], np.tile(numbers[:, None], (1, dim)))
    return identity


def read_elsewhere(store: EmbeddingStore, identity: EncoderIdentity, rows: int) -> int:
    """Peak memory in MiB of a process that reads all rows in another order than they lie in."""
    command = [sys.executable, "-c", READER, str(store.root), identity.to_json(), str(rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_many_rows_in_any_order(store: EmbeddingStore) -> None:
    identity = fill_at_random(store, 20_000, 8, 1024)
    read_elsewhere(store, identity, 20_000)
    assert len(store.view(identity)) == 20_000


@pytest.mark.long
def test_a_million_rows_with_flat_memory(tmp_path: Path) -> None:
    peaks = {}
    for rows in (20_000, 1_000_000):
        store = EmbeddingStore(tmp_path / str(rows))
        identity = fill_at_random(store, rows, 256, 4096)
        peaks[rows] = read_elsewhere(store, identity, rows)
    keys_mib = 1_000_000 * (32 + 32 + 8) / 2**20  # the test's own: two arrays of keys, one order
    assert peaks[1_000_000] < peaks[20_000] * 1.3 + keys_mib
    assert len(list((tmp_path / "1000000").rglob("*"))) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * 2**20


def test_shards_are_plain_safetensors(filled: EmbeddingStore) -> None:
    from safetensors import safe_open

    with safe_open(shards(filled)[0], framework="np") as file:
        assert json.loads(file.metadata()["identity"])["name"] == "toy"
        assert (file.get_tensor("vectors") == vectors_of(*range(10))).all()
        assert (file.get_tensor("keys") == keys_of(*range(10))).all()
