"""How fast this machine is: a second of audio in an encoder, a training step of a classifier."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nver.classifiers.build import build_classifier
from nver.classifiers.training.adam import Adam
from nver.classifiers.training.config import TrainingConfig
from nver.encoders import Encoder, load_spec
from nver.encoders.base import EncoderIdentity
from nver.encoders.weights import is_offline
from nver.errors import MissingExtraError, NotCachedError, WeightsError
from nver.evaluation.grid.cells import StepSeconds, dim_of
from nver.evaluation.missing import Missing, missing_encoder
from nver.machine.threads import one_thread
from nver.recipe import ClassifierEntry, Experiment

NOISE_S = 2.0  # of noise through each encoder, for its speed; a corpus's mean clip is about as long
STEPS = 4  # timed for each shape, after one that is not (our choice: under a second for most)
CLIPS = 256  # of a step at most (our choice, it bounds memory); a larger batch takes in proportion
EMOTIONS = 6  # of the steps that are timed (our choice; it hardly matters)


@dataclass(frozen=True)
class TimedEncoder:
    """An encoder that is here: its identity, and seconds of one core for a second of audio."""

    identity: EncoderIdentity
    speed: float


def timed_encoders(experiment: Experiment) -> tuple[dict[str, TimedEncoder], list[Missing]]:
    """The encoders that are here, one loaded at a time, and the encoders that are missing.

    Nothing is fetched; an encoder that a run would fetch from the hub is neither.
    """
    may_fetch = not is_offline()
    found, missing = {}, []
    for label, spec in experiment.encoders.items():
        try:
            with _offline(), one_thread():
                encoder = load_spec(spec)
                found[label] = TimedEncoder(encoder.identity, _speed(encoder))
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


def timed_steps(experiment: Experiment, encoders: Mapping[str, TimedEncoder]) -> StepSeconds:
    """Seconds of one training step of a classifier; each shape is timed once, on random numbers."""
    dims = {
        label: encoders[label].identity.dim if label in encoders else dim_of(experiment, label)
        for label in experiment.encoders
    }
    classifiers = {entry.label: entry for entry in experiment.classifiers}

    @cache
    def of_shape(label: str, shape: tuple[int, ...]) -> float:
        return _step_seconds(classifiers[label], shape, experiment.training)

    return lambda entry, stream: of_shape(entry.label, tuple(dims[label] for label in stream))


def _step_seconds(entry: ClassifierEntry, dims: Sequence[int], training: TrainingConfig) -> float:
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = build_classifier(entry.name, dims, EMOTIONS, **entry.options)
        optimiser = Adam(classifier.parameters(), training.learning_rate)
        clips = min(training.batch_size, CLIPS)
        streams = [torch.randn(clips, dim) for dim in dims]
        truth = torch.randint(EMOTIONS, (clips,))
        start = 0.0
        for number in range(STEPS + 1):
            if number == 1:
                start = time.perf_counter()
            logits, auxiliary = classifier(streams)
            loss = cross_entropy(logits, truth) + auxiliary
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return (time.perf_counter() - start) / STEPS * training.batch_size / clips
