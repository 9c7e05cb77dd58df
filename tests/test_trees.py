"""Folder trees as people have them: layouts, patterns, and what is said where it is not evident."""

import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import nver
from helpers_corpora import ravdess, touch
from nver.corpora import Corpus
from nver.corpora.own.folder_names import (
    EMOTION,
    NUMBER,
    OTHER,
    SPLIT,
    STRONG,
    UNKNOWN,
    WEAK,
    kind_of,
)
from nver.errors import CorpusError, UsageError


def tree(*levels: str, takes: int = 2) -> list[str]:
    """Files in every combination of folders: "a b", "x y" -> a/x/1.wav, a/x/2.wav, a/y/1.wav."""
    names = [level.split() for level in levels]
    return ["/".join([*own, f"{k}.wav"]) for own in product(*names) for k in range(1, takes + 1)]


def load(root: Path, files: list[str], **options: Any) -> Corpus:
    return nver.load_corpus("mine", touch(root / "tree", files), **options)


def found(corpus: Corpus) -> tuple[str, str]:
    """The emotions and the speakers, each as one text."""
    speakers = sorted(set(corpus.table["speaker"].dropna()))
    return " ".join(corpus.emotions), " ".join(speakers)


LAYOUTS: Mapping[str, tuple[list[str], str, str, str]] = {  # files, emotions, speakers, layout said
    "emotion": (tree("laugh cry"), "cry laugh", "", ""),
    "names": (tree("ann bob eva", "laugh cry"), "cry laugh", "ann bob eva", "speaker/emotion"),
    "digits": (tree("0001 0002", "Angry Sad"), "Angry Sad", "0001 0002", "speaker/emotion"),
    "actors": (tree("Actor_01 Actor_02", "x yy"), "x yy", "Actor_01 Actor_02", "speaker/emotion"),
    "german": (tree("VP1 VP2", "Freude Ärger"), "Freude Ärger", "VP1 VP2", "speaker/emotion"),
    "below": (tree("laugh cry", "ann bob"), "cry laugh", "ann bob", "emotion/speaker"),
    "spk below": (tree("x yy", "spk1 spk2"), "x yy", "spk1 spk2", "emotion/speaker"),
    "S01 below": (tree("Joy Awe", "S01 S02"), "Awe Joy", "S01 S02", "emotion/speaker"),
    "split": (tree("train test", "joy awe"), "awe joy", "", "split/emotion"),
    "split speaker": (
        [*tree("train", "s1 s2", "joy awe"), *tree("val", "s3", "joy awe")],
        *("awe joy", "s1 s2 s3", "split/speaker/emotion"),
    ),
    "session": (
        tree("session1 session2", "F1 M1", "joy awe"),
        *("awe joy", "F1 M1", "*/speaker/emotion"),
    ),
    "wrapped": (tree("data", "joy awe"), "awe joy", "", "*/emotion"),
    "wrapped twice": (tree("my-zip", "audio", "ann bob", "joy awe"),
                      "awe joy", "ann bob", "*/*/speaker/emotion"),
    "sexes": (tree("male female", "joy awe"), "awe joy", "", "*/emotion"),
    "days": (tree("2024-01-05 2024-01-06", "joy awe"), "awe joy", "", "*/emotion"),
    "takes": (tree("joy awe", "take1 take2"), "awe joy", "", ""),
    "intensities": (tree("joy awe", "low high"), "awe joy", "", ""),
    "valence": (["positive/laugh/1.wav", "positive/sigh/1.wav", "negative/cry/1.wav"],
                "negative positive", "", ""),
    "recordings": (tree("joy awe", "raw clean"), "awe joy", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYOUTS)
def test_an_evident_layout_is_found_and_said(tmp_path: Path, kind: str) -> None:
    files, emotions, speakers, layout = LAYOUTS[kind]
    corpus = load(tmp_path, files)
    assert found(corpus) == (emotions, speakers)
    said = [warning for warning in corpus.warnings if "are read as" in warning]
    assert len(said) == bool(layout)
    assert all(f"read as {layout}/file" in warning for warning in said)
    assert all("--corpus-option layout=" in warning for warning in said)
    assert len(corpus.warnings) == len(said)
    assert corpus.has_speakers == bool(speakers)
    assert ("split" in corpus.table) == ("split" in layout)


GIVEN = [  # files, layout, emotions, speakers, skipped
    (tree("ann bob", "joy awe"), "speaker/emotion/file", "awe joy", "ann bob", 0),
    (tree("ann bob", "joy awe"), "emotion", "ann bob", "", 0),
    (tree("ann bob", "joy awe"), "*/emotion", "awe joy", "", 0),
    (tree("x yy", "a b"), "emotion/speaker", "x yy", "a b", 0),
    (tree("x yy", "a b", "joy awe"), "*/speaker/emotion", "awe joy", "a b", 0),
    ([*tree("ann bob", "joy awe"), "ann/x.wav", "y.wav"], "speaker/emotion", "awe joy",
     "ann bob", 2),
    (tree("train test", "ann bob", "joy awe"), "split/speaker/emotion", "awe joy", "ann bob", 0),
]  # fmt: skip


@pytest.mark.parametrize(("files", "layout", "emotions", "speakers", "skipped"), GIVEN)
def test_a_layout_may_be_given(
    tmp_path: Path, files: list[str], layout: str, emotions: str, speakers: str, skipped: int
) -> None:
    corpus = load(tmp_path, files, layout=layout)
    assert found(corpus) == (emotions, speakers)
    assert not [warning for warning in corpus.warnings if "read as" in warning]
    assert corpus.skipped["reason"].tolist() == ["misnamed"] * skipped


SLIPS: list[tuple[dict[str, Any], str]] = [
    ({"layout": "speakr/emotion"}, "did you mean 'speaker'"),
    ({"layout": "speaker"}, "no level emotion"),
    ({"layout": "emotion/emotion"}, "emotion twice"),
    ({"layout": 3}, "layout is a text"),
    ({"layout": "emotion", "emotion_pattern": "(.)"}, "give one"),
    ({"layout": "speaker/emotion", "speaker_pattern": "(.)"}, "give one"),
    ({"emotion_pattern": "("}, "emotion_pattern '\\(' is no regular expression"),
    ({"emotion_pattern": "x"}, "has no group"),
    ({"emotion_pattern": "(q)"}, "fits no file"),
    ({"emotion_pattern": 3}, "emotion_pattern is a text"),
    ({"layuot": "emotion"}, "did you mean 'layout'"),
]


@pytest.mark.parametrize(("options", "says"), SLIPS)
def test_a_slip_in_the_options(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(tmp_path, tree("ann bob", "joy awe"), **options)


PATTERNS = [  # files, options, emotions, speakers
    (["ann_joy_1.wav", "bob_awe_1.wav"], {"emotion_pattern": "_([a-z]+)_"}, "awe joy", ""),
    (["ann_joy_1.wav", "bob_awe_1.wav"],
     {"emotion_pattern": "_(?P<emotion>[a-z]+)_", "speaker_pattern": "^([a-z]+)"},
     "awe joy", "ann bob"),
    (["ann/joy_1.wav", "bob/awe_1.wav"],
     {"emotion_pattern": "/([a-z]+)_", "layout": "speaker"}, "awe joy", "ann bob"),
    (["spk1/joy_1.wav", "spk2/awe_1.wav"], {"emotion_pattern": "/([a-z]+)_"}, "awe joy",
     "spk1 spk2"),
    (tree("ses1 ses2", "ann bob", "joy awe"),
     {"emotion_pattern": "/(joy|awe)/", "speaker_pattern": "/(ann|bob)/"}, "awe joy", "ann bob"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "options", "emotions", "speakers"), PATTERNS)
def test_patterns(
    tmp_path: Path, files: list[str], options: dict[str, str], emotions: str, speakers: str
) -> None:
    assert found(load(tmp_path, files, **options)) == (emotions, speakers)


def test_a_file_that_the_pattern_does_not_fit_is_skipped(tmp_path: Path) -> None:
    corpus = load(tmp_path, ["x_joy.wav", "x_awe.wav", "noise.wav"], emotion_pattern="_([a-z]+)")
    assert corpus.emotions == ["awe", "joy"]
    assert [Path(file).name for file in corpus.skipped["file"]] == ["noise.wav"]
    assert corpus.skipped["message"].tolist() == ["emotion_pattern '_([a-z]+)' does not fit"]


DOUBTS: Mapping[str, tuple[list[str], list[str]]] = {  # files, what a warning says
    "two unknown levels": (
        tree("x yy", "ann bob"),
        ["ann, bob may be speakers", 'layout="emotion/speaker"', 'layout="speaker/emotion"'],
    ),
    "numbers below": (tree("joy awe", "1 2 3"), ["1, 2, 3 may be speakers", "emotion/speaker"]),
    "numbers twice": (tree("1 2", "001 002"), ["001, 002 may be speakers", "layout="]),
    "numbers of takes": (tree("joy awe", "001 002", takes=1), ["001, 002 may be speakers"]),
    "emotions below": (
        ["blub/joy/1.wav", "blah/awe/1.wav"],
        ["joy look like emotions", 'layout="*/emotion"'],
    ),
    "only some files": (
        ["joy/spk1/1.wav", "joy/spk2/1.wav", "awe/1.wav"],
        ["spk1, spk2 may be speakers", "emotion/speaker"],
    ),
    "a part of the names": (
        [f"{e}/s{s}_{k}.wav" for e, s, k in product(("joy", "awe"), "123", "12")],
        ["looks like speakers", "speaker_pattern='"],
    ),
    "names in the names": (
        [f"{e}/{s}-{k}.wav" for e, s, k in product(("joy", "awe"), ("ann", "bob", "eva"), "12")],
        ["looks like speakers", "speaker_pattern='"],
    ),
    "classes are numbers": (tree("001 002 003"), ["look like speakers", "emotion_pattern="]),
    "classes are speakers": (tree("spk1 spk2 spk3"), ["look like speakers", "emotion_pattern="]),
    "classes are actors": (tree("Actor_1 Actor_2"), ["look like speakers", "emotion_pattern="]),
    "classes are formats": (tree("mp3 wav"), ["no names of emotions", "emotion_pattern="]),
    "emotions in the names": (
        ["ann/joy_1.wav", "ann/awe_1.wav", "bob/joy_1.wav", "bob/awe_1.wav"],
        ["names of the files seem to say the emotion", "emotion_pattern=", 'layout="speaker"'],
    ),
    "the same names": (
        [f"{s}/{e}.wav" for s in ("ann", "bob") for e in ("xq", "yq")],
        ["names of the files seem to say the emotion", "emotion_pattern=", 'layout="speaker"'],
    ),
    "one class": (tree("wav"), ["wav is the only emotion", "emotion_pattern="]),
    "two in a name": (
        tree("OAF_angry OAF_sad YAF_angry YAF_sad"),
        ["seem to say more than the emotion", "emotion_pattern='(?:^|/)[^/_]+_([^/_]+)/'"],
    ),
    "a split among them": (tree("train joy awe"), ["train is read as an emotion", "a split"]),
    "of a published corpus": (
        list(ravdess())[:40], ["named as in ravdess", "nver corpus ravdess --root"]
    ),
    "an empty folder": (
        [*tree("joy awe"), "fear/notes.txt"], ["no clip was found in fear", "it is no emotion"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOUBTS)
def test_what_is_not_evident_is_said(tmp_path: Path, kind: str) -> None:
    files, words = DOUBTS[kind]
    warnings = load(tmp_path, files).warnings
    assert any(all(word in warning for word in words) for warning in warnings), warnings


@pytest.mark.parametrize(
    "kind", ["a part of the names", "names in the names", "emotions in the names", "two in a name"]
)
def test_a_pattern_that_is_offered_works(tmp_path: Path, kind: str) -> None:
    files, _ = DOUBTS[kind]
    warnings = load(tmp_path, files).warnings
    (said,) = [warning for warning in warnings if "_pattern='" in warning]
    option, _, rest = said.partition("--corpus-option ")[2].partition("='")
    layout = {"layout": "speaker"} if 'layout="speaker"' in said else {}
    corpus = load(tmp_path, files, **{option: rest.partition("'")[0]}, **layout)
    emotions, speakers = found(corpus)
    assert emotions in ("awe joy", "angry sad")
    assert bool(speakers) == (kind != "two in a name")


FLAT = [  # files, what the error says
    (["ann_joy_1.wav", "bob_awe_1.wav"], "finds 'joy' in 'ann_joy_1.wav'"),
    (["laugh01.wav", "cry01.wav"], "finds 'cry' in 'cry01.wav'"),
    (["blah-1.wav", "blub-1.wav"], "finds 'blah' in 'blah-1.wav'"),
    (["1.wav", "2.wav"], "'1.wav' names none"),
    (["1001_DFA_ANG_XX.wav", "1001_DFA_SAD_XX.wav"], "nver corpus crema-d --root"),
    (["03a01Wa.wav", "03a01Fa.wav"], "nver corpus emodb --root"),
]


@pytest.mark.parametrize(("files", "says"), FLAT)
def test_files_without_folders_are_explained(tmp_path: Path, files: list[str], says: str) -> None:
    with pytest.raises(CorpusError) as error:
        load(tmp_path, files)
    assert says in str(error.value)
    assert ("emotion_pattern='" in str(error.value)) == ("nver corpus" not in says)


def test_splits_without_emotions_are_explained(tmp_path: Path) -> None:
    files = ["train/ann_joy_1.wav", "train/ann_awe_1.wav", "test/bob_joy_1.wav"]
    with pytest.raises(CorpusError, match=r"expected split/emotion/file.*emotion_pattern='"):
        load(tmp_path, files)


BESIDE = [  # name and text of a table beside folders, what the warning says
    ("metadata.csv", "subject,age\n1,20\n", "no column of a file and an emotion"),
    ("labels.csv", "file,note\njoy/1.wav,loud\n", "labels.csv is passed over"),
    ("metadata.jsonl", '{"file_name": "joy/1.wav", "age": 3}\n', "no column of an emotion"),
    ("joy/metadata.csv", "file_name,age\n1.wav,3\n", "joy/metadata.csv is passed over"),
    ("notes.tsv", "day\tweather\n1\tgood\n", "notes.tsv is passed over"),
    ("mine.csv", "path,emotion\njoy/1.wav,joy\n", "mine.csv as the root"),
]


@pytest.mark.parametrize(("name", "text", "says"), BESIDE)
def test_a_table_of_another_kind_beside_folders(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    touch(tmp_path / "tree", [name])
    (tmp_path / "tree" / name).write_text(text)
    corpus = load(tmp_path, tree("joy awe"))
    assert (corpus.emotions, len(corpus.table)) == (["awe", "joy"], 4)
    assert any(says in warning for warning in corpus.warnings), corpus.warnings


@pytest.mark.parametrize("name", ["README.txt", "LICENSE.txt", "notes.md"])
def test_a_text_beside_folders_is_no_table(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "tree", [name])
    (tmp_path / "tree" / name).write_text("Recorded in May, by us.\nWith care, in a room.\n")
    assert load(tmp_path, tree("joy awe")).warnings == ()


@pytest.mark.parametrize("name", ["metadata.csv", "labels.csv"])
def test_a_table_whose_files_are_missing_says_that_folders_can_be_read(
    tmp_path: Path, name: str
) -> None:
    touch(tmp_path / "tree", [name])
    column = "file_name" if name == "metadata.csv" else "file"
    (tmp_path / "tree" / name).write_text(f"{column},emotion\nelsewhere/q.wav,joy\n")
    with pytest.raises(CorpusError, match="form='folder' to read the folders"):
        load(tmp_path, tree("joy awe"))
    corpus = load(tmp_path, [], form="folder")
    assert corpus.emotions == ["awe", "joy"]


@pytest.mark.parametrize(
    ("name", "column"), [("metadata.csv", "file_name"), ("t.csv", "file"), ("db.x.csv", "file")]
)
def test_audio_that_a_table_leaves_out_is_counted(tmp_path: Path, name: str, column: str) -> None:
    touch(tmp_path / "tree", [name])
    rows = f"{column},emotion\njoy/1.wav,joy\nawe/1.wav,awe\ngone.wav,awe\n"
    (tmp_path / "tree" / name).write_text(rows)
    corpus = load(tmp_path, tree("joy awe"))
    assert len(corpus.table) == 2
    (said,) = [warning for warning in corpus.warnings if "in no row" in warning]
    assert said.startswith("2 audio files below")
    assert "awe/2.wav" in said


def test_a_table_in_a_folder_of_files_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "tree", ["labels.csv"])
    (tmp_path / "tree" / "labels.csv").write_text("path,emotion\n1.wav,joy\n2.wav,awe\n")
    with pytest.raises(CorpusError, match=r"give the table as the root: .*labels\.csv"):
        load(tmp_path, ["1.wav", "2.wav"])


def test_options_for_folders_are_none_of_a_metadata_table(tmp_path: Path) -> None:
    touch(tmp_path / "tree", ["metadata.csv"])
    (tmp_path / "tree" / "metadata.csv").write_text("file_name,emotion\njoy/1.wav,joy\n")
    with pytest.raises(UsageError, match="form='folder'"):
        load(tmp_path, tree("joy awe"), form="audiofolder", layout="emotion")


KINDS = [
    ("anger Joy 03_sad", EMOTION),
    ("lachen weinen quietschen", EMOTION),
    ("Trauer ÄRGER unfug", EMOTION),
    ("train test dev", SPLIT),
    ("take1 take_2 take-3", OTHER),
    ("2023 2024", OTHER),
    ("20240105 20240106", OTHER),
    ("m f", OTHER),
    ("session1 session2 raw", OTHER),
    ("Actor_01 Actor_02", STRONG),
    ("speaker-ann speaker-bob", STRONG),
    ("S01 S02", WEAK),
    ("F1 M2", WEAK),
    ("0001 0002", WEAK),
    ("1 12", NUMBER),
    ("ann bob", UNKNOWN),
    ("t1 x2", UNKNOWN),
]


@pytest.mark.parametrize(("names", "kind"), KINDS)
def test_kinds_of_names(names: str, kind: str) -> None:
    assert kind_of(names.split()) == kind


def test_a_name_in_decomposed_unicode_is_the_same_word() -> None:
    assert kind_of(["U\u0308berraschung"]) == EMOTION


def test_real_trees_are_read_right(shared: Path) -> None:
    """Actors as folders are not taken for emotions in silence."""
    corpus = nver.load_corpus("mine", shared / "data" / "ravdess")
    assert any("nver corpus ravdess" in warning for warning in corpus.warnings)
    assert any("look like speakers" in warning for warning in corpus.warnings)
    sounds = nver.load_corpus("mine", shared / "data" / "esc10")
    assert len(sounds.emotions) == len(os.listdir(shared / "data" / "esc10")) - 1  # its README
