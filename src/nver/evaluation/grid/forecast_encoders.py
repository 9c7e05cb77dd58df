"""The encoders of a recipe that are here, and how fast each is."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nver.encoders import Encoder, load_spec
from nver.encoders.weights import is_offline
from nver.errors import MissingExtraError, NotCachedError, WeightsError
from nver.evaluation.missing import Missing, missing_encoder
from nver.machine.threads import one_thread
from nver.recipe import Experiment

NOISE_S = 2.0  # of noise through each encoder, for its speed; a corpus's mean clip is about as long


@dataclass(frozen=True)
class Timed:
    """An encoder that is here: its identity, and seconds of one core for a second of audio."""

    identity: Any
    speed: float


def timed_encoders(experiment: Experiment) -> tuple[dict[str, Timed], list[Missing]]:
    """The encoders that are here, one loaded at a time, and those that are missing.

    Nothing is fetched; one that a run would fetch from the hub is neither.
    """
    may_fetch = not is_offline()
    found, missing = {}, []
    for label, spec in experiment.encoders.items():
        try:
            with _offline(), one_thread():
                encoder = load_spec(spec)
                found[label] = Timed(encoder.identity, _speed(encoder))
        except (WeightsError, MissingExtraError) as error:
            if not (may_fetch and isinstance(error, NotCachedError)):
                missing.append(missing_encoder(label, spec, error))
    return found, missing


def _speed(encoder: Encoder) -> float:
    rate = encoder.sampling_rate
    noise = np.random.default_rng(0).normal(0, 0.1, round(NOISE_S * rate)).astype(np.float32)
    encoder.embed([noise])
    start = time.perf_counter()
    encoder.embed([noise])
    return (time.perf_counter() - start) / NOISE_S


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing is fetched meanwhile."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before
