"""Figures of certainty: accuracy by confidence, and accuracy against coverage."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nver.report.figures.images import MUTED, settings
from nver.report.figures.plots import ACCENT, FAINT
from nver.results.calibration import CALIBRATED, RAW, Certainty, coverage_curve, reliability

STYLES = {RAW: ("#bd1f01", "as trained"), CALIBRATED: (ACCENT, "with temperature")}
POINTS = 200  # of a curve (our choice): bounds the file
FROM = 0.05  # coverage (our choice): the mean of fewer predictions is noise


def certainty_figure(forms: Mapping[str, Certainty], title: str) -> Figure:
    """Reliability on the left, accuracy against coverage on the right; a line a form."""
    with settings():
        figure = Figure(figsize=(6.6, 3.35))
        left = figure.add_axes((0.075, 0.13, 0.4, 0.68))
        right = figure.add_axes((0.575, 0.13, 0.4, 0.68))
        for name, certainty in forms.items():
            colour, label = STYLES[name]
            _reliability(left, certainty, colour, label)
            _coverage(right, certainty, colour, label)
        left.plot((0, 1), (0, 1), color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        _name(left, "confidence", "accuracy")
        _name(right, "coverage: share of predictions kept, the surest", "accuracy")
        left.legend(loc="upper left", frameon=False, fontsize=7.5)
        left.set_ylim(0, 1)
        low, high = right.get_ylim()
        right.set_ylim(max(0, low - 0.03), min(1, high + 0.03))
        figure.text(0.015, 0.975, title, va="top", fontsize=8.5, linespacing=1.35)
    return figure


def _reliability(axes: Axes, certainty: Certainty, colour: str, label: str) -> None:
    """A dot a bin, its area by its predictions."""
    found = reliability(certainty.confidence, certainty.correct)
    there = found.predictions > 0
    x, y = found.confidence[there], found.accuracy[there]
    size = 6 + 110 * found.predictions[there] / found.predictions.sum()
    axes.plot(x, y, color=colour, linewidth=1, alpha=0.7)
    axes.scatter(x, y, s=size, color=colour, linewidths=0, label=label)


def _coverage(axes: Axes, certainty: Certainty, colour: str, label: str) -> None:
    curve = coverage_curve(certainty.confidence, certainty.correct)
    first = max(0, round(FROM * len(curve)) - 1)
    at = np.unique(np.linspace(first, len(curve) - 1, POINTS).round().astype(np.int64))
    axes.plot((at + 1) / len(curve), curve[at], color=colour, linewidth=1.3, label=label)
    axes.axhline(curve[-1], color=MUTED, linewidth=0.8, linestyle="--", zorder=0)


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(length=2, color=FAINT)
