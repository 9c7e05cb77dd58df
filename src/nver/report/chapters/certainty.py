"""What the page shows of certainty: calibration before and after the temperature, refusal."""

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from nver.evaluation.run_folder.predictions import SYSTEM_COLUMNS
from nver.report.chapter import Chapter
from nver.report.figures.calibration_plots import certainty_figure
from nver.report.figures.drawing import Drawing, remark
from nver.report.figures.images import images_of
from nver.report.formats.grids import Grid, Part, highest_uar, of_section, system_rows
from nver.report.formats.sections import Section, system_title
from nver.report.run_tables import RunTables
from nver.results.calibration import FORMS, certainty_of, reliability_table
from nver.results.results import SystemResults

KIND = "calibration"
LEAD = (
    "Does a probability of 70 % mean that 70 % of such predictions are right? And how accurate are "
    "the predictions that are left when the least sure are refused? In the figures a dot is a bin "
    "of confidence, its area the share of the predictions; on the dashed diagonal confidence and "
    "accuracy agree. The dashed line on the right is the accuracy without refusal."
)
HEAD = (
    "Encoders", "Classifier", "Temperature", "ECE", "Brier", "NLL",
    "Area", "Accuracy", "Surest 80 %", "Surest 50 %",
)  # fmt: skip
NOTE = (
    "Before → after the temperature, over all folds and seeds. Temperature: the median over "
    "trainings; each is fitted on the validation clips of its own training, never on its test "
    "fold. ECE: expected calibration error in percentage points, 15 bins of equal width. Brier "
    "score: 0 to 2. NLL: negative log-likelihood in nats. Of these three, less is better. Area: "
    "under accuracy against coverage, in percent. Surest 80 %: accuracy of the surest 80 % of the "
    "predictions. These numbers have no intervals, and their differences were not tested."
)
LEFT = (
    "The page shows the systems with the highest UAR; the figures of {} more systems lie beside "
    "this page as calibration_*.svg."
)
NOT_FITTED = "No temperature was saved with this run, or none was fitted: before and after agree."


def certainty_parts(tables: RunTables, drawings: Sequence[Drawing]) -> list[Part]:
    """The table of every section, and the figures of its highest UAR."""
    found = []
    for section in tables.sections:
        shown, left = highest_uar(drawings, KIND, section, tables.scores)
        grid = _grid(of_section(tables.calibration, section))
        remark = LEFT.format(left) if left else ""
        found.append(Part(section.title, (grid,), shown, left=remark))
    return found


def _grid(calibration: pd.DataFrame) -> Grid:
    unfitted = bool((calibration["temperature"] == 1).all())
    notes = (NOTE, NOT_FITTED) if unfitted else (NOTE,)
    return Grid("Calibration", HEAD, system_rows(calibration, _cells), notes)


def _cells(own: pd.DataFrame) -> tuple[str, ...]:
    """From a system's two rows, as trained and with the temperature."""
    before, after = own.to_dict("records")

    def change(name: str, form: str, factor: float = 1) -> str:
        return f"{factor * before[name]:{form}} → {factor * after[name]:{form}}"

    return (
        f"{after['temperature']:.2f}",
        change("expected_calibration_error", ".1f", 100),
        change("brier_score", ".3f"),
        change("negative_log_likelihood", ".3f"),
        change("coverage_area", ".1f", 100),
        f"{100 * before['accuracy']:.1f}",
        change("accuracy_at_80", ".1f", 100),
        change("accuracy_at_50", ".1f", 100),
    )


def _figures(tables: RunTables) -> list[Callable[[], Drawing]]:
    """A figure a system."""
    errors = tables.calibration.groupby(list(SYSTEM_COLUMNS))["expected_calibration_error"]
    by_system = {key: list(own) for key, own in errors}
    return [
        partial(_draw, system, section, by_system[system.key])
        for section, systems in tables.systems
        for system in systems
    ]


def _draw(system: SystemResults, section: Section, errors: Sequence[float]) -> Drawing:
    name = system_title(*system.key[3:])
    title = f"{name}\n{section.title}{remark(section.synthetic)}"
    raw, after = errors
    error = f"{100 * raw:.1f} percentage points as trained, {100 * after:.1f} with temperature"
    forms = {form: certainty_of(system.rows, form) for form in FORMS}
    return Drawing(
        KIND,
        system.key,
        images_of(certainty_figure(forms, title)),
        title=name,
        alt=f"Accuracy by confidence and by coverage of {name}, {section.title}: "
        f"expected calibration error {error}.",
        caption=f"Expected calibration error: {error}",
        vector=True,
    )


CHAPTER = Chapter(
    anchor="certainty",
    title="Calibration and refusal",
    lead=lambda tables: LEAD,
    content=certainty_parts,
    files={
        "calibration.csv": lambda tables: tables.calibration,
        "reliability.csv": lambda tables: reliability_table(tables.results),
    },
    figures=_figures,
)
