"""The report of a run folder: tables, figures and one self-contained page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from nver.errors import NverError
from nver.evaluation.run_folder.saved_run import read_run
from nver.evaluation.run_folder.saved_table import write_table
from nver.machine.counting import counted
from nver.machine.files import write_whole
from nver.machine.threads import one_thread
from nver.report.chapter import Chapter
from nver.report.chapters import CHAPTERS
from nver.report.chapters.opening import compared, missing_sentences, title_of, warnings_of
from nver.report.figures.drawing import Drawing
from nver.report.figures.heat import heat_css
from nver.report.formats.sections import SCORE_TITLES
from nver.report.run_tables import RunTables

OURS = tuple(f"{kind}_*.{form}" for kind in ("confusion", "tsne", "calibration", "pair")
             for form in ("svg", "png"))  # fmt: skip


@one_thread()
def write_report(run_dir: str | Path | RunTables, *, show_progress_bar: bool = False) -> Path:
    """Make the report of a run folder again, from its saved files alone.

    Writes `report/` in it: index.html (self-contained), the files of every chapter
    (`nver.report.chapters`) as far as the run has them, and every figure as SVG and PNG. The same
    run folder gives the same bytes.

    Args:
        run_dir: what `nver run --out` wrote, or its tables where it was read already.
        show_progress_bar: on stderr.

    Returns:
        the path of index.html.

    Raises:
        UsageError: there is no such folder.
        NverError: it is no run folder, the predictions are absent, a file is damaged, the
            report cannot be written.
    """
    tables = run_dir if isinstance(run_dir, RunTables) else RunTables(read_run(Path(run_dir)))
    drawings = _draw(tables, show_progress_bar)
    page = _page(tables, list(drawings.values()))
    files = {name: make(tables) for chapter in CHAPTERS for name, make in chapter.files.items()}
    folder = tables.run.folder / "report"
    try:
        for name, content in files.items():
            _write_file(folder / name, content)
        _write_drawings(folder, drawings)
        write_whole(folder / "index.html", page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NverError(f"{folder}: the report cannot be written ({error})") from error
    return folder / "index.html"


@one_thread()
def terminal_text(tables: RunTables) -> str:
    """What a terminal shows of the report, chapter by chapter."""
    texts = (chapter.text(tables) for chapter in CHAPTERS)
    return "\n\n".join(text for text in texts if text)


def _draw(tables: RunTables, show: bool) -> dict[str, Drawing]:
    """Every figure by its file's stem; stems that are equal but for case are numbered."""
    figures = [draw for chapter in CHAPTERS for draw in chapter.figures(tables)]
    seen: Counter[str] = Counter()
    drawings = {}
    for draw in counted(figures, "report", len(figures), "figure", show):
        drawing = draw()
        name = drawing.stem.casefold()
        seen[name] += 1
        drawings[drawing.stem + (f"~{seen[name]}" if seen[name] > 1 else "")] = drawing
    return drawings


def _write_file(file: Path, content: pd.DataFrame | str | None) -> None:
    if isinstance(content, pd.DataFrame):
        write_table(content, file)
    elif content is not None:
        write_whole(file, content)
    else:
        file.unlink(missing_ok=True)  # of a recipe that the folder had before


def _write_drawings(folder: Path, drawings: Mapping[str, Drawing]) -> None:
    images = {
        f"{stem}.{suffix}": image
        for stem, drawing in drawings.items()
        for suffix, image in drawing.images.items()
    }
    for name, image in images.items():
        write_whole(folder / name, image)
    for pattern in OURS:
        for file in folder.glob(pattern):
            if file.name not in images:
                file.unlink()  # of a row that the run no longer has


def _page(tables: RunTables, drawings: Sequence[Drawing]) -> str:
    environment = Environment(
        loader=PackageLoader("nver.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda n: f"{n:,}" if isinstance(n, int | np.integer) else n
    return environment.get_template("page.html.j2").render(
        title=title_of(tables.run),
        compared=compared(tables),
        synthetic=tables.run.synthetic,
        rehearsal=tables.run.rehearsal,
        warnings=warnings_of(tables) + missing_sentences(tables.run),
        score_titles=list(SCORE_TITLES.values()),
        heat_css=heat_css(),
        chapters=_contents(tables, drawings),
    )


def _contents(tables: RunTables, drawings: Sequence[Drawing]) -> list[tuple[Chapter, str, Any]]:
    """Each chapter that the page has, with its lead and its content."""
    found = [(chapter, chapter.content(tables, drawings)) for chapter in CHAPTERS]
    return [(chapter, chapter.lead(tables), content) for chapter, content in found if content]
