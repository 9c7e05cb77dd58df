"""The sentence on clips that share a sound: their names, the speakers this ties, their emotions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.corpora.duplicates import IntArray, repeated
from nver.errors import first_few

NAMED = 3  # recordings that a message names one by one (our choice)


def together_note(table: pd.DataFrame, sounds: IntArray) -> str:
    """A sentence on the clips that share a sound: their names, and the speakers this ties."""
    groups = repeated(sounds)
    if not groups:
        return ""
    clip, speaker = table["clip"].to_numpy(dtype=str), table["speaker"].to_numpy(dtype=object)
    named = first_few([" = ".join(clip[rows]) for rows in groups], NAMED, ", and ")
    many = f"{len(groups)} sound{'s are' if len(groups) > 1 else ' is'} there more than once"
    tied = {tuple(sorted({str(s) for s in speaker[rows] if s == s and s})) for rows in groups}
    pairs = [" and ".join(names) for names in sorted(tied) if len(names) > 1]
    return (
        f"{many}; the clips of each are kept in one fold ({named})"
        + (f"; SPEAKERS SHARE A SOUND, and are kept together: {', '.join(pairs)}" if pairs else "")
        + _unlike_note(clip, table["emotion"].to_numpy(dtype=str), groups)
    )  # fmt: skip


def _unlike_note(
    clip: npt.NDArray[Any], emotion: npt.NDArray[Any], groups: Sequence[IntArray]
) -> str:
    """The end of a sentence on the sounds whose clips have different emotions."""
    unlike = [
        " = ".join(f"{clip[row]} ({emotion[row]})" for row in rows)
        for rows in groups
        if len(np.unique(emotion[rows])) > 1
    ]
    return f"; ONE SOUND, SEVERAL EMOTIONS: {first_few(unlike, NAMED, ', and ')}" if unlike else ""
