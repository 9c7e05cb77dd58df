"""A model folder: trained, written, read back, asked; and what is refused."""

import hashlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file, save

import nver
from nver.cli import main
from nver.cli.predict import printable
from nver.corpora.measurement import measure
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import NverError, UsageError, WeightsError
from nver.machine.files import write_whole
from nver.models.model_folder import SHIPPED, read_model, shipped_folder
from nver.models.prediction import write_predictions
from nver.models.predictor import find_recordings
from nver.models.train import judge
from nver.recipe import parse_experiment
from nver.recipe.families import read_families
from nver.registry import lookup
from nver.results.calibration import tempered

SOUNDS = ("laugh", "cry", "gasp", "sigh")
FAMILIES = {"loud": ["laugh", "cry"], "breath": ["gasp", "sigh"]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mine")
    for speaker in range(1, 9):
        for sound in SOUNDS:
            (root / sound).mkdir(exist_ok=True)
            for take in (1, 2):
                file = root / sound / f"p{speaker}_{take}.wav"
                soundfile.write(file, make_clip(sound, speaker, take), 16_000)
    return root


@pytest.fixture(scope="module")
def recipe(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {
        "name": "mine",
        "corpora": [{"name": "mine", "speaker_pattern": r"/(p\d)_"}],
        "roots": {"mine": str(root)},
        "store": str(tmp_path_factory.mktemp("store")),
        "encoders": ["logmel-stats", "duration-level"],
        "classifiers": [{"name": "concat", "width": 16}],
        "folds": {"kind": "split", "train": ["p1-p4"], "validation": ["p5", "p6"],
                  "test": ["p7", "p8"]},
        "families": FAMILIES,
        "training": {"epochs": 4},
    }  # fmt: skip


@pytest.fixture(scope="module")
def model(recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    nver.train(parse_experiment(recipe), folder, workers=1)
    return folder


def test_the_predictor_answers_as_the_run_of_the_same_recipe(
    recipe: dict[str, Any], model: Path, root: Path, tmp_path: Path
) -> None:
    rows = nver.run(parse_experiment(recipe), tmp_path / "run", workers=1).predictions
    predictor = nver.load_predictor(model)
    answers = predictor.predict([root / f"{clip}.wav" for clip in rows["clip"]], top=4)
    columns = [f"p:{emotion}" for emotion in predictor.model.emotions]
    expected = tempered(rows[columns].to_numpy(), rows["temperature"].to_numpy())
    for answer, probability in zip(answers, expected, strict=True):
        given = dict(answer.top)
        ours = [given[emotion] for emotion in predictor.model.emotions]
        np.testing.assert_allclose(ours, probability, rtol=1e-4)
    assert [a.emotion for a in answers] == rows["predicted"].tolist()
    made = predictor.model.made
    assert made["speakers"]["train"] == {"clips": 32, "speakers": ["p1", "p2", "p3", "p4"]}
    assert made["speakers"]["validation"]["speakers"] == ["p5", "p6"]
    assert made["speakers"]["test"]["speakers"] == ["p7", "p8"]


def test_an_answer_is_a_family_with_the_sum_of_its_emotions(model: Path, root: Path) -> None:
    predictor = nver.load_predictor(model)
    (answer,) = predictor.predict(root / "laugh" / "p7_1.wav", top=4)
    given = dict(answer.top)
    sums = {family: sum(given[e] for e in own) for family, own in FAMILIES.items()}
    assert answer.family == max(sums, key=lambda family: sums[family])
    assert answer.family_probability == pytest.approx(max(sums.values()))
    assert sum(given.values()) == pytest.approx(1)
    assert answer.sure == (answer.family_probability >= predictor.model.threshold)
    assert answer.answer == (answer.family if answer.sure else "not sure")
    samples, rate = soundfile.read(root / "laugh" / "p7_1.wav", dtype="float32")
    (same,) = predictor.predict(samples, rate, top=4)
    assert same.top == answer.top
    assert same.file == "array 1"
    assert answer.duration_s == pytest.approx(len(samples) / rate)


def test_a_tuned_learning_rate_is_of_the_training_and_no_option(
    recipe: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    tuned = {"name": "linear", "encoders": ["logmel-stats"],
             "tune": {"learning_rate": [1e-2, 1e-9]}}  # fmt: skip
    made = nver.train(parse_experiment(recipe | {"classifiers": [tuned]}), tmp_path, workers=1)
    assert (made.options, made.made["training"]["learning_rate"]) == ({}, 1e-2)
    (answer,) = nver.load_predictor(tmp_path).predict(root / "laugh" / "p7_1.wav")
    assert answer.emotion


def test_a_bad_file_has_a_row_and_the_others_their_answers(
    model: Path, root: Path, tmp_path: Path
) -> None:
    broken, silent = tmp_path / "broken.wav", tmp_path / "silent.wav"
    broken.write_bytes(b"no audio")
    soundfile.write(silent, np.zeros(31 * 16_000), 16_000)
    names = ["gone.wav", "n" * 300, "."]
    paths = [broken, root / "cry" / "p7_1.wav", silent, *(tmp_path / name for name in names)]
    found = nver.load_predictor(model).predict(paths)
    reasons = ["unreadable", "", "silent", "missing", "missing", "unreadable"]
    assert [a.reason for a in found] == reasons
    assert [bool(a.emotion) for a in found] == [not reason for reason in reasons]
    assert (found[2].duration_s, found[2].note) == (31, "only the first 30 s")
    assert found[0].to_dict()["probability"] is None
    assert not found[0].error.startswith(str(broken))


def test_a_file_that_lacks_something_has_a_note(model: Path, root: Path, tmp_path: Path) -> None:
    """The words of `nver corpus`, in the answer, in --csv and in --json."""
    whole = (root / "cry" / "p7_1.wav").read_bytes()
    long, half = tmp_path / "long.wav", tmp_path / "half.wav"
    soundfile.write(long, np.random.default_rng(0).uniform(-0.5, 0.5, 40 * 8000), 8000)
    long.write_bytes(long.read_bytes()[:-8000])
    half.write_bytes(whole[: len(whole) // 2])
    answers = nver.load_predictor(model).predict([root / "cry" / "p7_1.wav", half, long])
    assert answers[0].note == ""
    assert answers[1].note == f"cut short: {measure(str(half)).cut_short}"
    assert answers[1].duration_s == measure(str(half)).duration_s
    said = "only the first 30 s; cut short: 316,000 of 320,000 samples are there"
    assert (answers[2].note, answers[2].duration_s) == (said, 39.5)
    write_predictions(tmp_path / "a.csv", answers)
    assert said in (tmp_path / "a.csv").read_text("utf-8")
    assert answers[2].to_dict()["note"] == said


NO_AUDIO = [  # what is given, the rate, what it says
    (None, None, "a path or an array; got NoneType"),
    ({"array": [0.1], "sampling_rate": 16_000}, None, "got dict"),
    (b"a.wav", None, "got bytes"),
    ([0.1, 0.2], None, "got float"),
    ([np.zeros(9), [0.1, 0.2]], None, "got list"),
    (torch.zeros(9), None, "got Tensor"),
    (np.zeros(9, np.int16), None, "float in -1..1; got int16"),
    (np.zeros(9), 0, "a sampling rate is a number of Hz above 0; got 0"),
    (np.zeros(9), -8000, "got -8000"),
    (np.zeros(9), float("nan"), "got nan"),
    (np.zeros(9), "16000", "got '16000'"),
]


@pytest.mark.parametrize(("audio", "rate", "says"), NO_AUDIO)
def test_what_is_no_audio_is_refused(model: Path, audio: Any, rate: Any, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        nver.load_predictor(model).predict(audio, rate)


def test_arrays_of_any_float_kind_and_order_are_heard(model: Path) -> None:
    predictor, clip = nver.load_predictor(model), make_clip("laugh", 7, 1)
    backwards = clip[::-1].copy()[::-1]
    kinds = [clip, clip.astype(">f8"), backwards, np.repeat(clip, 2)[::2], clip.astype("f8") * 1e60]
    *same, loud = predictor.predict((kind for kind in kinds), 16_000.0)  # type: ignore[arg-type]
    assert len({answer.top for answer in same}) == 1
    assert not same[0].error
    assert loud.reason == "not finite"
    with pytest.raises(UsageError, match="top must be an integer of at least 0; got -1"):
        predictor.predict(clip, top=-1)


def test_of_a_long_file_the_start_is_used_and_the_note_says_so(model: Path, tmp_path: Path) -> None:
    clip = np.tile(make_clip("laugh", 7, 1), 30)[: 40 * 16_000]
    file = tmp_path / "long.wav"
    soundfile.write(file, clip, 16_000)
    predictor = nver.load_predictor(model)
    long, start = predictor.predict([file, clip[: 30 * 16_000].astype(np.float32)], 16_000)
    assert long.note == "only the first 30 s"
    assert long.duration_s == pytest.approx(len(clip) / 16_000)
    assert start.note == ""
    predictor.model = replace(predictor.model, threshold=0.0)
    short = clip[8000:9600].astype(np.float32)
    enough, click = predictor.predict([short, short[:160]], 16_000)
    assert (enough.note, enough.sure) == ("", True)
    assert (click.note, click.answer) == ("only 0.01 s long", "not sure")
    assert long.probability == pytest.approx(start.probability, rel=1e-3)


def _edited(model: Path, folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    config = json.loads((model / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    (folder / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    return folder


def test_what_is_no_model_or_another_one_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NverError, match=r"it has no config\.json"):
        nver.load_predictor(tmp_path)
    with pytest.raises(NverError, match="version 2 of the format; this nver reads 1"):
        nver.load_predictor(_edited(model, tmp_path / "newer", version=2))
    with pytest.raises(NverError, match="no model of nver"):
        nver.load_predictor(_edited(model, tmp_path / "other", format="onnx"))
    with pytest.raises(NverError, match="its SHA-256 is not the one"):
        nver.load_predictor(_edited(model, tmp_path / "torn", weights_sha256="0"))
    with pytest.raises(NverError, match="damaged, emotions: expected list, got None"):
        nver.load_predictor(_edited(model, tmp_path / "broken", emotions=None))
    small = {"name": "concat", "options": {"width": 8}}
    with pytest.raises(NverError, match="do not fit"):
        nver.load_predictor(_edited(model, tmp_path / "small", classifier=small))
    huge = {"name": "concat", "options": {"width": 10**12}}
    with pytest.raises(NverError, match=r"do not fit|cannot be built"):
        nver.load_predictor(_edited(model, tmp_path / "huge", classifier=huge))
    with pytest.raises(UsageError, match="did you mean 'logmel-stats'"):
        nver.load_predictor(model, weights={"logmel-stat": "x"})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("temperature", 0, "temperature is a number from 0.001 to 1000"),
        ("temperature", 10**400, "temperature: expected a number of at most 64 bits"),
        ("threshold", float("nan"), "threshold: expected a finite number"),
        ("emotions", ["laugh", "laugh", "gasp", "sigh"], "none is there twice"),
        ("emotions", [1, 2, 3, 4], "emotions: expected str, got 1"),
        ("families", {"loud": ["laugh"]}, "no family has cry, gasp, sigh"),
        ("made", [], "made: expected table"),
        ("classifier", {"name": ["concat"], "options": {}}, "classifier.name: expected str"),
    ],
)
def test_a_config_that_no_training_writes_is_refused(
    key: str, value: Any, words: str, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(NverError, match=rf"config\.json: damaged, .*{words}"):
        read_model(_edited(model, tmp_path / "odd", **{key: value}))


def _with_weights(model: Path, folder: Path, data: bytes) -> Path:
    _edited(model, folder, weights_sha256=hashlib.sha256(data).hexdigest())
    (folder / "model.safetensors").write_bytes(data)
    return folder


def test_weights_that_no_training_writes_are_refused(model: Path, tmp_path: Path) -> None:
    tensors = load_file(model / "model.safetensors")
    mean = tensors["scale.0.mean"]
    pickled = pickle.dumps(print)
    with pytest.raises(NverError, match="no safetensors file"):
        nver.load_predictor(_with_weights(model, tmp_path / "pickle", pickled))
    for name, odd, words in (
        ("nan", np.full_like(mean, np.nan), "finite and float32"),
        ("whole", mean.astype(np.int64), "finite and float32"),
        ("short", mean[:3], "first scale.0.mean"),
    ):
        data = save(tensors | {"scale.0.mean": odd})
        with pytest.raises(NverError, match=words):
            nver.load_predictor(_with_weights(model, tmp_path / name, data))


def test_a_model_is_not_written_over_what_is_none(recipe: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "wavlm"}')
    with pytest.raises(UsageError, match=r"no model of nver.* give another folder"):
        nver.train(parse_experiment(recipe), tmp_path, workers=1)
    with pytest.raises(NverError, match="cannot be written"):
        nver.train(parse_experiment(recipe), tmp_path / "config.json" / "model", workers=1)


def test_an_encoder_of_other_numbers_is_refused(model: Path, tmp_path: Path) -> None:
    encoders = json.loads((model / "config.json").read_text())["encoders"]
    encoders[0]["identity"] |= {"weights_hash": "f" * 64, "revision": "another"}
    with pytest.raises(WeightsError, match=r"weights_hash .* f{12}") as error:
        nver.load_predictor(_edited(model, tmp_path / "hash", encoders=encoders))
    assert "revision" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classifiers": ["linear"]}, "linear on logmel-stats, linear on duration-level"),
        ({"folds": {"seeds": [0, 1]}}, "2 seeds"),
        ({"families": {"loud": ["laugh", "cry"]}}, "no family has"),
    ],
)
def test_a_recipe_of_several_models_or_a_slip_is_refused(
    changes: dict[str, Any], words: str, recipe: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        nver.train(parse_experiment(recipe | changes), tmp_path / "model", workers=1)


def test_too_few_clips_for_a_validation_share_are_counted(
    recipe: dict[str, Any], tmp_path: Path
) -> None:
    few = {"folds": {}, "families": {}, "training": {"epochs": 1, "validation_share": 0.01}}
    with pytest.raises(NverError, match=r"of 64 clips a validation_share of 0\.01 holds out none"):
        nver.train(parse_experiment(recipe | few), tmp_path / "model", workers=1)


def test_weights_that_are_gone_can_be_given(model: Path, tmp_path: Path) -> None:
    encoders = json.loads((model / "config.json").read_text())["encoders"]
    encoders[0]["spec"] |= {"name": "nver-mamba", "weights": str(tmp_path / "gone")}
    odd = _edited(model, tmp_path / "odd", encoders=encoders)
    with pytest.raises(WeightsError, match=r"gone.*--weights logmel-stats=FOLDER"):
        nver.load_predictor(odd)


def test_without_a_split_everything_but_the_validation_share_is_trained_on(
    recipe: dict[str, Any], tmp_path: Path
) -> None:
    changed = recipe | {"folds": {}, "families": {}, "training": {"epochs": 1}}
    made = nver.train(parse_experiment(changed), tmp_path / "model", workers=1).made["speakers"]
    assert set(made) == {"train", "validation"}
    assert made["train"]["clips"] + made["validation"]["clips"] == 64
    assert not set(made["train"]["speakers"]) & set(made["validation"]["speakers"])
    predictor = nver.load_predictor(tmp_path / "model")
    (answer,) = predictor.predict(make_clip("gasp", 3, 1))
    assert (answer.family, answer.family_probability) == (answer.emotion, answer.probability)


def test_the_threshold_leaves_the_share_answered() -> None:
    random = np.random.default_rng(0)
    probability = random.dirichlet(np.ones(4), 200)
    truth = random.choice(list("abcd"), 200)
    threshold, measured = judge(probability, truth, list("abcd"), {"x": "ab", "y": "cd"}, 0.7)
    best = np.maximum(probability[:, :2].sum(1), probability[:, 2:].sum(1))
    assert np.mean(best >= threshold) == pytest.approx(0.7, abs=0.01)
    assert measured["answered"] == pytest.approx(0.7, abs=0.01)


def test_the_shipped_model_answers_in_emogators_families() -> None:
    model = read_model()
    assert set(model.emotions) == set(lookup("corpora", "emogator").emotions)
    assert model.families == read_families("emogator")
    assert shipped_folder() == Path(nver.__file__).parent / "models" / SHIPPED
    made = model.made["speakers"]
    assert (made["train"]["speakers"][-1], made["validation"]["speakers"][-1]) == (
        "000207",
        "000232",
    )
    assert not {"000233", "000257"} & {*made["train"]["speakers"], *made["validation"]["speakers"]}
    clip = make_clip("laugh", 3, 1).astype(np.float32)
    answer, loud = nver.load_predictor().predict([clip, clip * np.float32(1e30)])
    assert answer.answer in {*model.families, "not sure"}
    assert (loud.reason, loud.error) == ("encoder", "nver-mamba: NaN or infinite values")


def test_a_build_without_a_model_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nver.models.model_folder.SHIPPED", "nothing")
    with pytest.raises(NverError, match="comes without a trained model"):
        nver.load_predictor()


@pytest.mark.long  # a quarter of a minute; times of one processor core, whatever else runs
def test_the_shipped_model_loads_in_2_s_and_answers_in_300_ms(shared: Path) -> None:
    clips = sorted((shared / "data" / "emogator").rglob("*.opus"))[:20]
    code = (
        "import sys, time, torch; start = time.process_time(); import nver; "
        "torch.set_num_threads(1); predictor = nver.load_predictor(); "
        "loaded = time.process_time(); answers = predictor.predict(sys.argv[1:]); "
        "each = (time.process_time() - loaded) / len(answers); "
        "print(loaded, each, sum(not a.error for a in answers))"
    )
    command = [sys.executable, "-c", code, *map(str, clips)]
    for _ in range(2):  # the first fills the caches of compiled code
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    loading, each, answered = map(float, done.stdout.split())
    assert loading < 2  # from the start of Python, with torch
    assert each < 0.3
    assert answered == len(clips)


# --------------------------------------------------------------------------------- command line


def cli(*args: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(args))
    return int(done.value.code or 0)


def test_predict_prints_a_row_a_file(
    model: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.wav").write_bytes((root / "cry" / "p7_1.wav").read_bytes())
    (folder / "b.m4a").write_bytes(b"?")
    (folder / "notes.txt").write_text("no audio")
    args = ("predict", str(folder), "--model", str(model), "--top", "2")
    assert cli(*args, "--csv", str(table)) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert "cannot be used: cannot be decoded" in said.out
    assert "2 files: " in said.err
    assert "1 cannot be used" in said.err
    rows = table.read_text().splitlines()
    assert rows[0].startswith("file,answer,family,family_probability,sure,emotion,probability,")
    assert "emotion_2,probability_2,duration_s,note,reason,error" in rows[0]
    assert len(rows) == 3

    assert cli(*args, "--strict", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [p["reason"] for p in found["predictions"]] == ["", "unreadable"]
    assert len(found["predictions"][0]["top"]) == 2
    assert found["families"] == FAMILIES
    assert cli("predict", str(folder / "b.m4a"), "--model", str(model)) == 1
    assert cli("predict", str(tmp_path / "model-less"), "--model", str(tmp_path)) == 1
    (tmp_path / "empty").mkdir()
    assert cli("predict", str(tmp_path / "empty"), "--model", str(model)) == 2


def test_a_table_is_kept_when_predict_is_stopped(
    model: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: object, answer: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("nver.cli.predict.Table.line", stop)
    table = tmp_path / "table.csv"
    assert cli("predict", str(root), "--model", str(model), "--csv", str(table)) == 130
    assert len(table.read_text().splitlines()) == 2
    assert cli("predict", str(root), "--model", str(model), "--csv", f"{table}/no.csv") == 1


def test_a_table_is_kept_when_predict_is_terminated(
    model: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `timeout` and batch systems do."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(
        "nver.cli.predict.Table.line", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    table = tmp_path / "table.csv"
    assert cli("predict", str(root), "--model", str(model), "--csv", str(table)) == 143
    assert len(table.read_text().splitlines()) == 2
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_table_can_go_to_a_device_or_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_text)
        write_whole(tmp_path / "pipe", "a row\n")
        assert read.result() == "a row\n"
    assert (tmp_path / "pipe").is_fifo()


def test_a_table_goes_after_what_went_to_the_file_behind_stdout(tmp_path: Path) -> None:
    code = (
        "import pathlib, nver.machine.files as f; f.write_whole(pathlib.Path('/dev/stdout'), 'b')"
    )
    with (tmp_path / "out").open("w") as out:
        out.write("a")
        out.flush()
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "ab"
    assert Path("/dev/stdout").is_symlink()


def test_a_locked_folder_is_named_and_the_rest_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "a.wav").touch()
    scan = os.scandir

    def closed(folder: str) -> Any:
        if folder.endswith("locked"):
            raise PermissionError
        return scan(folder)

    monkeypatch.setattr(os, "scandir", closed)
    found = find_recordings([str(tmp_path)])
    assert found == [str(tmp_path / "a.wav"), str(tmp_path / "locked")]


def test_a_name_cannot_break_the_table() -> None:
    assert printable("caf\xe9 \x1b[31m\n\udce9\u202e") == r"café \x1b[31m\n\udce9\u202e".replace(
        r"\xe9", "\xe9"
    )


def test_the_views_answer_in_families_or_emotions(
    model: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(root / "laugh" / f"p{i}_1.wav") for i in range(1, 9)]
    assert cli("predict", *files, "--model", str(model), "--view", "families") == 0
    said = {line.split("  ")[1].strip() for line in capsys.readouterr().out.splitlines()}
    assert said <= {"loud", "breath", "not sure"}
    assert cli("predict", *files, "--model", str(model), "--view", "emotions") == 0
    said = {line.split("  ")[1].strip() for line in capsys.readouterr().out.splitlines()}
    assert said <= {*SOUNDS, "not sure"}


def test_train_makes_a_model_from_a_recipe(
    recipe: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomli_w

    file = tmp_path / "mine.toml"
    file.write_text(tomli_w.dumps(recipe))
    out = tmp_path / "model"
    assert cli("train", str(file), "--out", str(out), "--set", "training.epochs=1") == 0
    said = capsys.readouterr().out
    assert "16 validation clips" in said
    assert "not sure below" in said
    assert sorted(f.name for f in out.iterdir()) == ["config.json", "model.safetensors"]


HEAVY = {"matplotlib", "pandas", "sklearn", "transformers"}  # a weightless encoder takes scipy


def test_predicting_imports_no_tables_and_no_plots(model: Path, root: Path) -> None:
    code = (
        "import sys, nver; "
        f"nver.load_predictor({str(model)!r}).predict({str(root / 'cry' / 'p7_1.wav')!r}); "
        f"print(*({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_command_with_the_shipped_model_imports_no_scipy_either(root: Path) -> None:
    code = f"""
import sys
from nver.cli import main
try:
    main(["predict", {str(root / "cry" / "p7_1.wav")!r}, "--json"])
except SystemExit as exit:
    print(exit.code, *({HEAVY | {"scipy"}} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1].split() == ["0"]
    assert len(json.loads(done.stdout)["predictions"]) == 1
