"""Whether systems were tested on the same clips in the same folds, which pairs need."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nver.errors import UsageError

PLAN = ["corpus", "protocol", "seed", "clip", "fold", "speaker", "emotion"]


def check_same_plan(tables: Sequence[pd.DataFrame]) -> None:
    """Raise `UsageError` unless all systems were tested on the same clips in the same folds."""
    first = plan_of(tables[0])
    for rows in tables[1:]:
        other = plan_of(rows)
        if not first.equals(other):
            raise UsageError(
                f"{_name(tables[0])} and {_name(rows)} cannot be compared as pairs: "
                f"{_what_differs(first, other)}. Compare rows of one run, on one corpus under one "
                "protocol"
            )


def plans_of(tables: Sequence[pd.DataFrame]) -> list[int]:
    """One number a system, equal for those on the same clips and folds."""
    distinct: list[pd.DataFrame] = []
    numbers = []
    for plan in map(plan_of, tables):
        same = [number for number, known in enumerate(distinct) if plan.equals(known)]
        numbers.append(same[0] if same else len(distinct))
        distinct += [] if same else [plan]
    return numbers


def plan_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Which clip was tested where; speakers and emotions with it."""
    plan = rows[PLAN].sort_values(["seed", "clip"], kind="stable").reset_index(drop=True)
    return plan.astype({name: object for name in plan if name not in ("seed", "fold")}).fillna("")


def _what_differs(first: pd.DataFrame, other: pd.DataFrame) -> str:
    for column, noun in (("corpus", "corpora"), ("protocol", "protocols"), ("seed", "seeds")):
        one, two = (sorted(set(plan[column])) for plan in (first, other))
        if one != two:
            return f"their {noun} differ ({_listed(one)}; {_listed(two)})"
    clips, others = (set(zip(p["seed"], p["clip"], strict=True)) for p in (first, other))
    if clips != others:
        return f"{len(clips ^ others)} of {len(clips | others)} clips are of one of them only"
    for column in ("fold", "speaker", "emotion"):
        differs = int((first[column] != other[column]).sum())
        if differs:
            return f"the {column} of {differs} of {len(first)} clips differs"
    return "a clip is there twice"


def _name(rows: pd.DataFrame) -> str:
    return f"{rows['classifier'].iloc[0]!r} on {rows['encoders'].iloc[0]!r}"


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values)
