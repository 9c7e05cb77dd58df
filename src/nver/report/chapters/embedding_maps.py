"""The t-SNE of every encoder's embeddings, corpus by corpus."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from nver.report.chapter import Chapter
from nver.report.figures.drawing import TSNE, Drawing, draw_projection
from nver.report.run_tables import RunTables

SHOWN = 6  # a corpus, the recipe's first; the files have all (our choice)


def _content(tables: RunTables, drawings: Sequence[Drawing]) -> list[dict[str, Any]]:
    """For each corpus its name, the figures that are shown, and how many more there are."""
    maps = [drawing for drawing in drawings if drawing.kind == TSNE]
    found = []
    for corpus in dict.fromkeys(drawing.subject[0] for drawing in maps):
        own = [drawing for drawing in maps if drawing.subject[0] == corpus]
        facts = {"corpus": corpus, "synthetic": corpus in tables.run.synthetic}
        found.append(facts | {"drawings": own[:SHOWN], "left": len(own[SHOWN:])})
    return found


CHAPTER = Chapter(
    anchor="embeddings",
    title="Embeddings",
    lead=lambda tables: (
        "t-SNE in two dimensions, computed without the emotions. Only "
        "neighbourhoods mean something: not the axes, not the distances between groups, not their "
        "sizes."
    ),
    content=_content,
    template="embeddings.html.j2",
    figures=lambda tables: [
        partial(draw_projection, tables.run, found) for found in tables.projections
    ],
)
