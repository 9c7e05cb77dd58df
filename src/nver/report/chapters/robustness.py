"""What the page shows of stress: the scores when the test clips are made worse."""

from collections.abc import Sequence

import pandas as pd

from nver.report.chapters.failures import uar_text
from nver.report.tables.grids import Grid, Part, of_section
from nver.report.tables.sections import Section, encoders_title

NOTE = (
    "UAR in percent and its 95 % interval, folds pooled. The classifiers are those of the scores "
    "above, trained on clean clips; only their test clips are made worse. noise-NdB: white noise "
    "at a signal-to-noise ratio of N dB. telephone: 300 to 3,400 Hz at 8 kHz. mp3: 16 kbit/s at "
    "16 kHz. level: a gain, clipped at full scale. No test was made."
)


def stress_parts(tables: Sequence[Section], stress: pd.DataFrame) -> list[Part]:
    """A grid a section: a row a system, a column a kind of stress."""
    found = []
    for section in tables:
        own = of_section(stress, section)
        if len(own):
            kinds = list(dict.fromkeys(own["stress"]))
            rows = [
                (encoders_title(str(encoders)), str(classifier), *_cells(table, kinds))
                for (encoders, classifier), table in own.groupby(
                    ["encoders", "classifier"], sort=False
                )
            ]
            head = ("Encoders", "Classifier", *kinds)
            found.append(Part(section.title, (Grid("UAR under stress", head, rows, (NOTE,)),)))
    return found


def _cells(table: pd.DataFrame, kinds: Sequence[str]) -> list[str]:
    by_kind = {row["stress"]: uar_text(row) for _, row in table.iterrows()}
    return [by_kind.get(kind, "–") for kind in kinds]
