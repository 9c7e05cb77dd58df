"""`[folds]` of a recipe: kinds of folds and their seeds, or the speakers of a split."""

from dataclasses import dataclass
from typing import Any

from nver.errors import UsageError, check_count
from nver.recipe.values import check_known, check_unique, of_type, plain_values

SPEAKER_INDEPENDENT = "speaker-independent"
RANDOM = "random"
PROTOCOLS = (SPEAKER_INDEPENDENT, RANDOM)
SPLIT = "split"  # speakers named for training, validation and test (`nver.evaluation.folds.splits`)
FOLDS = 5  # where a recipe has no number; our choice, the papers have 5
MOST_FOLDS = 10_000  # our choice: more than any corpus here has speakers
MOST_SEEDS = 1_000  # our choice
LARGEST_SEED = 2**32 - 1  # of scikit-learn's shuffles
NO_FOLDS = "none"  # no cross-validation, only the transfers


@dataclass(frozen=True)
class FoldsConfig:
    """`[folds]`: kinds of folds.

    No kind: speaker-independent where speakers are known; "none": only the recipe's transfers;
    "split": the speakers of `train`, `validation` and `test`, by id or by range
    (`nver.evaluation.folds.splits`). No number: `FOLDS`, or as many as there are different clips.
    """

    kind: tuple[str, ...] = ()
    number: int | None = None
    seeds: tuple[int, ...] = (0,)
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The speakers of a split, by part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def parse_folds(table: Any) -> FoldsConfig:
    """The table, with kinds, seeds and speakers that go together."""
    table = dict(of_type(table, dict, "folds"))
    for key in ("kind", "seeds"):
        if key in table and not isinstance(table[key], list):
            table[key] = [table[key]]
    folds: FoldsConfig = plain_values(FoldsConfig, table, "folds")
    check_known("kind of folds", folds.kind, (*PROTOCOLS, SPLIT, NO_FOLDS))
    check_unique("kind of folds", folds.kind)
    for alone in (NO_FOLDS, SPLIT):
        if alone in folds.kind and len(folds.kind) > 1:
            raise UsageError(f'[folds] kind: "{alone}" stands alone; got {list(folds.kind)}')
    _check_parts(folds)
    check_unique("seed of folds", [str(seed) for seed in folds.seeds])
    if folds.number is not None:
        check_count("folds.number", folds.number, 2, MOST_FOLDS)
    for seed in folds.seeds:
        check_count("folds.seeds", seed, 0, LARGEST_SEED)
    check_count("how many folds.seeds there are", len(folds.seeds), 1, MOST_SEEDS)
    return folds


def _check_parts(folds: FoldsConfig) -> None:
    """A split has speakers in all three parts, and nothing else has them."""
    split = SPLIT in folds.kind
    for part, speakers in folds.parts.items():
        if split and not speakers:
            raise UsageError(
                f'[folds] kind = "split" needs {part} = [speakers], ids or ranges '
                '("000001-000207"); got none'
            )
        if speakers and not split:
            raise UsageError(f'[folds] {part} is for kind = "split"; got {list(folds.kind)}')
