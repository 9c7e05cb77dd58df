"""Trees of VIVAE, JNV and ASVP-ESD with published names and other sounds inside; tiny weights."""

from collections import defaultdict
from itertools import cycle
from pathlib import Path

import soundfile

from fakes import burst, tiny_weights
from helpers_corpora import TREES
from nver.recipe import Experiment

EMOTION = {"vivae": ("_", 1), "jnv": ("_", 1), "asvp-esd": ("-", 2)}  # where the name has it
RATE = 16_000


def make_tree(corpus: str, root: Path, sounds: list[Path], each: int = 6) -> Path:
    """`each` clips of every emotion as the names spell it, with the sounds in turn.

    Without sounds they are synthetic bursts.
    """
    sign, place = EMOTION[corpus]
    by_emotion: dict[str, list[str]] = defaultdict(list)
    for name in TREES[corpus]():
        by_emotion[Path(name).stem.split(sign)[place]].append(name)
    turn = cycle(sounds or [None])  # type: ignore[list-item]
    for number, names in enumerate(by_emotion.values()):
        step = max(1, len(names) // each)
        for take, name in enumerate(names[::step][:each]):
            sound = next(turn)
            if sound is None:
                wave, rate = burst(0.3 + 0.01 * take, 150 + 40 * number, seed=take), RATE
            else:
                wave, rate = soundfile.read(sound, dtype="float32")
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name, wave, rate)
    return root


def make_weights(encoders: list[str], folder: Path) -> dict[str, str]:
    """Random weights of the true families, a few thousand parameters each."""
    return {name: str(tiny_weights(name, folder)) for name in encoders}


def real_sounds(shared: Path, number: int = 170) -> list[Path]:
    """Short clips of EmoGator, of many speakers; none where the recordings are absent."""
    return sorted((shared / "data/emogator/opus").glob("*.opus"))[::131][:number]


def overrides(experiment: Experiment, folder: Path, sounds: list[Path]) -> list[str]:
    """What turns a recipe of the tables into a rehearsal that lies in `folder`."""
    weights = make_weights(list(experiment.encoders), folder / "weights")
    trees = {
        c.name: make_tree(c.name, folder / c.name, sounds[i * 7 :]) for i, c in
        enumerate(experiment.corpora)
    }  # fmt: skip
    return [
        "rehearsal=true",
        "training.epochs=1",
        f"store={folder / 'store'}",
        *(f"roots.{name}={tree}" for name, tree in trees.items()),
        *(f"encoders.{name}.weights={place}" for name, place in weights.items()),
    ]
