"""Run folders made up for the report: seeded scores, no model was trained for them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS, write_predictions
from nver.evaluation.run_folder.trainings import write_trainings

VIVAE = ["achievement", "anger", "fear", "pain", "pleasure", "surprise"]
TEN = ["Amusement", "Anger", "Disgust", "Fear", "Neutral", "Pain", "Relief", "Sadness",
       "Surprise (Positive)", "Triumph"]  # fmt: skip
THIRTY = [
    *("Adoration", "Amusement", "Anger", "Awe", "Confusion", "Contempt", "Contentment", "Desire"),
    *("Disappointment", "Disgust", "Distress", "Ecstasy", "Elation", "Embarrassment", "Fear"),
    *("Guilt", "Interest", "Neutral", "Pain", "Pride", "Realization", "Relief", "Romantic Love"),
    *("Sadness", "Serenity", "Shame", "Surprise (Negative)", "Surprise (Positive)", "Sympathy"),
    "Triumph",
]
NAMES = {3: VIVAE[:3], 6: VIVAE, 10: TEN, 30: THIRTY}
SYSTEMS = (
    ("logmel-stats", "fcn"),
    ("prosody-stats", "fcn"),
    ("logmel-stats+prosody-stats", "concat"),
    ("logmel-stats+prosody-stats", "reno"),
)
SIX_SYSTEMS = (
    ("logmel-stats", "linear"), ("logmel-stats", "fcn"), ("logmel-stats", "cnn"),
    ("prosody-stats", "cnn"), *SYSTEMS[2:],
)  # fmt: skip
PROTOCOLS = ("speaker-independent", "random")


def make_clips(
    emotions: int, *, speakers: int = 12, takes: int = 2, corpus: str = "toy"
) -> pd.DataFrame:
    """clips.csv of a made-up corpus; `speakers=0`: they are unknown."""
    rows = [
        {
            "corpus": corpus,
            "clip": f"{speaker:06d}-{number:02d}-{take}",
            "file": f"data/{speaker:06d}-{number:02d}-{take}.wav",
            "speaker": f"{speaker:06d}" if speakers else None,
            "emotion": emotion,
            "duration_s": 0.5 + (7 * speaker + 3 * number + take) % 20 / 10,
            "level_db": -20.0 - (5 * speaker + number + 3 * take) % 13,
            "speaker_group": ("female", "male")[speaker % 2] if speakers else None,
        }
        for speaker in range(1, (speakers or 12) + 1)
        for number, emotion in enumerate(NAMES[emotions], 1)
        for take in range(1, takes + 1)
    ]
    return pd.DataFrame(rows)


def make_folds(clips: pd.DataFrame, protocol: str, seed: int, folds: int = 5) -> pd.DataFrame:
    """folds.csv of one corpus, protocol and seed."""
    rng = np.random.default_rng(seed)
    if protocol == "random":
        fold = rng.permutation(len(clips)) % folds
    else:
        ids = clips["speaker"].unique()
        of_speaker = dict(zip(ids, rng.permutation(len(ids)) % folds, strict=True))
        fold = clips["speaker"].map(of_speaker).to_numpy()
    table = clips[["corpus", "clip"]].assign(protocol=protocol, seed=seed, fold=fold)
    return table[["corpus", "protocol", "seed", "clip", "fold"]].assign(note="")


def predict(
    clips: pd.DataFrame, folds: pd.DataFrame, system: tuple[str, str], skill: float, seed: int
) -> pd.DataFrame:
    """One system's predictions: the truth's logit raised by `skill`, the next one's by half."""
    rng = np.random.default_rng(seed)
    names = list(dict.fromkeys(clips["emotion"]))
    truth = clips["emotion"].map({name: i for i, name in enumerate(names)}).to_numpy()
    logits = rng.normal(size=(len(clips), len(names)))
    logits += rng.normal(scale=0.15, size=int(folds["fold"].max()) + 1)[folds["fold"], None] * (
        truth[:, None] == np.arange(len(names))
    )
    logits[np.arange(len(clips)), truth] += skill
    logits[np.arange(len(clips)), (truth + 1) % len(names)] += skill / 2
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probability = probability.astype(np.float32)
    rows = pd.DataFrame(
        {
            "experiment": "made-up",
            "corpus": clips["corpus"],
            "encoders": system[0],
            "classifier": system[1],
            "protocol": folds["protocol"].to_numpy(),
            "seed": folds["seed"].to_numpy(),
            "fold": folds["fold"].to_numpy(),
            "clip": clips["clip"],
            "speaker": clips["speaker"],
            "emotion": clips["emotion"],
            "predicted": [names[i] for i in probability.argmax(1)],
        }
    )
    columns = [f"p:{name}" for name in names]
    return pd.concat([rows, pd.DataFrame(probability, columns=columns)], axis=1)


def make_predictions(
    *,
    emotions: int = 6,
    speakers: int = 12,
    takes: int = 2,
    folds: int = 5,
    seeds: Sequence[int] = (0,),
    protocols: int = 1,
    corpus: str = "toy",
    systems: Sequence[tuple[str, str]] = SYSTEMS,
) -> pd.DataFrame:
    """A predictions table; the first `protocols` of speaker-independent and random folds."""
    clips = make_clips(emotions, speakers=speakers, takes=takes, corpus=corpus)
    names = PROTOCOLS[:protocols] if speakers else ("random",)
    tables = []
    for protocol in names:
        for number, system in enumerate(systems):
            skill = 0.9 + 0.25 * number + (0.9 if protocol == "random" else 0)
            for seed in seeds:
                assigned = make_folds(clips, protocol, seed, folds)
                tables.append(predict(clips, assigned, system, skill, 100 * number + seed))
    return pd.concat(tables, ignore_index=True)


def make_trainings(predictions: pd.DataFrame) -> pd.DataFrame:
    """trainings.csv of a predictions table; RENO has a divergence and a tuned weight."""
    rows = predictions[[*SYSTEM_COLUMNS, "seed", "fold"]].drop_duplicates().reset_index(drop=True)
    number, reno = rows.index.to_numpy(), rows["classifier"] == "reno"
    excess = np.where(reno, 0.001 * (1 + rows["fold"]), np.nan)
    return rows.assign(
        clips=48, epochs=20, best_epoch=1 + number % 20, validation_loss=1.5 + number % 7 / 10,
        auxiliary=np.where(reno, 2.4, 0.0), tuned=np.where(reno, "lambda_=0.3", ""), candidates="",
        divergence=3.956 + excess, divergence_floor=3.956 + 0 * excess, divergence_excess=excess,
    )  # fmt: skip


def make_projections(clips: pd.DataFrame, encoders: Sequence[str]) -> pd.DataFrame:
    """projections.csv: a cloud an emotion, in the manner of t-SNE."""
    rng = np.random.default_rng(3)
    names = list(dict.fromkeys(clips["emotion"]))
    code = clips["emotion"].map({name: i for i, name in enumerate(names)}).to_numpy()
    tables = []
    for number, encoder in enumerate(encoders):
        centre = rng.normal(scale=24 - 8 * number, size=(len(names), 2))
        xy = centre[code] + rng.normal(scale=9, size=(len(clips), 2))
        table = clips[["corpus", "clip"]].assign(encoder=encoder, x=xy[:, 0], y=xy[:, 1])
        tables.append(table[["corpus", "encoder", "clip", "x", "y"]])
    return pd.concat(tables, ignore_index=True)


def make_run_folder(
    folder: Path,
    *,
    emotions: int = 6,
    speakers: int = 12,
    takes: int = 2,
    seeds: Sequence[int] = (0,),
    protocols: int = 2,
    corpus: str = "toy",
    systems: Sequence[tuple[str, str]] = SYSTEMS,
    synthetic: bool = True,
    licence: str = "Apache-2.0",
    skipped: int = 5,
) -> Path:
    """A whole run folder as `nver run` leaves it, before its report."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = make_clips(emotions, speakers=speakers, takes=takes, corpus=corpus)
    predictions = make_predictions(
        emotions=emotions, speakers=speakers, takes=takes, seeds=seeds,
        protocols=protocols, corpus=corpus, systems=systems,
    )  # fmt: skip
    write_predictions(predictions, folder / "predictions.csv")
    write_trainings(make_trainings(predictions), folder / "trainings.csv")
    clips.to_csv(folder / "clips.csv", index=False)
    folds = [
        make_folds(clips, protocol, seed)
        for protocol in predictions["protocol"].unique()
        for seed in seeds
    ]
    pd.concat(folds).to_csv(folder / "folds.csv", index=False)
    make_skipped(corpus, skipped).to_csv(folder / "skipped.csv", index=False)
    encoders = list(dict.fromkeys(e for s, _ in systems for e in s.split("+")))
    make_projections(clips, encoders).to_csv(folder / "projections.csv", index=False)
    card = {
        "title": f"The {corpus} corpus",
        "licence": licence,
        "url": "https://example.org/toy",
        "root": "/data/toy",
        "citation": "A. Author and B. Author, “Made-up bursts”, Proc. Nowhere, 2026.",
        "synthetic": synthetic,
        "clips": len(clips),
        "speakers": speakers,
        "emotions": NAMES[emotions],
        "speaker_is": "speaker",
        "warnings": [f"{len(clips)} clips were found, {len(clips) + 30} are published"],
    }
    _write_json(folder / "corpora.json", {corpus: card})
    _write_json(folder / "encoders.json", [make_encoder(name) for name in encoders])
    _write_json(folder / "environment.json", ENVIRONMENT | {"seeds": list(seeds)})
    (folder / "recipe.toml").write_text(RECIPE.format(corpus=corpus), "utf-8")
    return folder


def make_skipped(corpus: str, number: int) -> pd.DataFrame:
    """skipped.csv with the reasons that reading gives."""
    reasons = ("silent", "unreadable", "empty", "not finite", "silent")
    rows = [
        {
            "corpus": corpus,
            "clip": f"{i:06d}-04-1",
            "file": f"data/{i:06d}-04-1.wav",
            "reason": reasons[i % 5],
            "message": f"data/{i:06d}-04-1.wav: {reasons[i % 5]} (made up <b>&</b>)",
        }
        for i in range(number)
    ]
    return pd.DataFrame(rows, columns=["corpus", "clip", "file", "reason", "message"])


def make_encoder(name: str) -> dict[str, Any]:
    """One entry of encoders.json."""
    return {
        "label": name,
        "name": name,
        "revision": "none",
        "weights_hash": "9f2c4e7a" * 8,
        "layer": "last",
        "pooling": "mean",
        "sampling_rate": 16000,
        "code_version": 1,
        "dim": 160,
        "options": {},
        "licence": "CC-BY-NC-4.0" if name.startswith("prosody") else "Apache-2.0",
        "tag": None,
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


ENVIRONMENT = {
    "finished": "2026-01-02T03:04:05+00:00",
    "command": ["nver", "run", "recipe.toml", "--out", "made up"],
    "nver": "0.1.0",
    "python": "3.11.9",
    "platform": "Linux-6.1-x86_64",
    "packages": {"numpy": "2.4.6", "torch": "2.13.0", "transformers": None},
}
RECIPE = """\
name = "made-up"
corpora = ["{corpus}"]

[[encoders]]
name = "logmel-stats"

[[encoders]]
name = "prosody-stats"

[[classifiers]]
name = "fcn"

[folds]
kind = ["speaker-independent", "random"]
number = 5
"""
