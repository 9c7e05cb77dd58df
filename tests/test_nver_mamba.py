"""The encoder in the package: its weights are those of the recipe, the log and the card."""

import csv
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from fakes import burst
from nver.encoders import load_encoder
from nver.encoders.audio_mamba.checkpoints import build_network, read_weights
from nver.encoders.audio_mamba.nver_mamba import FOLDER, NVER_MAMBA
from nver.errors import UsageError
from nver.models.pretraining import read_recipe

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"


def test_the_weights_are_small_and_whole() -> None:
    file = FOLDER / "model.safetensors"
    assert file.stat().st_size <= 12e6
    config = json.loads((FOLDER / "config.json").read_text())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == config["sha256"]
    network = build_network(read_weights(file), str(file))
    assert sum(p.numel() for p in network.parameters()) == NVER_MAMBA.parameters
    assert network.sizes.grid[1] * network.sizes.width == NVER_MAMBA.dim


def test_the_recipe_is_that_of_the_run() -> None:
    used = json.loads((EXPERIMENTS / "nver_mamba_run.json").read_text())["recipe"]
    now = json.loads(json.dumps(asdict(read_recipe(EXPERIMENTS / "nver_mamba.toml"))))
    used["data"].pop("root")
    assert now["data"].pop("root") == ""
    assert now == used


def test_the_card_and_its_page_say_what_the_log_says() -> None:
    rows = list(csv.DictReader((EXPERIMENTS / "nver_mamba_log.csv").read_text().splitlines()))
    best = max(rows, key=lambda row: float(row["uar"] or 0))
    said = f"| .{round(1000 * float(best['uar']))} | .{round(1000 * float(best['top3']))} |"
    for page in (FOLDER / "card.md", FOLDER.parents[3] / "docs/nver-mamba.md"):
        assert said in page.read_text("utf-8")


def test_a_row_is_80_ms_and_the_clip_their_mean() -> None:
    encoder = load_encoder("nver-mamba")
    rows, times = encoder.frames(burst(3.3))  # type: ignore[attr-defined]
    assert rows.shape == (42, 960)
    assert np.allclose(times, np.arange(42) * 0.08)
    assert np.allclose(encoder.encode([burst(3.3)])[0], rows.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("method", ["encode", "encode_frames"])
def test_a_path_is_not_taken_for_a_list_of_letters(method: str) -> None:
    with pytest.raises(TypeError, match=rf"for one clip write {method}\(\[clip\]\)"):
        getattr(load_encoder("nver-mamba"), method)("laugh.wav")


def test_a_change_of_gain_changes_nothing() -> None:
    encoder = load_encoder("nver-mamba")
    one, other = encoder.encode([burst(1.0), 0.25 * burst(1.0)])
    assert np.abs(one - other).max() <= 1e-2 * np.abs(one).max()


def test_it_has_no_revision() -> None:
    with pytest.raises(UsageError, match="comes with nver and has no revision; got 'v2'"):
        load_encoder("nver-mamba", revision="v2")
