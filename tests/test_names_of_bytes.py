"""Names that are not UTF-8 in a whole run and model; run folders that hold other recordings."""

import os
from pathlib import Path

import pytest
import soundfile

from helpers_cli import finish
from nver.corpora.own.patterns import found_by
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import UsageError

FEW = ("--set", "training.epochs=1", "--set", 'encoders=["logmel-stats"]', "--workers", "1")
ONE = ("--set", 'classifiers=["linear"]')


def make_folder(root: Path, folder: bytes, emotions: tuple[bytes, ...], takes: int = 2) -> str:
    place = os.fsencode(root) + b"/" + folder
    for number, emotion in enumerate(emotions):
        for take in range(takes):
            file = place + b"/" + emotion + b"/%d.wav" % take
            os.makedirs(os.path.dirname(file), exist_ok=True)
            sound = make_clip(("cry", "laugh")[number], 1, take)
            with open(file, "wb") as stream:
                soundfile.write(stream, sound, 16_000, format="WAV")
    return os.fsdecode(folder)


@pytest.mark.parametrize(
    ("folder", "emotions"),
    [
        (b"k\xe4se", (b"cry", b"laugh")),
        (b"plain", (b"cry", b"l\xe4ugh")),
        (b"\xff\xfe", (b"\xe9", b"\xe8")),
    ],
)
def test_a_run_and_a_model_of_names_that_are_no_utf8(
    tmp_path: Path, folder: bytes, emotions: tuple[bytes, ...]
) -> None:
    word = make_folder(tmp_path, folder, emotions, takes=6)
    out, model = os.fsdecode(b"r\xfcn"), os.fsdecode(b"m\xf6del")
    for args in (
        ("run", word, "--out", out, *FEW, *ONE),
        ("run", f"{out}/recipe.toml", "--out", out, "--workers", "1"),
        ("report", out),
        ("status", out),
        ("train", word, "--out", model, *FEW, *ONE),
        ("predict", word, "--model", model),
        ("predict", word, "--model", model, "--json"),
    ):
        done = finish(tmp_path, *args)
        assert done.code == 0, (args, done.err)


def test_a_default_run_folder_of_other_recordings_is_kept(tmp_path: Path) -> None:
    for place in (b"x/rec", b"y/rec", b"z/rec"):
        make_folder(tmp_path, place, (b"cry", b"laugh"))
    assert finish(tmp_path, "run", "x/rec", *FEW, *ONE).code == 0
    before = (tmp_path / "runs/rec/clips.csv").read_bytes()
    for args in (("y/rec",), ("z/rec",), ("y/rec", "--dry-run")):
        other = finish(tmp_path, "run", *args, *FEW, *ONE)
        assert other.code == 2
        assert "holds a run on other recordings" in other.err
        assert "--out runs/rec-2" in other.err.replace(os.sep, "/")
    assert (tmp_path / "runs/rec/clips.csv").read_bytes() == before
    again = finish(tmp_path, "run", str(tmp_path / "x" / ".." / "x" / "rec"), *FEW, *ONE)
    assert (again.code, "4 folds, not 5" in again.err) == (0, True)


def test_one_emotion_is_said_first(tmp_path: Path) -> None:
    word = make_folder(tmp_path, b"one", (b"cry",))
    done = finish(tmp_path, "run", word)
    assert (done.code, "of one emotion, cry" in done.err) == (1, True)


@pytest.mark.parametrize("pattern", ["/(a+)+$", "(a|a)*x", r"^(\w+/?)*!$"])
def test_a_pattern_without_an_end_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="a repeat of a repeat"):
        found_by(pattern, "speaker", ["laugh/" + "a" * 60 + "_1"])
