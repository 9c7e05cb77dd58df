"""The figures that a recipe asks for: t-SNE of two encoders side by side, confusion matrices."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.figures.drawing import Confusion, Drawing, projections, stem
from nver.report.figures.images import as_png, as_svg
from nver.report.figures.plots import projection_pair_figure
from nver.report.tables.grids import Part
from nver.report.tables.sections import system_title

Points = dict[tuple[str, str], tuple[pd.DataFrame, list[str]]]


def asked_names(run: SavedRun, key: str) -> list[list[str]]:
    """A list of `[figures]`; empty where there is none."""
    table = run.settings.get("figures")
    found: Any = table.get(key, []) if isinstance(table, dict) else []
    return [[str(name) for name in names] for names in found if isinstance(names, list)]


def draw_pairs(run: SavedRun) -> list[tuple[str, Drawing]]:
    """(corpus, figure) of every pair of encoders asked for, where both were run."""
    points: Points = {(c, e): (own, emotions) for c, e, own, emotions in projections(run)}
    return [
        (corpus, _draw_pair(run, corpus, pair, points))
        for corpus in run.corpus_names
        for pair in asked_names(run, "tsne")
        if len(pair) == 2 and all((corpus, encoder) in points for encoder in pair)
    ]


def _draw_pair(run: SavedRun, corpus: str, pair: Sequence[str], points: Points) -> Drawing:
    left, right = (points[corpus, encoder][0] for encoder in pair)
    emotions = points[corpus, pair[0]][1]
    remark = " — SYNTHETIC RECORDINGS" if corpus in run.synthetic else ""
    remark += " — REHEARSAL" if run.rehearsal else ""
    title = f"t-SNE of {len(left):,} clips of {corpus}{remark}"
    figure = projection_pair_figure({pair[0]: left, pair[1]: right}, emotions, title)
    return Drawing(
        stem=stem("pair", corpus, *pair),
        title=f"{pair[0]} and {pair[1]}, {corpus}",
        alt=f"t-SNE of the {pair[0]} and of the {pair[1]} embeddings of {len(left):,} clips of "
        f"{corpus}, side by side, by emotion: {', '.join(emotions)}.",
        caption="",
        svg=as_svg(figure),
        png=as_png(figure),
        vector=False,
    )


def asked_parts(
    run: SavedRun,
    pairs: Sequence[tuple[str, Drawing]],
    matrices: Sequence[tuple[Confusion, Drawing]],
) -> list[Part]:
    """What `[figures]` asks for; a sentence for what was not run."""
    found = []
    if wanted := asked_names(run, "tsne"):
        drawings = tuple(drawing for _, drawing in pairs)
        missed = [" and ".join(pair) for pair in wanted if not _is_drawn(pair, drawings)]
        left = _not_run(missed)
        found.append(Part("t-SNE side by side", (), drawings, shown=len(drawings), left=left))
    for classifier, *encoders in (names for names in asked_names(run, "confusion") if names):
        own = tuple(
            drawing
            for confusion, drawing in matrices
            if (confusion.classifier, confusion.encoders) == (classifier, "+".join(encoders))
        )
        title = system_title("+".join(encoders), classifier)
        left = _not_run([] if own else [title])
        found.append(Part(f"Confusions of {title}", (), own, shown=len(own), left=left))
    return found


def _is_drawn(pair: Sequence[str], drawings: Sequence[Drawing]) -> bool:
    return any(d.title.startswith(f"{pair[0]} and {pair[1]}, ") for d in drawings)


def _not_run(names: Sequence[str]) -> str:
    return f"Not run, so not drawn: {'; '.join(names)}." if names else ""
