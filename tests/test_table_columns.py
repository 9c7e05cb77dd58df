"""Columns of a person's table by other names: which one is used, and what is said of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from helpers_corpora import touch
from nver.corpora import Corpus, load_corpus
from nver.corpora.own.column_names import COLUMN_OPTIONS, EVIDENT, NAMES, folded
from nver.errors import CorpusError, UsageError

DOCS = Path(__file__).resolve().parents[1] / "docs" / "corpora.md"
EMOTIONS, SPEAKERS, CLIPS = ("joy", "awe"), ("ann", "bob", "cy"), 12


def table(folder: Path, columns: Mapping[str, str], name: str = "t.csv", **options: Any) -> Corpus:
    """A corpus of 12 clips: column -> its cells; {k}, {e} and {s} vary."""
    touch(folder, [f"wav/{k}.wav" for k in range(CLIPS)])
    rows = [",".join(columns)]
    for k in range(CLIPS):
        known = {"k": k, "e": EMOTIONS[k % 2], "n": k % 2, "s": SPEAKERS[k // 2 % 3]}
        rows.append(",".join(cell.format(**known) for cell in columns.values()))
    (folder / name).write_text("\n".join(rows), encoding="utf-8")
    return load_corpus("mine", folder / name, **options)


def used(name: str, role: str) -> str:
    """The sentence on a column that is used: a plain one, where its name says what it is."""
    if folded(name) in EVIDENT[role]:
        return f"the {role}s are read from the column {name!r}"
    return f"column {name!r} is used as the {role}; another: --corpus-option {role}_column=NAME"


FILE = {"file": "wav/{k}.wav"}
EMOTION = {"emotion": "{e}"}
BOTH = {**FILE, **EMOTION}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "speaker_id",
            "Speaker",
            "spk",
            "spkr",
            "speakerID",
            "speaker-id",
            "Speaker ID",
            "SPEAKER",
        ),
        *("actor", "actor_id", "subject", "Subject_ID", "participant", "participantId", "person"),
        *(
            "user",
            "user id",
            "client_id",
            "talker",
            "singer",
            "voice",
            "speaker.name",
            "ID_Speaker",
        ),
        *("Participant No", "SpkCode", "Sprecher", "pid", "SID", "vp_nr", "speaker_id.1"),
    ],
)
def test_a_column_that_means_the_speaker_is_used_and_said(tmp_path: Path, name: str) -> None:
    corpus = table(tmp_path, {**BOTH, name: "{s}"})
    assert corpus.has_speakers
    assert corpus.warnings == (used(name, "speaker"),)


@pytest.mark.parametrize(
    ("names", "used"),
    [
        (("subject", "speaker"), "speaker"),
        (("actor", "speaker_id"), "speaker_id"),
        (("user", "participant", "talker"), "talker"),
        (("client_id", "Actor"), "Actor"),
    ],
)
def test_of_several_columns_the_most_exact_is_used_and_all_are_said(
    tmp_path: Path, names: tuple[str, ...], used: str
) -> None:
    cells = {name: "{s}" if name == used else f"{name}{{n}}" for name in names}
    corpus = table(tmp_path, {**BOTH, **cells})
    assert sorted(set(corpus.table["speaker"])) == sorted(SPEAKERS)
    (warning,) = corpus.warnings
    assert all(repr(name) in warning for name in names)
    assert f"{used!r} is used" in warning
    assert "speaker_column=NAME" in warning


def test_columns_that_say_the_same_are_no_question(tmp_path: Path) -> None:
    corpus = table(tmp_path, {**BOTH, "speaker": "{s}", "actor": "the {s}", "label": "{n}"})
    assert corpus.warnings == ()


def test_an_empty_column_is_not_used(tmp_path: Path) -> None:
    corpus = table(tmp_path, {**BOTH, "speaker": "", "actor": "{s}"})
    assert corpus.has_speakers
    assert "'actor' is used" in corpus.warnings[0]


@pytest.mark.parametrize("name", ["name", "patient", "vp", "who", "Kid's name"])
def test_a_column_that_looks_like_speakers_is_said(tmp_path: Path, name: str) -> None:
    (warning,) = table(tmp_path, {**BOTH, name: "{s}"}).warnings
    assert f"column {name!r} looks like speakers (ann, bob, cy)" in warning
    assert f"speaker_column={name!r}" in warning


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *(("sex", "f"), ("gender", "{s}"), ("age_group", "{s}"), ("split", "{s}"), ("take", "{s}")),
        *(("session", "{s}"), ("sampleRate", "{n}"), ("intensity", "{s}"), ("text", "{s}")),
        *(("rater", "{s}"), ("valence", "0.{n}"), ("ok", "{n}"), ("said", "a long remark by {s}")),
    ],
)
def test_a_column_of_something_else_is_not_taken_for_speakers(
    tmp_path: Path, name: str, cell: str
) -> None:
    assert table(tmp_path, {**BOTH, name: cell}).warnings == ()


def test_a_part_of_the_paths_that_looks_like_speakers_is_said_with_the_option(
    tmp_path: Path,
) -> None:
    touch(tmp_path, [f"wav/{s}_{k}.wav" for s in SPEAKERS for k in range(CLIPS)])
    cells = {"file": "wav/{s}_{k}.wav", **EMOTION}
    (warning,) = table(tmp_path, cells).warnings
    assert "a part of the paths looks like speakers (ann, bob, cy)" in warning
    pattern = warning.split("speaker_pattern=")[1].strip("'")
    corpus = table(tmp_path, cells, speaker_pattern=pattern)
    assert sorted(set(corpus.table["speaker"])) == sorted(SPEAKERS)
    assert corpus.warnings == ()


def test_clips_that_all_have_their_own_speaker_are_said(tmp_path: Path) -> None:
    (warning,) = table(tmp_path, {**BOTH, "speaker": "s{k}"}).warnings
    assert "each of the 12 clips has a speaker of its own" in warning


@pytest.mark.parametrize(
    "name",
    [
        *("Path", "filepath", "file_path", "filename", "File Name", "audio", "audio_path"),
        *("audio_filepath", "wav", "wav_file", "clip", "recording"),
    ],
)
def test_a_column_that_means_the_file(tmp_path: Path, name: str) -> None:
    corpus = table(tmp_path, {name: "wav/{k}.wav", **EMOTION})
    assert len(corpus.table) == CLIPS
    assert corpus.table["clip"][0] == "wav/0"
    assert corpus.warnings == (used(name, "file"),)


@pytest.mark.parametrize(
    "name",
    [
        *("Emotion", "Label", "class", "category", "emotion_label", "EMOTIONS", "Emotion Class"),
        *("target", "class-name", "sentiment"),
    ],
)
def test_a_column_that_means_the_emotion(tmp_path: Path, name: str) -> None:
    corpus = table(tmp_path, {**FILE, name: "{e}"})
    assert corpus.emotions == ["awe", "joy"]
    assert corpus.warnings == (used(name, "emotion"),)


def test_names_are_preferred_to_their_numbers(tmp_path: Path) -> None:
    corpus = table(tmp_path, {**FILE, "label": "{n}", "label_name": "{e}"})
    assert corpus.emotions == ["awe", "joy"]


def test_emotions_that_are_numbers_are_said(tmp_path: Path) -> None:
    (warning,) = table(tmp_path, {**FILE, "label": "{n}"}).warnings
    assert warning.startswith("the emotions are numbers (0, 1)")
    assert "emotion_column=NAME" in warning


SECOND = (1.0, 1.5)
TIMES = {  # column -> cells, the span in s, words of the warnings
    "start and end": ({"start": "1", "end": "1.5"}, SECOND, []),
    "onset and offset": ({"onset": "1", "offset": "1.5"}, SECOND, ["'onset'", "'offset'"]),
    "offset and duration": ({"offset": "1", "duration": "0.5"}, SECOND, ["'offset'", "so long"]),
    "start and duration": ({"start": "1", "dur": "0.5"}, SECOND, ["so long after its start"]),
    "begin, stop": ({"Begin Time": "1", "stop": "1.5"}, SECOND, ["'Begin Time'", "'stop'"]),
    "tmin, tmax": ({"tmin": "1", "tmax": "1.5"}, SECOND, ["'tmin'", "'tmax'"]),
    "ms": ({"start_ms": "1000", "end (ms)": "1500"}, SECOND, ["'start_ms'", "'end (ms)'"]),
    "s": ({"start_s": "1", "EndSec": "1.5"}, SECOND, ["'start_s'", "'EndSec'"]),
    "mixed": ({"start_time": "1", "length_ms": "500"}, SECOND, ["'start_time'", "'length_ms'"]),
    "offset in ms": ({"offset_ms": "1000", "duration_ms": "500"}, SECOND, ["offset", "so long"]),
    "onset in ms": ({"onset_ms": "1000", "offset_ms": "1500"}, SECOND, ["onset_ms", "offset_ms"]),
    "elan": (
        {"Begin Time - ss.msec": "1", "End Time - hh:mm:ss.ms": "00:00:01.500"},
        SECOND,
        ["'Begin Time", "'End Time"],
    ),
    "german": ({"Anfang (s)": "1", "Ende (ms)": "1500"}, SECOND, ["'Anfang", "'Ende"]),
    "unknown names": (
        {"call start": "1", "call end": "2", "dev_start": "soon"},
        (None, None),
        ["start_column='call start'", "end_column='call end'"],
    ),
    "duration alone": ({"duration": "3.2"}, (None, None), []),
    "end wins": ({"start": "1", "end": "1.5", "duration": "9"}, SECOND, []),
    "end and duration": ({"end": "1.5", "duration": "0.5"}, SECOND, ["so long before its end"]),
    "stop, length in ms": ({"stop_ms": "1500", "len_ms": "500"}, SECOND, ["stop_ms", "before"]),
    "offset and length": ({"tmax": "1.5", "dur": "500 ms"}, SECOND, ["'tmax'", "before"]),
    "zeit": ({"Startzeit": "1", "Endzeit": "1.5"}, SECOND, ["'Startzeit'", "'Endzeit'"]),
    "t0, t1": (
        {"t0": "1", "t1": "1.5"},
        (None, None),
        ["start_column='t0'", "end_column='t1'"],
    ),
    "time, dur": ({"time": "1", "dur": "0.5"}, (None, None), ["start_column='time'"]),
    "from, to": (
        {"from": "1", "to": "1.5"},
        (None, None),
        ["start_column='from'", "end_column='to'"],
    ),
    "t1, t2": ({"t1": "1", "t2": "2"}, (None, None), ["start_column='t1'", "end_column='t2'"]),
    "offset alone": ({"offset": "1"}, (None, None), ["start_column=offset or end_column=offset"]),
}


@pytest.mark.parametrize("kind", TIMES)
def test_columns_that_mean_times(tmp_path: Path, kind: str) -> None:
    cells, span, words = TIMES[kind]
    corpus = table(tmp_path, {**BOTH, **cells})
    row = corpus.table.iloc[0]
    assert tuple(None if t != t else t for t in (row["start"], row["end"])) == span
    assert len(corpus.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, corpus.warnings, strict=True))


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        ({"start_sample": "16000", "end_sample": "24000"}, {}),
        ({"start_frame": "16000", "num_frames": "8000"}, {"duration_column": "num_frames"}),
        ({"start": "16000", "end": "24000"}, {"unit": "samples"}),
        ({"start": "1000", "end": "1500"}, {"unit": "ms"}),
        ({"a": "1", "b": "1.5"}, {"start_column": "a", "end_column": "b"}),
        ({"a": "1000", "b": "500"}, {"start_column": "a", "duration_column": "b", "unit": "ms"}),
    ],
)
def test_units_and_options_of_times(
    tmp_path: Path, cells: dict[str, str], options: dict[str, str]
) -> None:
    (tmp_path / "wav").mkdir()
    soundfile.write(tmp_path / "wav" / "0.wav", np.zeros(32_000, np.float32), 16_000)
    (tmp_path / "t.csv").write_text(
        f"file,emotion,{','.join(cells)}\nwav/0.wav,joy,{','.join(cells.values())}\n"
    )
    row = load_corpus("mine", tmp_path / "t.csv", **options).table.iloc[0]
    assert (row["start"], row["end"]) == pytest.approx(SECOND)


@pytest.mark.parametrize(
    ("start", "end", "unit"), [(500, 1500, "ms"), (8000, 24_000, "samples"), (0, 150, None)]
)
def test_times_far_after_the_files_are_said(
    tmp_path: Path, start: int, end: int, unit: str | None
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(32_000, np.float32), 16_000)
    (tmp_path / "t.csv").write_text(f"file,emotion,start,end\na.wav,joy,{start},{end}\n")
    (warning,) = load_corpus("mine", tmp_path / "t.csv").warnings
    assert warning.startswith(f"spans end long after their files, for example at {end} s of 2.00 s")
    assert (f"unit={unit}" in warning) == (unit is not None)


def test_every_column_may_be_named(tmp_path: Path) -> None:
    cells = {
        "a": "wav/{k}.wav",
        "b": "{e}",
        "c": "{s}",
        "file": "x",
        "emotion": "x",
        "speaker": "x",
    }
    options = {"file_column": "a", "emotion_column": "b", "speaker_column": "c"}
    corpus = table(tmp_path, cells, **options)
    assert (corpus.emotions, corpus.has_speakers) == (["awe", "joy"], True)
    assert corpus.warnings == ()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"column": "emotion", "emotion_column": "take"}, "two words for one option"),
        ({"start_column": "begin"}, "unknown column of .* 'begin'"),
        ({"unit": "hours"}, "unknown unit 'hours'"),
        ({"unit": "ms"}, "no column has the start or the end"),
        ({"speaker_column": 3}, "speaker_column is a text; got 3"),
    ],
)
def test_options_that_fit_no_column(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        table(tmp_path, {**BOTH, "take": "{k}"}, **options)


@pytest.mark.parametrize(
    ("name", "cells"),
    [("session_id", "S0{n3}"), ("pseudonym", "{n20}"), ("take_code", "spk{n3}"), ("kid", "{n3}")],
)
def test_ids_in_a_column_of_another_name_are_said(tmp_path: Path, name: str, cells: str) -> None:
    touch(tmp_path, [f"{k}.wav" for k in range(48)])
    rows = [
        f"{k}.wav,{EMOTIONS[k % 2]},{cells.format(n3=k // 2 % 3, n20=k // 2 % 12)}"
        for k in range(48)
    ]
    (tmp_path / "t.csv").write_text("\n".join([f"file,emotion,{name}", *rows]))
    (warning,) = load_corpus("mine", tmp_path / "t.csv").warnings
    assert f"speaker_column={name!r}" in warning


def test_a_second_column_of_pandas_is_a_rival(tmp_path: Path) -> None:
    corpus = table(tmp_path, {**BOTH, "speaker_id": "{s}", "speaker_id.1": "x{n}"})
    assert "'speaker_id', 'speaker_id.1' may be the speaker" in corpus.warnings[0]


def test_a_duration_beside_start_and_end_counts_for_nothing(tmp_path: Path) -> None:
    cells = {**BOTH, "start": "1", "end": "2", "long": "1"}
    with pytest.raises(UsageError, match="duration_column=long counts for nothing"):
        table(tmp_path, cells, duration_column="long")


def test_a_table_without_a_header_is_said(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav"])
    (tmp_path / "t.csv").write_text("a.wav,joy,ann\n")
    with pytest.raises(CorpusError, match=r"its first line looks like a clip: write a line with"):
        load_corpus("mine", tmp_path / "t.csv")


def test_columns_of_metadata_by_other_names(tmp_path: Path) -> None:
    touch(tmp_path, ["train/1.wav", "test/1.wav"])
    for split in ("train", "test"):
        (tmp_path / split / "metadata.csv").write_text("Path,Label,client_id\n1.wav,joy,p1\n")
    corpus = load_corpus("mine", tmp_path)
    assert corpus.table["split"].tolist() == ["test", "train"]
    assert [warning.split(";")[0] for warning in corpus.warnings] == [
        "the files are read from the column 'Path'",
        "the emotions are read from the column 'Label'",
        "column 'client_id' is used as the speaker",
    ]


def test_columns_of_metadata_may_be_named(tmp_path: Path) -> None:
    touch(tmp_path, ["train/1.wav"])
    (tmp_path / "train" / "metadata.csv").write_text("where,what,who,file\n1.wav,joy,p1,x.wav\n")
    options = {"file_column": "where", "column": "what", "speaker_column": "who"}
    row = load_corpus("mine", tmp_path, **options).table.iloc[0]
    assert (row["clip"], row["emotion"], row["speaker"]) == ("train/1", "joy", "p1")


def test_the_docs_list_the_names_of_columns_and_the_options() -> None:
    text = DOCS.read_text("utf-8")
    rows = {
        role: line
        for line in text.splitlines()
        for role in NAMES
        if line.startswith(f"| {role} |") and role != "clip"
    }
    assert set(rows) == set(NAMES) - {"clip"}
    for role, row in rows.items():
        ranks = [NAMES[role].index(folded(name)) for name in row.split("|")[2].split(",")]
        assert ranks == sorted(ranks)
        assert ranks[0] == 0
    assert all(f"`{option}" in text for option in COLUMN_OPTIONS)
