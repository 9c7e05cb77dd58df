"""A pre-training recipe: a TOML file as frozen dataclasses; an unknown key names the nearest."""

from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from nver.errors import UsageError, check_choice, check_count, check_number
from nver.recipe.folds import LARGEST_SEED
from nver.recipe.reading import read_toml
from nver.recipe.texts import check_plain, path_of
from nver.recipe.values import of_type, plain_values

# of a network; our choice, several times a published one's
LARGEST = {"width": 4096, "depth": 256, "inner": 16_384, "states": 1024, "taps": 64, "rank": 1024}
MOST_EPOCHS, MOST_CLIPS, LONGEST_CROP = 100_000, 65_536, 100_000  # of a stage; our choice
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class DataConfig:
    """`[data]`: which recordings.

    `corpus` is one of `nver list corpora`, or a name of one's own; "" takes every audio file below
    `root` (no emotions: self-supervised only). `training` and `validation` are speakers, by id or
    range ("000001-000207"); all others are not even decoded. Without `validation`, that share of
    the speakers (of the clips, where speakers are unknown) is held out. `teachers` are encoders
    whose embeddings of each clip are kept too, for `[supervised] teaching`.
    """

    corpus: str = ""
    root: str = ""
    training: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    validation_share: float = 0.1
    teachers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_number("validation_share", self.validation_share, lambda s: 0 < s < 1, "in (0, 1)")


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`: see `nver.encoders.audio_mamba.network.Sizes`; the defaults are nver-mamba's."""

    width: int = 192
    depth: int = 4
    inner: int = 192
    states: int = 8
    taps: int = 4
    rank: int = 12
    patch: tuple[int, ...] = (8, 16)
    stem: tuple[int, ...] = (32, 64, 128)

    def __post_init__(self) -> None:
        for name, most in LARGEST.items():
            check_count(f"[network] {name}", getattr(self, name), most=most)
        for channels in self.stem:
            check_count("[network] stem", channels, most=LARGEST["width"])
        if len(self.patch) != 2 or self.width % 4:
            raise UsageError(
                "[network]: patch is frames and bands, and width a multiple of 4; got"
                f" {list(self.patch)} and {self.width}"
            )


@dataclass(frozen=True)
class StageConfig:
    """What both stages have: how long, how fast, on which part of a clip.

    `crop` is in frames of 10 ms, cut anew at a random place each epoch; the learning rate rises
    over the share `warm_up` of the steps and falls along a cosine to zero. AdamW. `stop_after`
    ends the stage after so many of its epochs, on the way to zero; 0: after all.
    """

    epochs: int = 0
    stop_after: int = 0
    batch_size: int = 64
    learning_rate: float = 1e-3
    warm_up: float = 0.1
    weight_decay: float = 0.05
    crop: int = 192

    def __post_init__(self) -> None:
        check_count("epochs", self.epochs, 0, MOST_EPOCHS)
        check_count("stop_after", self.stop_after, 0, MOST_EPOCHS)
        check_count("batch_size", self.batch_size, 1, MOST_CLIPS)
        check_count("crop", self.crop, 1, LONGEST_CROP)
        check_number("learning_rate", self.learning_rate, lambda rate: 0 < rate < inf, "above 0")
        check_number("warm_up", self.warm_up, lambda share: 0 <= share < 1, "in [0, 1)")
        check_number("weight_decay", self.weight_decay, lambda decay: decay >= 0, "of at least 0")


@dataclass(frozen=True)
class SelfSupervised(StageConfig):
    """`[self_supervised]`: SSAM's task, to predict the masked patches (Yadav and Tan 2024)."""

    masking: float = 0.5  # share of the patches; SSAM's

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("masking", self.masking, lambda share: 0 < share < 1, "in (0, 1)")


@dataclass(frozen=True)
class Supervised(StageConfig):
    """`[supervised]`: the emotions, with augmentation.

    `mixup` is the Beta distribution's parameter, `stretch` the largest change of tempo (0.15: 15 %
    faster or slower), `shift` the largest move along the bands, `tilt` the deviation of a slope
    over the bands; `time_masks` of up to `time_mask` frames, `band_masks` of up to `band_mask`
    bands. `dropout` is before the head alone. `teaching` is the weight of a second loss: the mean
    squared error of the teachers' standardised embeddings, from a linear model on the same mean.
    """

    mixup: float = 0.3
    stretch: float = 0.15
    shift: float = 3.0
    tilt: float = 0.1
    time_masks: int = 2
    time_mask: int = 24
    band_masks: int = 2
    band_mask: int = 12
    dropout: float = 0.2
    smoothing: float = 0.0
    teaching: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("mixup", "shift", "tilt", "teaching"):
            check_number(name, getattr(self, name), lambda value: value >= 0, "of at least 0")
        for name in ("stretch", "dropout", "smoothing"):
            check_number(name, getattr(self, name), lambda share: 0 <= share < 1, "in [0, 1)")
        for name in ("time_masks", "time_mask", "band_masks", "band_mask"):
            check_count(name, getattr(self, name), 0)


@dataclass(frozen=True)
class PretrainingRecipe:
    """All that decides the weights, beside the recordings and the machine."""

    seed: int = 0
    precision: str = "bfloat16"  # of the matrix products in training
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    self_supervised: SelfSupervised = field(default_factory=SelfSupervised)
    supervised: Supervised = field(default_factory=Supervised)

    def __post_init__(self) -> None:
        check_count("seed", self.seed, 0, LARGEST_SEED)
        check_choice("precision", self.precision, PRECISIONS)
        if self.supervised.epochs and not self.data.corpus:
            raise UsageError("[supervised] needs emotions, so [data] needs a corpus; got none")
        if self.supervised.teaching and not self.data.teachers:
            raise UsageError("[supervised] teaching needs [data] teachers, encoders; got none")


def read_recipe(file: str | Path, root: str | Path | None = None) -> PretrainingRecipe:
    """Read a TOML file; `root` takes the place of its `[data] root`, which is relative to it.

    Raises:
        UsageError: what is wrong, where, and the nearest known key.
    """
    path = Path(file)
    tree = read_toml(path)
    check_plain(tree)
    data = of_type(tree.setdefault("data", {}), dict, "data")
    if root is not None:
        data["root"] = str(Path(root).absolute())
    elif "root" in data:
        place = Path(path_of(data["root"], "data.root"))
        try:
            data["root"] = str(path.resolve().parent / place.expanduser())
        except RuntimeError as error:  # "~somebody"
            raise UsageError(f"data.root: expected a path, got {place} ({error})") from error
    recipe: PretrainingRecipe = plain_values(PretrainingRecipe, tree, "")
    return recipe
