"""Printed numbers beside measured ones, the figures a recipe asks for, rehearsals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers_report import make_run_folder
from nver.errors import UsageError
from nver.evaluation.run_folder.saved_run import read_run
from nver.recipe import experiment_to_tree, parse_experiment, streams_of
from nver.recipe.printed import TABLES, other_systems, printed_table
from nver.recipe.reading import read_experiment
from nver.report import write_report
from nver.results.uncertainty import interval_table

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
SYSTEMS = (("audio-mamba-base", "fcn"), ("audio-mamba-base", "cnn"), ("my-encoder", "cnn"))
ADDED = """
[figures]
tsne = [["audio-mamba-base", "my-encoder"], ["audio-mamba-base", "hubert-base"]]
confusion = [["cnn", "audio-mamba-base"], ["reno", "audio-mamba-tiny", "hubert-base"]]
"""
MISSING = (
    "kind,name,message,remedy,systems,cells\n"
    "corpus,jnv,no root was given,--set roots.jnv=DIR,,6\n"
    "encoder,hubert-base,no weights,--set encoders.hubert-base.weights=DIR,cnn on hubert-base,2\n"
)


@pytest.mark.parametrize(("name", "cells"), [("reno-table1", 42), ("reno-table2", 108)])
def test_every_printed_cell_is_a_cell_of_its_recipe(name: str, cells: int) -> None:
    recipe = read_experiment(EXPERIMENTS / f"{name.replace('-t', '_t')}.toml")
    printed = {(c.classifier, c.encoders, c.corpus) for c in printed_table(name).cells}
    own = [
        (entry.label, "+".join(stream), corpus.name)
        for entry in recipe.classifiers
        for stream in streams_of(entry, list(recipe.encoders))
        for corpus in recipe.corpora
    ]
    assert recipe.printed == name
    assert len(printed) == len(own) == cells
    assert printed == set(own)


def test_some_printed_numbers() -> None:
    """Three read off the paper's tables, and one of another paper."""
    one = {(c.classifier, c.encoders, c.corpus): c for c in printed_table("reno-table1").cells}
    two = {(c.classifier, c.encoders, c.corpus): c for c in printed_table("reno-table2").cells}
    assert one["cnn", "audio-mamba-base", "asvp-esd"].accuracy == 73.96
    assert two["reno", "audio-mamba-small+wavlm-base", "vivae"].f1 == 72.49
    assert two["reno", "audio-mamba-tiny+hubert-base", "jnv"].accuracy == 79.09
    others = {(s.system, s.corpus): s.accuracy for s in other_systems()}
    assert others["LanguageBind + ImageBind, MATA", "vivae"] == 75.12


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("reno_table*.toml")), ids=lambda f: f.stem)
def test_the_recipes_read_back(file: Path) -> None:
    recipe = read_experiment(file)
    assert parse_experiment(experiment_to_tree(recipe)) == recipe
    (asvp,) = (c for c in recipe.corpora if c.name == "asvp-esd")
    assert asvp.options == {"channel": "non-speech", "breath": True, "bonus": False}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("printed", "reno-table3", "did you mean 'reno-table"),
        ("rehearsal", "yes", "rehearsal: expected bool"),
        ("figures", {"tsne": [["logmel-stats"]]}, "two encoders"),
        ("figures", {"tsne": [["logmel-stats", "prosody-stat"]]}, "did you mean 'prosody-stats'"),
        ("figures", {"confusion": [["fcn", "logmel-stat"]]}, "did you mean 'fcn, logmel-stats'"),
        ("figures", {"confusions": []}, "did you mean 'confusion'"),
        ("figures", {"tsne": ["logmel-stats"]}, "expected list"),
    ],
)
def test_wrong_keys(key: str, value: object, said: str) -> None:
    tree = {
        "corpora": ["vivae"],
        "encoders": ["logmel-stats", "prosody-stats"],
        "classifiers": ["fcn"],
        key: value,
    }
    with pytest.raises(UsageError, match=said):
        parse_experiment(tree)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up rehearsal on VIVAE, with JNV and an encoder missing."""
    folder = make_run_folder(
        tmp_path_factory.mktemp("runs") / "table", corpus="vivae", emotions=3, systems=SYSTEMS,
        synthetic=False, skipped=0,
    )  # fmt: skip
    recipe = (folder / "recipe.toml").read_text()
    own = 'title = "My table"\nprinted = "reno-table1"\nrehearsal = true\n'
    (folder / "recipe.toml").write_text(own + recipe + ADDED)
    (folder / "missing.csv").write_text(MISSING)
    write_report(folder)
    return folder


def test_differences_are_measured_less_printed_with_the_measured_interval(run: Path) -> None:
    rows = pd.read_csv(run / "report" / "printed.csv")
    scores = interval_table(read_run(run).predictions)
    for protocol in ("random", "speaker-independent"):
        place = {"protocol": protocol, "encoders": "audio-mamba-base", "classifier": "cnn"}
        (own,) = (r for _, r in scores.iterrows() if all(r[k] == v for k, v in place.items()))
        for score, printed in (("accuracy", 62.42), ("macro_f1", 61.29), ("weighted_f1", 61.29)):
            query = " and ".join(f"{k} == '{v}'" for k, v in place.items())
            (row,) = rows.query(f"{query} and score == '{score}' and corpus == 'vivae'").to_dict(
                "records"
            )
            assert row["printed"] == printed
            assert row["state"] == "measured"
            assert np.isclose(row["difference"], 100 * own[score] - printed)
            assert np.isclose(row["difference_low"], 100 * own[f"{score}_low"] - printed)
            assert np.isclose(row["difference_high"], 100 * own[f"{score}_high"] - printed)


def test_every_printed_cell_says_what_became_of_it(run: Path) -> None:
    rows = pd.read_csv(run / "report" / "printed.csv")
    one = rows.query("protocol == 'random' and score == 'accuracy'")
    state = dict(zip(zip(one.corpus, one.encoders, one.classifier, strict=True), one.state,
                     strict=True))  # fmt: skip
    assert len(state) == 42 + 1
    assert state["vivae", "audio-mamba-base", "fcn"] == "measured"
    assert state["vivae", "my-encoder", "cnn"] == "not printed"
    assert state["vivae", "hubert-base", "cnn"] == "waits for hubert-base"
    assert state["jnv", "hubert-base", "cnn"] == "waits for jnv, hubert-base"
    assert state["asvp-esd", "wavlm-base", "cnn"] == "not run"


def test_the_page(run: Path) -> None:
    page = (run / "report" / "index.html").read_text("utf-8")
    assert "Table I of RENO" in page
    assert "LanguageBind + ImageBind, MATA" in page
    assert "waits for hubert-base" in page
    assert "the corpus jnv was not there (6 cells)" in page
    assert "Not run, so not drawn: audio-mamba-base and hubert-base" in page
    assert "Confusions of reno on audio-mamba-tiny + hubert-base" in page
    assert (run / "report" / "pair_vivae_audio-mamba-base_my-encoder.png").stat().st_size > 5000


def test_a_rehearsal_says_so_everywhere(run: Path) -> None:
    for name in ("index.html", "scores.md", "scores.tex"):
        assert "REHEARSAL" in (run / "report" / name).read_text("utf-8"), name
    assert "<title>REHEARSAL: My table" in (run / "report" / "index.html").read_text("utf-8")
    assert "REHEARSAL" in next((run / "report").glob("confusion_*.svg")).read_text("utf-8")


def test_a_run_without_the_keys_has_neither(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1, systems=SYSTEMS[:1])
    page = write_report(folder).read_text("utf-8")
    assert "REHEARSAL" not in page
    assert 'id="printed"' not in page
    assert not (folder / "report" / "printed.csv").exists()


def test_names_of_tables() -> None:
    assert all(printed_table(name).name == name for name in TABLES)
