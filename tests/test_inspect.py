"""The facts of a corpus: counts, lengths, formats, and the clips that deserve a look."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from helpers_corpora import TREES, touch
from nver.corpora import load_corpus
from nver.corpora.inspection import (
    CorpusFacts,
    DuplicateGroup,
    EmotionCount,
    inspect_corpus,
)
from nver.corpora.measurement import Measurement, cut_short_warnings, measure

RATE = 16000
Sound = npt.NDArray[np.float64]


def noise(seed: int, seconds: float = 0.5, level: float = 0.3) -> Sound:
    return np.random.default_rng(seed).uniform(-level, level, round(seconds * RATE))


def stereo_copy(samples: Sound) -> Sound:
    return np.stack([samples, samples], axis=1)


CLIPS: dict[str, tuple[Sound, int]] = {
    "joy/p1/good.wav": (noise(1), RATE),
    "joy/p1/long.wav": (noise(2, seconds=3.0), RATE),
    "joy/p2/fast.wav": (noise(3), 48000),
    "awe/p1/silent.wav": (np.zeros(RATE), RATE),
    "awe/p1/quiet.wav": (noise(4, level=1e-3), RATE),
    "awe/p1/clipped.wav": (np.clip(20 * noise(5), -1, 1), RATE),
    "awe/p2/one.wav": (noise(6), RATE),
    "awe/p2/one again.flac": (noise(6), RATE),
    "awe/p2/as stereo.aiff": (stereo_copy(noise(6)), RATE),
    "joy/p3/other person.wav": (noise(7), RATE),
    "awe/p4/other person.wav": (noise(7), RATE),
    "joy/p3/same, other rate.wav": (noise(7), 8000),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    for name, (samples, rate) in CLIPS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, np.int16(np.round(32767 * samples)), rate)
    (root / "joy/p1/text.wav").write_text("not audio at all, but called so")
    (root / "joy/p1/empty.wav").touch()
    cut = (root / "joy/p1/long.wav").read_bytes()
    (root / "joy/p1/cut.wav").write_bytes(cut[: len(cut) // 2])
    soundfile.write(root / "joy/p1/nan.wav", np.array([0.1, np.nan]), RATE, subtype="FLOAT")
    touch(root, ["stray.wav", "joy/p1/talk.m4a"])
    return root


@pytest.fixture(scope="module")
def facts(root: Path) -> CorpusFacts:
    return inspect_corpus(load_corpus("mine", root, speaker_pattern=r"/(p\d)/"))


def test_the_counts(facts: CorpusFacts) -> None:
    assert (facts.corpus, facts.clips, facts.published_clips) == ("mine", 17, None)
    assert (facts.speaker_is, facts.speakers, facts.published_speakers) == ("speaker", 4, None)
    assert facts.emotions == (EmotionCount("awe", 7, None), EmotionCount("joy", 10, None))
    spread = facts.clips_per_speaker
    assert spread is not None
    assert (spread.least, spread.median, spread.most) == (1, 3.0, 10)


def test_what_is_no_clip_is_passed_on(facts: CorpusFacts) -> None:
    assert [(Path(n.clip).name, n.reason) for n in facts.skipped] == [
        ("stray.wav", "misnamed"),
    ]


def test_unusable_clips_are_named_with_the_reasons_of_a_run(facts: CorpusFacts) -> None:
    assert [(n.clip, n.reason) for n in facts.unusable] == [
        ("awe/p1/silent", "silent"),
        ("joy/p1/empty", "empty"),
        ("joy/p1/nan", "not finite"),
        ("joy/p1/talk", "empty"),
        ("joy/p1/text", "unreadable"),
    ]
    assert all(n.message for n in facts.unusable)


def test_clips_to_look_at(facts: CorpusFacts) -> None:
    assert [n.clip for n in facts.quiet] == ["awe/p1/quiet"]
    assert "rms 5.8e-04" in facts.quiet[0].message
    assert [n.clip for n in facts.clipped] == ["awe/p1/clipped"]
    assert [(n.clip, n.message) for n in facts.cut_short] == [
        ("joy/p1/cut", "23,989 of 48,000 samples are there")
    ]


def test_equal_sound_is_found_whatever_the_format(facts: CorpusFacts) -> None:
    assert set(facts.duplicates) == {
        DuplicateGroup(("awe/p2/as stereo", "awe/p2/one", "awe/p2/one again"), True, True),
        DuplicateGroup(("awe/p4/other person", "joy/p3/other person"), False, False),
    }


def test_durations_are_of_what_was_decoded(facts: CorpusFacts) -> None:
    durations = facts.durations
    assert durations is not None
    assert durations.longest == "joy/p1/long"
    assert durations.shortest == "joy/p1/nan"
    assert durations.quantiles["100 %"] == 3.0
    assert durations.quantiles["50 %"] == 0.5
    decoded = [len(s) / rate for s, rate in CLIPS.values()] + [23989 / RATE, 2 / RATE]
    assert durations.hours == pytest.approx(sum(decoded) / 3600)
    assert durations.under_1_s == pytest.approx(sum(d < 1 for d in decoded) / len(decoded))


def test_rates_and_channels(facts: CorpusFacts) -> None:
    assert facts.sampling_rates == {8000: 1, 16000: 12, 48000: 1}
    assert facts.channels == {1: 13, 2: 1}


def test_the_facts_are_json(facts: CorpusFacts) -> None:
    tree = json.loads(json.dumps(asdict(facts), allow_nan=False))
    assert tree["duplicates"][0]["clips"][0].startswith("awe/")
    assert tree["clips"] == 17


def test_a_progress_bar_counts_every_clip(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = load_corpus("mine", root)
    assert inspect_corpus(corpus, show_progress_bar=True).speakers == 0
    assert "17/17" in capsys.readouterr().err
    assert inspect_corpus(corpus).clips_per_speaker is None
    assert capsys.readouterr().err == ""


def test_speakers_that_are_unknown_are_not_called_the_same(root: Path) -> None:
    duplicates = inspect_corpus(load_corpus("mine", root)).duplicates
    assert {group.same_speaker for group in duplicates} == {None}


def test_published_counts_stand_beside_the_found(tmp_path: Path) -> None:
    touch(tmp_path, [n for n in TREES["emodb"]() if "W" in n])
    facts = inspect_corpus(load_corpus("emodb", tmp_path))
    assert facts.emotions[:2] == (EmotionCount("anger", 127, 127), EmotionCount("boredom", 0, 81))
    assert (facts.clips, facts.published_clips, facts.published_speakers) == (127, 535, 10)
    assert {n.reason for n in facts.unusable} == {"empty"}
    assert facts.durations is None
    assert facts.duplicates == ()


SPANS: list[tuple[float, float, float, Callable[[Measurement], bool]]] = [
    (0.0, 1.0, 1.0, lambda m: m.cut_short == ""),
    (2.5, float("nan"), 0.5, lambda m: m.cut_short == ""),
    (2.5, 3.04, 0.5, lambda m: m.cut_short == ""),
    (2.5, 4.0, 0.5, lambda m: m.cut_short == "the span ends 1.00 s after the file"),
    (5.0, 6.0, 0.0, lambda m: (m.reason, m.cut_short) == ("empty", "")),
    (
        3.0,
        4.0,
        0.0,
        lambda m: m.message.endswith("the span from 3 s to 4 s lies after the end of the file"),
    ),
    (5.0, float("nan"), 0.0, lambda m: "the span from 5 s to its end lies after" in m.message),
    (1e6, 1e6 + 1, 0.0, lambda m: "lies after the end of the file" in m.message),
]


@pytest.mark.parametrize(("start", "end", "duration", "holds"), SPANS)
def test_spans_are_measured_by_themselves(
    root: Path, start: float, end: float, duration: float, holds: Callable[[Measurement], bool]
) -> None:
    found = measure(str(root / "joy/p1/long.wav"), start, end)
    assert found.duration_s == duration
    assert holds(found)


def test_a_truncated_file_of_a_named_corpus_is_reported(tmp_path: Path) -> None:
    for name, keep in (("03a01Wa.wav", 1.0), ("03a01Lb.wav", 0.5), ("03a02Ea.wav", 0.0005)):
        file = tmp_path / name
        soundfile.write(file, noise(8), RATE)
        file.write_bytes(file.read_bytes()[: int(keep * file.stat().st_size)])
    facts = inspect_corpus(load_corpus("emodb", tmp_path))
    assert [n.clip for n in facts.cut_short] == ["03a01Lb"]
    assert [(n.clip, n.reason) for n in facts.unusable] == [("03a02Ea", "unreadable")]


def test_the_real_ravdess_has_one_duplicated_pair(shared: Path) -> None:
    corpus = load_corpus("ravdess", shared / "data" / "ravdess")
    actor = corpus.table[corpus.table["speaker"] == "07"].reset_index(drop=True)
    facts = inspect_corpus(replace(corpus, table=actor))
    assert [group.clips for group in facts.duplicates] == [
        ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
    ]
    assert facts.unusable == ()


@pytest.mark.long
def test_the_real_emogator_has_seventeen_pairs_and_one_silent_clip(shared: Path) -> None:
    facts = inspect_corpus(load_corpus("emogator", shared / "data" / "emogator" / "opus"))
    assert len(facts.duplicates) == 17
    assert all(g.same_speaker and g.same_emotion and len(g.clips) == 2 for g in facts.duplicates)
    assert [n.clip for n in facts.unusable] == ["000086-04-1"]


def test_a_run_is_told_which_clips_are_cut_short(tmp_path: Path) -> None:
    (tmp_path / "joy").mkdir()
    for name in ("whole", "half"):
        soundfile.write(tmp_path / "joy" / f"{name}.wav", noise(1), RATE)
    half = tmp_path / "joy" / "half.wav"
    half.write_bytes(half.read_bytes()[:8044])
    table = load_corpus("mine", root=tmp_path).table
    (said,) = cut_short_warnings(table)
    assert "1 clip cut short" in said
    assert "joy/half (4,000 of 8,000 samples are there)" in said
    assert cut_short_warnings(table[table["clip"] == "joy/whole"]) == ()
