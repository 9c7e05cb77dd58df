"""Folds: who may be in training when a clip is tested."""

import numpy as np
import pandas as pd
import pytest

from nver.errors import UsageError
from nver.evaluation.folds.fold_assignment import (
    ONLY_TRAINED,
    VALIDATION,
    Folds,
    default_protocol,
    make_folds,
    validation_mask,
)


def table(speakers: int, clips_each: int = 12, emotions: int = 3) -> pd.DataFrame:
    rows = [
        (f"{s:03}-{i:02}", f"s{s:03}", f"emotion{i % emotions}")
        for s in range(speakers)
        for i in range(clips_each)
    ]
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


@pytest.mark.parametrize("number", [2, 5, 10])
@pytest.mark.parametrize("protocol", ["random", "speaker-independent"])
def test_every_clip_is_tested_once_and_emotions_are_spread(protocol: str, number: int) -> None:
    clips = table(30)
    folds = make_folds(clips, protocol, number)
    assert folds.number == number
    counts = pd.crosstab(folds.fold, clips["emotion"])
    assert counts.to_numpy().min() >= 0.5 * 120 / number
    assert counts.to_numpy().sum() == len(clips)


def test_folds_say_who_is_trained_on_and_who_is_tested() -> None:
    folds = Folds("mine", 0, np.array([0, ONLY_TRAINED, 1, VALIDATION, 0]))
    assert folds.number == 2
    assert folds.tested.tolist() == [True, False, True, False, True]
    assert folds.validation.tolist() == [False, False, False, True, False]
    assert folds.test_rows(0).tolist() == [0, 4]
    assert folds.training_rows(0).tolist() == [1, 2, 3]
    assert folds.with_rows(np.array([3, 0])).fold.tolist() == [VALIDATION, 0]


@pytest.mark.parametrize("speakers", [2, 3, 4, 5, 6, 24])
def test_a_speaker_is_in_one_fold_only(speakers: int) -> None:
    clips = table(speakers)
    folds = make_folds(clips, "speaker-independent", 5)
    assert clips.groupby("speaker")["clip"].count().size == speakers
    assert pd.Series(folds.fold).groupby(clips["speaker"]).nunique().max() == 1
    assert folds.number == min(5, speakers)
    assert folds.note.startswith("leave-one-speaker-out") == (speakers < 5)


def test_random_folds_share_speakers() -> None:
    clips = table(24)
    folds = make_folds(clips, "random")
    assert pd.Series(folds.fold).groupby(clips["speaker"]).nunique().min() > 1


def test_the_seed_decides() -> None:
    clips = table(24)
    for protocol in ("random", "speaker-independent"):
        one, again, other = (make_folds(clips, protocol, 5, seed) for seed in (1, 1, 2))
        assert one.digest() == again.digest() != other.digest()


def test_default_is_speaker_independent_where_speakers_are_known() -> None:
    clips = table(3)
    assert default_protocol(clips["speaker"]) == "speaker-independent"
    clips.loc[0, "speaker"] = None
    assert default_protocol(clips["speaker"]) == "random"
    assert make_folds(clips).protocol == "random"


def test_an_emotion_with_fewer_clips_than_folds_is_noted() -> None:
    clips = table(6)
    clips.loc[0, "emotion"] = "rare"
    folds = make_folds(clips, "random", 5)
    assert "rare" in folds.note
    assert sorted(np.unique(folds.fold)) == [0, 1, 2, 3, 4]
    assert make_folds(clips, "speaker-independent", 5).number == 5


@pytest.mark.parametrize(
    ("protocol", "number", "said"),
    [
        ("speaker-indepedent", 5, "did you mean 'speaker-independent'"),
        ("random", 1, "folds: 2 to"),
        ("speaker-independent", 5, "need a known speaker"),
    ],
)
def test_what_cannot_be_is_refused(protocol: str, number: int, said: str) -> None:
    clips = table(1)
    with pytest.raises(UsageError, match=said):
        make_folds(clips, protocol, number)


@pytest.mark.parametrize("speakers", [2, 3, 9, 40])
def test_validation_is_by_speaker(speakers: int) -> None:
    clips = table(speakers)
    emotion, speaker = clips["emotion"].to_numpy(str), clips["speaker"].to_numpy(str)
    held_out = validation_mask(emotion, speaker, 0.1, seed=3)
    assert not set(speaker[held_out]) & set(speaker[~held_out])
    assert 0 < held_out.mean() <= max(0.16, 1 / speakers)


def test_validation_without_speakers_is_stratified() -> None:
    clips = table(10)
    held_out = validation_mask(clips["emotion"].to_numpy(str), None, 0.1, seed=3)
    assert clips["emotion"][held_out].value_counts().tolist() == [4, 4, 4]


def test_validation_of_codes_without_a_clip_of_each_for_every_fold() -> None:
    """Workers have the emotions as numbers; the rare one makes stratifying impossible."""
    mask = validation_mask(np.array([0] * 20 + [1] * 3), None, 0.1, seed=0)
    assert 2 <= mask.sum() <= 3


def test_validation_speakers_change_with_the_seed() -> None:
    clips = table(9)
    emotion, speaker = clips["emotion"].to_numpy(str), clips["speaker"].to_numpy(str)
    chosen = {
        tuple(sorted(set(speaker[validation_mask(emotion, speaker, 0.1, seed)])))
        for seed in range(12)
    }
    assert len(chosen) > 3


def test_no_share_holds_nobody_out() -> None:
    clips = table(4)
    assert not validation_mask(clips["emotion"].to_numpy(str), None, 0.0, seed=3).any()


@pytest.mark.parametrize("protocol", ["random", "speaker-independent"])
def test_many_speakers_with_few_clips_of_each_emotion(protocol: str) -> None:
    clips = table(20, clips_each=3, emotions=3)
    clips["emotion"] = [f"emotion{i % 20}" for i in range(len(clips))]
    folds = make_folds(clips, protocol, 5)
    assert sorted(np.unique(folds.fold)) == [0, 1, 2, 3, 4]
    assert "not stratified" in folds.note


@pytest.mark.parametrize("seed", range(8))
def test_validation_takes_no_emotion_out_of_training_and_no_more_than_half(seed: int) -> None:
    clips = table(3)
    clips.loc[clips["speaker"] == "s000", "emotion"] = "only one speaker has it"
    emotion, speaker = clips["emotion"].to_numpy(str), clips["speaker"].to_numpy(str)
    held_out = validation_mask(emotion, speaker, 0.1, seed)
    assert set(emotion[~held_out]) == set(emotion)
    assert 0 < held_out.mean() <= 0.5


@pytest.mark.parametrize("number", [1, 2, 9])
def test_too_few_clips_hold_nobody_out(number: int) -> None:
    emotion = np.array(["a", "b"] * 5)[:number]
    assert not validation_mask(emotion, None, 0.1, seed=0).any()
