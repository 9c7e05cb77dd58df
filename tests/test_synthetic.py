"""The synthetic corpus: made once, whole or not at all, always the same, and clearly not people."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nver.corpora import load_corpus
from nver.corpora.synthetic import corpus as synthetic
from nver.corpora.synthetic import gestures, synthesis
from nver.errors import CorpusError, UsageError
from nver.machine.files import cache_folder

SMALL = {"speakers": 2, "clips_per_sound": 2}


def test_it_makes_itself_in_the_cache_folder(tmp_path: Path) -> None:
    corpus = load_corpus("synthetic", **SMALL)
    assert corpus.root.parent == cache_folder() == tmp_path / "nver-cache"
    assert (len(corpus.table), corpus.warnings, len(corpus.skipped)) == (24, (), 0)
    assert corpus.emotions == ["laugh", "cry", "scream", "sigh", "moan", "gasp"]
    assert corpus.table["speaker"].unique().tolist() == ["synthetic01", "synthetic02"]


def test_it_says_that_it_is_synthetic() -> None:
    card = synthetic.SYNTHETIC
    assert card.title.startswith("SYNTHETIC")
    assert "synthetic" in card.speaker_is
    assert "synthetic" in synthetic.NAMING.example
    assert "synthetic" in load_corpus("synthetic", **SMALL).root.name


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_corpus("synthetic", **SMALL)
    monkeypatch.setattr(synthetic, "make_clip", None)
    second = load_corpus("synthetic", **SMALL)
    assert first.table.equals(second.table)
    with pytest.raises(TypeError):
        load_corpus("synthetic", speakers=1, clips_per_sound=1)


def test_it_is_written_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def failing(sound: str, *rest: int) -> synthesis.Array:
        calls.append(sound)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return np.zeros(10)

    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "make_clip", failing)
        with pytest.raises(KeyboardInterrupt):
            load_corpus("synthetic", **SMALL)
    assert len(calls) == 6
    assert list(cache_folder().iterdir()) == []
    assert len(load_corpus("synthetic", **SMALL).table) == 24


def test_of_two_that_make_it_at_once_one_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "here"

    def other_was_faster(sound: str, *rest: int) -> synthesis.Array:
        root.mkdir(exist_ok=True)
        soundfile.write(root / "synthetic01_laugh_01.wav", np.zeros(10), 16000)
        return np.zeros(10)

    monkeypatch.setattr(synthetic, "make_clip", other_was_faster)
    assert len(load_corpus("synthetic", root, **SMALL).table) == 1
    assert [f.name for f in tmp_path.iterdir()] == ["here"]


def test_the_same_seed_gives_the_same_files() -> None:
    clip = synthetic.make_clip("cry", 3, 4)
    assert np.array_equal(clip, synthetic.make_clip("cry", 3, 4))
    others = [("cry", 3, 5), ("cry", 4, 4), ("sigh", 3, 4), ("cry", 3, 4, 1)]
    assert all(not np.array_equal(clip, synthetic.make_clip(*o)) for o in others)


def test_a_place_of_ones_own_is_made_there_or_left_alone(tmp_path: Path) -> None:
    assert len(load_corpus("synthetic", tmp_path / "new", **SMALL).table) == 24
    (tmp_path / "empty").mkdir()
    assert len(load_corpus("synthetic", tmp_path / "empty", **SMALL).table) == 24
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.wav").touch()
    with pytest.raises(CorpusError, match="names like 'synthetic01_laugh_01'"):
        load_corpus("synthetic", tmp_path / "mine", **SMALL)
    assert len(list((tmp_path / "mine").iterdir())) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"speakers": 0}, "speakers is 1 to 99; got 0"),
        ({"clips_per_sound": "8"}, "whole number"),
        ({"speaker": 2}, "did you mean 'speakers'"),
    ],
)
def test_options_out_of_range(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_corpus("synthetic", **options)


@pytest.mark.parametrize("sound", synthetic.SOUNDS)
def test_clips_are_sound_recordings(sound: str) -> None:
    for speaker in (1, 2, 3):
        clip = synthetic.make_clip(sound, speaker, 1)
        assert np.isfinite(clip).all()
        assert 0.05 < np.abs(clip).max() < 1.0
        assert 0.4 <= len(clip) / synthesis.RATE <= 2.0
        assert abs(clip.mean()) < 0.02


def test_the_names_of_the_sounds_are_those_of_the_gestures() -> None:
    assert tuple(gestures.SOUNDS) == synthetic.SOUNDS


def centroid(samples: synthesis.Array) -> float:
    """The mean frequency of the power, Hz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float((power * np.fft.rfftfreq(len(samples), 1 / synthesis.RATE)).sum() / power.sum())


def steady(f0: float, opened: float, voiced: float = 1.0) -> gestures.Gesture:
    one = np.ones(synthesis.RATE)
    return gestures.Gesture(f0 * one, voiced * one, (1 - voiced) * one, 0 * one, opened * one)


def voice(tract: float = 16.0) -> synthesis.Voice:
    return synthesis.Voice(f0=150.0, tract=tract, breathiness=0.0, jitter=0.0, room=1e-4)


def make(gesture: gestures.Gesture, speaker: synthesis.Voice) -> synthesis.Array:
    return synthesis.synthesise(gesture, speaker, np.random.default_rng(0))


def test_f0_is_what_was_asked_for() -> None:
    for f0 in (100.0, 200.0, 400.0):
        sound = make(steady(f0, 0.5), voice())
        product = np.fft.irfft(np.abs(np.fft.rfft(sound, 2 * len(sound))) ** 2)
        lag = 20 + int(np.argmax(product[20 : synthesis.RATE // 60]))
        assert synthesis.RATE / lag == pytest.approx(f0, rel=0.02)


def test_a_longer_tract_and_a_closed_mouth_sound_darker() -> None:
    whisper = steady(100.0, 1.0, voiced=0.0)
    assert centroid(make(whisper, voice(18.0))) < centroid(make(whisper, voice(13.5)))
    closed = steady(100.0, 0.0, voiced=0.0)
    assert centroid(make(closed, voice())) < centroid(make(whisper, voice()))


def test_speakers_differ() -> None:
    voices = [synthesis.draw_voice(np.random.default_rng([0, i])) for i in range(1, 13)]
    assert max(v.f0 for v in voices) / min(v.f0 for v in voices) > 1.5
    assert len({round(v.tract, 3) for v in voices}) == 12


def test_the_files_are_16_khz_wav() -> None:
    file = load_corpus("synthetic", **SMALL).table["file"][0]
    info = soundfile.info(file)
    assert (info.samplerate, info.channels, info.format, info.subtype) == (
        16000,
        1,
        "WAV",
        "PCM_16",
    )
    samples, _ = soundfile.read(file)
    assert np.abs(samples - synthetic.make_clip("cry", 1, 1)).max() < 1e-4
