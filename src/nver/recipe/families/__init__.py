"""Families of emotions: a coarser grouping that a person can use.

A grouping that comes with nver is a TOML file beside this one; it says what it groups, on which
predictions it was chosen, and for each family its emotions and the reason.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.errors import UsageError, first_few, shown
from nver.recipe.values import check_known

NAMED = 20  # emotions that a message names one by one (our choice)
Families = Mapping[str, Sequence[str]]  # family -> its emotions


def read_families(name: str) -> dict[str, tuple[str, ...]]:
    """The grouping of that name, for example "emogator".

    Raises:
        UsageError: there is no grouping of that name.
    """
    folder = files("nver.recipe.families")
    known = [entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")]
    check_known("grouping into families", [name], known)
    tree = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
    return parse_families({family["name"]: family["emotions"] for family in tree["families"]})


def parse_families(table: Any) -> dict[str, tuple[str, ...]]:
    """Families from the name of a grouping or from a table: family -> list of emotions.

    Raises:
        UsageError: it is neither, or an emotion is in two families.
    """
    if isinstance(table, str):
        return read_families(table)
    if not isinstance(table, Mapping):
        raise UsageError(f"families: expected a name or a table of lists, got {shown(table)}")
    for family, own in table.items():
        if not isinstance(own, list | tuple) or not own or not all(isinstance(e, str) for e in own):
            raise UsageError(
                f"families: {shown(family)} needs a list of emotions; got {shown(own)}"
            )
    times = Counter(emotion for own in table.values() for emotion in own)
    if twice := sorted(emotion for emotion, number in times.items() if number > 1):
        raise UsageError(f"families: in more than one place: {first_few(twice, NAMED)}")
    return {str(family): tuple(own) for family, own in table.items()}


def membership(families: Families, emotions: Sequence[str]) -> npt.NDArray[np.float64]:
    """(emotions, families): 1 where the emotion is in the family, else 0.

    The probabilities of emotions @ membership are the probabilities of families. Families may have
    more emotions than these.

    Raises:
        UsageError: an emotion is in no family.
    """
    home = {emotion: place for place, own in enumerate(families.values()) for emotion in own}
    if lost := [emotion for emotion in emotions if emotion not in home]:
        raise UsageError(
            f"families: no family has {first_few(lost, NAMED)}; give every emotion one"
        )
    return np.eye(len(families))[[home[emotion] for emotion in emotions]]
