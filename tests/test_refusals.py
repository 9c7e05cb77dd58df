"""What is refused with a message: wrong arguments, and places that cannot be read or written."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nver
import nver.embeddings.store.index
import nver.machine.files
from nver.errors import CorpusError, NverError, StoreError, UsageError
from nver.evaluation import Cell, cross_validate
from nver.evaluation.folds.fold_assignment import Folds, make_folds
from nver.evaluation.run_folder.provenance import prepare_folder
from nver.recipe.reading import read_experiment

TABLE = pd.DataFrame({"clip": list("abcd"), "speaker": list("ssuu"), "emotion": list("xyxy")})
ROWS = np.zeros((4, 3), np.float32)


def validate(**changed: Any) -> Any:
    fold = np.array(changed.pop("fold", [0, 0, 1, 1]))
    cell = Cell("linear", ("e",), Folds(changed.pop("protocol", "random"), 0, fold))
    given = {"table": TABLE, "embeddings": {"e": ROWS}, "cells": [cell], "workers": 1} | changed
    return list(cross_validate(**given))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nver.load_encoder(5), "name of a known encoder, got 5"),
        (lambda: nver.load_encoder("logmel-stats", device="gpu"), "device 'gpu' is unknown"),
        (lambda: nver.load_corpus(5), "name of a known corpus, got 5"),
        (lambda: nver.run(5), "path of a recipe, a folder or a table, got 5"),
        (lambda: nver.extract(TABLE, 5), "NAME=WEIGHTS or EncoderSpec; got 5"),
        (lambda: nver.extract(5, "logmel-stats"), "a corpus or its table, got 5"),
        (lambda: nver.load_encoder("logmel-stats").encode([5]), "a path or an array; got int"),
        (
            lambda: nver.load_encoder("logmel-stats").encode([np.ones(9)], sampling_rate=0),
            "Hz above 0; got 0",
        ),
        (lambda: make_folds(TABLE[["clip", "emotion"]]), "needs the column speaker"),
        (lambda: make_folds(TABLE, number=2.5), r"2 to 4 .*; got 2\.5"),
        (lambda: validate(table=TABLE[["clip", "emotion"]]), "needs the column speaker"),
        (lambda: validate(fold=[0, 1]), "folds of 2 clips for 4"),
        (lambda: validate(fold=[0, 0, 2, 2]), "without a gap"),
        (
            lambda: validate(fold=[0, 1, 0, 1], protocol="speaker-independent"),
            "seed 0: 2 of 2 speakers are in training and test: s, u; keep",
        ),
        (
            lambda: validate(fold=[0, 0, -1, 0], protocol="speaker-independent"),
            "1 of 2 speakers are in training and test: u; keep",
        ),
        (
            lambda: validate(
                table=TABLE.assign(speaker=["s", None, "u", "u"]), protocol="speaker-independent"
            ),
            "speaker of 1 of 4 clips is not known",
        ),
        (lambda: validate(embeddings={"e": ROWS[:2]}), r"expected \(4, dim\)"),
        (lambda: validate(embeddings={"e": ROWS * np.nan}), "NaN or infinite"),
        (lambda: validate(embeddings={"f": ROWS}), "unknown encoder of a cell 'e'"),
    ],
)
def test_wrong_arguments_are_named(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_one_override_may_be_given_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        'corpora = ["synthetic"]\nencoders = ["logmel-stats"]\nclassifiers = ["fcn"]\n'
    )
    assert read_experiment(tmp_path / "r.toml", "training.epochs=3").training.epochs == 3


def forbidden(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied", "somewhere")


def test_a_run_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nver.machine.files.TemporaryFile", forbidden)
    with pytest.raises(NverError, match=r"cannot be written \(Permission denied\); give another"):
        prepare_folder(tmp_path / "run")


def test_a_corpus_folder_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "joy").mkdir()
    monkeypatch.setattr("os.scandir", forbidden)
    with pytest.raises(CorpusError, match=r"somewhere: cannot be read .*permissions"):
        nver.load_corpus("mine", root=tmp_path, form="folder")


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match=f"{tmp_path}: the store cannot be written .*--store"),
        nver.embeddings.store.index.open_index(tmp_path),
    ):
        raise sqlite3.OperationalError("attempt to write a readonly database")


@pytest.mark.skipif(nver.machine.files.fcntl is None, reason="no locks that end with their process")
def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with nver.machine.files.scratch_folder() as living:
        left, fresh = tmp_path / "nver-left", tmp_path / "nver-fresh"
        for folder in (left, fresh):
            folder.mkdir()
            (folder / "lock").touch()
        for folder in (left, living):
            os.utime(folder / "lock", (0, 0))
        with nver.machine.files.scratch_folder():
            assert (living.exists(), left.exists(), fresh.exists()) == (True, False, True)
    assert not living.exists()
