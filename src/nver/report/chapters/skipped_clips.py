"""Files and clips that were not used."""

from collections import Counter
from typing import Any

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.chapter import Chapter

LISTED = 200  # on the page; skipped.csv has them all


def _content(run: SavedRun) -> dict[str, Any]:
    """How many were skipped, how many of each corpus and reason, and the first of them."""
    counts = Counter(zip(run.skipped["corpus"], run.skipped["reason"], strict=True))
    shown = run.skipped.head(LISTED)
    name = shown["clip"].where(shown["clip"].ne(""), shown["file"])
    return {
        "number": len(run.skipped),
        "counts": [(*key, number) for key, number in counts.most_common()],
        "first": shown.assign(name=name).to_dict("records"),
    }


CHAPTER = Chapter(
    anchor="skipped",
    title="Skipped",
    content=lambda tables, _: _content(tables.run),
    template="skipped.html.j2",
)
