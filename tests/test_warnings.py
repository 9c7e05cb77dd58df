"""What a corpus warns of stands in the box of the page, in the terminal and in --json."""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile

import nver
from helpers_cli import Finished, finish
from helpers_corpora import touch
from nver.corpora.synthetic.corpus import make_clip

RECIPE = """
name = "warned"
corpora = ["people", "rows", "ravdess", "spelt"]
encoders = ["duration-level"]
classifiers = ["linear"]
store = "store"

[roots]
people = "people"
rows = "rows"
ravdess = "ravdess"
spelt = "spelt"

[folds]
number = 2

[training]
epochs = 2
"""
# corpus -> a word or two of each of its warnings
SAID = {
    "people": ["read as speaker/emotion/file", "no clip was found in notes", "age.csv is passed",
               "cut short"],
    "rows": ["'Who' may be the speaker|read from the column 'Speaker ID'", "in no row of the table",
              "the speaker of 1 of"],
    "ravdess": ["published: 1,440"],
    "spelt": ["differ in case", "looks like speakers"],
}  # fmt: skip
OF_THE_RUN = {
    "rows": "the speakers of 1 of 9 clips are unknown, so folds are random; where a speaker is in "
    "training and test, scores flatter; give the corpus speaker_column, speaker_pattern or layout",
    "spelt": "speakers are unknown, so folds are random",
}


def clip(file: Path, sound: str, speaker: int, take: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, make_clip(sound, speaker, take), 16_000)


def make_corpora(root: Path) -> None:
    """Four corpora of a few synthetic clips, with every kind of warning between them."""
    for speaker in (1, 2):
        for take in (1, 2):
            for sound in ("laugh", "cry"):
                clip(root / f"people/p{speaker}/{sound}/{take}.wav", sound, speaker, take)
                clip(root / f"rows/audio/{sound}{speaker}{take}.wav", sound, speaker, take)
                name = sound.title() if take == 1 else sound
                clip(root / f"spelt/{name}/s{speaker}_{take}.wav", sound, speaker, take)
                clip(root / f"spelt/{name}/s{speaker}_{take + 2}.wav", sound, speaker, take + 2)
    half = root / "people/p1/cry/1.wav"
    half.write_bytes(half.read_bytes()[:-2000])
    touch(root, ["people/p1/notes/x.txt", "people/age.csv"])
    (root / "people/age.csv").write_text("subject,age\n1,20\n")
    rows = [
        f"audio/{sound}{speaker}{take}.wav,{sound},p{speaker}"
        for speaker in (1, 2) for take in (1, 2) for sound in ("laugh", "cry")
    ]  # fmt: skip
    clip(root / "rows/audio/more.wav", "laugh", 3, 5)
    clip(root / "rows/audio/forgotten.wav", "laugh", 3, 6)
    text = "\n".join(["file_name,emotion,Speaker ID", *rows, "audio/more.wav,laugh,"])
    (root / "rows/metadata.csv").write_text(text + "\n")
    for emotion, actor, take in ((3, 1, 1), (5, 1, 1), (3, 2, 1), (5, 2, 1), (3, 2, 2), (5, 2, 2)):
        sound = "laugh" if emotion == 3 else "cry"
        clip(root / f"ravdess/03-01-0{emotion}-01-01-0{take}-0{actor}.wav", sound, actor, take)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("warned")
    make_corpora(folder)
    (folder / "r.toml").write_text(RECIPE)
    done = finish(folder, "run", "r.toml", "--out", "run", "--workers", "1", "--json")
    assert done.code == 0, done.err
    return done


def expected(folder: Path) -> list[str]:
    """Every warning of the four corpora, with the corpus's name, as a run says it."""
    corpora = {name: nver.load_corpus(name, folder / name) for name in SAID}
    return [f"{name}: {said}" for name, corpus in corpora.items() for said in corpus.warnings]


@pytest.mark.parametrize("corpus", SAID)
def test_corpus_says_it(finished: Finished, corpus: str) -> None:
    """`nver corpus`, on stderr and in --json; what is cut short is a list of its own there."""
    root = finished.folder / corpus
    done = finish(finished.folder, "corpus", corpus, "--root", str(root), "--json")
    facts = json.loads(done.out)
    told = [*facts["warnings"], *("cut short" for _ in facts["cut_short"])]
    for words in SAID[corpus]:
        assert any(re.search(words, said) for said in told), (words, told)
    assert all(f"warning: {said}" in done.err for said in facts["warnings"])


def box(page: str) -> str:
    """The text of the page's box of warnings."""
    found = re.search(r"To know before the numbers</strong></p><ul>(.*?)</ul>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def told(done: Finished) -> Mapping[str, str]:
    """The three places where a run says its warnings."""
    page = (done.folder / "run" / "report" / "index.html").read_text("utf-8")
    return {
        "page": box(page),
        "terminal": done.err,
        "json": "\n".join(json.loads(done.out)["warnings"]),
    }


def test_a_run_says_every_warning_of_its_corpora(finished: Finished) -> None:
    sentences = expected(finished.folder)
    for corpus, patterns in SAID.items():
        own = [said for said in sentences if said.startswith(f"{corpus}: ")]
        for words in patterns:
            assert words == "cut short" or any(re.search(words, said) for said in own), words
    for place, text in told(finished).items():
        absent = [said for said in sentences if said not in text]
        assert not absent, place
        assert "people: 1 clip cut short" in text, place


@pytest.mark.parametrize("corpus", OF_THE_RUN)
def test_random_folds_because_speakers_are_unknown_are_a_warning(
    finished: Finished, corpus: str
) -> None:
    for place, text in told(finished).items():
        assert f"{corpus}: {OF_THE_RUN[corpus]}" in text, place
        assert "people: speakers" not in text, place


def test_every_sentence_is_said_once(finished: Finished) -> None:
    warnings = json.loads(finished.out)["warnings"]
    assert len(warnings) == len(set(warnings))
    assert [finished.err.count(f"warning: {said}\n") for said in warnings] == [1] * len(warnings)


def test_a_report_made_again_has_them_all(finished: Finished) -> None:
    before = told(finished)
    again = finish(finished.folder, "report", "run", "--json")
    assert told(again) == before | {"terminal": again.err}
    for said in json.loads(again.out)["warnings"]:
        assert f"warning: {said}" in again.err
    plain = finish(finished.folder, "report", "run")
    assert "warning: " not in plain.out
    assert plain.err.count("warning: ") == again.err.count("warning: ")


ONE_SPEAKER: dict[str, Any] = {"speaker": ["p1"] * 12}
UNKNOWN: dict[str, Any] = {"speaker": [None] * 12}
TWO: dict[str, Any] = {"speaker": ["p1", "p2"] * 6}


@pytest.mark.parametrize(
    ("table", "kind", "said"),
    [
        (ONE_SPEAKER, "random", "there is one speaker only, so folds are random"),
        (UNKNOWN, "random", "speakers are unknown, so folds are random"),
        (TWO, "random", ""),
        (TWO, "speaker-independent", ""),
    ],
)
def test_random_folds_of_known_speakers_are_no_warning(
    tmp_path: Path, table: dict[str, Any], kind: str, said: str
) -> None:
    rows = pd.DataFrame(table).assign(
        file=[f"{k}.wav" for k in range(12)], emotion=["joy"] * 6 + ["awe"] * 6
    )
    for k, emotion in enumerate(rows["emotion"]):
        clip(tmp_path / f"{k}.wav", "laugh" if emotion == "joy" else "cry", k % 3 + 1, k)
    rows.to_csv(tmp_path / "t.csv", index=False)
    tree = {
        "corpora": ["mine"], "roots": {"mine": str(tmp_path / "t.csv")},
        "encoders": ["duration-level"], "classifiers": ["linear"], "store": str(tmp_path / "s"),
        "folds": {"kind": kind, "number": 2}, "training": {"epochs": 1},
    }  # fmt: skip
    run = nver.run(nver.recipe.parse_experiment(tree), tmp_path / "run", workers=1)
    of_folds = [warning for warning in run.warnings if "folds are random" in warning]
    assert len(of_folds) == bool(said)
    assert all(said in warning for warning in of_folds)
