"""Every key of a recipe with every wrong value: a sentence that names the key, or a run that ends.

The recipes are made from the cards and checked against the dataclasses, so that a new key or option
is tried as soon as it is there.
"""

import copy
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime, time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import soundfile
import tomli_w

from helpers_cli import Finished, finish
from nver.classifiers.training.config import TrainingConfig
from nver.corpora.filtering import Filter
from nver.encoders import EncoderSpec
from nver.recipe import ClassifierEntry, Experiment
from nver.recipe.corpus_entries import CorpusEntry, Transfer
from nver.recipe.experiment import StressConfig
from nver.recipe.figures import Figures
from nver.recipe.folds import FoldsConfig
from nver.recipe.hypotheses import Hypothesis, Selection
from nver.registry import lookup, names

WRONG: list[Any] = [
    *("", " ", "\0", "a\x1bb", "x" * 5000, "../x", "a/b", "con", "é\u202e", "null", "=1+1", "~x/y"),
    *(True, False, 0, -1, 10**9, 2**63 - 1, 2**63, 1.5, 1e308, -1e308, 5e-324),
    *(float("nan"), float("inf")),
    *([], [[]], [[[]]], [1, "a"], ["x"], ["x", "x"], {}, {"a": 1}, {"": {}}, [{}]),
    *(date(2020, 1, 1), datetime(2020, 1, 1), time(1)),
]
TRAINING = {"epochs": 1, "learning_rate": 1e-3, "batch_size": 8, "patience": 1} | {
    "validation_share": 0.4,
    "weight_decay": 0.0,
    "standardise": True,
    "class_weights": False,
}
ENTRY = {"name": "duration-level", "label": "d", "layer": "last", "pooling": "mean"}
HYPOTHESES = [
    {
        "claim": "one over the other",
        "better": {"classifier": "linear", "encoders": ["d"], "contains": "d", "fusion": False},
        "worse": [{"kind": ["handcrafted"], "mixed": False, "classifier": ["t"]}],
        "smallest_effect": 1.0,
    }
]
SMALL: dict[str, Any] = {
    "corpora": [{"name": "mine", "speaker_pattern": "(s[0-9])"}],
    "roots": {"mine": "c"},
    "store": "store",
    "encoders": [ENTRY],
    "classifiers": ["linear"],
    "folds": {"kind": "random", "number": 2, "seeds": 0},
    "training": {"epochs": 1},
}
MAIN: dict[str, Any] = {
    "name": "full",
    "title": "Every key",
    "corpora": [{"name": "mine", "form": "folder", "speaker_pattern": "(s[0-9])"}],
    "roots": {"mine": "c"},
    "store": "store",
    "encoders": [ENTRY | {"device": "cpu"}, {"name": "prosody-stats", "label": "p"}],
    "classifiers": [
        {"name": "linear", "encoders": ["d", ["p"]]},
        {"name": "fcn", "label": "t", "tune": {"dropout": [0.1, 0.2]}, "encoders": ["d"]},
    ],
    "filter": {"emotions": ["laugh", "cry"], "speakers": ["s0-s5"]},
    "folds": {"kind": ["random"], "number": 2, "seeds": [0]},
    "training": TRAINING,
    "hypotheses": HYPOTHESES,
    "printed": "reno-table1",
    "rehearsal": True,
    "figures": {"tsne": [["d", "p"]], "confusion": [["linear", "d"]]},
    "families": {"happy": ["laugh"], "sad": ["cry"]},
}
TRANSFER: dict[str, Any] = SMALL | {
    "corpora": [*SMALL["corpora"], {"name": "other", "speaker_pattern": "(s[0-9])"}],
    "roots": {"mine": "c", "other": "d"},
    "filter": {"emotions": ["laugh", "cry"]},
    "filters": {"other": {"emotions": ["laugh", "cry"], "speakers": ["s2-s7"]}},
    "transfers": [{"train": "mine", "test": "other"}],
    "labels": {"mine": {"laugh": "joy", "cry": "grief"}, "other": {"laugh": "joy", "cry": "grief"}},
}
SPLIT = {"kind": "split", "train": ["s0", "s1"], "validation": ["s2"], "test": ["s3"]}


def _classifier(name: str) -> dict[str, Any]:
    card = lookup("classifiers", name)
    streams = [["d"], ["d", "p"]][card.streams[0] - 1]
    return SMALL | {
        "encoders": [ENTRY, {"name": "prosody-stats", "label": "p"}],
        "classifiers": [{"name": name, "label": name, "encoders": [streams], **card.options}],
    }


def _encoder(name: str) -> dict[str, Any]:
    options = dict(lookup("encoders", name).options)
    spec = {"weights": "nowhere", "revision": "main", "layer": "last", "device": "cpu"}
    entry = {"name": name, "label": "x", "pooling": "mean", **spec, **options}
    entry |= {} if name != "nver-mamba" else {"weights": "", "revision": ""}
    entry = {key: value for key, value in entry.items() if value != ""}
    return SMALL | {"encoders": [ENTRY, entry], "classifiers": [{"name": "linear"}]}


def _corpus(name: str) -> dict[str, Any]:
    """A corpus with all its options; a published one is not there, and waits."""
    options = {k: "x" if v is None else v for k, v in lookup("corpora", name).options.items()}
    small = {"speakers": 2, "clips_per_sound": 2} if name == "synthetic" else {}
    return SMALL | {"corpora": ["mine", {"name": name, **options, **small}]}


BASES: dict[str, dict[str, Any]] = {
    "main": MAIN,
    "transfer": TRANSFER,
    "stress": SMALL | {"stress": {"kinds": ["noise-20dB"]}},
    "split": SMALL | {"folds": SPLIT},
    "plain": SMALL,
    **{f"classifier {n}": _classifier(n) for n in names("classifiers")},
    **{f"encoder {n}": _encoder(n) for n in names("encoders") if lookup("encoders", n).options},
    "encoder of the hub": _encoder("hubert-base"),
    **{f"corpus {n}": _corpus(n) for n in names("corpora") if lookup("corpora", n).options},
}
Path_ = tuple[str | int, ...]
OWN = {  # of the bases whose other keys are tried with another base
    "classifier": lambda path: path[0] == "classifiers",
    "encoder": lambda path: path[:2] == ("encoders", 1),
    "corpus": lambda path: path[:2] == ("corpora", 1),
    "split": lambda path: path[0] == "folds",
    "stress": lambda path: path[0] == "stress",
    "transfer": lambda path: path[0] in ("filter", "filters", "transfers", "labels", "roots"),
    "plain": lambda path: path[0] in ("folds", "corpora", "encoders", "classifiers"),
    "main": lambda path: True,
}


def paths(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every place of a tree, tables and lists too."""
    if at:
        yield at
    lists = enumerate(value) if isinstance(value, list) else ()
    for key, own in value.items() if isinstance(value, dict) else lists:
        yield from paths(own, (*at, key))


def cases() -> list[tuple[str, Path_]]:
    return [
        (base, path)
        for base, tree in BASES.items()
        for path in paths(tree)
        if OWN[base.split()[0]](path)
    ]


def with_value(tree: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(tree)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny corpora, of eight speakers and two emotions."""
    folder = tmp_path_factory.mktemp("types")
    for number, (corpus, emotion) in enumerate((c, e) for c in "cd" for e in ("laugh", "cry")):
        for speaker, take in product(range(8), range(3)):
            noise = np.random.default_rng([number, speaker, take])
            samples = noise.normal(0, 0.1, 3000 + 900 * number)
            file = folder / corpus / emotion / f"s{speaker}_{take}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, samples, 16000)
    return folder


def called(place: Path, tree: dict[str, Any], *args: str) -> Finished:
    (place / "r.toml").write_text(tomli_w.dumps(tree), "utf-8", "surrogateescape")
    return finish(place, "run", "r.toml", "--out", "o", "--workers", "1", *args)


def shown(path: Path_, value: Any) -> str:
    return f"{'.'.join(map(str, path))} = {value!r:.60}"


def key_of(path: Path_) -> list[str]:
    """The words of which a sentence about this place has one: its key, or its list's."""
    words = [str(part) for part in path if isinstance(part, str)]
    others = {
        "corpora": ["roots", "filter"],
        "roots": ["corpora"],
        "encoders": ["classifiers", "hypotheses", "figures"],
        "classifiers": ["hypotheses", "figures"],
    }  # the names stand there too
    return [*words[-2:], *others.get(words[0], [])]


def faults(place: Path, base: str, path: Path_) -> tuple[list[str], list[Any]]:
    """What is wrong with the answers of a dry run, and the values that it accepts."""
    wrong, accepted = [], []
    for value in WRONG:
        done = called(place, with_value(BASES[base], path, value), "--dry-run")
        said = done.err.strip()
        what = f"{base}: {shown(path, value)}: {done.code} {said[-300:]}"
        if "NVER_DEBUG" in said or "Traceback" in said:
            wrong.append(what)
        elif done.code == 2:
            named = any(word in said for word in key_of(path))
            wrong += [] if named else [f"no key named: {what}"]
        elif done.code == 0 or "missing corpus" in said or "missing encoder" in said:
            accepted.append(value)
        else:
            wrong.append(what)
    return wrong, accepted


def run_faults(place: Path, base: str, path: Path_, value: Any) -> list[str]:
    """What is wrong with the run of a value that the dry run accepted."""
    tree = with_value(BASES[base], path, value)
    with TemporaryDirectory(dir=place) as fresh:  # a store that is made must be no later corpus
        for corpus in "cd":
            shutil.copytree(place / corpus, Path(fresh) / corpus)
        done = called(Path(fresh), tree)
    waits = any(word in done.err for word in ("missing corpus", "missing encoder", "weights"))
    if done.code == 0 or (done.code == 1 and waits and "NVER_DEBUG" not in done.err):
        return []
    return [f"{base}: {shown(path, value)}: the run: {done.code} {done.err.strip()[-300:]}"]


def test_every_key_is_tried() -> None:
    tried = {key for _, path in cases() for key in path if isinstance(key, str)}
    for cls in (Experiment, CorpusEntry, EncoderSpec, ClassifierEntry, FoldsConfig, TrainingConfig,
                StressConfig, Filter, Transfer, Hypothesis, Selection, Figures):  # fmt: skip
        assert {f.name for f in fields(cls)} - {"options"} <= tried, cls


@pytest.mark.parametrize("base", BASES)
def test_the_recipes_themselves_are_accepted(place: Path, base: str) -> None:
    done = called(place, BASES[base], "--dry-run")
    assert done.code == 0, done.err


def some(every: Sequence[Any], number: int) -> list[Any]:
    return random.Random(0).sample(list(every), number)


def test_some_keys_with_every_wrong_value(place: Path) -> None:
    """A sample, so that the suite stays short; the next test has all."""
    wrong, runs = [], []
    for base, path in some(cases(), 25):
        own, accepted = faults(place, base, path)
        wrong += own
        runs += [(base, path, value) for value in accepted]
    assert not wrong
    assert len(runs) > 10
    found = [fault for run in some(runs, 3) for fault in run_faults(place, *run)]
    assert not found


@pytest.mark.long
@pytest.mark.parametrize(("base", "path"), cases(), ids=lambda part: str(part)[:60])
def test_every_key_with_every_wrong_value(place: Path, base: str, path: Path_) -> None:
    wrong, accepted = faults(place, base, path)
    assert not wrong
    assert not [fault for value in accepted for fault in run_faults(place, base, path, value)]
