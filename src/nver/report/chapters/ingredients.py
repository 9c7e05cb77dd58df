"""Corpora and encoders: what decides their numbers, and their licences."""

import re
from collections.abc import Iterator
from typing import Any

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.chapter import Chapter

IDENTITY = ("name", "dim", "sampling_rate", "layer", "pooling", "code_version")
HASH_LETTERS = 12
NON_COMMERCIAL = re.compile(r"\bNC\b|non.?commercial|research (use )?only|academic", re.IGNORECASE)


def encoder_rows(run: SavedRun) -> Iterator[dict[str, Any]]:
    """One row an encoder: what decides its numbers, its licence."""
    for encoder in run.encoders:
        options = encoder.get("options") or {}
        yield (
            dict.fromkeys(IDENTITY, "?")
            | encoder
            | {
                "label": encoder.get("label") or encoder.get("name", "?"),
                "tag": encoder.get("tag") or "",
                "revision": encoder.get("revision") or "none",
                "weights_hash": str(encoder.get("weights_hash") or "none")[:HASH_LETTERS],
                "options": ", ".join(f"{k} = {v}" for k, v in options.items()),
                "licence": encoder.get("licence") or "not stated",
                "non_commercial": non_commercial(encoder.get("licence")),
            }
        )


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


CHAPTER = Chapter(
    anchor="material",
    title="Corpora and encoders",
    content=lambda tables, _: {
        "corpora": list(corpus_rows(tables.run)),
        "encoders": list(encoder_rows(tables.run)),
    },
    template="ingredients.html.j2",
)
