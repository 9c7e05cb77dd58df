"""What the page shows of certainty: calibration before and after the temperature, refusal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.figures.calibration_plots import certainty_figure
from nver.report.figures.drawing import Drawing, stem
from nver.report.figures.images import as_png, as_svg
from nver.report.tables.grids import Grid, Part, of_section
from nver.report.tables.sections import Section, encoders_title, system_title
from nver.results.calibration import CALIBRATED, RAW, certainty_of
from nver.results.metrics import systems

HEAD = (
    "Encoders", "Classifier", "Temperature", "ECE", "Brier", "NLL",
    "Area", "Accuracy", "Surest 80 %", "Surest 50 %",
)  # fmt: skip
FIGURES_SHOWN = 6  # a section, those of the highest UAR; the files have all (our choice)
NOTE = (
    "Before → after the temperature, over all folds and seeds. Temperature: the median over "
    "trainings; each is fitted on the validation clips of its own training, never on its test "
    "fold. ECE: expected calibration error in percentage points, 15 bins of equal width. Brier "
    "score: 0 to 2. NLL: negative log-likelihood in nats. Of these three, less is better. Area: "
    "under accuracy against coverage, in percent. Surest 80 %: accuracy of the surest 80 % of the "
    "predictions. These numbers have no intervals, and their differences were not tested."
)
LEFT = (
    "Shown are those of the highest UAR; those of {} more systems lie beside this page as "
    "calibration_*.svg."
)
NOT_FITTED = "No temperature was saved with this run, or none was fitted: before and after agree."


def certainty_parts(
    calibration: pd.DataFrame,
    tables: Sequence[Section],
    scores: pd.DataFrame,
    drawings: Sequence[tuple[Section, Drawing]],
) -> list[Part]:
    """The table of every section, and the figures of its highest UAR."""
    found = []
    for section in tables:
        drawn = [drawing for own, drawing in drawings if own is section]
        uar = of_section(scores, section)["unweighted_average_recall"].to_numpy()
        best = np.argsort(-uar, kind="stable")[:FIGURES_SHOWN]
        part = _part(of_section(calibration, section), section, [drawn[i] for i in best])
        if number := len(drawn) - len(best):
            part = replace(part, left=LEFT.format(number))
        found.append(part)
    return found


def _part(table: pd.DataFrame, section: Section, drawings: Sequence[Drawing]) -> Part:
    raw, calibrated = (
        table[table["form"] == form].to_dict("records") for form in (RAW, CALIBRATED)
    )
    rows = [_row(a, b) for a, b in zip(raw, calibrated, strict=True)]
    unfitted = all(row["temperature"] == 1 for row in calibrated)
    notes = (NOTE, NOT_FITTED) if unfitted else (NOTE,)
    return Part(section.title, (Grid("Calibration", HEAD, rows, notes),), tuple(drawings))


def _row(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> tuple[str, ...]:
    def change(name: str, form: str, factor: float = 1) -> str:
        return f"{factor * before[name]:{form}} → {factor * after[name]:{form}}"

    return (
        encoders_title(str(before["encoders"])),
        str(before["classifier"]),
        f"{after['temperature']:.2f}",
        change("expected_calibration_error", ".1f", 100),
        change("brier_score", ".3f"),
        change("negative_log_likelihood", ".3f"),
        change("coverage_area", ".1f", 100),
        f"{100 * before['accuracy']:.1f}",
        change("accuracy_at_80", ".1f", 100),
        change("accuracy_at_50", ".1f", 100),
    )


def draw_certainties(
    run: SavedRun, tables: Sequence[Section], calibration: pd.DataFrame
) -> Iterator[tuple[Section, Drawing]]:
    """A figure a system, in the tables' order; `calibration` is the table of all of them."""
    places = {(t.experiment, t.corpus, t.protocol): t for t in tables}
    errors = dict(iter(calibration.groupby(list(SYSTEM_COLUMNS))["expected_calibration_error"]))
    for key, rows in systems(run.predictions):
        experiment, corpus, protocol, *names = key
        section = places[experiment, corpus, protocol]
        yield section, _draw(rows, section, names, errors[key])


def _draw(
    rows: pd.DataFrame, section: Section, names: Sequence[str], errors: Iterable[float]
) -> Drawing:
    encoders, classifier = names
    system = system_title(encoders, classifier)
    where = section.title + (" — SYNTHETIC RECORDINGS" if section.synthetic else "")
    forms = {form: certainty_of(rows, form) for form in (RAW, CALIBRATED)}
    figure = certainty_figure(forms, f"{system}\n{where}")
    raw, after = errors
    error = f"{100 * raw:.1f} percentage points as trained, {100 * after:.1f} with temperature"
    return Drawing(
        stem=stem("calibration", section.corpus, section.protocol, encoders, classifier),
        title=system,
        alt=f"Accuracy by confidence and by coverage of {system}, {section.title}: "
        f"expected calibration error {error}.",
        caption=f"Expected calibration error: {error}",
        svg=as_svg(figure),
        png=as_png(figure),
        vector=True,
    )
