"""What is remarked of a recording, and where it is said: corpus, run, and the errors of a clip."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

import nver
from helpers_cli import finish
from nver.audio.recording import load_audio
from nver.audio.remarks import BLOCK, KINDS, Traits, remarks, traits
from nver.corpora import load_corpus
from nver.corpora.inspection import inspect_corpus
from nver.corpora.measurement import trait_warnings
from nver.errors import AudioError
from nver.evaluation.preparation import Settings, load_corpora, prepare
from nver.recipe import parse_experiment

RATE = 16_000
Sound = npt.NDArray[np.float64]


def noise(seed: int = 0, seconds: float = 0.5, level: float = 0.3) -> Sound:
    return np.random.default_rng(seed).uniform(-level, level, round(seconds * RATE))


def side_by_side(*channels: Sound) -> Sound:
    return np.stack(channels, axis=1)


N = noise()
CLIPS: dict[str, tuple[Sound, set[str]]] = {
    "plain": (N, set()),
    "equal": (side_by_side(N, N), set()),
    "unrelated": (side_by_side(N, noise(1)), set()),
    "six unrelated": (side_by_side(*(noise(seed) for seed in range(6))), set()),
    "louder on one side": (side_by_side(N, 0.05 * N), set()),
    "half reversed": (side_by_side(N, -0.3 * N), set()),
    "reversed": (side_by_side(N, -0.98 * N), {"channels_cancel"}),
    "reversed with hiss": (side_by_side(N, -N + noise(1, level=0.02)), {"channels_cancel"}),
    "four in pairs": (side_by_side(N, -N, noise(1), -0.97 * noise(1)), {"channels_cancel"}),
    "one is zero": (side_by_side(N, 0 * N), {"dead_channels"}),
    "one is a hiss": (side_by_side(noise(1, level=1e-3), N), {"dead_channels"}),
    "one is a constant": (side_by_side(N, 0 * N + 0.01), {"dead_channels"}),
    "offset": (N + 0.03, {"offset"}),
    "offset below": (0.5 * N - 0.2, {"offset"}),
    "offset of one side": (side_by_side(N, N + 0.06), {"offset"}),
    "small offset": (N + 0.005, set()),
    "clipped": (np.clip(20 * N, -1, 1), {"clipped"}),
    "clipped on one side": (side_by_side(N, np.clip(9 * N, -1, 1)), {"clipped"}),
    "quiet": (noise(level=1e-3), {"quiet"}),
    "30 ms": (noise(seconds=0.03), {"very_short"}),
    "99 ms": (noise(seconds=0.099), {"very_short"}),
    "100 ms": (noise(seconds=0.1), set()),
    "30 s": (noise(seconds=30.0), set()),
    "31 s": (noise(seconds=31.0), {"very_long"}),
    "faint, offset and short": (noise(level=1e-3, seconds=0.01) + 0.02, {"offset", "very_short"}),
}


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_is_of_these_kinds(name: str) -> None:
    samples, kinds = CLIPS[name]
    found = traits(samples.astype(np.float32))
    assert set(remarks(found, len(samples) / RATE)) == kinds
    assert found.channels == (samples.shape[1] if samples.ndim == 2 else 1)


def test_traits_are_the_formulas_over_many_blocks() -> None:
    rows = np.stack([noise(seed, seconds=2.5 * BLOCK / RATE) for seed in (1, 2)], axis=1) + 0.01
    found = traits(rows.astype(np.float32))
    mean = rows.mean(axis=1)
    assert found.rms == pytest.approx(np.sqrt(np.mean(mean**2)), rel=1e-6)
    assert found.offset == pytest.approx(rows.mean(), rel=1e-5)
    assert found.kept == pytest.approx(2 * mean.var() / rows.var(axis=0).mean(), rel=1e-5)
    assert found.clipped == 0.0
    assert traits(np.zeros(10, np.float32)).kept == 1.0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    for number, (name, (samples, _)) in enumerate(CLIPS.items()):
        folder = root / ("joy", "awe")[number % 2]
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    cancelled = side_by_side(N, -N)
    soundfile.write(root / "joy" / "cancelled.wav", cancelled, RATE, subtype="FLOAT")
    return root


def expected(kind: str) -> set[str]:
    return {name for name, (_, kinds) in CLIPS.items() if kind in kinds}


def test_corpus_lists_each_kind(root: Path) -> None:
    facts = inspect_corpus(load_corpus("mine", root))
    for kind in KINDS:
        assert {note.clip.partition("/")[2] for note in getattr(facts, kind)} == expected(kind)
    (unusable,) = facts.unusable
    assert (unusable.clip, unusable.reason) == ("joy/cancelled", "channels cancel")


def test_the_command_says_each_kind_in_text_and_json(root: Path, tmp_path: Path) -> None:
    said = finish(tmp_path, "corpus", "mine", "--root", str(root)).out
    tree = json.loads(finish(tmp_path, "corpus", "mine", "--root", str(root), "--json").out)
    for kind, what in KINDS.items():
        names = expected(kind)
        assert len(tree[kind]) == len(names)
        assert (f"{what}; used: {len(names)}" in said) == bool(names)
    assert "the mean of the 2 channels keeps 0.0% of their power" in said


def test_a_run_warns_of_each_kind(root: Path, tmp_path: Path) -> None:
    recipe = {
        "corpora": ["mine"],
        "roots": {"mine": str(root)},
        "encoders": ["logmel-stats"],
        "classifiers": ["linear"],
        "store": str(tmp_path / "store"),
    }
    experiment = parse_experiment(recipe)
    for _ in range(2):  # the second time nothing is decoded
        found, missing = load_corpora(experiment)
        (prepared,) = prepare(experiment, found, missing, Settings(workers=1)).corpora
        said = "\n".join(prepared.corpus.warnings)
        for kind, what in KINDS.items():
            names = expected(kind)
            sentence = f"{len(names)} clip{'s' if len(names) > 1 else ''} {what}: "
            assert (sentence in said) == bool(names)
    assert "joy/quiet (rms 5.8e-04 of full scale); see `nver corpus`" in said


def test_a_warning_names_the_first_few(root: Path) -> None:
    table = load_corpus("mine", root).table.head(8).assign(duration_s=0.05)
    (said,) = trait_warnings(table, np.array([Traits(1, 0.1, 0, 0, 1, 0)] * 8, np.float32))
    assert said.startswith("8 clips shorter than 0.1 s")
    assert said.count("(50 ms)") == 5
    assert said.endswith("and 3 more; see `nver corpus`")
    usual = np.array([Traits(1, 0.1, 0, 0, 1, 0)] * 8, np.float32)
    assert trait_warnings(table.assign(duration_s=1.0), usual) == ()


def predicted(file: Path) -> AudioError:
    (answer,) = nver.load_predictor().predict(file)
    return AudioError(answer.error, answer.reason)


def loaded(file: Path) -> AudioError:
    with pytest.raises(AudioError) as caught:
        load_audio(file, RATE)
    return caught.value


def measured(file: Path) -> AudioError:
    from nver.corpora.measurement import measure

    found = measure(str(file))
    return AudioError(found.message, found.reason)


def extracted(file: Path) -> AudioError:
    import pandas as pd

    table = pd.DataFrame({"clip": ["a"], "file": [str(file)], "start": np.nan, "end": np.nan})
    done = nver.extract(table, "duration-level", file.parent / "store", workers=1)
    (row,) = done.skipped.itertuples()
    return AudioError(str(row.message), str(row.reason))


@pytest.mark.parametrize("error_of", [loaded, measured, extracted, predicted])
@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (side_by_side(N, -N), "channels cancel"),
        (side_by_side(N, -N, noise(1), -noise(1)), "channels cancel"),
        (side_by_side(N + 0.1, -N), "channels cancel"),
        (side_by_side(0 * N, 0 * N), "silent"),
        (side_by_side(noise(level=1e-4), noise(1, level=1e-4)), "silent"),
        (0 * N + 0.5, "silent"),
    ],
)
def test_channels_that_cancel_to_silence_are_not_called_silent(
    tmp_path: Path, samples: Sound, reason: str, error_of: Callable[[Path], Any]
) -> None:
    file = tmp_path / "a.wav"
    soundfile.write(file, samples, RATE, subtype="FLOAT")
    error = error_of(file)
    assert error.reason == reason
    assert ("cancel each other" in str(error)) == (reason == "channels cancel")
