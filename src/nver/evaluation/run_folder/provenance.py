"""What a run folder says of itself: recipe, environment, corpora, encoders, clips, folds."""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from nver.encoders import card_of
from nver.errors import NverError, UsageError
from nver.evaluation.folds.fold_assignment import Folds
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.evaluation.run_folder import layout
from nver.evaluation.run_folder.projection import project
from nver.evaluation.run_folder.saved_run import saved_recipe
from nver.evaluation.run_folder.saved_table import write_table
from nver.machine.files import check_writable, write_whole
from nver.machine.json_text import json_bytes
from nver.recipe import Experiment, experiment_to_tree, run_folder
from nver.registry import VERSION

CLIP_COLUMNS = ("corpus", "clip", "file", "start", "end", "speaker", "emotion", "duration_s",
                "level_db", "speaker_group")  # fmt: skip
PACKAGES = ("nver", "numpy", "scipy", "pandas", "scikit-learn", "soundfile", "soxr", "torch",
            "transformers", "safetensors")  # fmt: skip

CARD_FACTS = ("licence", "tag", "family", "kind")  # of an encoder


def own_folder(experiment: Experiment) -> Path:
    """The folder of a run that was given none, unless a run on other recordings is in it.

    Raises:
        UsageError: the recipe of the run there has another root for a corpus, or other corpora.
    """
    folder = run_folder(experiment)
    saved = saved_recipe(folder)
    if saved is None:
        return folder
    there, here = _roots(saved), _roots(experiment)
    other = [name for name in there if here.get(name, there[name]) != there[name]]
    if other or not there.keys() & here.keys():
        name = other[0] if other else next(iter(there))
        raise UsageError(
            f"{folder} holds a run on other recordings, {name} in {there[name]}; give "
            f"this run a folder of its own, for example --out {folder}-2, or, to write over that "
            f"one, --out {folder}"
        )
    return folder


def _roots(experiment: Experiment) -> dict[str, str]:
    """corpus -> its folder without links, or where the corpus comes from by itself."""
    roots = experiment.roots
    return {
        entry.name: os.path.realpath(roots[entry.name]) if entry.name in roots else "its own place"
        for entry in experiment.corpora
    }


def prepare_folder(folder: Path) -> None:
    """A run folder may be used again; a folder that holds something else is left alone."""
    cells = folder / layout.CELLS
    if folder.is_dir() and any(folder.iterdir()) and not cells.is_dir():
        raise NverError(f"{folder}: holds files but is no run folder; give another --out")
    check_writable(folder, "; give another --out")
    cells.mkdir(exist_ok=True)


def save_provenance(
    folder: Path,
    experiment: Experiment,
    prepared: Sequence[PreparedCorpus],
    folds: Sequence[tuple[PreparedCorpus, Folds]],
    skipped: pd.DataFrame,
) -> None:
    """Write everything that the report needs beside the predictions; see `nver.report`."""
    write_whole(folder / layout.RECIPE, tomli_w.dumps(experiment_to_tree(experiment)))
    _write_json(folder / layout.ENVIRONMENT, _environment(experiment))
    options = {entry.name: entry.options for entry in experiment.corpora}
    corpora = {m.corpus.name: corpus_facts(m, options[m.corpus.name]) for m in prepared}
    _write_json(folder / layout.CORPORA, corpora)
    _write_json(folder / layout.ENCODERS, _encoders(experiment, prepared[0]))
    clips = [m.clips.assign(corpus=m.corpus.name) for m in prepared]
    table = pd.concat(clips, ignore_index=True)
    columns = [name for name in CLIP_COLUMNS if name != "speaker_group" or name in table]
    plan = pd.concat(_fold_table(*pair) for pair in folds)
    write_table(table.reindex(columns=columns), folder / layout.CLIPS, float_format="%.9g")
    write_table(plan, folder / layout.FOLDS)
    write_table(skipped, folder / layout.SKIPPED)


def _fold_table(prepared: PreparedCorpus, folds: Folds) -> pd.DataFrame:
    """One row a tested clip."""
    place = {"corpus": prepared.name, "protocol": folds.protocol, "seed": folds.seed}
    tests = {"clip": prepared.clips["clip"], "fold": folds.fold, "note": folds.note}
    return pd.DataFrame({**place, **tests})[folds.tested]


def corpus_facts(prepared: PreparedCorpus, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader must know of a corpus: where it is from, its licence, how much was used."""
    corpus, card = prepared.corpus, prepared.corpus.card
    return {
        **{name: getattr(card, name) for name in ("title", "citation", "licence", "url")},
        "synthetic": card.name == "synthetic",
        "root": str(corpus.root),
        "options": {**card.options, **options},
        "clips": len(prepared.clips),
        "speakers": int(prepared.clips["speaker"].nunique()),
        "speaker_is": card.speaker_is,
        "emotions": prepared.emotions,
        "warnings": list(corpus.warnings),
    }


def _encoders(experiment: Experiment, prepared: PreparedCorpus) -> list[dict[str, Any]]:
    """What a reader must know of each encoder: its identity, its weights, what its card says."""
    return [
        {
            "label": label,
            **asdict(identity),
            "fingerprint": identity.fingerprint,
            "weights": experiment.encoders[label].weights,
            **{name: getattr(card_of(identity.name), name) for name in CARD_FACTS},
        }
        for label, identity in prepared.identities.items()
    ]


def _environment(experiment: Experiment) -> dict[str, Any]:
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "nver": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "seeds": list(experiment.folds.seeds),
        **({"rehearsal": True} if experiment.rehearsal else {}),
        "packages": package_versions(),
    }


def package_versions() -> dict[str, str | None]:
    """The version of each package that numbers may depend on; None: not installed."""
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def save_projections(folder: Path, prepared: Sequence[PreparedCorpus]) -> None:
    """Write the t-SNE coordinates of every corpus and encoder."""
    parts = [
        project(m.embeddings[label], m.clips["clip"]).assign(corpus=m.corpus.name, encoder=label)
        for m in prepared
        for label in m.embeddings
    ]
    table = pd.concat(parts, ignore_index=True)[["corpus", "encoder", "clip", "x", "y"]]
    write_table(table, folder / layout.PROJECTIONS, float_format="%.5g")


def _write_json(file: Path, content: Any) -> None:
    write_whole(file, json_bytes(content))
