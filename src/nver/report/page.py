"""The report of a run folder: tables, figures and one self-contained page."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from tqdm import tqdm

from nver.errors import NverError
from nver.evaluation.run_folder.saved_run import SavedRun, read_run
from nver.machine.files import write_whole
from nver.machine.threads import one_thread
from nver.recipe.printed import printed_table
from nver.report.chapters import opening, origin
from nver.report.chapters.answers import answers_of, hypothesis_parts
from nver.report.chapters.certainty import certainty_parts, draw_certainties
from nver.report.chapters.coarser_views import families_of, view_parts
from nver.report.chapters.failures import failure_parts
from nver.report.chapters.printed_numbers import printed_name, printed_parts, printed_rows
from nver.report.chapters.protocol_gap import gap_parts
from nver.report.chapters.recipe_figures import asked_parts, draw_pairs
from nver.report.chapters.robustness import stress_parts
from nver.report.chapters.scores import blocks
from nver.report.chapters.ties import comparison_parts
from nver.report.chapters.training_log import training_parts
from nver.report.figures.drawing import (
    Confusion,
    Drawing,
    confusions,
    draw_confusion,
    draw_projection,
    projections,
)
from nver.report.figures.heat import heat_css
from nver.report.tables.formats import latex_tables, markdown_tables
from nver.report.tables.grids import Part
from nver.report.tables.sections import SCORE_TITLES, Section, sections
from nver.results.calibration import calibration_table, reliability_table
from nver.results.comparison import comparison_table
from nver.results.families import view_table
from nver.results.metrics import confusion_table
from nver.results.speaker_gap import gap_table
from nver.results.stress import stress_table
from nver.results.subgroups import confidently_wrong, subgroup_table
from nver.results.uncertainty import emotion_interval_table, interval_table

MAPS_SHOWN = 6  # a corpus, the recipe's first; the files have all (our choice)
OURS = tuple(f"{kind}_*.{form}" for kind in ("confusion", "tsne", "calibration", "pair")
             for form in ("svg", "png"))  # fmt: skip


@one_thread()
def write_report(run_dir: str | Path, *, show_progress_bar: bool = False) -> Path:
    """Make the report of a run folder again, from its saved files alone.

    Writes `report/` in it: index.html (self-contained), scores.csv, .md and .tex, per_class.csv,
    confusion.csv, calibration.csv, reliability.csv, gap.csv, comparisons.csv, subgroups.csv,
    confidently_wrong.csv, hypotheses.csv, stress.csv and views.csv where the run has them, and
    every figure as SVG and PNG. The same run folder gives the same bytes.

    Args:
        run_dir: what `nver run --out` wrote.
        show_progress_bar: on stderr.

    Returns:
        the path of index.html.

    Raises:
        UsageError: there is no such folder.
        NverError: it is no run folder, the predictions are absent, a file is damaged, the
            report cannot be written.
    """
    run = read_run(Path(run_dir))
    scores, pairs = interval_table(run.predictions), comparison_table(run.predictions)
    tables = sections(scores, run.synthetic, pairs, run.rehearsal)
    matrices, maps = _draw(run, tables, show_progress_bar)
    recalls = emotion_interval_table(run.predictions)
    calibration = calibration_table(run.predictions)
    certainties = _certainties(run, tables, calibration, show_progress_bar)
    groups = subgroup_table(run.predictions, run.clips)
    worst = confidently_wrong(run.predictions, run.clips)
    gaps, views = gap_table(run.predictions), view_table(run.predictions, families_of(run))
    stress = None if run.stress is None else stress_table(run.predictions, run.stress)
    answers = answers_of(run)
    side_by_side, printed = draw_pairs(run), printed_rows(run)
    found = {
        "printed": printed_parts(run, tables, printed),
        "asked": asked_parts(run, side_by_side, matrices),
        "certainty": certainty_parts(calibration, tables, scores, certainties),
        "failures": failure_parts(tables, scores, groups, worst),
        "stresses": [] if stress is None else stress_parts(tables, stress),
        "trainings": training_parts(run, tables),
        "gaps": gap_parts(gaps, run.synthetic),
        "views": view_parts(views, tables, families_of(run)),
        "hypotheses": hypothesis_parts(answers, tables),
        "comparisons": comparison_parts(tables, scores, pairs),
    }
    page = _page(run, tables, scores, recalls, matrices, maps, found)
    folder = run.folder / "report"
    try:
        _write_tables(folder, run.predictions, scores, tables)
        _write_csv(folder / "per_class.csv", recalls)
        _write_csv(folder / "calibration.csv", calibration)
        _write_csv(folder / "subgroups.csv", groups)
        _write_csv(folder / "gap.csv", gaps)
        if len(views):
            _write_csv(folder / "views.csv", views)
        _write_csv(folder / "comparisons.csv", pairs)
        _write_csv(folder / "confidently_wrong.csv", worst)
        if stress is not None:
            _write_csv(folder / "stress.csv", stress)
        else:
            (folder / "stress.csv").unlink(missing_ok=True)
        _write_csv(folder / "hypotheses.csv", answers)
        if len(printed):
            _write_csv(folder / "printed.csv", printed)
        _write_drawings(folder, [d for _, d in (*matrices, *maps, *certainties, *side_by_side)])
        write_whole(folder / "index.html", page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NverError(f"{folder}: the report cannot be written ({error})") from error
    return folder / "index.html"


def _draw(
    run: SavedRun, tables: Sequence[Section], show: bool
) -> tuple[list[tuple[Confusion, Drawing]], list[tuple[str, Drawing]]]:
    found, points = confusions(run, tables), projections(run)
    darkest = {id(t): _darkest(c for c in found if c.section is t) for t in tables}
    with tqdm(total=len(found) + len(points), unit="figure", disable=not show) as bar:
        matrices = []
        for confusion in found:
            matrices.append((confusion, draw_confusion(confusion, darkest[id(confusion.section)])))
            bar.update()
        maps = []
        for corpus, encoder, own, emotions in points:
            maps.append((corpus, draw_projection(run, corpus, encoder, own, emotions)))
            bar.update()
    names = _unique([d.stem for _, d in (*matrices, *maps)])
    return (
        [(confusion, replace(d, stem=next(names))) for confusion, d in matrices],
        [(corpus, replace(d, stem=next(names))) for corpus, d in maps],
    )


def _certainties(
    run: SavedRun, tables: Sequence[Section], calibration: pd.DataFrame, show: bool
) -> list[tuple[Section, Drawing]]:
    found = list(tqdm(draw_certainties(run, tables, calibration), unit="figure", disable=not show))
    names = _unique([drawing.stem for _, drawing in found])
    return [(section, replace(drawing, stem=next(names))) for section, drawing in found]


def _unique(stems: Sequence[str]) -> Iterator[str]:
    """The stems, numbered where two would be one file, also where case makes no difference."""
    seen: Counter[str] = Counter()
    for stem in stems:
        seen[stem.casefold()] += 1
        number = seen[stem.casefold()]
        yield stem if number == 1 else f"{stem}~{number}"


def _darkest(found: Iterable[Confusion]) -> float:
    """One scale for a section's matrices: the largest share, rounded up to a tenth."""
    return max(0.1, math.ceil(10 * max(float(c.share.max()) for c in found)) / 10)


# -------------------------------------------------------------------------------------- files


def _write_tables(
    folder: Path, predictions: pd.DataFrame, scores: pd.DataFrame, tables: Sequence[Section]
) -> None:
    for name, table in (
        ("scores.csv", scores),
        ("confusion.csv", confusion_table(predictions)),
        ("reliability.csv", reliability_table(predictions)),
    ):
        _write_csv(folder / name, table)
    write_whole(folder / "scores.md", markdown_tables(tables))
    write_whole(folder / "scores.tex", latex_tables(tables))


def _write_csv(file: Path, table: pd.DataFrame) -> None:
    text = table.to_csv(index=False, lineterminator="\n")
    write_whole(file, text.encode("utf-8", "backslashreplace"))


def _write_drawings(folder: Path, drawings: Sequence[Drawing]) -> None:
    for drawing in drawings:
        write_whole(folder / f"{drawing.stem}.svg", drawing.svg)
        write_whole(folder / f"{drawing.stem}.png", drawing.png)
    current = {f"{drawing.stem}.{kind}" for drawing in drawings for kind in ("svg", "png")}
    for pattern in OURS:
        for file in folder.glob(pattern):
            if file.name not in current:
                file.unlink()  # of a row that the run no longer has


# --------------------------------------------------------------------------------------- page


def _page(
    run: SavedRun,
    tables: Sequence[Section],
    scores: pd.DataFrame,
    recalls: pd.DataFrame,
    matrices: Sequence[tuple[Confusion, Drawing]],
    maps: Sequence[tuple[str, Drawing]],
    parts: Mapping[str, Sequence[Part]],
) -> str:
    plans = opening.fold_plans(run)
    environment = Environment(
        loader=PackageLoader("nver.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda n: f"{n:,}" if isinstance(n, int | np.integer) else n
    return environment.get_template("page.html.j2").render(
        title=opening.title_of(run),
        compared=opening.compared(run, tables, scores),
        synthetic=run.synthetic,
        rehearsal=run.rehearsal,
        printed_table=printed_table(name) if (name := printed_name(run)) else None,
        warnings=opening.warnings_of(run, plans),
        blocks=blocks(run, tables, scores, recalls, matrices),
        score_titles=list(SCORE_TITLES.values()),
        maps={c: [d for name, d in maps if name == c] for c in dict.fromkeys(c for c, _ in maps)},
        maps_shown=MAPS_SHOWN,
        skipped_counts=origin.skipped_counts(run),
        skipped_list=origin.skipped_list(run),
        skipped=len(run.skipped),
        plans=plans,
        encoders=list(origin.encoder_rows(run)),
        corpora=list(origin.corpus_rows(run)),
        environment=origin.environment_rows(run),
        recipe=run.recipe,
        commands=origin.commands(run),
        heat_css=heat_css(),
        **parts,
    )
