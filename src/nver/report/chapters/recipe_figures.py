"""The figures that a recipe asks for: t-SNE of two encoders side by side, confusion matrices."""

from collections.abc import Callable, Sequence
from functools import partial

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.chapter import Chapter
from nver.report.figures.drawing import CONFUSION, Drawing, Projection, projection_title
from nver.report.figures.images import images_of
from nver.report.figures.plots import projection_pair_figure
from nver.report.formats.grids import Part
from nver.report.formats.sections import system_title
from nver.report.run_tables import RunTables

KIND = "pair"


def _figures(tables: RunTables) -> list[Callable[[], Drawing]]:
    """A figure for each corpus and pair of encoders in the recipe, where both were run."""
    saved = {(found.corpus, found.encoder): found for found in tables.projections}
    return [
        partial(_draw_pair, tables.run, *(saved[corpus, encoder] for encoder in pair))
        for corpus in tables.run.corpus_names
        for pair in tables.run.experiment.figures.tsne
        if len(pair) == 2 and all((corpus, encoder) in saved for encoder in pair)
    ]


def _draw_pair(run: SavedRun, left: Projection, right: Projection) -> Drawing:
    sides = {left.encoder: left.points, right.encoder: right.points}
    figure = projection_pair_figure(sides, left.emotions, projection_title(run, left))
    return Drawing(
        KIND,
        (left.corpus, left.encoder, right.encoder),
        images_of(figure),
        title=f"{left.encoder} and {right.encoder}, {left.corpus}",
        alt=f"t-SNE of the {left.encoder} and of the {right.encoder} embeddings of "
        f"{len(left.points):,} clips of {left.corpus}, side by side, by emotion: "
        f"{', '.join(left.emotions)}.",
    )


def figure_parts(tables: RunTables, drawings: Sequence[Drawing]) -> list[Part]:
    """What `[figures]` asks for; a sentence for what was not run."""
    figures = tables.run.experiment.figures
    found = []
    if figures.tsne:
        pairs = [drawing for drawing in drawings if drawing.kind == KIND]
        drawn = {drawing.subject[1:] for drawing in pairs}
        missed = [" and ".join(pair) for pair in figures.tsne if pair not in drawn]
        found.append(_part("t-SNE side by side", pairs, missed))
    for classifier, *encoders in filter(None, figures.confusion):
        system = ("+".join(encoders), classifier)
        own = [d for d in drawings if d.kind == CONFUSION and d.subject[3:] == system]
        title = system_title(*system)
        found.append(_part(f"Confusions of {title}", own, [] if own else [title]))
    return found


def _part(title: str, drawings: Sequence[Drawing], missed: Sequence[str]) -> Part:
    left = f"Not run, so not drawn: {'; '.join(missed)}." if missed else ""
    return Part(title, (), tuple(drawings), shown=len(drawings), left=left)


CHAPTER = Chapter(
    anchor="figures",
    title="Figures asked for",
    content=figure_parts,
    figures=_figures,
)
