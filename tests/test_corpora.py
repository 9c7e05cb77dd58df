"""The named corpora by trees with the published names, and `load_corpus` around them."""

import errno
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

from helpers_corpora import TREES, asvp_esd, jnv, touch, vivae_core
from nver.corpora import Corpus, load_corpus
from nver.corpora.file_tree import walk
from nver.errors import CorpusError, UsageError

# In memory where there is such a folder: 50,000 files take half a minute on some disks.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(scope="session")
def trees() -> Iterator[dict[str, Path]]:
    """Each corpus as published, in empty files: loading looks at names only."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield {name: touch(Path(folder) / name, names()) for name, names in TREES.items()}


@pytest.fixture(scope="session")
def all_of_asvp_esd(trees: dict[str, Path]) -> Path:
    """With as much speech, and as much in Bonus, as there is non-speech."""
    root = trees["asvp-esd"].with_name("all-of-asvp-esd")
    return touch(root, [*asvp_esd(), *asvp_esd("01"), *asvp_esd("02", "Bonus")])


PUBLISHED = {  # clips, speakers, clips of some emotion
    "emogator": (32130, 357, ("Surprise (Negative)", 1071)),
    "vivae": (1085, 11, ("pleasure", 202)),
    "jnv": (420, 4, None),
    "asvp-esd": (7545, 130, ("breath", 172)),
    "crema-d": (7442, 91, ("neutral", 1087)),
    "emodb": (535, 10, ("anger", 127)),
    "ravdess": (1440, 24, ("neutral", 96)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_tree_as_published_has_the_published_counts(trees: dict[str, Path], name: str) -> None:
    clips, speakers, one = PUBLISHED[name]
    corpus = load_corpus(name, trees[name])
    assert (len(corpus.table), corpus.table["speaker"].nunique()) == (clips, speakers)
    assert (corpus.card.clips, corpus.card.speakers) == (clips, speakers)
    assert corpus.warnings == ()
    assert corpus.skipped.empty
    assert corpus.has_speakers
    assert set(corpus.emotions) <= set(corpus.card.emotions)
    if one:
        assert dict(corpus.table["emotion"].value_counts()) == corpus.card.clips_per_emotion
        assert corpus.table["emotion"].value_counts()[one[0]] == one[1]
    assert (
        dict(corpus.table["emotion"].value_counts()) == dict(corpus.card.clips_per_emotion)
        or not one
    )


STRAYS = {  # in every tree: (file, reason or None where it is nobody's business)
    "holiday.wav": "misnamed",
    "sub/000001-99-1.wav": "misnamed",
    "interview.m4a": "misnamed",
    "README.txt": None,
    "labels.csv": None,
    ".DS_Store": None,
    "._000001-01-1.mp3": None,
    ".git/blob.wav": None,
    "__MACOSX/x.wav": None,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_strays_are_reported_and_other_files_are_not(tmp_path: Path, name: str) -> None:
    names = list(TREES[name]())[:50]
    touch(tmp_path, [*names, *STRAYS])
    corpus = load_corpus(name, tmp_path)
    expected = {str(tmp_path / f): reason for f, reason in STRAYS.items() if reason}
    assert dict(zip(corpus.skipped["file"], corpus.skipped["reason"], strict=True)) == expected
    assert corpus.skipped["message"].str.len().min() > 10
    assert len(corpus.table) == 50


MISNAMED = {
    "emogator": ["000001-31-1", "000001-01-4", "00001-01-1", "000001-01-1-1", "٠٠٠٠٠١-01-1"],
    "vivae": ["S12_anger_low_01", "S01_joy_low_01", "S01_anger_mild_01", "S01_anger_low_1"],
    "jnv": ["F3_happy_01_F", "F1_joy_01_F", "F1_happy_01_X", "F1_happy_F"],
    "asvp-esd": [
        "03-02-14-01-01-02-02-01",
        "03-03-01-01-01-02-02-01",
        "03-02-01-01-01-02-02",
        "03-02-01-01-01-02-02-01-1-2-3-4-5",
    ],
    "crema-d": ["1092_DFA_ANG_XX", "1001_DFA_ANX_XX", "1001_ABC_ANG_XX", "1001_DFA_ANG_YY"],
    "emodb": ["04a01Wa", "03a01Xa", "03a01W", "03c01Wa"],
    "ravdess": [
        "03-01-09-01-01-01-01",
        "03-01-01-01-01-01-25",
        "03-03-01-01-01-01-01",
        "03-01-01-01-01-01",
    ],
}


@pytest.mark.parametrize(("name", "stem"), [(n, s) for n, all_ in MISNAMED.items() for s in all_])
def test_wrong_codes_are_misnamed(tmp_path: Path, name: str, stem: str) -> None:
    good = next(TREES[name]())
    touch(tmp_path, [good, f"{stem}.wav"])
    corpus = load_corpus(name, tmp_path)
    assert len(corpus.table) == 1
    assert corpus.skipped["reason"].tolist() == ["misnamed"]


def test_the_message_names_the_code_and_what_is_known(tmp_path: Path) -> None:
    touch(tmp_path, ["03a01Wa.wav", "03a01Xa.wav", "notes.wav"])
    messages = load_corpus("emodb", tmp_path).skipped["message"].tolist()
    assert messages == [
        "emotion 'X' is not one of W, L, E, A, F, T, N",
        "expected a name like '03a01Wa'",
    ]


ROWS = {  # a name -> what is read from it
    "emogator": (
        "000257-27-3",
        {"speaker": "000257", "emotion": "Surprise (Negative)", "take": "3"},
    ),
    "vivae": (
        "S01_anger_low_041",
        {"speaker": "S01", "emotion": "anger", "intensity": "low", "index": "041"},
    ),
    "jnv": (
        "M1_sad_07_R",
        {"speaker": "M1", "emotion": "sadness", "session": "regular", "sex": "male"},
    ),
    "asvp-esd": (
        "03-02-13-02-11-41-04-03-02-16",
        {"emotion": "breath", "speaker": "actor_41", "sex": "female", "age": "baby"},
    ),
    "crema-d": (
        "1040_ITH_SAD_X",
        {"speaker": "1040", "emotion": "sadness", "level": "unspecified", "sentence": "ITH"},
    ),
    "emodb": ("16b10Lb", {"speaker": "16", "emotion": "boredom", "text": "b10", "sex": "female"}),
    "ravdess": (
        "03-01-08-02-01-02-11",
        {"speaker": "11", "emotion": "surprised", "intensity": "strong", "sex": "male"},
    ),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("suffix", [".wav", ".opus", ".MP3"])
def test_names_decide_not_suffixes(tmp_path: Path, name: str, suffix: str) -> None:
    stem, expected = ROWS[name]
    touch(tmp_path, [f"deep/er/{stem}{suffix}"])
    row = load_corpus(name, tmp_path).table.iloc[0]
    assert {column: row[column] for column in expected} == expected
    assert row["file"] == str(tmp_path / "deep" / "er" / f"{stem}{suffix}")
    assert pd.isna(row["start"])
    assert pd.isna(row["end"])


PUBLISHED_CODES = """
    Adoration, Amusement, Anger, Awe, Confusion, Contempt, Contentment, Desire, Disappointment,
    Disgust, Distress, Ecstasy, Elation, Embarrassment, Fear, Guilt, Interest, Neutral, Pain, Pride,
    Realization, Relief, Romantic Love, Sadness, Serenity, Shame, Surprise (Negative),
    Surprise (Positive), Sympathy, Triumph"""  # EmoGator's 01 to 30


CODES = {  # emotions by their codes in order, and a name around a code
    "emogator": (PUBLISHED_CODES, "000001-{:02d}-1"),
    "asvp-esd": (
        "boredom, neutral, happy, sad, angry, fear, disgust, surprise, excited, pleasure, pain, "
        "disappointment, breath",
        "03-02-{:02d}-01-01-02-02-01",
    ),
    "ravdess": (
        "neutral, calm, happy, sad, angry, fearful, disgust, surprised",
        "03-01-{:02d}-01-01-01-01",
    ),
}


@pytest.mark.parametrize("name", CODES)
def test_every_code_is_its_emotion(tmp_path: Path, name: str) -> None:
    emotions, around = CODES[name]
    published = [" ".join(e.split()) for e in emotions.split(",")]
    touch(tmp_path, [around.format(code) + ".wav" for code in range(1, len(published) + 1)])
    corpus = load_corpus(name, tmp_path)
    assert corpus.table["emotion"].tolist() == published
    assert list(corpus.card.emotions) == published


@pytest.mark.parametrize("second", ["000001-01-1.flac", "copy/000001-01-1.wav"])
def test_a_name_that_is_there_twice_is_taken_once(tmp_path: Path, second: str) -> None:
    touch(tmp_path, ["000001-01-1.wav", second])
    corpus = load_corpus("emogator", tmp_path)
    assert corpus.table["clip"].tolist() == ["000001-01-1"]
    assert corpus.skipped["reason"].tolist() == ["duplicate name"]
    assert corpus.table["file"][0] in corpus.skipped["message"][0]
    assert {corpus.table["file"][0], corpus.skipped["file"][0]} == {
        str(tmp_path / "000001-01-1.wav"),
        str(tmp_path / second),
    }


def test_a_part_of_a_corpus_is_told_from_the_whole(tmp_path: Path) -> None:
    touch(tmp_path, [n for n in TREES["ravdess"]() if n < "Actor_03"])
    assert load_corpus("ravdess", tmp_path).warnings == (
        "120 clips of 2 speakers found; published: 1,440 of 24",
    )


def test_an_emotion_that_is_absent_is_named(tmp_path: Path) -> None:
    touch(tmp_path, (n for n in TREES["emodb"]() if n[9] not in "LT"))
    (warning,) = load_corpus("emodb", tmp_path).warnings
    assert warning == (
        "392 clips of 10 speakers found; published: 535 of 10; no clip of boredom, sadness"
    )


def test_emotions_are_compared_where_the_sum_fits(tmp_path: Path) -> None:
    names = list(TREES["emodb"]())
    names[names.index("wav/03a01Wa.wav")] = "wav/03b10Ed.wav"
    assert load_corpus("emodb", touch(tmp_path, names)).warnings == (
        "126 clips of anger found; published: 127",
        "47 clips of disgust found; published: 46",
    )


def test_vivae_has_two_sets_and_no_clip_twice(trees: dict[str, Path], tmp_path: Path) -> None:
    touch(tmp_path, [*TREES["vivae"](), *vivae_core()])
    full = load_corpus("vivae", tmp_path)
    assert (len(full.table), full.warnings, full.left_out) == (1085, (), {"core_set": 480})
    assert full.skipped.empty
    core = load_corpus("vivae", tmp_path, subset="core_set")
    assert (len(core.table), core.warnings, core.left_out) == (480, (), {"full_set": 1085})
    assert core.card.clips_per_emotion["fear"] == 80
    with pytest.raises(CorpusError, match="left out: 1,085 of full_set"):
        load_corpus("vivae", trees["vivae"], subset="core_set")
    with pytest.raises(UsageError, match="did you mean 'core_set'"):
        load_corpus("vivae", tmp_path, subset="coreset")


@pytest.mark.parametrize(
    ("options", "clips", "left_out"),
    [
        ({}, 7545, {"speech": 7545, "Bonus": 7545}),
        ({"breath": False}, 7373, {"speech": 7545, "Bonus": 7545, "breath": 172}),
        ({"channel": "speech"}, 7545, {"non-speech": 7545, "Bonus": 7545}),
        ({"channel": "both"}, 15090, {"Bonus": 7545}),
        ({"bonus": True}, 15090, {"speech": 7545}),
    ],
)
def test_asvp_esd_by_its_options(
    all_of_asvp_esd: Path, options: dict[str, object], clips: int, left_out: dict[str, int]
) -> None:
    corpus = load_corpus("asvp-esd", all_of_asvp_esd, **options)
    assert (len(corpus.table), dict(corpus.left_out)) == (clips, left_out)
    expected = (
        ("15,090 clips of 130 media sources found; published: 8,824",) if "bonus" in options else ()
    )
    assert corpus.warnings == expected


def test_asvp_esd_without_its_folders_has_the_actors_code(tmp_path: Path) -> None:
    touch(tmp_path, ["03-02-03-01-01-07-02-01.wav", "03-02-03-01-02--02-01.wav"])
    assert load_corpus("asvp-esd", tmp_path).table["speaker"].tolist() == ["actor_", "actor_07"]


def test_asvp_esd_keeps_equal_names_of_different_sources(tmp_path: Path) -> None:
    name = "03-02-03-01-01-07-02-01.wav"
    touch(tmp_path, [f"Audio/actor_07/{name}", f"Audio/actor_09/{name}"])
    assert load_corpus("asvp-esd", tmp_path).table["speaker"].tolist() == ["actor_07", "actor_09"]


def test_ravdess_leaves_out_songs_and_films(tmp_path: Path) -> None:
    touch(
        tmp_path,
        ["03-01-01-01-01-01-01.wav", "03-02-01-01-01-01-01.wav", "01-01-01-01-01-01-01.wav"],
    )
    corpus = load_corpus("ravdess", tmp_path)
    assert len(corpus.table) == 1
    assert dict(corpus.left_out) == {"song": 1, "film": 1}
    assert corpus.skipped.empty


def test_jnv_knows_both_spellings(tmp_path: Path) -> None:
    corpus = load_corpus("jnv", touch(tmp_path, jnv()))
    assert corpus.emotions == ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]


def test_linked_folders_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    touch(tmp_path, ["elsewhere/03a01Wa.wav", "root/03a01Lb.wav"])
    (tmp_path / "root" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "loop").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "root")
    corpus = load_corpus("emodb", tmp_path / "root")
    assert corpus.table["clip"].tolist() == ["03a01Lb", "03a01Wa"]


def test_a_link_to_a_folder_whose_name_begins_alike_is_followed(tmp_path: Path) -> None:
    touch(tmp_path, ["session1/03a01Wa.wav", "session10/03a01Lb.wav"])
    (tmp_path / "session10" / "more").symlink_to(tmp_path / "session1")
    corpus = load_corpus("emodb", tmp_path / "session10")
    assert corpus.table["clip"].tolist() == ["03a01Lb", "03a01Wa"]


def test_links_that_lead_nowhere_stop_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["03a01Wa.wav"])
    (tmp_path / "through-a-file").symlink_to(tmp_path / "03a01Wa.wav" / "x")
    assert walk(tmp_path) == (["03a01Wa.wav"], [])
    monkeypatch.setattr(os, "scandir", lambda folder: nullcontext([_Locked()]))
    assert walk(tmp_path) == ([], ["locked"])


class _Locked:
    """A link into a folder without permission, as `os.scandir` gives it."""

    name = "locked"

    def is_dir(self) -> bool:
        raise PermissionError(errno.EACCES, "no")


def test_the_order_is_that_of_the_clips(trees: dict[str, Path]) -> None:
    clips = load_corpus("jnv", trees["jnv"]).table["clip"].tolist()
    assert clips == sorted(clips)


ERRORS = [  # name, files, options, error, what it says
    ("emogator", None, {}, CorpusError, "github.com/fredbuhl/EmoGator"),
    ("emogator", [], {}, CorpusError, r"names like '000001-01-1'; found no audio file at all"),
    ("emogator", ["a.wav", "b.wav"], {}, CorpusError, r"found 2 others, for example 'a.wav'"),
    ("emogater", ["x/a.wav"], {}, UsageError, "did you mean the corpus 'emogator'"),
    ("emogater", ["a.txt"], {}, UsageError, "known form.* did you mean the corpus 'emogator'"),
    ("mine", ["a.txt"], {}, CorpusError, "a folder with a folder an emotion$"),
    ("mine", None, {}, CorpusError, "does not exist"),
    ("mine", ["x/a.wav"], {"form": "foldr"}, UsageError, "did you mean 'folder'"),
    ("mine", ["x/a.wav"], {"speaker_patern": "x"}, UsageError, "did you mean 'speaker_pattern'"),
    ("emodb", ["03a01Wa.wav"], {"form": "folder"}, UsageError, "takes no form"),
    ("emodb", ["03a01Wa.wav"], {"breath": True}, UsageError, "option of emodb 'breath'"),
    ("asvp-esd", ["a.wav"], {"breath": "no"}, UsageError, "breath is true or false; got 'no'"),
    ("asvp-esd", ["a.wav"], {"channel": "non speech"}, UsageError, "did you mean 'non-speech'"),
]


@pytest.mark.parametrize(("name", "files", "options", "error", "says"), ERRORS)
def test_errors_say_what_to_do(
    tmp_path: Path,
    name: str,
    files: list[str] | None,
    options: dict[str, object],
    error: type[Exception],
    says: str,
) -> None:
    root = tmp_path / "root"
    if files is not None:
        root.mkdir()
        touch(root, files)
    with pytest.raises(error, match=says):
        load_corpus(name, root, **options)


def test_without_a_root_the_error_says_where_to_get_it() -> None:
    with pytest.raises(CorpusError, match=r"vivae: no root .* https://zenodo.org/records/4066235"):
        load_corpus("vivae")


def test_an_unknown_name_without_a_root_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'crema-d'"):
        load_corpus("cremad")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav"])
    with pytest.raises(CorpusError, match="expected a folder"):
        load_corpus("emodb", tmp_path / "a.wav")


def test_the_real_recordings(shared: Path) -> None:
    opus = load_corpus("emogator", shared / "data" / "emogator" / "opus")
    assert (len(opus.table), len(opus.skipped)) == (23130, 0)
    assert opus.warnings == ("23,130 clips of 257 speakers found; published: 32,130 of 357",)
    ravdess: Corpus = load_corpus("ravdess", shared / "data" / "ravdess")
    assert (len(ravdess.table), ravdess.warnings) == (1440, ())
