"""`nver pretrain`: the same bits, stopped or not; what is read, varied, masked and written."""

import csv
import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import nver
import nver.cli
from fakes import burst
from helpers_audio_mamba import TINY_NETWORK
from nver.encoders.audio_mamba.network import AudioMamba, Sizes
from nver.encoders.audio_mamba.nver_mamba import NVER_MAMBA
from nver.encoders.base import EncoderSpec
from nver.encoders.weightless.logmel_stats import LogmelStats
from nver.errors import CorpusError, NverError, UsageError
from nver.models.pretraining import augment, pretrain, read_recipe, schedule
from nver.models.pretraining.checkpoint import FILE, load_checkpoint
from nver.models.pretraining.learner import Learner, clip_rows, from_pixels, to_pixels
from nver.models.pretraining.pretraining_recipe import (
    NetworkConfig,
    PretrainingRecipe,
    StageConfig,
    Supervised,
)
from nver.models.pretraining.recordings import read_spectra
from nver.models.pretraining.result import write_encoder
from nver.models.pretraining.run import Training

RECIPE = f"""
seed = 3

[data]
corpus = "synthetic"
training = ["synthetic01-synthetic02"]
validation = ["synthetic03"]
teachers = ["duration-level", "prosody-stats"]

{TINY_NETWORK}
[self_supervised]
epochs = 2
batch_size = 8
crop = 64

[supervised]
epochs = 5
batch_size = 8
crop = 64
learning_rate = 3e-3
teaching = 1.0
"""
STEPS = (2 + 5) * (2 * 6 * 5 // 8)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers with five takes of six synthetic sounds."""
    root = tmp_path_factory.mktemp("corpus")
    nver.load_corpus("synthetic", root, speakers=3, clips_per_sound=5)
    return root


@pytest.fixture(scope="session")
def recipe(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> PretrainingRecipe:
    file = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    file.write_text(RECIPE)
    return read_recipe(file, corpus)


@pytest.fixture(scope="session")
def done(recipe: PretrainingRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done")
    assert pretrain(recipe, out) == out / "supervised"
    return out


def log_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_the_log_has_a_row_an_epoch(done: Path) -> None:
    rows = log_of(done)
    assert [row["stage"] for row in rows] == ["self_supervised"] * 2 + ["supervised"] * 5
    assert [int(row["step"]) for row in rows] == [7, 14, 7, 14, 21, 28, 35]
    assert STEPS == 49
    assert float(rows[1]["validation_loss"]) < float(rows[0]["validation_loss"])
    assert all(0 <= float(row["uar"]) <= float(row["top3"]) <= 1 for row in rows[2:])
    assert float(rows[-1]["core_s"]) > 0
    used = json.loads((done / "run.json").read_text())
    assert used["clips"]["training_clips"] == 60
    assert used["clips"]["validation_speakers"] == 1
    assert used["packages"]["torch"] == torch.__version__


def test_the_same_recipe_gives_the_same_bits_stopped_or_not(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    """Stopped after each step: each goes on from the checkpoint alone."""
    shutil.copy(done / "spectra.safetensors", tmp_path)
    calls = 1
    while pretrain(recipe, tmp_path, minutes=1e-9) == tmp_path:
        calls += 1
    assert calls == STEPS - 1  # the last step of a stage is no place to stop
    for stage in ("untrained", "self-supervised", "supervised"):
        assert weights(tmp_path / stage) == weights(done / stage)
    assert (tmp_path / "supervised/head.safetensors").read_bytes() == (
        done / "supervised/head.safetensors"
    ).read_bytes()


def test_a_stage_may_end_before_its_schedule(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    shutil.copy(done / "spectra.safetensors", tmp_path)
    short = replace(recipe, supervised=replace(recipe.supervised, stop_after=2))
    assert pretrain(short, tmp_path) == tmp_path / "supervised"
    times = ("wall_s", "core_s")
    whole, part = ([{k: v for k, v in row.items() if k not in times} for row in log_of(folder)]
                   for folder in (done, tmp_path))  # fmt: skip
    assert part == whole[:4]


def test_each_stage_is_an_encoder(done: Path) -> None:
    clips = [burst(1.0), burst(0.3), burst(2.7)]
    made = [
        NVER_MAMBA.load(EncoderSpec("nver-mamba", str(done / stage))).encode(clips)
        for stage in ("untrained", "self-supervised", "supervised")
    ]
    assert all(vectors.shape == (3, 80) for vectors in made)
    assert not np.allclose(made[0], made[1])
    assert not np.allclose(made[1], made[2])


def test_the_head_is_of_the_encoders_embedding(done: Path, recipe: PretrainingRecipe) -> None:
    """The validation's score is what the encoder and the head of the files give."""
    from safetensors.torch import load_file

    corpus = nver.load_corpus("synthetic", recipe.data.root)
    held = corpus.table[corpus.table["speaker"] == "synthetic03"]
    encoder = NVER_MAMBA.load(EncoderSpec("nver-mamba", str(done / "supervised")))
    head = load_file(done / "supervised/head.safetensors")
    logits = encoder.encode(held["file"].tolist()) @ head["weight"].numpy().T + head["bias"].numpy()
    predicted = [corpus.emotions[code] for code in logits.argmax(axis=1)]
    uar = nver.results.metrics.unweighted_average_recall(held["emotion"].tolist(), predicted)
    best = max(float(row["uar"] or 0) for row in log_of(done))
    assert uar == pytest.approx(best, abs=0.07)  # two of 30 clips: bfloat16 against float32


def test_what_the_teachers_hear_is_learnt(done: Path, recipe: PretrainingRecipe) -> None:
    errors = [float(row["taught"]) for row in log_of(done)[2:]]
    assert errors[-1] < errors[0]
    spectra = read_spectra(recipe.data, recipe.seed, done / "spectra.safetensors")
    corpus = nver.load_corpus("synthetic", recipe.data.root)
    told = np.concatenate(
        [nver.load_encoder(name).encode(corpus.table["file"].tolist())
         for name in recipe.data.teachers], axis=1)  # fmt: skip
    fitted = (corpus.table["speaker"] != "synthetic03").to_numpy()
    varies = told[fitted].std(axis=0) > 1e-4
    scaled = (told - told[fitted].mean(axis=0))[:, varies] / told[fitted].std(axis=0)[varies]
    np.testing.assert_allclose(spectra.taught[:, varies], scaled.clip(-5, 5), atol=2e-3)


def test_the_first_stage_learns_nothing_from_the_teachers(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    alone = replace(recipe, data=replace(recipe.data, teachers=()),
                    supervised=replace(recipe.supervised, teaching=0.0, epochs=1))  # fmt: skip
    pretrain(alone, tmp_path)
    assert weights(tmp_path / "self-supervised") == weights(done / "self-supervised")
    assert weights(tmp_path / "supervised") != weights(done / "supervised")
    assert log_of(tmp_path)[-1]["taught"] == ""


def test_teachers_hear_what_the_network_hears(
    recipe: PretrainingRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"teaching needs \[data\] teachers, encoders; got none"):
        PretrainingRecipe(supervised=Supervised(teaching=1.0))
    monkeypatch.setattr(LogmelStats, "sampling_rate", 8000)
    with pytest.raises(UsageError, match="logmel-stats is for 8000 Hz"):
        read_spectra(replace(recipe.data, teachers=("logmel-stats",)), 0, tmp_path / "kept")


def test_a_folder_of_another_recipe_is_refused(done: Path, recipe: PretrainingRecipe) -> None:
    with pytest.raises(UsageError, match="is of another recipe; give another --out"):
        pretrain(replace(recipe, seed=4), done)


def test_begun_anew_the_weights_are_those_of_the_new_training(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    """As the messages say: remove the checkpoint to begin anew."""
    out = shutil.copytree(done, tmp_path / "out")
    (out / FILE).unlink()
    assert pretrain(replace(recipe, seed=4), out, minutes=1e-9) == out
    assert weights(out / "untrained") != weights(done / "untrained")
    network = AudioMamba(Sizes(**vars(recipe.network)))
    write_encoder(Learner(network, 6, 0.0), out / "supervised", ())
    assert weights(out / "supervised") != weights(done / "supervised")


def test_a_training_goes_on_where_its_recordings_were_moved(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    out = shutil.copytree(done, tmp_path / "out")
    (tmp_path / "moved").symlink_to(recipe.data.root)
    moved = replace(recipe, data=replace(recipe.data, root=str(tmp_path / "moved")))
    assert pretrain(moved, out) == out / "supervised"


def test_a_folder_that_cannot_be_written_is_named(
    recipe: PretrainingRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NverError, match=r"file: cannot be written \(File exists\)"):
        pretrain(recipe, tmp_path / "file")

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nver.models.pretraining.run.write_run", full)
    with pytest.raises(NverError, match=r"out: cannot be read or written \(No space"):
        pretrain(recipe, tmp_path / "out")


def test_a_finished_training_is_left_as_it_is(done: Path, recipe: PretrainingRecipe) -> None:
    before = (done / FILE).read_bytes()
    assert pretrain(recipe, done) == done / "supervised"
    assert (done / FILE).read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(NverError, match=r"checkpoint\.safetensors cannot be read"):
        load_checkpoint(tmp_path)
    said = {"progress": json.dumps({"recipe": {}, "spectra": "", "stage": "third"})}
    save_file({}, tmp_path / FILE, said)
    with pytest.raises(NverError, match="stage 'third'; known: self_supervised, supervised"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_of_another_network_is_named(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    shutil.copytree(done, tmp_path / "out")
    file = tmp_path / "out" / FILE
    with safe_open(file, "pt") as opened:
        words = opened.metadata()
    tensors = load_file(file)
    tensors.pop("learner.head.bias")
    save_file(tensors, file, words)
    with pytest.raises(NverError, match=r"does not fit the recipe's network \(.* remove it"):
        pretrain(recipe, tmp_path / "out")


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_minutes_that_are_none(minutes: float, recipe: PretrainingRecipe, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="minutes must be a number above 0"):
        pretrain(recipe, tmp_path, minutes=minutes)


def test_recordings_without_labels(tmp_path: Path, recipe: PretrainingRecipe) -> None:
    """Audio files of a folder; silent and repeated ones are left out, long ones are cut."""
    clips = {f"{i}.wav": burst(1.0 + 0.1 * i, 150 + 40 * i, seed=i) for i in range(8)}
    clips["deep/again.wav"] = clips["2.wav"]
    clips["hush.wav"] = np.zeros(16_000, np.float32)
    clips["long.wav"] = burst(23.0)
    (tmp_path / "in/deep").mkdir(parents=True)
    for name, clip in clips.items():
        soundfile.write(tmp_path / "in" / name, clip, 16_000)
    own = replace(recipe, data=replace(recipe.data, corpus="", root=str(tmp_path / "in"),
                                       training=(), validation=(), validation_share=0.2),
                  supervised=Supervised())  # fmt: skip
    spectra = read_spectra(own.data, 0, tmp_path / "kept")
    assert spectra.summary["left_out"] == {"silent": 1, "the same recording as another clip": 1}
    assert spectra.summary["left_out_clips"][1] == "hush.wav"
    assert len(spectra) == 8 + 3
    assert np.diff(spectra.starts).max() <= 1000
    again = read_spectra(own.data, 0, tmp_path / "kept")
    assert np.array_equal(again.frames, spectra.frames)
    assert pretrain(own, tmp_path / "out") == tmp_path / "out/self-supervised"
    (tmp_path / "in/7.wav").unlink()
    fewer = read_spectra(own.data, 0, tmp_path / "kept")
    assert len(fewer) == len(spectra) - 1
    with pytest.raises(UsageError, match="is of other recordings than these"):
        pretrain(own, tmp_path / "out")
    soundfile.write(tmp_path / "in/7.wav", clips["7.wav"], 16_000)  # as it was, at another time
    pretrain(own, tmp_path / "out")


def test_a_clip_far_beyond_full_scale_is_left_out(
    tmp_path: Path, recipe: PretrainingRecipe
) -> None:
    (tmp_path / "in").mkdir()
    for number, gain in enumerate((1, 1, 1, 1e30)):
        clip = burst(1.0, 150 + 40 * number, seed=number) * gain
        soundfile.write(tmp_path / "in" / f"{number}.wav", clip, 16_000, subtype="FLOAT")
    data = replace(recipe.data, corpus="", root=str(tmp_path / "in"), training=(), validation=(),
                   validation_share=0.5, teachers=())  # fmt: skip
    facts = read_spectra(data, 0, tmp_path / "kept").summary
    assert (facts["left_out"], facts["left_out_clips"]) == ({"not finite": 1}, ["3.wav"])


def test_no_recordings(tmp_path: Path, recipe: PretrainingRecipe) -> None:
    data = replace(recipe.data, corpus="", root=str(tmp_path), training=(), validation=())
    with pytest.raises(CorpusError, match="no clip found; expected audio files"):
        read_spectra(data, 0, tmp_path / "kept")
    with pytest.raises(CorpusError, match="no such folder"):
        read_spectra(replace(data, root=str(tmp_path / "gone")), 0, tmp_path / "kept")
    with pytest.raises(UsageError, match="no recordings are named"):
        read_spectra(replace(data, root=""), 0, tmp_path / "kept")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sed = 1", "did you mean 'seed'"),
        ("[netwrk]\ndepth = 1", "did you mean 'network'"),
        ("[network]\ndeep = 1", r"key in \[network\]: 'deep'; did you mean 'depth'"),
        ("[network]\nwidth = 30", "width a multiple of 4"),
        ("[supervised]\nepochs = 1", "needs emotions"),
        ("[self_supervised]\nlearning_rate = inf", "learning_rate: expected a finite number"),
        ("[supervised]\ndropout = 1.0", r"in \[0, 1\)"),
        ("[self_supervised]\nmasking = 0", r"masking must be a number in \(0, 1\)"),
        ("precision = 'half'", "unknown precision 'half'"),
        ("seed =", "not TOML"),
        ("seed = 2020-01-01", "seed: expected no date"),
        ("seed = 4294967296", "seed must be an integer from 0 to 4,294,967,295"),
        ("data = []", "data: expected table"),
        ("network = 7", "network: expected table"),
        ("[data]\nroot = 7", "data.root: expected str"),
        ("[data]\nroot = '~nobody-of-this-name/x'", "data.root: expected a path"),
        ("[data]\nteachers = [[]]", "data.teachers: expected str"),
        ("[network]\ndepth = 1000000000", r"\[network\] depth must be an integer from 1"),
        ("[network]\nstem = [0]", r"\[network\] stem must be an integer of at least 1"),
        ("[network]\nwidth = true", "network.width: expected int"),
        ("[supervised]\nepochs = 1000000000", "epochs must be an integer from 0 to 100,000"),
        ("a = " + "[" * 50_000, "nested too deep"),
    ],
)
def test_what_is_wrong_in_a_recipe(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_recipe(tmp_path / "recipe.toml")


def test_a_patch_that_does_not_fit(recipe: PretrainingRecipe, tmp_path: Path) -> None:
    odd = replace(recipe, network=NetworkConfig(patch=(4, 16)))
    with pytest.raises(UsageError, match="multiples of 8"):
        pretrain(odd, tmp_path)


def test_speakers_on_both_sides(recipe: PretrainingRecipe, tmp_path: Path) -> None:
    data = replace(recipe.data, validation=("synthetic02",))
    with pytest.raises(UsageError, match="for training and for validation: speakers synthetic02"):
        read_spectra(data, 0, tmp_path / "kept")


def test_a_recording_of_both_sides_is_in_neither(corpus: Path, tmp_path: Path) -> None:
    """Nor is one with two emotions; of one with the same the first stays."""
    for file in corpus.iterdir():
        shutil.copy(file, tmp_path / file.name)
    for source, copy in (("01_laugh_01", "03_laugh_01"), ("01_cry_01", "01_gasp_01"),
                         ("01_sigh_01", "01_sigh_02")):  # fmt: skip
        shutil.copy(tmp_path / f"synthetic{source}.wav", tmp_path / f"synthetic{copy}.wav")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    data = read_recipe(tmp_path / "recipe.toml", tmp_path).data
    out = read_spectra(data, 0, tmp_path / "kept").summary["left_out_clips"]
    assert out == ["synthetic01_cry_01", "synthetic01_gasp_01", "synthetic01_laugh_01",
                   "synthetic01_sigh_02", "synthetic03_laugh_01"]  # fmt: skip


def test_other_speakers_are_not_decoded(
    recipe: PretrainingRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nver.models.pretraining import recordings as reading

    seen: list[str] = []

    def load(file: str, *args: object, **span: object) -> np.ndarray:
        seen.append(file)
        return nver.audio.recording.load_audio(file, *args, **span)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "load_audio", load)
    data = replace(recipe.data, training=("synthetic01",))
    read_spectra(data, 0, tmp_path / "kept")
    assert len(set(seen)) == 60  # some twice: their prints are alike
    assert not [file for file in seen if "synthetic02" in file]


def test_without_named_validation_speakers_a_share_of_the_training_is_held_out(
    recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    """The speakers that are not named stay unheard, whichever seed draws."""
    for seed in range(3):
        data = replace(recipe.data, validation=(), teachers=())
        facts = read_spectra(data, seed, tmp_path / "kept").summary
        assert (facts["training_speakers"], facts["validation_speakers"]) == (1, 1)
        assert facts["training_clips"] + facts["validation_clips"] == 60


def test_pixels_there_and_back(recipe: PretrainingRecipe, corpus: Path) -> None:
    from nver.encoders.audio_mamba.network import Sizes

    sizes = Sizes(16, patch=(8, 16), stem=(4,))
    chunks = torch.randn(2, 64, 80)
    pixels = to_pixels(chunks, sizes)
    assert pixels.shape == (2, 8 * 5, 128)
    assert torch.equal(pixels[1, 7], chunks[1, 8:16, 32:48].flatten())  # token 5 t + f
    assert torch.equal(from_pixels(pixels, sizes), chunks)
    assert clip_rows([1, 64, 200, 193], sizes).tolist() == [1, 8, 25, 25]


def test_variation_is_the_generators_and_within_bounds() -> None:
    spectrum = np.random.default_rng(0).standard_normal((150, 80)).astype(np.float16)
    config = Supervised()
    made = [augment.vary(spectrum, 96, config, np.random.default_rng(s)) for s in (1, 1, 2)]
    assert np.array_equal(made[0][0], made[1][0])
    assert not np.array_equal(made[0][0], made[2][0])
    short, valid = augment.vary(spectrum[:40], 96, config, np.random.default_rng(0))
    assert 40 / 1.16 <= valid <= 40 * 1.16
    assert not short[valid:].any()
    plain = replace(config, stretch=0.0, shift=0.0, tilt=0.0, time_masks=0, band_masks=0)
    same, valid = augment.vary(spectrum[:96], 96, plain, np.random.default_rng(0))
    assert valid == 96
    assert np.array_equal(same, spectrum[:96].astype(np.float32))


def test_masks_and_mixing() -> None:
    rng = np.random.default_rng(0)
    masked = augment.masks(5, 40, 0.5, rng)
    assert (masked.sum(axis=1) == 20).all()
    assert not (masked[0] == masked[1]).all()
    share, partner = augment.mixing(6, 0.3, rng)
    assert ((share >= 0.5) & (share <= 1)).all()
    assert sorted(partner) == list(range(6))
    assert (augment.mixing(3, 0, rng)[0] == 1).all()


def test_an_epoch_takes_each_clip_once_and_the_rate_rises_and_falls() -> None:
    config = StageConfig(epochs=2, batch_size=4)
    clips = np.arange(10, 22)
    epochs = [
        np.concatenate([schedule.batch(0, "supervised", s, clips, config) for s in steps])
        for steps in (range(3), range(3, 6))
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == clips.tolist()
    assert epochs[0].tolist() != epochs[1].tolist()
    rates = [schedule.learning_rate(step, 100, config) for step in range(100)]
    assert np.argmax(rates) == 10
    assert max(rates) == config.learning_rate
    assert rates[-1] < 1e-5 < rates[0] < 2e-4


def test_a_loss_that_is_not_finite_is_an_error(
    done: Path, recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    spectra = read_spectra(recipe.data, recipe.seed, done / "spectra.safetensors")
    training = Training(recipe, {}, spectra, tmp_path, torch.device("cpu"))
    with pytest.raises(NverError, match="training diverged in step 8"):
        training._count(torch.tensor(float("nan")), 4, 7)


def test_the_command(
    capfd: pytest.CaptureFixture[str], corpus: Path, tmp_path: Path, done: Path
) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    shutil.copytree(done, tmp_path / "out")
    with pytest.raises(SystemExit) as stop:
        nver.cli.main(["pretrain", str(tmp_path / "recipe.toml"), "--root", str(corpus),
                       "--out", str(tmp_path / "out")])  # fmt: skip
    assert stop.value.code == 0
    assert f"wrote {tmp_path / 'out/supervised'}" in capfd.readouterr().out
