"""The same recording is found again, and never tested by a classifier that was trained on it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import soundfile

import nver
from nver.audio.fingerprint import alignment, sound_print
from nver.audio.recording import load_audio
from nver.corpora.duplicates import ALIKE, FEW, candidates, joined, repeated, same_sounds
from nver.corpora.inspection import inspect_corpus
from nver.corpora.synthetic.corpus import SOUNDS, make_clip
from nver.errors import UsageError
from nver.evaluation import Cell
from nver.evaluation.folds.fold_assignment import Folds, make_folds, separated, tied_speakers

Sound = npt.NDArray[np.float32]
RATE = 16_000


def sound(number: int) -> Sound:
    return make_clip(SOUNDS[number % 6], number // 6 + 1, 1).astype(np.float32)


def zeros(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def trimmed(wave: Sound) -> Sound:
    loud = np.flatnonzero(np.abs(wave) > 0.01 * np.abs(wave).max())
    return wave[loud[0] : loud[-1] + 1]


def noisy(wave: Sound) -> Sound:
    level = 0.03 * np.abs(wave).max()
    return wave + np.random.default_rng(0).uniform(-level, level, len(wave)).astype(np.float32)


def telephone_rate(wave: Sound) -> Sound:
    import soxr

    return soxr.resample(soxr.resample(wave, RATE, 8000), 8000, RATE)


CHANGES: dict[str, Callable[[Sound], Sound]] = {
    "scaled": lambda w: np.float32(0.03) * w,
    "inverted": lambda w: -w,
    "16 bits": lambda w: (np.round(w * 2**15) / 2**15).astype(np.float32),
    "silence before": lambda w: np.concatenate([zeros(0.71), w]),
    "silence around": lambda w: np.concatenate([zeros(0.3), w, zeros(1.3)]),
    "trimmed": trimmed,
    "noise": noisy,
    "8 kHz": telephone_rate,
    "offset": lambda w: w + np.float32(0.1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_sixty_others(change: str) -> None:
    waves = [sound(n) for n in range(60)]
    waves.append(CHANGES[change](waves[17]))
    prints = np.stack([sound_print(w) for w in waves])
    assert len(prints) > FEW
    found = repeated(same_sounds(prints, lambda row: waves[row]))
    assert [rows.tolist() for rows in found] == [[17, 60]]


def test_of_few_clips_every_pair_is_looked_at() -> None:
    waves = [sound(0), sound(1), trimmed(sound(0)) * np.float32(0.5)]
    prints = np.stack([sound_print(w) for w in waves])
    assert same_sounds(prints, lambda row: waves[row]).tolist() == [0, 1, 0]
    assert same_sounds(prints[:1], lambda row: waves[row]).tolist() == [0]
    assert same_sounds(prints[:0], lambda row: waves[row]).tolist() == []


def test_equal_prints_are_not_read_again() -> None:
    prints = np.stack([sound_print(sound(n)) for n in (*range(40), 3)])

    def read(row: int) -> Sound:
        assert row not in (3, 40)
        return sound(row)

    assert [rows.tolist() for rows in repeated(same_sounds(prints, read))] == [[3, 40]]


def test_blocks_do_not_change_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = np.random.default_rng(0).normal(size=(100, 512)).astype(np.float32)
    prints[[7, 50, 99]] = prints[[3, 49, 3]] + np.float32(0.1)
    whole = list(candidates(prints))
    assert whole == [(3, 7), (3, 99), (7, 99), (49, 50)]
    monkeypatch.setattr("nver.corpora.duplicates.BLOCK", 13)
    assert sorted(candidates(prints)) == whole
    assert ALIKE > 0.5


@pytest.mark.parametrize(
    "wave", [zeros(0.0001)[:1] + 1, zeros(1.0) + 0.2, np.sin(np.arange(9000, dtype=np.float32) * 3)]
)
def test_every_clip_has_a_finite_print(wave: Sound) -> None:
    assert np.isfinite(sound_print(wave)).all()
    assert 0 <= alignment(wave, wave) <= 1 + 1e-5


def test_alignment_of_a_recording_and_of_others() -> None:
    assert alignment(sound(0), sound(0)) == pytest.approx(1, abs=1e-5)
    assert max(alignment(sound(0), sound(n)) for n in range(1, 20)) < 0.7


def test_parts_are_connected() -> None:
    assert joined(5, [(0, 3), (3, 4)]).tolist() == [0, 1, 2, 0, 0]
    assert joined(2, []).tolist() == [0, 1]
    assert [r.tolist() for r in repeated(np.array([4, 2, 9, 2, 4]))] == [[0, 4], [1, 3]]


# -------------------------------------------------------------------------------------- folds


def corpus(speakers: int = 12) -> pd.DataFrame:
    rows = [(f"{s}-{i}", f"s{s:02}", f"e{i % 3}") for s in range(speakers) for i in range(9)]
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


def with_pairs(clips: int, pairs: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    return joined(clips, pairs)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("protocol", ["random", "speaker-independent"])
def test_folds_keep_a_recording_together(protocol: str, seed: int) -> None:
    clips = corpus()
    sounds = with_pairs(108, [(0, 1), (2, 50), (50, 107), (30, 99)])
    plain = make_folds(clips, protocol, 5, seed)
    kept = make_folds(clips, protocol, 5, seed, sounds=sounds)
    assert separated(plain.fold, sounds)
    assert separated(kept.fold, sounds) == []
    assert sorted(set(kept.fold)) == [0, 1, 2, 3, 4]
    if protocol == "speaker-independent":
        assert pd.Series(kept.fold).groupby(clips["speaker"]).nunique().max() == 1


def test_the_note_names_the_clips_and_the_tied_speakers() -> None:
    sounds = with_pairs(108, [(0, 1), (2, 50), (3, 4), (5, 6), (7, 8)])
    note = make_folds(corpus(), "random", 5, sounds=sounds).note
    assert note.startswith("5 sounds are there more than once")
    assert "0-0 = 0-1, 0-2 = 5-5, 0-3 = 0-4, and 2 more" in note
    assert "SPEAKERS SHARE A SOUND, and are kept together: s00 and s05" in note
    one = make_folds(corpus(), "random", 5, sounds=with_pairs(108, [(0, 1)])).note
    assert one == (
        "1 sound is there more than once; the clips of each are kept in one fold (0-0 = 0-1); "
        "ONE SOUND, SEVERAL EMOTIONS: 0-0 (e0) = 0-1 (e1)"
    )


@pytest.mark.parametrize("protocol", ["random", "speaker-independent"])
def test_without_duplicates_the_folds_are_as_they_were(protocol: str) -> None:
    plain = make_folds(corpus(), protocol, 5, 3)
    same = make_folds(corpus(), protocol, 5, 3, sounds=np.arange(108))
    assert (plain.digest(), plain.note) == (same.digest(), same.note)


def test_speakers_who_all_share_a_recording_cannot_be_told_apart() -> None:
    clips = corpus(2)
    with pytest.raises(UsageError, match="every speaker shares a recording"):
        make_folds(clips, "speaker-independent", 5, sounds=with_pairs(18, [(0, 17)]))
    assert tied_speakers(np.array(["b", "a", "c"]), np.array([0, 0, 1])).tolist() == ["a", "a", "c"]


def test_folds_of_ones_own_that_separate_a_recording_are_refused() -> None:
    clips, sounds = corpus(), with_pairs(108, [(0, 1)])
    folds = Folds("random", 0, np.arange(108) % 2)
    embeddings = {"x": np.zeros((108, 2), np.float32)}
    with pytest.raises(UsageError, match=r"1 recordings are in training and test, first 0-0 = 0-1"):
        list(nver.cross_validate(clips, embeddings, [Cell("linear", ("x",), folds)], sounds=sounds))


# ---------------------------------------------------------------------------- a run, and files

RECIPE = """
corpora = ["mine"]
roots = {mine = "clips"}
encoders = ["logmel-stats"]
classifiers = ["linear"]
folds = {kind = ["random", "speaker-independent"], number = 3}
training = {epochs = 1}
store = "store"
"""


def test_a_run_and_the_inspection_know_the_duplicates(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    for number in range(36):
        file = folder / SOUNDS[number % 6] / f"p{number // 6}_{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, sound(number), RATE)
    soundfile.write(folder / "laugh" / "p0_again.wav", sound(0), RATE)  # of the same speaker
    copy = np.concatenate([zeros(0.2), np.float32(0.4) * sound(7)])
    soundfile.write(folder / "sigh" / "p5_copy.ogg", copy, RATE)  # of another one, encoded anew
    read = {"speaker_pattern": r"/(p\d)_"}
    facts = inspect_corpus(nver.load_corpus("mine", folder, **read))
    assert [g.clips for g in facts.duplicates] == [("laugh/p0_0", "laugh/p0_again")]
    (near,) = facts.near_duplicates
    assert (near.clips, near.same_speaker) == (("cry/p1_7", "sigh/p5_copy"), False)

    (tmp_path / "recipe.toml").write_text(
        RECIPE.replace('["mine"]', "[{name = 'mine', speaker_pattern = '/(p\\d)_'}]")
    )
    run = nver.run(tmp_path / "recipe.toml", tmp_path / "run", workers=1)
    fold = run.predictions.set_index(["protocol", "clip"])["fold"]
    for protocol in ("random", "speaker-independent"):
        assert fold[protocol, "laugh/p0_0"] == fold[protocol, "laugh/p0_again"]
        assert fold[protocol, "cry/p1_7"] == fold[protocol, "sigh/p5_copy"]
    said = "SPEAKERS SHARE A SOUND, and are kept together: p1 and p5"
    assert any(said in warning for warning in run.warnings)
    assert said in run.report.read_text()


def test_ravdess_has_no_near_duplicates_but_its_pair(shared: Path) -> None:
    files = sorted((shared / "data" / "ravdess").glob("**/03-01-0*-07.*"))
    waves = [load_audio(file, RATE) for file in files]
    prints = np.stack([sound_print(w) for w in waves])
    found = repeated(same_sounds(prints, lambda row: waves[row]))
    assert [[files[i].stem for i in rows] for rows in found] == [
        ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]
    ]


def test_published_mp3_and_their_opus_copies_are_the_same_recordings(shared: Path) -> None:
    mp3 = sorted((shared / "data/emogator/mp3").glob("00000[12]-*-1.mp3"))
    opus = [shared / "data/emogator/opus" / f"{file.stem}.opus" for file in mp3]
    waves = [load_audio(file, RATE) for file in (*mp3, *opus)]
    sounds = same_sounds(np.stack([sound_print(w) for w in waves]), lambda row: waves[row])
    assert np.mean(sounds[: len(mp3)] == sounds[len(mp3) :]) > 0.95
    assert len(np.unique(sounds[: len(mp3)])) == len(mp3), "two distinct clips are taken for one"
