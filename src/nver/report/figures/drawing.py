"""The figures of a run: drawn once, written as files, and shown on the page."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.figures.images import images_of
from nver.report.figures.plots import ROOMY, confusion_figure, projection_figure, shares
from nver.report.formats.sections import Section, system_title
from nver.results.metrics import recall_of
from nver.results.results import SystemResults

LONGEST_STEM = 90  # letters of a file name, so that every file system takes it
CONFUSIONS = 3  # named in the caption
UNTRAINED = "†"  # marks the recall of an emotion that a fold's training part does not have
CONFUSION, TSNE = "confusion", "tsne"  # kinds


@dataclass(frozen=True)
class Drawing:
    """One figure in two forms.

    Attributes:
        kind: the first word of its file's name.
        subject: what it shows: a system's `SystemResults.key`, or a corpus and its encoders.
        images: suffix of its file -> its bytes, see `images_of`.
        alt: says it without the picture.
        vector: whether the page has it as SVG, not as PNG.
    """

    kind: str
    subject: tuple[str, ...]
    images: Mapping[str, bytes]
    title: str
    alt: str
    caption: str = ""
    vector: bool = False

    @property
    def stem(self) -> str:
        """Its file's name without the suffix; a hash tells apart what a file name cannot hold."""
        text = "_".join((self.kind, *self.subject[-4:]))  # a system's without its experiment
        plain = re.sub(r"[^A-Za-z0-9+._-]+", "-", text)[:LONGEST_STEM]
        if plain == text:
            return plain
        return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"

    @property
    def uri(self) -> str:
        """The figure as a data URI: SVG where it is small, else PNG."""
        kind, suffix = ("svg+xml", "svg") if self.vector else ("png", "png")
        return f"data:image/{kind};base64,{b64encode(self.images[suffix]).decode()}"


def remark(synthetic: bool, rehearsal: bool = False) -> str:
    """What nobody may overlook in a figure, for the end of its title."""
    said = " — SYNTHETIC RECORDINGS" if synthetic else ""
    return said + (" — REHEARSAL" if rehearsal else "")


def draw_confusion(system: SystemResults, section: Section, darkest: float) -> Drawing:
    """A confusion matrix; `darkest` (0..1) is the share drawn in the darkest shade."""
    counts, name = system.confusions, system_title(*system.key[3:])
    title = f"{name}\n{section.title}{remark(section.synthetic)}"
    most = "; ".join(most_confused(shares(counts), system.emotions)) or "nothing"
    marked = [
        f"{UNTRAINED} {emotion}" if count else emotion
        for emotion, count in zip(system.emotions, system.untrained, strict=True)
    ]
    recall = f"{100 * np.nanmean(recall_of(counts)):.0f}\u00a0%"
    return Drawing(
        CONFUSION,
        system.key,
        images_of(confusion_figure(counts, marked, title, darkest=darkest)),
        title=name,
        alt=f"Confusion matrix of {name}, {section.title}: mean recall {recall}. "
        f"Most often confused: {most}.",
        caption=f"Most often confused: {most}.",
        vector=len(system.emotions) <= ROOMY,
    )


def most_confused(share: npt.NDArray[np.float64], emotions: Sequence[str]) -> Iterator[str]:
    """ "Fear taken for Anger (31 %)", the most frequent first."""
    np.fill_diagonal(share, 0)
    for place in np.argsort(-share, axis=None, kind="stable")[:CONFUSIONS]:
        row, column = np.unravel_index(place, share.shape)
        if share[row, column] > 0:
            percent = f"{100 * share[row, column]:.0f}\u00a0%"
            yield f"{emotions[row]} taken for {emotions[column]} ({percent})"


@dataclass(frozen=True)
class Projection:
    """The saved t-SNE of one corpus and encoder: `points` have x, y, emotion."""

    corpus: str
    encoder: str
    points: pd.DataFrame
    emotions: Sequence[str]


def projections(run: SavedRun) -> list[Projection]:
    """Every saved t-SNE, with the emotions in the corpus's order."""
    clips = run.clips.drop_duplicates(["corpus", "clip"])[["corpus", "clip", "emotion"]]
    points = run.projections.merge(clips, on=["corpus", "clip"])
    return [
        Projection(str(corpus), str(encoder), own, _emotions_in_order(run, str(corpus), own))
        for (corpus, encoder), own in points.groupby(["corpus", "encoder"], sort=False)
    ]


def draw_projection(run: SavedRun, projection: Projection) -> Drawing:
    """The t-SNE of one corpus and encoder, coloured by emotion."""
    corpus, encoder, number = projection.corpus, projection.encoder, f"{len(projection.points):,}"
    title = projection_title(run, projection)
    return Drawing(
        TSNE,
        (corpus, encoder),
        images_of(projection_figure(projection.points, projection.emotions, f"{encoder}\n{title}")),
        title=encoder,
        alt=f"t-SNE of the {encoder} embeddings of {number} clips of {corpus}, "
        f"by emotion: {', '.join(projection.emotions)}.",
    )


def projection_title(run: SavedRun, projection: Projection) -> str:
    """How many clips of what are shown, and what a reader must not overlook."""
    clips = f"t-SNE of {len(projection.points):,} clips of {projection.corpus}"
    return clips + remark(projection.corpus in run.synthetic, run.rehearsal)


def _emotions_in_order(run: SavedRun, corpus: str, points: pd.DataFrame) -> list[str]:
    found = set(points["emotion"])
    declared = run.corpora.get(corpus, {}).get("emotions", [])
    ordered = [e for e in declared if e in found]
    return ordered + sorted(found - set(ordered))
