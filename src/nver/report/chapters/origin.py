"""What the page says after the scores: skipped files, encoders, licences, how to repeat it."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

from nver.evaluation.run_folder.saved_run import SavedRun

LISTED = 200  # skipped clips on the page; skipped.csv has them all
HASH_LETTERS = 12
NON_COMMERCIAL = re.compile(r"\bNC\b|non.?commercial|research (use )?only|academic", re.IGNORECASE)


# ------------------------------------------------------------------------------------ skipped


def skipped_counts(run: SavedRun) -> list[tuple[str, str, int]]:
    """(corpus, reason, how many), most first."""
    counts = Counter(zip(run.skipped["corpus"], run.skipped["reason"], strict=True))
    return [(corpus, reason, number) for (corpus, reason), number in counts.most_common()]


def skipped_list(run: SavedRun) -> list[dict[str, Any]]:
    """The first of the skipped: corpus, clip or file, reason, message."""
    shown = run.skipped.head(LISTED)
    name = shown["clip"].where(shown["clip"].ne(""), shown["file"])
    return [dict(row) for _, row in shown.assign(name=name).iterrows()]


# ------------------------------------------------------------------------- encoders, licences


def encoder_rows(run: SavedRun) -> Iterator[dict[str, Any]]:
    """One row an encoder: what decides its numbers, its licence."""
    for encoder in run.encoders:
        options = encoder.get("options") or {}
        yield {
            "label": encoder.get("label") or encoder.get("name", "?"),
            "name": encoder.get("name", "?"),
            "tag": encoder.get("tag") or "",
            "dim": encoder.get("dim", "?"),
            "rate": encoder.get("sampling_rate", "?"),
            "layer": encoder.get("layer", "?"),
            "pooling": encoder.get("pooling", "?"),
            "revision": encoder.get("revision") or "none",
            "weights_hash": str(encoder.get("weights_hash") or "none")[:HASH_LETTERS],
            "code_version": encoder.get("code_version", "?"),
            "options": ", ".join(f"{k} = {v}" for k, v in options.items()),
            "licence": encoder.get("licence") or "not stated",
            "non_commercial": non_commercial(encoder.get("licence")),
        }


def corpus_rows(run: SavedRun) -> Iterator[dict[str, Any]]:
    """One row a corpus: title, citation, licence, address."""
    for name in run.corpus_names:
        facts = run.corpora.get(name, {})
        yield {
            "name": name,
            "title": facts.get("title") or name,
            "citation": facts.get("citation") or "",
            "licence": facts.get("licence") or "not stated",
            "url": facts.get("url") or "",
            "options": ", ".join(f"{k} = {v}" for k, v in (facts.get("options") or {}).items()),
            "speaker_is": facts.get("speaker_is") or "speaker",
            "synthetic": bool(facts.get("synthetic")),
            "non_commercial": non_commercial(facts.get("licence")),
        }


def non_commercial(licence: Any) -> bool:
    """Whether a licence's text says that commercial use is not allowed."""
    return bool(NON_COMMERCIAL.search(str(licence or "")))


# -------------------------------------------------------------------------------- environment


def environment_rows(run: SavedRun) -> list[tuple[str, str]]:
    """(what, value) of the saved environment, packages one by one."""
    flat = {**run.environment}
    packages = flat.pop("packages", None) or {}
    rows = [(str(key), _plain(value)) for key, value in flat.items()]
    return rows + [(str(k), "not installed" if v is None else str(v)) for k, v in packages.items()]


def commands(run: SavedRun) -> list[str]:
    """The lines that make the run again from its own recipe, and this page from the run."""
    version = run.environment.get("nver")
    folder = shlex.quote(run.folder.resolve().name)
    return [
        f'pip install "nver=={version}"' if version else "pip install nver",
        f"nver run {folder}/recipe.toml --out again  # trains and tests again",
        f"nver report {folder}  # this page, from the saved predictions",
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return shlex.join(str(v) for v in value)
    return str(value)
