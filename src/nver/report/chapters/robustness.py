"""What the page shows of stress: the scores when the test clips are made worse."""

import pandas as pd

from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, parts_of, system_rows, uar_by

NOTE = (
    "UAR in percent and its 95 % interval, folds pooled. The classifiers are the same as above, "
    "trained on clean clips; only their test clips are made worse. noise-NdB: white noise at a "
    "signal-to-noise ratio of N dB. telephone: 300 to 3,400 Hz at 8 kHz. mp3: 16 kbit/s at 16 kHz. "
    "level: a gain, clipped at full scale. No test was made."
)


def _grid(stress: pd.DataFrame) -> Grid:
    """A row a system, a column a kind of stress."""
    kinds = list(dict.fromkeys(stress["stress"]))
    rows = system_rows(stress, lambda own: uar_by(own, "stress", kinds))
    return Grid("UAR under stress", ("Encoders", "Classifier", *kinds), rows, (NOTE,))


CHAPTER = Chapter(
    anchor="stress",
    title="Stress",
    content=lambda tables, _: (
        [] if tables.stress is None else parts_of(tables.stress, tables.sections, _grid)
    ),
    files={"stress.csv": lambda tables: tables.stress},
)
