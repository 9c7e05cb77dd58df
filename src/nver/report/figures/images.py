"""Figures as files: the same figure gives the same bytes, whatever the user's settings."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image

INK, MUTED = "#1d232b", "#5a6572"
PNG_DPI = 160
PALETTE = 256  # colours of a PNG (our choice): a third of the size, no difference to the eye
FALLBACK_FONTS = ("Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Noto Sans",
                  "Arial Unicode MS")  # fmt: skip
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "nver",  # ids in an SVG are random without it
    "svg.fonttype": "none",
    "text.parse_math": False,  # a "$" in a name is a "$"
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 8,
}


def images_of(figure: Figure) -> dict[str, bytes]:
    """The figure in both forms, by the suffix of their files."""
    return {"svg": as_svg(figure), "png": as_png(figure)}


def as_svg(figure: Figure) -> bytes:
    """The figure as SVG, without a date."""
    with settings():
        buffer = io.BytesIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None})
        return buffer.getvalue()


def as_png(figure: Figure) -> bytes:
    """The figure as PNG of few colours, without a date."""
    with settings():
        figure.set_dpi(PNG_DPI)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(PALETTE, dither=Image.Dither.NONE).save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def settings() -> Iterator[None]:
    """matplotlib as it comes, whatever the user's settings, with ours on top."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")  # drawn as a box
        matplotlib.rcdefaults()
        own: Any = SETTINGS | {"font.family": "sans-serif", "font.sans-serif": _fonts()}
        matplotlib.rcParams.update(own)
        yield


@cache
def _fonts() -> list[str]:
    """matplotlib's own font, and what the machine has for scripts that it lacks."""
    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FALLBACK_FONTS if name in installed)]
