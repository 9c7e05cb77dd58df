"""What a run folder says of itself: recipe, environment, corpora, encoders, clips, folds."""

import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import nver
from nver.encoders import card_of
from nver.errors import NverError
from nver.evaluation.folds.fold_assignment import Folds
from nver.evaluation.prepared_corpus import Material
from nver.evaluation.run_folder.projection import project
from nver.machine.files import write_whole
from nver.recipe import Experiment, experiment_to_tree

if TYPE_CHECKING:
    import pandas as pd

CLIP_COLUMNS = ("corpus", "clip", "file", "start", "end", "speaker", "emotion", "duration_s",
                "level_db", "speaker_group")  # fmt: skip
PACKAGES = ("nver", "numpy", "scipy", "pandas", "scikit-learn", "soundfile", "soxr", "torch",
            "transformers", "safetensors")  # fmt: skip


def prepare_folder(folder: Path) -> None:
    """A run folder may be used again; a folder that holds something else is left alone."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "cells").is_dir():
        raise NverError(f"{folder}: holds files but is no run folder; give another --out")
    try:
        (folder / "cells").mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise NverError(
            f"{folder}: cannot be written ({error.strerror}); give another --out"
        ) from error


def save_provenance(
    folder: Path,
    experiment: Experiment,
    materials: Sequence[Material],
    folds: Sequence[tuple[Material, Folds]],
    skipped: "pd.DataFrame",
) -> None:
    """Write everything that the report needs beside the predictions; see `nver.report`."""
    import pandas as pd
    import tomli_w

    write_whole(folder / "recipe.toml", tomli_w.dumps(experiment_to_tree(experiment)))
    _write_json(folder / "environment.json", _environment(experiment))
    options = {entry.name: entry.options for entry in experiment.corpora}
    facts = {m.corpus.name: corpus_facts(m, options[m.corpus.name]) for m in materials}
    _write_json(folder / "corpora.json", facts)
    _write_json(folder / "encoders.json", _encoder_facts(experiment, materials[0]))
    clips = [m.clips.assign(corpus=m.corpus.name) for m in materials]
    table = pd.concat(clips, ignore_index=True)
    columns = [name for name in CLIP_COLUMNS if name != "speaker_group" or name in table]
    _write_table(folder / "clips.csv", table.reindex(columns=columns))
    _write_table(folder / "folds.csv", pd.concat(_fold_tables(folds)))
    _write_table(folder / "skipped.csv", skipped)


def _fold_tables(folds: Sequence[tuple[Material, Folds]]) -> "Iterator[pd.DataFrame]":
    import pandas as pd

    for material, assignment in folds:
        table = pd.DataFrame(
            {
                "corpus": material.corpus.name,
                "protocol": assignment.protocol,
                "seed": assignment.seed,
                "clip": material.clips["clip"],
                "fold": assignment.fold,
                "note": assignment.note,
            }
        )
        yield table[assignment.fold >= 0]


def corpus_facts(material: Material, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader must know of a corpus: where it is from, its licence, how much was used."""
    corpus, card = material.corpus, material.corpus.card
    return {
        "title": card.title,
        "citation": card.citation,
        "licence": card.licence,
        "url": card.url,
        "synthetic": card.name == "synthetic",
        "root": str(corpus.root),
        "options": {**card.options, **options},
        "clips": len(material.clips),
        "speakers": int(material.clips["speaker"].nunique()),
        "speaker_is": card.speaker_is,
        "emotions": material.emotions,
        "warnings": list(corpus.warnings),
    }


def _encoder_facts(experiment: Experiment, material: Material) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            **asdict(identity),
            "fingerprint": identity.fingerprint,
            "weights": experiment.encoders[label].weights,
            "licence": card_of(identity.name).licence,
            "tag": card_of(identity.name).tag,
            "family": card_of(identity.name).family,
            "kind": card_of(identity.name).kind,
        }
        for label, identity in material.identities.items()
    ]


def _environment(experiment: Experiment) -> dict[str, Any]:
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "nver": nver.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "seeds": list(experiment.folds.seeds),
        **({"rehearsal": True} if experiment.rehearsal else {}),
        "packages": package_versions(),
    }


def package_versions() -> dict[str, str | None]:
    """Of the packages that numbers may depend on; None: not installed."""
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def save_projections(folder: Path, materials: Sequence[Material]) -> None:
    """Write the t-SNE coordinates of every corpus and encoder."""
    import pandas as pd

    file = folder / "projections.csv"
    parts = [
        project(m.embeddings[label], m.clips["clip"]).assign(corpus=m.corpus.name, encoder=label)
        for m in materials
        for label in m.embeddings
    ]
    table = pd.concat(parts, ignore_index=True)[["corpus", "encoder", "clip", "x", "y"]]
    write_whole(file, table.to_csv(index=False, float_format="%.5g"))


def _write_table(file: Path, table: "pd.DataFrame") -> None:
    """A byte of a file name that is not UTF-8 is written as \\udcXX, as in the predictions."""
    write_whole(
        file, table.to_csv(index=False, float_format="%.9g").encode("utf-8", "backslashreplace")
    )


def _write_json(file: Path, content: Any) -> None:
    write_whole(file, json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n")
