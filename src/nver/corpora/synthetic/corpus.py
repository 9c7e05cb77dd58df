"""The embedded default of `nver demo`: SYNTHETIC sounds, made by nver itself. No person is heard.

The column `emotion` holds the name of the sound (laugh, cry, scream, sigh, moan, gasp): a synthetic
sound expresses nothing. Scores on it say that the machinery works, and no more.
"""

import os
import shutil
from itertools import product
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from nver.corpora.base import CorpusCard, Options, Tables
from nver.corpora.published.naming import Naming, same
from nver.errors import UsageError
from nver.machine.files import cache_folder

VERSION = 1  # raised when the sounds change: the folder's name tells them apart
SOUNDS = ("laugh", "cry", "scream", "sigh", "moan", "gasp")  # as in `gestures.SOUNDS`
DEFAULTS = {"speakers": 12, "clips_per_sound": 8, "seed": 0}
# The most that another sound, drawn at random, is mixed in. Our choice: without it a linear model
# is nearly always right.
MOST_OF_ANOTHER = 0.5

NAMING = Naming(
    pattern=r"(?P<speaker>synthetic\d\d)_(?P<emotion>[a-z]+)_(?P<take>\d\d)",
    example="synthetic01_laugh_01",
    codes={"emotion": same(" ".join(SOUNDS))},
)


def read_synthetic(root: Path, options: Options) -> Tables:
    """The tables of the corpus, which is written first where `root` is absent or empty."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        _make(root, **options)
    return NAMING.read(root, options)


def _home(options: Options) -> Path:
    """The corpus's folder in the cache; options other than the defaults have their own folder."""
    differ = [f"-{name}{options[name]}" for name in DEFAULTS if options[name] != DEFAULTS[name]]
    return cache_folder() / f"synthetic-v{VERSION}{''.join(differ)}"


def _variant(options: Options) -> dict[str, Any]:
    for name, least, most in (("speakers", 1, 99), ("clips_per_sound", 1, 99), ("seed", 0, 2**32)):
        if not least <= options[name] <= most:
            raise UsageError(f"synthetic: {name} is {least} to {most}; got {options[name]}")
    each = options["speakers"] * options["clips_per_sound"]
    return {
        "clips": len(SOUNDS) * each,
        "speakers": options["speakers"],
        "clips_per_emotion": dict.fromkeys(SOUNDS, each),
    }


def _make(root: Path, *, speakers: int, clips_per_sound: int, seed: int) -> None:
    """Write the corpus whole or not at all; of two processes at once, the first one's stays."""
    from nver.corpora.synthetic.synthesis import RATE

    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(mkdtemp(dir=root.parent, prefix=f".{root.name}."))
    try:
        takes = range(1, clips_per_sound + 1)
        for speaker, sound, take in product(range(1, speakers + 1), SOUNDS, takes):
            name = f"synthetic{speaker:02d}_{sound}_{take:02d}.wav"
            samples = make_clip(sound, speaker, take, seed)
            soundfile.write(unfinished / name, samples, RATE, subtype="PCM_16")
        unfinished.chmod(0o755)
        try:
            os.rename(unfinished, root)
        except OSError:
            if not any(root.glob("synthetic*.wav")):
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def make_clip(sound: str, speaker: int, take: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """One clip (samples,) at 16 kHz; the same arguments give the same samples."""
    from nver.corpora.synthetic import gestures, synthesis

    voice = synthesis.draw_voice(np.random.default_rng([seed, speaker]))
    rng = np.random.default_rng([seed, speaker, SOUNDS.index(sound), take])
    clip = synthesis.synthesise(gestures.SOUNDS[sound](voice, rng), voice, rng)
    other = str(rng.choice(SOUNDS))
    mixed_in = synthesis.synthesise(gestures.SOUNDS[other](voice, rng), voice, rng)
    shared = min(len(clip), len(mixed_in))
    clip[:shared] += rng.uniform(0.0, MOST_OF_ANOTHER) * mixed_in[:shared]
    loudness = 10.0 ** (rng.uniform(-20.0, -1.0) / 20.0)
    return loudness * clip / np.abs(clip).max()


SYNTHETIC = CorpusCard(
    name="synthetic",
    title="SYNTHETIC laughs, cries, screams, sighs, moans and gasps; no person is heard",
    citation="nver's own source-filter synthesiser",
    licence="Apache-2.0",
    url="made by nver in its cache folder",
    read=read_synthetic,
    emotions=SOUNDS,
    speaker_is="synthetic speaker",
    options=DEFAULTS,
    variant=_variant,
    home=_home,
)
