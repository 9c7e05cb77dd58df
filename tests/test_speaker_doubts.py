"""Speakers that are none, layouts that lose labels, and hints that show whom they mean."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

import nver
from helpers_cli import finish
from helpers_corpora import touch
from nver.corpora import Corpus
from nver.corpora.own.speaker_hints import speaker_hint
from nver.corpora.speakers import random_folds

EMOTIONS, NAMES = ("cry", "laugh", "sigh"), ("ann", "bob", "cleo")
OWN, SAYS = "a speaker of its own", "the speaker says the emotion"


def tree(form: str, speakers: tuple[str, ...] = NAMES) -> list[str]:
    return [form.format(e=e, s=s, i=i) for e, s, i in product(EMOTIONS, speakers, (1, 2, 3))]


def load(root: Path, files: list[str], **options: Any) -> Corpus:
    return nver.load_corpus("mine", touch(root / "tree", files), **options)


def table(root: Path, rows: list[tuple[str, ...]], columns: str, **options: Any) -> Corpus:
    touch(root, [row[0] for row in rows])
    lines = [columns, *(",".join(row) for row in rows)]
    (root / "t.csv").write_text("\n".join(lines) + "\n")
    return nver.load_corpus("mine", root / "t.csv", **options)


@pytest.mark.parametrize(
    "form",
    [
        *("{i}_{s}", "Recording_{s}_{i}", "{s} {i}", "take{i}-{s}-x", "2024_{s}_{i}", "{s}{i}"),
        *("{i}_{s}_{e}", "{s} {e} {i}", "{s}.{e}.{i}", "{i}.{s}", "rec{i} {s}", "{s}_x_{i}"),
    ],
)
def test_the_speaker_in_a_name_is_hinted_with_its_values(tmp_path: Path, form: str) -> None:
    files = tree(f"{{e}}/{form}.wav")
    (said,) = [w for w in load(tmp_path, files).warnings if "looks like speakers" in w]
    assert "(ann, bob, cleo)" in said
    pattern = said.partition("speaker_pattern='")[2].removesuffix("'")
    corpus = load(tmp_path, files, speaker_pattern=pattern)
    assert set(corpus.table["speaker"]) == set(NAMES)
    assert corpus.warnings == ()


@pytest.mark.parametrize(
    "form",
    [
        *("IMG_{i}_a", "2024-03-01 12.0{i}.00", "2024-03-0{i} 12.01.00", "Recording ({i})"),
        *("AUD-2024030{i}-WA000{i}", "1_0{i}_1", "New Recording {i}", "{i:03d}"),
    ],
)
def test_where_in_doubt_there_is_no_hint(form: str) -> None:
    files = [f"{e}/{form.format(i=i)}.wav" for e in EMOTIONS for i in range(1, 7)]
    assert speaker_hint([Path(f).name for f in files], [f.split("/")[0] for f in files]) is None


@pytest.mark.parametrize("speakers", [("F01", "F02", "M01"), ("S11", "S12"), ("p20", "p21")])
def test_an_id_with_a_take_behind_it_is_no_speaker(speakers: tuple[str, ...]) -> None:
    files = tree("{s}{i}", speakers)
    assert speaker_hint(files, [e for e in EMOTIONS for _ in range(len(speakers) * 3)]) is None


def test_two_parts_that_group_otherwise_give_no_hint() -> None:
    parts = list(product(EMOTIONS, NAMES, ("kids", "dogs"), "12"))
    assert speaker_hint([f"{s}_{t}_{i}" for _, s, t, i in parts], [p[0] for p in parts]) is None


PATTERNS = [  # form of a name, speaker_pattern, what is said
    ("{e}/{s}_{i}", "([^_]+)_", SAYS),
    ("{e}/{s}_{i}", "^([^/]+)/", SAYS),
    ("{e}/{e}{s}_{i}", "/([^_]+)_", SAYS),
    ("{e}/{s}_{i}", "^(.+)$", OWN),
    ("{e}/{e}_{s}_{i}", "/([^/.]+)[.]", OWN),
    ("{e}/{s}_{i}", "/([a-z]+)_", ""),
]


@pytest.mark.parametrize(("form", "pattern", "said"), PATTERNS)
def test_speakers_of_a_pattern_are_judged(
    tmp_path: Path, form: str, pattern: str, said: str
) -> None:
    corpus = load(tmp_path, tree(f"{form}.wav"), speaker_pattern=pattern)
    doubts = [warning for warning in corpus.warnings if OWN in warning or SAYS in warning]
    assert len(doubts) == bool(said)
    assert all(said in doubt and "give the corpus" in doubt for doubt in doubts)


@pytest.mark.parametrize(
    ("column", "said"), [("path", OWN), ("emotion", SAYS), ("take", ""), ("sex", "sexes")]
)
def test_speakers_of_a_column_are_judged(tmp_path: Path, column: str, said: str) -> None:
    rows = [
        (f"{e}{s}{i}.wav", e, str(i), "m" if s == "bob" else "f")
        for e, s, i in product(EMOTIONS, NAMES, (1, 2))
    ]
    corpus = table(tmp_path, rows, "path,emotion,take,sex", speaker_column=column)
    doubts = [warning for warning in corpus.warnings if "if they are no speakers" in warning]
    assert len(doubts) == bool(said)
    assert all(said in doubt for doubt in doubts)


def test_a_layout_whose_speakers_say_the_emotion_is_judged(tmp_path: Path) -> None:
    files = [f"{e}/{e}{s}/{i}.wav" for e, s, i in product(EMOTIONS, NAMES, "12")]
    assert any(SAYS in w for w in load(tmp_path, files, layout="emotion/speaker").warnings)


@pytest.mark.parametrize("words", [("male", "female"), ("m", "F"), ("Woman", "Man")])
@pytest.mark.parametrize("name", ["voice", "speaker"])
def test_a_column_of_sexes_is_no_speaker(tmp_path: Path, name: str, words: Any) -> None:
    rows = [(f"{e}{i}.wav", e, words[i % 2]) for e in EMOTIONS for i in range(4)]
    corpus = table(tmp_path, rows, f"path,emotion,{name}")
    assert corpus.table["speaker"].nunique() in (0, 2)
    assert corpus.has_speakers == (name == "speaker")
    assert any("the speakers' sex" in warning for warning in corpus.warnings)


RANDOM = [  # speakers of four clips, the sentence, its example
    (["", "", "", ""], "speakers are unknown, so folds are random", "give the corpus"),
    (["s1", "s1", "s1", "s1"], "there is one speaker only, so folds are random", "'s1'"),
    (["s1", "s2", "", "s1"], "the speakers of 1 of 4 clips are unknown", "one without is c2"),
]


@pytest.mark.parametrize(("speakers", "said", "example"), RANDOM)
def test_corpus_and_init_say_that_folds_will_be_random(
    tmp_path: Path, speakers: list[str], said: str, example: str
) -> None:
    rows = [(f"c{i}.wav", EMOTIONS[i % 2], s) for i, s in enumerate(speakers)]
    corpus = table(tmp_path, rows, "path,emotion,speaker")
    (sentence,) = random_folds(corpus.table, corpus.card.options)
    assert said in sentence
    assert example in sentence
    shown = finish(tmp_path, "init", "t.csv")
    assert sentence in shown.err


BELOW_SOME = [  # files, folders that may be speakers
    ([f"{e}/{s}/{i}.wav" for e in EMOTIONS[:2] for s in ("Ann", "Bob") for i in "012"], "Ann, Bob"),
    ([f"{e}/{s}/{i}.wav" for e in EMOTIONS[:2] for s in "wxyz" for i in "012"], "w, x, y"),
    ([f"{e}/{s}/{i}.wav" for e in EMOTIONS[:2] for s in NAMES for i in "0"], "ann, bob, cleo"),
]


@pytest.mark.parametrize(("files", "named"), BELOW_SOME)
def test_speakers_below_some_emotions_are_named(
    tmp_path: Path, files: list[str], named: str
) -> None:
    warnings = load(tmp_path, [*files, *(f"sigh/{i}.wav" for i in range(3))]).warnings
    assert any(named in w and 'layout="emotion/speaker"' in w for w in warnings), warnings
    assert not any("speaker_pattern=" in w for w in warnings)


@pytest.mark.parametrize("deeper", ["dan/session1", "dan/x", "dan/day one", "dan/new/old"])
def test_a_folder_above_an_emotion_of_others_is_no_emotion(tmp_path: Path, deeper: str) -> None:
    files = [f"{s}/{e}/{i}.wav" for s, e, i in product(NAMES, EMOTIONS, "12")]
    corpus = load(tmp_path, [*files, *(f"{deeper}/{e}/1.wav" for e in EMOTIONS)])
    assert corpus.emotions == [*EMOTIONS]
    assert len(corpus.skipped) == 3
    assert any("3 files are left out" in w and "a level deeper" in w for w in corpus.warnings)


@pytest.mark.parametrize("classes", [NAMES, ("Ann Lee", "Kim"), ("dan", "eva")])
@pytest.mark.parametrize("below", ["", "/high", "/low"])
def test_classes_of_unknown_words_are_said(
    tmp_path: Path, classes: tuple[str, ...], below: str
) -> None:
    warnings = load(tmp_path, [f"{c}{below}/{i}.wav" for c in classes for i in "123"]).warnings
    assert any("none is a known word for an emotion" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["1.wav", "2.wav"], "'1.wav' names none"),
        (["1_01_1.wav", "1_01_2.wav"], "'1_01_1.wav' names none"),
        (["annCry1.wav", "annLaugh1.wav", "bobCry1.wav"], "finds 'Cry' in 'annCry1.wav'"),
        (["cryAnn1.wav", "laughAnn1.wav", "sighBob2.wav"], "finds 'cry' in 'cryAnn1.wav'"),
    ],
)
def test_what_a_pattern_would_find_is_true(tmp_path: Path, names: list[str], says: str) -> None:
    with pytest.raises(nver.errors.CorpusError) as error:
        load(tmp_path, names)
    assert says in str(error.value)


BESIDE = [  # name, text, what is said
    ("speakers.csv", "file,speaker\ncry/ann_1.wav,ann\n", "'speaker' may be the speaker"),
    ("csv/labels.csv", "file,emotion\ncry/ann_1.wav,cry\n", "csv/labels.csv as the root"),
    ("broken.csv", "\x00\x01\x02", "cannot be read as a table"),
    ("who.tsv", "path\tsubject_id\ncry/ann_1.wav\tann\n", "'subject_id' may be the speaker"),
]


@pytest.mark.parametrize(("name", "text", "says"), BESIDE)
def test_a_table_beside_folders_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    touch(tmp_path / "tree", [name])
    (tmp_path / "tree" / name).write_text(text)
    warnings = load(tmp_path, tree("{e}/{s}_{i}.wav")).warnings
    assert any(name in w and says in w for w in warnings), warnings


def test_a_layout_that_is_given_ends_the_word_of_a_published_corpus(tmp_path: Path) -> None:
    files = [f"Actor_{a:02d}/03-01-0{e}-01-01-01-{a:02d}.wav" for a in (1, 2) for e in (3, 4)]
    assert any("named as in ravdess" in w for w in load(tmp_path, files).warnings)
    given = load(tmp_path, files, layout="speaker", emotion_pattern="03-01-(..)")
    assert not any("named as in" in w for w in given.warnings)
