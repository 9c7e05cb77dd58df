"""Figures: confusion matrices and projections."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nver.report.figures.heat import contrast
from nver.report.figures.images import INK, settings
from nver.results.results import Counts

# M. A. Petroff, "Accessible color sequences for data visualization", arXiv 2107.02270, 2021
TEN_COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
               "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")  # fmt: skip
SHADES = LinearSegmentedColormap.from_list("nver", ["#ffffff", "#b8d2ea", "#4a87bd", "#12406f"])
FAINT, ACCENT = "#d5dade", "#12406f"
PANELS = 5  # small multiples in a row
LETTER = 0.072  # inches, of a title in the size it has
LONGEST_NAME = 24  # letters
ROOMY = 12  # emotions (our choice): up to here a cell has room for its count


# --------------------------------------------------------------------------- confusion matrix


def confusion_figure(
    counts: Counts, emotions: Sequence[str], title: str, *, darkest: float = 1.0
) -> Figure:
    """A confusion matrix: a row's percentages, and its counts where there is room for them.

    Args:
        counts: (emotions, emotions), rows are the truth.
        darkest: the share (0..1) of a row that is drawn in the darkest shade.
    """
    roomy = len(emotions) <= ROOMY
    names = [_short(e) for e in emotions]
    side = (0.47 if roomy else 0.245) * len(emotions)
    letters = 0.07 * max(map(len, names))  # inches, of the longest name in the size it has
    left, below = letters + 0.8, letters * (0.55 if roomy else 0.9) + 0.4
    with settings():
        width = max(left + side + 0.15, 0.2 + LETTER * max(map(len, title.split("\n"))))
        height = below + side + 0.6
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((left / width, below / height, side / width, side / height))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, pad=4)
        share = shares(counts)
        axes.imshow(share, cmap=SHADES, vmin=0, vmax=darkest)
        _name_axes(axes, counts, names)
        _write_cells(axes, counts, share, darkest)
        _title(figure, title)
    return figure


def shares(counts: Counts) -> npt.NDArray[np.float64]:
    """(emotions, emotions): confusions as shares of their rows."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _title(figure: Figure, title: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.08 / height, title, va="top", fontsize=8.5, linespacing=1.35)


def _name_axes(axes: Axes, counts: Counts, emotions: Sequence[str]) -> None:
    size = 8 if len(emotions) <= ROOMY else 7
    rows = [f"{e}  ({n:,})" for e, n in zip(emotions, counts.sum(axis=1), strict=True)]
    turn: dict[str, Any] = {"rotation": 90}
    if len(emotions) <= ROOMY:
        turn = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(emotions)), emotions, fontsize=size, **turn)
    axes.set_yticks(range(len(emotions)), rows, fontsize=size)
    for edge in range(1, len(emotions)):
        axes.axhline(edge - 0.5, color="white", linewidth=1)
        axes.axvline(edge - 0.5, color="white", linewidth=1)
    axes.set_xlabel("predicted", fontsize=size)
    axes.set_ylabel("emotion (predictions)", fontsize=size)


def _write_cells(
    axes: Axes, counts: Counts, share: npt.NDArray[np.float64], darkest: float
) -> None:
    roomy, figure = len(counts) <= ROOMY, axes.get_figure()
    assert isinstance(figure, Figure)
    for row, column in np.argwhere(counts > 0):
        shade = to_hex(SHADES(share[row, column] / darkest))
        ink = max((INK, "#ffffff"), key=lambda colour: contrast(colour, shade))
        percent = f"{100 * share[row, column]:.0f}"
        middle: dict[str, Any] = {"ha": "center", "va": "center", "color": ink}
        middle["transform"] = axes.transData  # texts of the axes would be clipped one by one
        if roomy:
            figure.text(column, row - 0.13, percent, fontsize=8.5, **middle)
            figure.text(column, row + 0.24, f"{counts[row, column]:,}", fontsize=5.5, **middle)
        elif percent != "0":
            figure.text(column, row, percent, fontsize=6, **middle)


# -------------------------------------------------------------------------------- projections


def projection_figure(points: pd.DataFrame, emotions: Sequence[str], title: str) -> Figure:
    """Clips in two dimensions (`x`, `y`) by `emotion`: one colour each for up to ten emotions,
    small multiples for more, which no palette tells apart."""
    with settings():
        if len(emotions) > len(TEN_COLOURS):
            return _small_multiples(points, emotions, title)
        figure = Figure(figsize=(5.2, 5.9))
        axes = figure.add_axes((0.02, 0.125, 0.96, 0.8))
        _scatter(axes, points, emotions)
        _legend(figure, axes, emotions, most=5 if max(map(len, emotions)) <= 12 else 4)
        _title(figure, title)
    return figure


def projection_pair_figure(
    sides: Mapping[str, pd.DataFrame], emotions: Sequence[str], title: str
) -> Figure:
    """Two encoders' projections of the same clips side by side, by name; one colour an emotion.

    Of more than ten emotions the colours come again as triangles, then as squares.
    """
    with settings():
        figure = Figure(figsize=(8.8, 5.3))
        for number, (name, points) in enumerate(sides.items()):
            axes = figure.add_axes((0.01 + 0.5 * number, 0.15, 0.48, 0.72))
            _scatter(axes, points, emotions)
            axes.set_title(_short(name), fontsize=9)
        _legend(figure, axes, emotions, most=7)
        _title(figure, title)
    return figure


def _colours(emotions: Sequence[str]) -> dict[str, tuple[str, str]]:
    """emotion -> colour and marker: from the eleventh on the colours again, as triangles."""
    many = len(TEN_COLOURS)
    return {e: (TEN_COLOURS[i % many], "o^s"[i // many % 3]) for i, e in enumerate(emotions)}


def _scatter(axes: Axes, points: pd.DataFrame, emotions: Sequence[str]) -> None:
    mixed = points.sample(frac=1, random_state=0)  # so that the last emotion hides no other
    styles = _colours(emotions)
    for marker in dict.fromkeys(m for _, m in styles.values()):
        own = mixed[[styles[e][1] == marker for e in mixed["emotion"]]]
        axes.scatter(
            own["x"],
            own["y"],
            c=[styles[e][0] for e in own["emotion"]],
            marker=marker,
            s=_size(len(points)),
            alpha=0.75,
            linewidths=0,
            rasterized=True,
        )
    # t-SNE's axes mean nothing: no ticks, a faint frame, equal scales
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_color(FAINT)


def _legend(figure: Figure, axes: Axes, emotions: Sequence[str], most: int) -> None:
    for emotion, (colour, marker) in _colours(emotions).items():
        axes.scatter([], [], c=colour, marker=marker, s=26, label=_short(emotion))
    columns = -(-len(emotions) // -(-len(emotions) // most))  # rows of about equal length
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=columns, frameon=False, fontsize=8,
                  handletextpad=0.1, columnspacing=1.0)  # fmt: skip


def _small_multiples(points: pd.DataFrame, emotions: Sequence[str], title: str) -> Figure:
    """All clips in grey and one emotion's in colour, panel by panel; one axes is much faster."""
    rows = -(-len(emotions) // PANELS)
    figure = Figure(figsize=(6.6, 1.52 * rows + 0.5))
    axes = figure.add_axes((0.01, 0.005, 0.98, 1 - 0.45 / figure.get_figheight()))
    xy = points[["x", "y"]].to_numpy()
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = 0.5 + 0.94 * (xy - (low + high) / 2) / max(float((high - low).max()), 1e-9)
    corner = [(1.07 * (i % PANELS), -1.22 * (i // PANELS)) for i in range(len(emotions))]
    style: dict[str, Any] = {"linewidths": 0, "rasterized": True}
    size = _size(len(points)) / 4
    everywhere = np.concatenate([unit + place for place in corner])
    axes.scatter(everywhere[:, 0], everywhere[:, 1], c=FAINT, s=size, **style)
    for place, emotion in zip(corner, emotions, strict=True):
        own = unit[(points["emotion"] == emotion).to_numpy()] + place
        axes.scatter(own[:, 0], own[:, 1], c=ACCENT, s=2.5 * size, alpha=0.8, **style)
        axes.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=FAINT, linewidth=0.8))
        axes.text(place[0] + 0.5, place[1] + 1.03, _short(emotion), ha="center", fontsize=8.5)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-0.01, 1.07 * (PANELS - 1) + 1.01)
    axes.set_ylim(-1.22 * (rows - 1) - 0.02, 1.2)
    _title(figure, title)
    return figure


def _size(points: int) -> float:
    """The area of a dot: smaller for more of them."""
    return float(np.clip(14000 / max(points, 1), 2.5, 22))
