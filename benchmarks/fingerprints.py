"""Fingerprints of the numbers and names that a change of structure must not move.

    python benchmarks/fingerprints.py --out before.json [--data ../shared/data]

Two parts. `portable` is what no processor moves: keys of the store, identities of encoders, keys of
cells with given embeddings. tests/golden/fingerprints.json holds it, and a test compares it. `here`
has digests of floating-point numbers and is compared on one machine: the predictions of the demo,
and with real recordings those of a small run, its cell keys, and the shipped model's answers.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import nver
from nver.embeddings import clip_key
from nver.encoders import EncoderSpec
from nver.evaluation import Cell, cell_key

CLIPS = 50  # that the shipped model answers
ENCODERS = ("logmel-stats", "prosody-stats", "duration-level", "sound-print")
OF_REAL_RUN = ("predictions.csv", "folds.csv", "clips.csv", "stress.csv", "projections.csv",
               "report/scores.csv", "report/comparisons.csv", "report/hypotheses.csv",
               "report/calibration.csv", "report/subgroups.csv")  # fmt: skip
RECIPE = """
name = "fingerprint"
encoders = ["logmel-stats", "prosody-stats"]
classifiers = [
  "linear", "cnn", "concat", "reno", {name = "hyfuse", tune = {learning_rate = [1e-3, 1e-4]}},
]
hypotheses = [{claim = "reno > concat"}, {claim = "fusion > single"}]
families = {good = ["Amusement", "Contentment"], bad = ["Anger", "Sadness"]}
[[corpora]]
name = "emogator"
[filter]
emotions = ["Amusement", "Anger", "Contentment", "Sadness"]
speakers = ["000001-000012"]
[folds]
kind = ["speaker-independent", "random"]
number = 3
[training]
epochs = 6
[stress]
kinds = ["noise-20dB", "mp3"]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="the folder with emogator/opus in it")
    arguments = parser.parse_args()
    found = {"portable": portable(), "here": here(arguments.data)}
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")


def portable() -> dict[str, Any]:
    """What is equal on every processor."""
    content = hashlib.sha256(b"a recording").digest()
    return {
        "clip keys": [clip_key(content).hex(), clip_key(content, 0.25, 1.5).hex()],
        "identities": {name: nver.load_encoder(name).identity.fingerprint for name in ENCODERS},
        "nver-mamba": nver.load_encoder("nver-mamba", pooling="mean+std").identity.fingerprint,
        "specs": hashlib.sha256(repr(EncoderSpec("wavlm-base", layer=3)).encode()).hexdigest(),
        "cell keys": cell_keys(),
    }


def cell_keys() -> list[str]:
    """Of cells on embeddings that are given, under folds of both kinds."""
    table = pd.DataFrame(
        {
            "clip": [f"c{i:02}" for i in range(24)],
            "speaker": [f"s{i // 4}" for i in range(24)],
            "emotion": [f"e{i % 2}" for i in range(24)],
        }
    )
    training = nver.Experiment.__dataclass_fields__["training"].default_factory()
    digests = {"a": "0" * 64, "b": "1" * 64}
    found = []
    for protocol in ("random", "speaker-independent"):
        folds = nver.make_folds(table, protocol, 3, seed=1)
        for cell in (
            Cell("linear", ("a",), folds),
            Cell("reno", ("a", "b"), folds, options={"lambda_": 0.3}),
            Cell("concat", ("a", "b"), folds, tune={"dropout": [0.1, 0.2]}),
        ):
            found.append(cell_key(cell, table, digests, training, ["e0", "e1"]))
    return found


def here(data: Path | None) -> dict[str, Any]:
    """What may differ from processor to processor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"demo": demo(folder / "demo")}
        if data is not None:
            found |= {"real": real(data, folder), "answers": answers(data)}
    return found


def demo(folder: Path) -> str:
    from importlib.resources import files

    recipe = folder.with_suffix(".toml")
    (source,) = Path(str(files("nver"))).rglob("demo.toml")
    recipe.write_text(source.read_text())
    nver.run(recipe, folder, overrides=[f"store={folder.with_name('store-demo')}"])
    return digest(folder / "predictions.csv")


def real(data: Path, folder: Path) -> dict[str, Any]:
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    places = [f"roots.emogator={data / 'emogator' / 'opus'}", f"store={folder / 'store'}"]
    nver.run(recipe, folder / "real", overrides=places)
    plan = json.loads((folder / "real" / "plan.json").read_text())
    return {
        "cells": [cell["key"] for cell in plan["cells"]],
        **{name: digest(folder / "real" / name) for name in OF_REAL_RUN},
    }


def answers(data: Path) -> str:
    files = sorted((data / "emogator" / "opus").glob("*.opus"))[:: 23130 // CLIPS][:CLIPS]
    found = [answer.to_dict() | {"file": ""} for answer in nver.load_predictor().predict(files)]
    assert len({str(answer["top"]) for answer in found}) > CLIPS // 2
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
