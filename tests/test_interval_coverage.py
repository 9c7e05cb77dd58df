"""The intervals hold the truth and the tests keep their level, in simulated corpora."""

from types import ModuleType

import pytest

from helpers_scripts import load_script

UAR = "unweighted_average_recall"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    return load_script("benchmarks/interval_coverage.py")


def test_intervals_over_speakers_hold_the_truth_and_those_over_clips_do_not(
    simulation: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "TRUTH_SPEAKERS", 100_000)
    found = simulation.coverage(simulation.World(), 11, 300, 200, seed=0)
    shares = {method: own[UAR][0] for method, own in found.items()}
    assert 0.92 <= shares["jackknife"] <= 0.98
    assert shares["percentile"] < shares["jackknife"]
    assert shares["clips"] < 0.75


def test_the_paired_test_keeps_its_level(simulation: ModuleType) -> None:
    found = simulation.false_positives(simulation.World(), 11, 300, 0, seed=0)
    assert found["jackknife"] <= 0.08  # 5 % and two standard errors
    plain, corrected = simulation.family(simulation.World(), 11, 5, 100, seed=0)
    assert corrected <= 0.1 < 0.25 < plain


def test_an_emotion_of_few_speakers_does_not_spoil_uar(
    simulation: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "TRUTH_SPEAKERS", 100_000)
    world = simulation.World(holders=2)
    found = simulation.coverage(world, 40, 300, 0, seed=0)
    assert found["kish"][UAR][0] < 0.92 < found["jackknife"][UAR][0]
    wrong = simulation.false_positives(world, 40, 300, 0, seed=0)
    assert wrong["jackknife"] <= 0.08
    assert wrong["jackknife"] < wrong["kish"]


def test_the_corrected_resampled_t_test_keeps_its_level(simulation: ModuleType) -> None:
    found = simulation.trained(10, 3, 100, seed=0)
    assert found["corrected"] <= 0.09
    assert found["plain"] > 0.2


@pytest.mark.long
@pytest.mark.parametrize("speakers", [4, 11, 24, 40])
@pytest.mark.parametrize("world", ["UAR near 50 %", "UAR near 87 %"])
def test_coverage_and_false_positives_in_2000_corpora(
    simulation: ModuleType, world: str, speakers: int
) -> None:
    found = simulation.coverage(simulation.WORLDS[world], speakers, 2000, 0, seed=0)["jackknife"]
    for name, (share, _) in found.items():
        assert 0.92 <= share <= 0.985, name
        if speakers >= 40:
            assert 0.93 <= share <= 0.97, name
    wrong = simulation.false_positives(simulation.WORLDS[world], speakers, 2000, 0, seed=0)
    assert wrong["jackknife"] <= 0.065
