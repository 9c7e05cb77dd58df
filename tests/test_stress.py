"""Perturbations do what their names say; stressed clips are kept apart; the scores of both."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from fakes import burst
from helpers_report import make_clips, make_folds, predict
from nver.audio.perturbation import MP3_RATE, TELEPHONE_RATE, check_perturbation, perturb
from nver.classifiers.training.loop import TrainingConfig
from nver.errors import UsageError
from nver.evaluation import Cell, Stressed, evaluate_cells
from nver.evaluation.folds.fold_assignment import make_folds as real_folds
from nver.evaluation.run_folder.predictions import read_stress, write_predictions
from nver.results.stress import CLEAN, stress_table

RATE = 16_000
CLIP = burst(1.0)


def level_db(samples: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("snr", [20, 10, 0])
def test_noise_has_its_signal_to_noise_ratio_and_is_white(snr: int) -> None:
    worse, rate = perturb(CLIP, RATE, f"noise-{snr}dB", b"seed")
    noise = worse.astype(np.float64) - CLIP
    assert (rate, worse.dtype, worse.shape) == (RATE, np.float32, CLIP.shape)
    assert level_db(CLIP) - level_db(noise) == pytest.approx(snr, abs=0.01)
    power = np.abs(np.fft.rfft(noise)) ** 2
    quarters = [part.mean() for part in np.array_split(power, 4)]
    assert max(quarters) / min(quarters) < 1.3


def test_noise_depends_on_the_content_alone() -> None:
    one, _ = perturb(CLIP, RATE, "noise-10dB", b"a")
    same, _ = perturb(CLIP, RATE, "noise-10dB", b"a")
    other, _ = perturb(CLIP, RATE, "noise-10dB", b"b")
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("hertz", "passed"), [(100, False), (200, False), (500, True), (1000, True), (3000, True)]
)
def test_a_telephone_passes_its_band_only(hertz: float, passed: bool) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32)
    narrow, rate = perturb(tone, RATE, "telephone", b"")
    assert rate == TELEPHONE_RATE
    assert narrow.size == TELEPHONE_RATE
    lost = level_db(tone) - level_db(narrow[1000:])
    assert lost < 1 if passed else lost > 12


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("duration_s", [0.01, 0.2, 1.0])
def test_mp3_keeps_length_and_place(rate: int, duration_s: float) -> None:
    clip = burst(duration_s, sampling_rate=rate)
    decoded, decoded_rate = perturb(clip, rate, "mp3", b"")
    assert decoded_rate == MP3_RATE
    assert decoded.size == pytest.approx(duration_s * MP3_RATE, abs=1)
    if duration_s == 1.0 and rate == MP3_RATE:
        lags = np.correlate(decoded, clip[2000:-2000].astype(np.float32), "valid")
        assert abs(int(lags.argmax()) - 2000) <= 1
        assert not np.array_equal(decoded, clip)


def test_level_is_a_gain_with_clipping() -> None:
    quiet, _ = perturb(CLIP, RATE, "level-20dB", b"")
    np.testing.assert_allclose(quiet, 0.1 * CLIP, rtol=1e-5)
    loud, _ = perturb(CLIP, RATE, "level+12dB", b"")
    np.testing.assert_allclose(loud, np.clip(10 ** (12 / 20) * CLIP, -1, 1), rtol=1e-5)
    assert np.abs(loud).max() == 1.0


@pytest.mark.parametrize("kind", ["noise", "noise-dB", "noise+10dB", "level20dB", "MP3", ""])
def test_an_unknown_perturbation_says_what_there_is(kind: str) -> None:
    with pytest.raises(UsageError, match="expected noise-20dB"):
        check_perturbation(kind)


# --------------------------------------------------------------------- training and the table


def table_of(clips: int = 60) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    emotion = np.tile(["a", "b", "c"], clips // 3)
    table = pd.DataFrame(
        {
            "clip": [f"{i:03d}" for i in range(clips)],
            "speaker": np.repeat([f"s{i}" for i in range(6)], clips // 6),
            "emotion": emotion,
        }
    )
    rows = rng.normal(scale=0.3, size=(clips, 4)).astype(np.float32)
    rows[:, 0] += np.unique(emotion, return_inverse=True)[1]
    return table, rows


def test_stress_is_predicted_by_the_same_trainings() -> None:
    """Unchanged clips get their own predictions, row by row; the clean ones stay as they are."""
    table, rows = table_of()
    cell = Cell("linear", ("e",), real_folds(table, number=3))
    some = np.array([50, 3, 17, 30, 31])
    stress = {
        "same": Stressed(np.arange(60), {"e": rows}),
        "some": Stressed(some, {"e": rows[some]}),
        "none": Stressed(np.empty(0, np.int64), {"e": rows[:0]}),
        "shuffled": Stressed(np.arange(60), {"e": rows[::-1].copy()}),
    }
    run = {"training": TrainingConfig(epochs=3), "workers": 1}
    ((_, plain, _, nothing),) = evaluate_cells(table, {"e": rows}, [cell], **run)
    ((_, clean, _, worse),) = evaluate_cells(table, {"e": rows}, [cell], stress=stress, **run)
    assert nothing.empty
    pd.testing.assert_frame_equal(plain, clean)
    by_kind = {kind: own.drop(columns="stress") for kind, own in worse.groupby("stress")}
    assert set(by_kind) == {"same", "some", "shuffled"}
    for kind, expected in (("same", clean), ("some", clean.iloc[some])):
        found = by_kind[kind].reset_index(drop=True)
        expected = expected.reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert (by_kind["shuffled"]["predicted"].to_numpy() != clean["predicted"].to_numpy()).any()


def test_stress_moves_with_its_clips() -> None:
    """Where some clips of a corpus are left, so is what is left of them under stress."""
    stress = Stressed(np.array([0, 2, 3, 5]), {"e": np.float32([[0], [2], [3], [5]])})
    found = stress.with_rows(np.array([1, 2, 5]))
    assert found.rows.tolist() == [1, 2]
    assert found.embeddings["e"].tolist() == [[2], [5]]


def test_scores_under_stress(tmp_path: Path) -> None:
    clips = make_clips(3, speakers=12, takes=2, corpus="toy")
    folds = make_folds(clips, "speaker-independent", 0)
    clean = predict(clips, folds, ("e", "fcn"), 2.0, 0)
    worse = predict(clips, folds, ("e", "fcn"), 0.5, 1).iloc[:40]
    stress = pd.concat([clean.assign(stress="none"), worse.assign(stress="noise-0dB")])
    write_predictions(stress, tmp_path / "stress.csv")
    saved = read_stress(tmp_path / "stress.csv")
    assert saved is not None
    table = stress_table(clean, saved)
    assert table["stress"].tolist() == [CLEAN, "none", "noise-0dB"]
    assert table["clips"].tolist() == [72, 72, 40]
    assert table["uar_lost"].iloc[:2].tolist() == [0, 0]
    assert table["uar_lost"].iloc[2] > 0
    low, high = (table[f"unweighted_average_recall_{end}"] for end in ("low", "high"))
    assert (low < table["unweighted_average_recall"]).all()
    assert (table["unweighted_average_recall"] < high).all()
    assert read_stress(tmp_path / "absent.csv") is None


def test_a_whole_run_under_stress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through recipe, store and report; the clean embeddings are not touched."""
    import nver
    from nver.embeddings.extraction import read_embeddings
    from nver.recipe import experiment_to_tree, parse_experiment

    monkeypatch.setenv("NVER_CACHE", str(tmp_path / "cache"))
    tree = {
        "name": "stressed",
        "corpora": [{"name": "synthetic", "speakers": 3, "clips_per_sound": 1}],
        "encoders": ["duration-level"],
        "classifiers": ["linear"],
        "folds": {"number": 3},
        "training": {"epochs": 2},
        "stress": {"kinds": ["level-20dB", "noise-0dB"]},
        "store": str(tmp_path / "store"),
    }
    recipe = parse_experiment(tree)
    assert parse_experiment(experiment_to_tree(recipe)) == recipe
    run = nver.run(recipe, tmp_path / "run", workers=1)
    clean = pd.read_csv(tmp_path / "run" / "clips.csv").set_index("clip")["level_db"]
    assert "stress" not in run.predictions
    saved = read_stress(tmp_path / "run" / "stress.csv")
    assert saved is not None
    assert len(saved) == 2 * len(run.predictions)
    assert set(saved["stress"]) == {"level-20dB", "noise-0dB"}
    table = pd.read_csv(tmp_path / "run" / "report" / "stress.csv")
    assert table["stress"].tolist() == [CLEAN, "level-20dB", "noise-0dB"]
    assert "UAR under stress" in run.report.read_text("utf-8")
    store = nver.EmbeddingStore(tmp_path / "store")
    clips = nver.load_corpus("synthetic", speakers=3, clips_per_sound=1).table
    (identity,) = [i for i in store.identities() if i.name == "duration-level"]
    quiet = read_embeddings(clips.assign(perturbation="level-20dB"), identity, store)
    np.testing.assert_allclose(quiet[:, 1], clean[clips["clip"]].to_numpy() - 20, atol=1e-3)
    again = nver.run(
        parse_experiment({k: v for k, v in tree.items() if k != "stress"}),
        tmp_path / "run",
        workers=1,
    )
    pd.testing.assert_frame_equal(again.predictions, run.predictions)
    assert not (tmp_path / "run" / "stress.csv").exists()
    assert not (tmp_path / "run" / "report" / "stress.csv").exists()
