"""The figures of a run: drawn once, written as files, and shown on the page."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.figures.images import as_png, as_svg
from nver.report.figures.plots import ROOMY, confusion_figure, projection_figure
from nver.report.tables.sections import Section, system_title
from nver.results.metrics import Counts, fold_confusions, recall_of, systems

LONGEST_STEM = 90  # letters of a file name, so that every file system takes it
CONFUSIONS = 3  # named in the caption


@dataclass(frozen=True)
class Drawing:
    """One figure in two forms. `stem` is its file's name, `alt` says it without the picture."""

    stem: str
    title: str
    alt: str
    caption: str
    svg: bytes
    png: bytes
    vector: bool

    @property
    def uri(self) -> str:
        """The figure as a data URI: SVG where it is small, else PNG."""
        kind, data = ("svg+xml", self.svg) if self.vector else ("png", self.png)
        return f"data:image/{kind};base64,{b64encode(data).decode()}"


@dataclass(frozen=True)
class Confusion:
    """The pooled confusions of one system of a section."""

    section: Section
    encoders: str
    classifier: str
    emotions: tuple[str, ...]
    counts: Counts

    @property
    def share(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """(emotions, emotions): shares of the rows."""
        return self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)


def confusions(run: SavedRun, tables: Sequence[Section]) -> list[Confusion]:
    """Those of every system, in the tables' order."""
    places = {(t.experiment, t.corpus, t.protocol): t for t in tables}
    found = []
    for (experiment, corpus, protocol, encoders, classifier), rows in systems(run.predictions):
        emotions, _, counts = fold_confusions(rows)
        section = places[experiment, corpus, protocol]
        found.append(Confusion(section, encoders, classifier, tuple(emotions), counts.sum(0)))
    return found


def draw_confusion(confusion: Confusion, darkest: float) -> Drawing:
    """A confusion matrix; `darkest` (0..1) is the share drawn in the darkest shade."""
    system, section = system_title(confusion.encoders, confusion.classifier), confusion.section
    where = section.title + (" — SYNTHETIC RECORDINGS" if section.synthetic else "")
    figure = confusion_figure(
        confusion.counts, confusion.emotions, f"{system}\n{where}", darkest=darkest
    )
    parts = (section.corpus, section.protocol, confusion.encoders, confusion.classifier)
    most = f"Most often confused: {'; '.join(most_confused(confusion)) or 'nothing'}."
    recall = f"{100 * np.nanmean(recall_of(confusion.counts)):.0f}\u00a0%"
    return Drawing(
        stem=stem("confusion", *parts),
        title=system,
        alt=f"Confusion matrix of {system}, {section.title}: mean recall {recall}. {most}",
        caption=most,
        svg=as_svg(figure),
        png=as_png(figure),
        vector=len(confusion.emotions) <= ROOMY,
    )


def most_confused(confusion: Confusion) -> Iterator[str]:
    """ "Fear taken for Anger (31 %)", the most frequent first."""
    share = confusion.share.copy()
    np.fill_diagonal(share, 0)
    for place in np.argsort(-share, axis=None, kind="stable")[:CONFUSIONS]:
        row, column = np.unravel_index(place, share.shape)
        if share[row, column] > 0:
            truth, taken = confusion.emotions[row], confusion.emotions[column]
            yield f"{truth} taken for {taken} ({100 * share[row, column]:.0f}\u00a0%)"


def projections(run: SavedRun) -> list[tuple[str, str, pd.DataFrame, list[str]]]:
    """(corpus, encoder, points with their emotion, the emotions' order) of the saved t-SNE."""
    clips = run.clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", "emotion"]]
    points = run.projections.merge(clips, on=["corpus", "clip"])
    return [
        (str(corpus), str(encoder), own, _order(run, str(corpus), own))
        for (corpus, encoder), own in points.groupby(["corpus", "encoder"], sort=False)
    ]


def draw_projection(
    run: SavedRun, corpus: str, encoder: str, points: pd.DataFrame, emotions: Sequence[str]
) -> Drawing:
    """The t-SNE of one corpus and encoder, coloured by emotion."""
    synthetic = " — SYNTHETIC RECORDINGS" if corpus in run.synthetic else ""
    remark = " — REHEARSAL" if run.rehearsal else ""
    title = f"{encoder}\nt-SNE of {len(points):,} clips of {corpus}{synthetic}{remark}"
    figure = projection_figure(points, emotions, title)
    return Drawing(
        stem=stem("tsne", corpus, encoder),
        title=encoder,
        alt=f"t-SNE of the {encoder} embeddings of {len(points):,} clips of {corpus}, "
        f"by emotion: {', '.join(emotions)}.",
        caption="",
        svg=as_svg(figure),
        png=as_png(figure),
        vector=False,
    )


def _order(run: SavedRun, corpus: str, points: pd.DataFrame) -> list[str]:
    found = set(points["emotion"])
    declared = run.corpora.get(corpus, {}).get("emotions", [])
    ordered = [e for e in declared if e in found]
    return ordered + sorted(found - set(ordered))


def stem(*parts: str) -> str:
    """A file name made of the parts; parts that a file name cannot hold are told apart by hash."""
    text = "_".join(parts)
    plain = re.sub(r"[^A-Za-z0-9+._-]+", "-", text)[:LONGEST_STEM]
    if plain == text:
        return plain
    return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
