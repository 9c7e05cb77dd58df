"""What the page shows of the trainings: how long, how well, and what the classifiers say."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.evaluation.run_folder.trainings import diagnostic_columns
from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, parts_of, system_rows
from nver.report.formats.sections import Section

HEAD = ("Encoders", "Classifier", "Trainings", "Epochs", "Kept", "Validation loss")
NOTE = (
    "Mean ± standard deviation over a row's trainings, one a fold and seed; trainings.csv has "
    "each. Kept: the epoch of the lowest cross-entropy on the validation clips (Validation loss), "
    "which are no test clips."
)
TUNED = "Tuned: the options that were chosen by the validation loss, and in how many trainings."
DIVERGENCE = (
    "Divergence, floor, excess: the classifier's alignment loss before its weight, on its training "
    "clips without dropout; the least value that it can have; and the difference, the part that "
    "training can move."
)


def training_parts(run: SavedRun, tables: Sequence[Section]) -> list[Part]:
    """A table a section; none for a run folder without trainings."""
    return parts_of(run.trainings, tables, _grid)


def _grid(rows: pd.DataFrame) -> Grid:
    said = [name for name in diagnostic_columns(rows) if rows[name].notna().any()]
    tuned = bool((rows["tuned"] != "").any())
    head = (*HEAD, *map(_title, said), *(("Tuned",) if tuned else ()))
    texts = system_rows(rows, lambda own: _cells(own, said, tuned))
    divergence = any(name.startswith("divergence") for name in said)
    notes = (NOTE, *((DIVERGENCE,) if divergence else ()), *((TUNED,) if tuned else ()))
    return Grid("Trainings", head, texts, notes)


def _cells(own: pd.DataFrame, said: Sequence[str], tuned: bool) -> list[str]:
    cells = [str(len(own)), f"{own['epochs'].mean():.1f}", f"{own['best_epoch'].mean():.1f}"]
    cells += [spread(own["validation_loss"], ".3f"), *(spread(own[name], ".3g") for name in said)]
    return [*cells, chosen(own["tuned"])] if tuned else cells


def spread(values: "pd.Series[float]", form: str) -> str:
    """ "1.93 ± 0.02", "1.93" of one value or of equal ones, "–" of none."""
    known = values.dropna()
    if known.empty:
        return "–"
    deviation = f" ± {known.std(ddof=1):{form}}" if known.nunique() > 1 else ""
    return f"{known.mean():{form}}{deviation}"


def chosen(texts: "pd.Series[str]") -> str:
    """ "lambda_=0.3 (3), lambda_=0.9 (2)", the most frequent first; "–" where nothing was tuned."""
    counts = Counter(text for text in texts if text)
    return ", ".join(f"{text} ({n})" for text, n in counts.most_common()) or "–"


def _title(name: str) -> str:
    """ "divergence_excess" -> "Excess", other names as they are, with spaces."""
    short = name.removeprefix("divergence_")
    return short.replace("_", " ").capitalize()


CHAPTER = Chapter(
    anchor="trainings",
    title="Trainings",
    lead=lambda tables: (
        "How the classifiers were trained, and what they say of themselves when they are."
    ),
    content=lambda tables, _: training_parts(tables.run, tables.sections),
)
