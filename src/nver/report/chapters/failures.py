"""What the page shows of where recognition fails: by group of clips, and the worst clips."""

from collections.abc import Iterator

import pandas as pd

from nver.report.chapter import Chapter
from nver.report.formats.grids import Grid, Part, of_section, order_by_uar, system_rows, uar_by
from nver.report.formats.sections import counted, system_title
from nver.report.run_tables import RunTables

TITLES = {"duration_s": "Duration", "level_db": "Level", "speaker_group": "Speaker group"}
HEAD = ("Encoders", "Classifier")
WORST_HEAD = ("Clip", "Speaker", "Emotion", "Predicted", "Confidence, %", "Of the truth, %")
QUANTILES = (
    "UAR in percent and its 95 % interval, folds pooled. The bins end at the quartiles of the "
    "corpus's clips; quartiles that are equal count once. A recall counts where the emotion occurs "
    "in the bin. No test was made."
)
GROUPS = "UAR in percent and its 95 % interval, folds pooled. No test was made."
WORST = (
    "The most confident wrong predictions, after the temperature, of the system with the highest "
    "UAR; confidently_wrong.csv has the wrong predictions of every system."
)
NOTHING = "Durations and levels were not saved with this run."


def failure_parts(tables: RunTables) -> list[Part]:
    """For every section the UAR by group, and the most confidently wrong clips."""
    found = []
    for section in tables.sections:
        own, scores = of_section(tables.subgroups, section), of_section(tables.scores, section)
        best = scores.iloc[order_by_uar(scores)[0]]
        grids = [_group_grid(str(by), table) for by, table in own.groupby("by", sort=False)]
        grids += _worst_grid(of_section(tables.confidently_wrong, section), best)
        found.append(Part(section.title, tuple(grids), left="" if len(own) else NOTHING))
    return found


def _group_grid(by: str, table: pd.DataFrame) -> Grid:
    """A row a system, a column a group with its clips and speakers."""
    groups = table.drop_duplicates("group")
    numbers = zip(groups["group"], groups["clips"], groups["speakers"], strict=True)
    head = [f"{group} ({_basis(clips, speakers)})" for group, clips, speakers in numbers]
    rows = system_rows(table, lambda own: uar_by(own, "group", groups["group"]))
    note = GROUPS if by == "speaker_group" else QUANTILES
    return Grid(f"UAR by {TITLES[by].lower()}", (*HEAD, *head), rows, (note,))


def _basis(clips: int, speakers: int) -> str:
    known = f", {counted([speakers], 'speaker')}" if speakers else ""
    return counted([clips], "clip") + known


def _worst_grid(worst: pd.DataFrame, best: pd.Series) -> Iterator[Grid]:
    same = (worst["encoders"] == best["encoders"]) & (worst["classifier"] == best["classifier"])
    own = worst[same]
    timed = "duration_s" in own and own["duration_s"].notna().any()
    head = (*WORST_HEAD, "Duration, s", "Level, dB") if timed else WORST_HEAD
    rows = [
        (
            *(str(row[name]) for name in ("clip", "speaker", "emotion", "predicted")),
            *(f"{100 * row[name]:.1f}" for name in ("confidence", "probability")),
            *((f"{row['duration_s']:.2f}", f"{row['level_db']:.0f}") if timed else ()),
        )
        for _, row in own.fillna({"speaker": "unknown"}).iterrows()
    ]
    if rows:
        system = system_title(str(best["encoders"]), str(best["classifier"]))
        yield Grid(f"Most confidently wrong, {system}", head, rows, (WORST,), names=4)


CHAPTER = Chapter(
    anchor="failures",
    title="Where it fails",
    content=lambda tables, _: failure_parts(tables),
    files={
        "subgroups.csv": lambda tables: tables.subgroups,
        "confidently_wrong.csv": lambda tables: tables.confidently_wrong,
    },
)
