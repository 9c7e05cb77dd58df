"""Cross-corpus: trained on one corpus, tested on another, on the emotions of a label map."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import nver
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import CorpusError, UsageError
from nver.recipe import experiment_to_tree, parse_experiment

NAMES = {"laugh": "joyful", "cry": "sad", "scream": "fearful", "sigh": "tired"}
TREE: dict[str, Any] = {
    "name": "across",
    "corpora": ["one", "two"],
    "encoders": ["logmel-stats"],
    "classifiers": ["linear"],
    "transfers": [{"train": "one", "test": "two"}],
    "labels": {
        "one": {"laugh": "joy", "cry": "sadness", "gasp": "surprise"},
        "two": {"joyful": "joy", "sad": "sadness", "tired": "boredom"},
    },
    "folds": {"kind": "none", "seeds": [0, 4]},
    "training": {"epochs": 2},
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two corpora of other speakers and emotions; one recording is in both."""
    root = tmp_path_factory.mktemp("corpora")
    for speaker in range(1, 9):
        for sound in ("laugh", "cry", "scream", "sigh", "gasp"):
            for take in (1, 2):
                first = speaker <= 5
                if not first and sound == "gasp":
                    continue
                emotion = sound if first else NAMES[sound]
                file = root / ("one" if first else "two") / emotion / f"p{speaker}_{take}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(file, make_clip(sound, speaker, take), 16_000)
    copy = np.concatenate([np.zeros(2000), 0.5 * make_clip("cry", 6, 1)])
    soundfile.write(root / "one" / "cry" / "p1_9.wav", copy, 16_000)
    return {name: str(root / name) for name in ("one", "two")}


def run(roots: dict[str, str], folder: Path, **changes: Any) -> nver.Run:
    pattern = {"speaker_pattern": r"/(p\d)_"}
    corpora = [{"name": name, **pattern} for name in roots]
    tree = TREE | {"corpora": corpora, "roots": roots, "store": str(folder / "store")} | changes
    return nver.run(parse_experiment(tree), folder / "run", workers=1)


def test_a_transfer_is_a_row_of_the_predictions_like_others(
    roots: dict[str, str], tmp_path: Path
) -> None:
    found = run(roots, tmp_path)
    rows = found.predictions
    assert set(rows["corpus"]) == {"two"}
    assert set(rows["protocol"]) == {"cross-corpus: one -> two"}
    assert rows.groupby("seed").size().to_dict() == {0: 12, 4: 12}
    assert set(rows["speaker"]) == {"p6", "p7", "p8"}
    assert set(rows["emotion"]) == {"joy", "sadness"}
    assert {c for c in rows if c.startswith("p:")} == {"p:joy", "p:sadness"}
    (note,) = found.warnings
    assert "trained on 20 clips of 5 speakers of one, tested on 12 clips of 3 speakers" in note
    assert "clips of one left out, not shared: gasp 10, scream 10, sigh 10" in note
    assert "clips of two left out, not shared: fearful 6, tired 6" in note
    assert "clips left out of training, as their recording is tested: 1" in note
    page = found.report.read_text()
    assert "two, cross-corpus: one -&gt; two" in page
    folds = pd.read_csv(found.folder / "folds.csv")
    assert set(folds["fold"]) == {0}
    assert len(folds) == 24

    before = {f.name: f.stat().st_mtime_ns for f in (found.folder / "cells").iterdir()}
    again = run(roots, tmp_path)
    assert {f.name: f.stat().st_mtime_ns for f in (found.folder / "cells").iterdir()} == before
    pd.testing.assert_frame_equal(again.predictions, rows)


def test_transfers_beside_cross_validation_are_tables_of_their_own(
    roots: dict[str, str], tmp_path: Path
) -> None:
    found = run(roots, tmp_path, folds={"number": 2}, filters={"two": {"speakers": ["p6", "p8"]}})
    tables = found.scores[["corpus", "protocol", "clips"]].to_numpy().tolist()
    assert tables == [
        ["one", "speaker-independent", 51],
        ["two", "speaker-independent", 16],
        ["two", "cross-corpus: one -> two", 8],
    ]


def test_speakers_of_one_folder_are_not_trained_on_and_tested(
    roots: dict[str, str], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {
        "filters": {"one": {"speakers": ["p1-p3"]}, "two": {"speakers": ["p2-p5"]}},
        "labels": {
            "one": {"laugh": "joy", "cry": "sadness"},
            "two": {"gasp": "joy", "sigh": "sadness"},
        },
    }
    same = {"one": roots["one"], "two": f"{roots['one']}/../one"}
    said = r"one -> two: both lie in .*, and 2 speakers .*: p2, p3; .*\[filters.one\]"
    with pytest.raises(UsageError, match=said):
        run(same, tmp_path, **changes)
    changes["filters"]["two"] = {"speakers": ["p4-p5"]}
    assert set(run(same, tmp_path, **changes).predictions["speaker"]) == {"p4", "p5"}


ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"labels": {"one": {"laughs": "joy"}}}, "emotion of one in .labels.: 'laughs'.*'laugh'"),
    ({"labels": {}}, "at least two emotions must be shared, got none; one has cry, gasp"),
    ({"labels": {"one": {"cry": "sad", "laugh": "x"}}}, "at least two .* got sad; one has sad, x"),
]


@pytest.mark.parametrize(("changes", "said"), ERRORS)
def test_label_maps_that_do_not_fit(
    roots: dict[str, str], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(roots, tmp_path, **changes)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"transfers": [{"train": "one", "test": "tow"}]}, "did you mean 'two'"),
    ({"transfers": [{"train": "one"}]}, "corpus in .*transfers"),
    ({"transfers": [{"train": "one", "test": "one"}]}, "train and test are both 'one'"),
    ({"transfers": [{"train": "one", "test": "two"}] * 2}, "occurs 2 times"),
    ({"transfers": [{"train": "one", "tset": "two"}]}, "did you mean 'test'"),
    ({"labels": {"tow": {}}}, "did you mean 'two'"),
    ({"labels": {"two": {"sad": 1}}}, "expected str, got 1"),
    ({"filters": {"tow": {}}}, "did you mean 'two'"),
    ({"filters": {"two": {"speaker": []}}}, "did you mean 'speakers'"),
    ({"transfers": []}, "nothing to do"),
    ({"folds": {"kind": ["none", "random"]}}, "stands alone"),
    ({"folds": {"kind": "non"}}, "did you mean 'none'"),
]


@pytest.mark.parametrize(("changes", "said"), BAD)
def test_recipes_that_make_no_sense(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_experiment(TREE | changes)


def test_corpora_without_two_usable_emotions_are_named_with_what_waits(
    roots: dict[str, str], tmp_path: Path
) -> None:
    only = {"one": {"emotions": ["cry"]}, "two": {"emotions": ["sad"]}}
    with pytest.raises(CorpusError) as error:
        run(roots, tmp_path, filters=only, folds={"number": 2}, transfers=[], labels={})
    for name, clips in (("one", 11), ("two", 6)):
        said = f"missing corpus {name}: 1 cells wait for it. {name}: {clips} usable clips"
        assert said in str(error.value)


def test_a_recipe_with_transfers_is_written_and_read_again() -> None:
    experiment = parse_experiment(TREE | {"filters": {"one": {"speakers": ["p1-p3"]}}})
    assert parse_experiment(experiment_to_tree(experiment)) == experiment
    assert experiment.transfers[0].train == "one"
    assert experiment.filters["one"].speakers == ("p1-p3",)
