"""`[stress]` of a recipe: how the test clips are made worse."""

from dataclasses import dataclass
from typing import Any

from nver.perturbation import check_perturbation
from nver.toml_values import check_unique, plain_values


@dataclass(frozen=True)
class StressConfig:
    """`[stress]`: kinds of perturbation (`nver.perturbation`) of the test clips."""

    kinds: tuple[str, ...] = ()


def parse_stress(table: Any) -> StressConfig:
    """The table, with kinds that there are."""
    stress: StressConfig = plain_values(StressConfig, table, "[stress]")
    for kind in stress.kinds:
        check_perturbation(kind)
    check_unique("kind of stress", stress.kinds)
    return stress
