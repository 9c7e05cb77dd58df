"""The recipes of `experiments/` parse; those of HYFuse are rehearsed on trees made up here.

A rehearsal is no result: published file names, real recordings of another corpus inside, encoders
of tiny random weights where the real ones are not beside the project, one epoch. It shows that the
whole way from a recipe to its report runs.
"""

import tomllib
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import soundfile

from fakes import tiny_weights
from helpers_corpora import TREES
from nver.corpora import load_corpus
from nver.pipeline import Run, run
from nver.recipe import parse_experiment, streams_of
from nver.recipe.reading import read_experiment
from nver.registry import names

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
RECIPES = [  # of `nver run`; those of `nver pretrain` name no classifier
    file for file in sorted(EXPERIMENTS.glob("*.toml")) if "classifiers" in file.read_text("utf-8")
]
GRIDS = {"crema-d": "hyfuse_crema_d.toml", "emodb": "hyfuse_emodb.toml"}
MIXED, SPEECH, CODECS = 28, 21, 6  # pairs of seven speech models and four codecs


def tree(recipe: Path) -> dict[str, Any]:
    """The recipe's tables; skipped where it names an encoder that is not registered."""
    tables = tomllib.loads(recipe.read_text("utf-8"))
    encoders = {e if isinstance(e, str) else e["name"] for e in tables["encoders"]}
    missing = encoders - set(names("encoders"))
    if missing:
        pytest.skip(f"{recipe.name} names encoders that are not registered: {sorted(missing)}")
    return tables


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.stem)
def test_every_recipe_parses(recipe: Path) -> None:
    tree(recipe)
    experiment = read_experiment(recipe)
    assert experiment.title
    for classifier in experiment.classifiers:
        assert streams_of(classifier, list(experiment.encoders))


@pytest.mark.parametrize("name", GRIDS.values())
def test_a_grid_has_every_mixed_pair_and_the_controls_of_one_kind(name: str) -> None:
    tables = tree(EXPERIMENTS / name)
    experiment = parse_experiment(tables)
    by_label = {c.label: c for c in experiment.classifiers}
    for label in ("concat", "hyfuse"):
        pairs = streams_of(by_label[label], list(experiment.encoders))
        assert len(pairs) == MIXED + SPEECH + CODECS
        assert ("x-vector", "soundstream") in pairs


def made_up_tree(name: str, root: Path, shared: Path, clips: int) -> Path:
    """The first names of each of five speakers and every emotion, with RAVDESS's recordings in."""
    recordings = sorted((shared / "data/ravdess").rglob("*.opus"))
    if len(recordings) < 60:
        pytest.skip(f"fewer than 60 recordings in {shared / 'data/ravdess'}")
    sounds = cycle(recordings[:: len(recordings) // 60])
    for file in first_names(name, clips):
        target = root / file
        target.parent.mkdir(parents=True, exist_ok=True)
        samples, rate = soundfile.read(next(sounds), dtype="float32")
        soundfile.write(target, samples[: 2 * rate], rate)
    return root


def first_names(name: str, clips: int) -> Iterator[str]:
    """As many clips of each of five speakers in each emotion."""
    left: dict[str, int] = {}
    speakers: list[str] = []
    for file in TREES[name]():
        stem = Path(file).stem
        speaker, emotion = (stem[:4], stem[9:12]) if name == "crema-d" else (stem[:2], stem[5:6])
        if speaker not in speakers and len(speakers) < 5:
            speakers.append(speaker)
        cell = f"{speaker} {emotion}"
        if speaker in speakers and left.get(cell, 0) < clips:
            left[cell] = left.get(cell, 0) + 1
            yield file


def weights(name: str, folder: Path, shared: Path) -> str | None:
    """The real ones where there are any, else tiny random ones in the published layout."""
    real = {
        "d-vector": "speaker_wq2012/saved_model.bilstm.mean.all.gpu100000.pt",
        "soundstream": "soundstream_lyra",
    }
    if name in real and (shared / "weights" / real[name]).exists():
        return str(shared / "weights" / real[name])
    return tiny_weights(name, folder)


def rehearsed(
    name: str, tables: dict[str, Any], tmp_path: Path, shared: Path
) -> tuple[Run, dict[str, Any]]:
    """The run of a grid's tables on a tree made up here, and the tables as they were run."""
    root = made_up_tree(name, tmp_path / "corpus", shared, clips=1)
    found = {e["name"]: weights(e["name"], tmp_path, shared) for e in tables["encoders"]}
    changed = {
        "title": f"REHEARSAL, no result: {tables['title']}",
        "name": f"rehearsal-{name}",
        "encoders": [{"name": n} | ({"weights": w} if w else {}) for n, w in found.items()],
        "store": str(tmp_path / "store"),
        "roots": {name: str(root)},
        "folds": {**tables["folds"], "number": 2},
        "training": {"epochs": 1},
    }
    tables = tables | changed
    return run(parse_experiment(tables), tmp_path / "run", workers=1), tables


def of_two_encoders(name: str) -> dict[str, Any]:
    """A grid's tables with two encoders and without the controls on x-vector."""
    tables = tomllib.loads((EXPERIMENTS / GRIDS[name]).read_text("utf-8"))
    encoders = [e for e in tables["encoders"] if e["name"] in ("d-vector", "soundstream")]
    classifiers = [c for c in tables["classifiers"] if "encoders" not in c]
    return tables | {"encoders": encoders, "classifiers": classifiers}


def check(done: Run, tables: dict[str, Any], pairs: int, singles: int) -> None:
    """Nothing is skipped, every row of the table is there, and every clip is in each."""
    controls = sum("encoders" in c for c in tables["classifiers"])
    (corpus,) = tables["corpora"]
    clips = len(load_corpus(corpus, root=tables["roots"][corpus]).table)
    assert len(done.skipped) == 0
    assert len(done.scores) == singles + 2 * pairs + controls
    assert len(done.predictions) == clips * len(done.scores)
    assert "REHEARSAL" in done.report.read_text("utf-8")


@pytest.mark.parametrize("name", [pytest.param("crema-d", marks=pytest.mark.long), "emodb"])
def test_a_rehearsal_of_a_grid_with_two_of_its_encoders(
    name: str, tmp_path: Path, shared: Path
) -> None:
    check(*rehearsed(name, of_two_encoders(name), tmp_path, shared), pairs=1, singles=2)


@pytest.mark.long
@pytest.mark.parametrize("name", GRIDS)
def test_a_rehearsal_of_a_whole_grid(name: str, tmp_path: Path, shared: Path) -> None:
    tables = tree(EXPERIMENTS / GRIDS[name])
    check(*rehearsed(name, tables, tmp_path, shared), MIXED + SPEECH + CODECS, singles=11)
