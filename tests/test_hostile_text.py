"""Files of text that nver reads: nested, huge, damaged, hostile; a sentence each time."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers_cli import finish
from nver.corpora import load_corpus
from nver.corpora.own.plain_yaml import check_plain_yaml
from nver.corpora.own.rows import read_columns
from nver.embeddings.store.shards import open_shard
from nver.embeddings.store.store import identity_values
from nver.errors import CorpusError, NverError, StoreError, UsageError
from nver.evaluation.grid.plan import read_plan
from nver.evaluation.run_folder.saved_run import _json
from nver.machine.json_text import parse_json
from nver.recipe.plain_toml import parse_toml
from nver.recipe.reading import MOST_BYTES, read_experiment

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "text", [DEEP, '{"a":' * 100_000, "", "{", "\0", "[1,]", '{"a":1,"a":2}', "1" * 5000]
)
def test_hostile_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested|twice|Exceeds|Expecting|Illegal"):
        parse_json(text)


RECIPE = 'corpora = ["c"]\nencoders = ["logmel-stats"]\nclassifiers = ["linear"]\n'
RECIPES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nested lists": (lambda: b"a = " + b"[" * 100_000, "nested too deep"),
    "nested tables": (lambda: b"a = " + b"{a=" * 10_000, "nested too deep"),
    "closed lists": (lambda: b"a = " + b"[" * 10_000 + b"]" * 10_000, "nested"),
    "a few too deep": (lambda: RECIPE.encode() + b"title = " + b"[" * 50 + b"]" * 50, "title"),
    "a dotted key": (lambda: b"a." * 4_000 + b"a = 1", "nested deeper"),
    "a dotted table": (lambda: b"[" + b"a." * 4_000 + b"a]", "nested deeper"),
    "a key without end": (lambda: b"a." * 100_000 + b"a = 1", "characters before any ="),
    "100 MB": (lambda: b"#" * 100_000_000, f"more than {MOST_BYTES:,} bytes"),
    "no UTF-8": (lambda: b'name = "\xff"', "not TOML"),
    "UTF-16": (lambda: RECIPE.encode("utf-16"), "not TOML"),
    "NUL": (lambda: b"\0" * 100, "not TOML"),
    "nothing": (lambda: b"", "needs corpora"),
    "many digits": (lambda: b"store = 1" + b"0" * 5000, "not TOML"),
    "a huge hexadecimal": (lambda: RECIPE.encode() + b"store = 0x" + b"f" * 5000, "64 bits"),
    "a key twice": (lambda: b'name = "a"\nname = "b"', "not TOML"),
    "a control character in a key": (lambda: RECIPE.encode() + b'"a\\u0007" = 1', "a key"),
    "JSON": (lambda: b'{"corpora": ["c"]}', "not TOML"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_hostile_recipe_is_bad_usage(name: str, tmp_path: Path) -> None:
    make, said = RECIPES[name]
    (tmp_path / "r.toml").write_bytes(make())
    with pytest.raises(UsageError, match=said):
        read_experiment(tmp_path / "r.toml")


def test_a_mark_of_windows_and_its_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(b"\xef\xbb\xbf" + RECIPE.replace("\n", "\r\n").encode())
    assert read_experiment(tmp_path / "r.toml").corpora[0].name == "c"


@pytest.mark.parametrize("place", ["/dev/null", "/dev/zero", "missing.toml", "folder.toml"])
def test_what_is_no_file_is_no_recipe(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    if place.startswith("/dev") and not os.path.exists(place):
        pytest.skip(f"no {place} here")
    with pytest.raises(UsageError, match=r"cannot be read|no recipe|needs corpora"):
        read_experiment(tmp_path / place)


OVERRIDES = {
    "title=" + "[" * 10_000: "nested too deep",
    "a." * 3_000 + "a=1": "nested deeper",
    "training.epochs=1" + "0" * 5000: "--set",
    "training.epochs=" + "9" * 30: "64 bits",
    "title=1\nname=2": None,
    "encoders.１.name=x": "unknown entry",
    "encoders.999999999999999999999999.name=x": "unknown entry",
    "name=../x": "name: expected the name of a folder",
    "name=''": "name: expected a name",
    'name="a/b"': "name: expected the name of a folder",
    "roots.c=~nobody-of-this-name/x": "roots.c: expected a path",
    "=": "takes a.b=c",
    "": "takes a.b=c",
    "corpora.c.speaker_pattern=7": "speaker_pattern is a text; got 7",
    "corpora.c.speaker_pattern={a=1}": "speaker_pattern is a text",
    "training.learning_rate=nan": "expected a finite number",
    "folds.seeds=[1e3]": "folds.seeds: expected int",
    "folds.number=2020-01-01": "folds.number: expected no date",
}


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda text: text[:40])
def test_a_hostile_override_is_bad_usage(override: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    said = OVERRIDES[override]
    if said is None:  # two lines are no value of TOML, so they are the text
        assert read_experiment(tmp_path / "r.toml", [override]).title == "1\nname=2"
        return
    with pytest.raises(UsageError, match=said):
        read_experiment(tmp_path / "r.toml", [override])


NAMES = [
    *("../../evil", "/abs", "a/b", "a\\b", "..", ".", "", " ", " a", "a ", "a.", "x\n", "x\0"),
    *("con", "CON", "nul.txt", "com1", "c:", "x" * 201, "é" * 120, "a\u2028b", "\x1b[31m"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_leave_runs_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(f"name = {json.dumps(name)}\n{RECIPE}")
    with pytest.raises(UsageError, match="name: expected"):
        read_experiment(tmp_path / "r.toml")


@pytest.mark.parametrize("name", ["a", "a b", "Über-1", "日本", "a.b", ".a", "=x", "console", "~"])
def test_every_other_name_is_a_folder_in_runs(name: str, tmp_path: Path) -> None:
    from nver.recipe import run_folder

    (tmp_path / "r.toml").write_text(f'name = "{name}"\n{RECIPE}', "utf-8")
    assert run_folder(read_experiment(tmp_path / "r.toml")) == Path("runs") / name


def test_a_run_in_python_cannot_leave_runs_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    import nver

    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.toml").write_text(RECIPE)
    with pytest.raises(UsageError, match="name: expected the name of a folder"):
        nver.run(replace(read_experiment("r.toml"), name="../evil"))
    assert [file.name for file in tmp_path.iterdir()] == ["r.toml"]


LABELS = ["../../evil", "a/b", "con", "/abs", "..", "=x", "-rf", "<b>", "é" * 100, "a+b", "x'y"]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_a_label_and_no_path(
    label: str, tmp_path: Path, sounds: Callable[[Path], None]
) -> None:
    """As the label of encoder and classifier, and as the name of the corpus."""
    sounds(tmp_path / "in" / "c")
    text = json.dumps(label, ensure_ascii=False)
    (tmp_path / "in" / "r.toml").write_text(
        f"""corpora = [{text}]
encoders = [{{name = "duration-level", label = {text}}}]
classifiers = [{{name = "linear", label = {text}}}]
store = "store"
roots = {{{text} = "c"}}
folds = {{kind = "random", number = 2}}
training = {{epochs = 1}}
""",
        "utf-8",
    )
    done = finish(tmp_path / "in", "run", "r.toml", "--out", "o", "--workers", "1")
    assert done.code == 0, done.err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in"]
    made = {file.name for file in (tmp_path / "in").iterdir()}
    assert made <= {"c", "r.toml", "store", "o", "cache"}


@pytest.fixture
def sounds() -> Callable[[Path], None]:
    """Writes a corpus of two emotions."""
    import numpy as np
    import soundfile

    def write(root: Path) -> None:
        for number, emotion in enumerate(("laugh", "cry")):
            for clip in range(4):
                samples = np.random.default_rng([number, clip]).normal(0, 0.1, 3000)
                (root / emotion).mkdir(parents=True, exist_ok=True)
                soundfile.write(root / emotion / f"{clip}.wav", samples, 16000)

    return write


@pytest.mark.parametrize("name", ["../../evil", "a/b", "con", "x\n", "\0", "", "~"])
def test_a_corpus_of_any_name_is_shown_and_writes_nothing(
    name: str, tmp_path: Path, sounds: Callable[[Path], None]
) -> None:
    sounds(tmp_path / "in" / "c")
    done = finish(tmp_path / "in", "corpus", name, "--root", "c")
    assert "NVER_DEBUG" not in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["in"]


def test_a_hostile_plan_is_damaged(tmp_path: Path) -> None:
    cell = {"corpus": "c", "protocol": "p", "seed": 0, "encoders": "e", "classifier": "l"}
    cell |= {"trainings": 1, "steps": 1, "cost": 1.0}
    plan = {"started": 1.0, "pid": 2**40, "host": "h", "workers": 1, "cells": [cell]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert read_plan(tmp_path).cells[0].corpus == "c"
    for text in (DEEP, "7", "[]", '{"cells": 7}', json.dumps(plan | {"cells": [7]}),
                 json.dumps(plan | {"cells": [cell | {"cost": "x"}]}),
                 json.dumps(plan | {"workers": float("nan")})):  # fmt: skip
        (tmp_path / "plan.json").write_text(text)
        with pytest.raises(NverError, match="damaged, no plan"):
            read_plan(tmp_path)


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 90_000, "{", "\0"])
def test_a_hostile_side_file_of_a_run_is_damaged(text: str, tmp_path: Path) -> None:
    (tmp_path / "corpora.json").write_text(text)
    with pytest.raises(NverError, match="damaged, not JSON"):
        _json(tmp_path / "corpora.json", {}, entries=True)


TREES = ["[[[[" * 9000, "encoders = 7", "figures = {tsne = 7}", "printed = []", "classifiers = {}"]


@pytest.mark.parametrize("text", TREES)
def test_a_hostile_recipe_in_a_run_folder_is_said_or_left_out(text: str, tmp_path: Path) -> None:
    import pandas as pd

    from nver.evaluation.run_folder.saved_run import SavedRun

    empty = pd.DataFrame()
    run = SavedRun(tmp_path, empty, text, {}, {}, [], empty, empty, empty, empty, empty, (), empty)
    if text.startswith("["):
        with pytest.raises(NverError, match="damaged"):
            _ = run.experiment
    else:
        assert run.experiment.corpora == ()


@pytest.mark.parametrize("text", ["", "7", "[]", DEEP, '{"name": 7}', "{"])
def test_a_hostile_identity_in_the_index_is_damaged(text: str) -> None:
    with pytest.raises(StoreError, match="the index has an identity that is damaged"):
        identity_values(text)


@pytest.mark.parametrize(
    "head", [DEEP, "7", '{"__metadata__": 7, "keys": [], "vectors": {}}', "{}", '{"keys": 1}']
)
def test_a_hostile_shard_is_no_shard(head: str, tmp_path: Path) -> None:
    data = len(head).to_bytes(8, "little") + head.encode() + bytes(64)
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(StoreError, match="not a whole shard"):
        open_shard(tmp_path / "x.safetensors")


@pytest.mark.parametrize("line", [DEEP, "1" * 5000, "{", "7", '{"file":' * 9000])
def test_a_hostile_line_costs_that_line(line: str, tmp_path: Path) -> None:
    good = '{"file": "a.wav", "emotion": "joy"}\n'
    (tmp_path / "t.jsonl").write_text(f"{good}{line}\n{good}")
    columns, skipped, _ = read_columns(tmp_path / "t.jsonl")
    assert columns["emotion"] == ["joy", "joy"]
    assert [reason for _, reason, _ in skipped] == ["malformed row"]


def test_a_corpus_option_of_hostile_json_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "c" / "joy").mkdir(parents=True)
    option = f"speaker_pattern={DEEP[:50_000]}"
    done = finish(tmp_path, "corpus", "mine", "--root", "c", "--corpus-option", option)
    assert done.code in (1, 2)
    assert "NVER_DEBUG" not in done.err


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n"
    for p, n in zip("abcdefghi", "bcdefghij", strict=True)
)
YAMLS = {
    "code": ("name: !!python/object/apply:os.system ['touch ran']", "could run code"),
    "a name of Python": ("name: !!python/name:os.system", "could run code"),
    "an object": ("name: !!python/object:os._wrap_close {}", "could run code"),
    "aliases of aliases": (BOMB, "nested too deep"),
    "itself": ("a: &a [*a]", "nested too deep"),
    "deep": ("[" * 5000, "nested too deep|not a header"),
    "not YAML": ("a: [", "not a header"),
    "NUL": ("a: \0", "not a header"),
    "no UTF-8": ("a: \udcff", "not a header"),
    "a list": ("- 1", "not a header"),
    "nothing": ("", "not a header"),
}


@pytest.mark.parametrize("name", YAMLS)
def test_a_hostile_header_of_audformat_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("audformat", reason="the extra audformat is not installed")
    text, said = YAMLS[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "db.yaml").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(CorpusError, match=said):
        load_corpus("mine", root=tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_header_with_a_few_aliases_is_plain(tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="the extra audformat is not installed")
    (tmp_path / "db.yaml").write_text("a: &x [1, 2]\nb: *x\nc: [*x, *x]\n")
    check_plain_yaml(tmp_path / "db.yaml", "a header")


def test_toml_that_is_right_is_read() -> None:
    assert parse_toml("a.b = 1\r\n[c]\rd = 'x'") == {"a": {"b": 1}, "c": {"d": "x"}}
