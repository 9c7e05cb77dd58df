"""The one training loop: it knows embeddings, emotions and a classifier's two losses, no method."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nver.classifiers.base import Classifier
from nver.classifiers.training.adam import Adam
from nver.classifiers.training.config import TrainingConfig as TrainingConfig
from nver.classifiers.training.scaling import Scale, as_embeddings, fit_scale, no_scale
from nver.errors import NverError
from nver.machine.threads import one_thread

FloatArray = npt.NDArray[np.float32]
CLIPS_A_CALL = 128  # without gradients; our choice, it bounds memory


@dataclass(frozen=True)
class Epoch:
    """Losses of one epoch.

    `loss` and `auxiliary` (its part that is not cross-entropy) are means over the training clips,
    with dropout; `validation` is the cross-entropy of the validation clips, None without any.
    """

    loss: float
    auxiliary: float
    validation: float | None


@dataclass(frozen=True)
class Fitted:
    """A trained classifier in eval mode, the scale of each stream, and the course of its training.

    The scales are fitted on the training part without the validation clips; `history[best_epoch]`
    is the epoch whose weights were kept; `diagnostics` are the trained classifier's measures of
    itself on the training clips, without dropout (`Classifier.diagnostics`).
    """

    classifier: Classifier
    scales: tuple[Scale, ...]
    history: tuple[Epoch, ...]
    best_epoch: int
    diagnostics: Mapping[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> Epoch:
        """The epoch whose weights were kept."""
        return self.history[self.best_epoch]


@dataclass(frozen=True)
class _Clips:
    """Some clips of a training, on its device."""

    streams: list[Tensor]  # (clips, dim) each, standardised
    emotions: Tensor  # (clips,)
    weights: Tensor  # (clips,), of the cross-entropy in training

    def __getitem__(self, rows: Tensor) -> "_Clips":
        streams = [stream[rows] for stream in self.streams]
        return _Clips(streams, self.emotions[rows], self.weights[rows])


@one_thread()
def fit(
    build: Callable[[], Classifier],
    streams: Sequence[npt.NDArray[Any]],
    emotions: npt.NDArray[np.integer],
    validation: npt.NDArray[Any],
    config: TrainingConfig,
    *,
    seed: int,
    device: str = "cpu",
) -> Fitted:
    """Train a new classifier and keep the epoch of the lowest validation cross-entropy.

    The same seed gives the same bits on one machine, whatever ran before; one thread is used, and
    the global random state is left alone.

    Args:
        build: makes the untrained classifier; called once, after seeding.
        streams: one (clips, dim) array an embedding: the training part, never a test clip.
        emotions: (clips,), counted from 0.
        validation: the clips held out for early stopping, as a mask (clips,) or as indices; where
            there are none, every epoch is trained and the last one kept.
        device: "cpu", "cuda", "cuda:1", ...

    Raises:
        NverError: embeddings that are not finite or not of one length, nothing left to train on,
            a loss that is not finite.
    """
    arrays = as_embeddings(streams, len(emotions))
    held = _held_out(validation, len(emotions))
    scale = fit_scale if config.standardise else no_scale
    scales = tuple(scale(array[~held]) for array in arrays)
    weights = _clip_weights(emotions, ~held) if config.class_weights else np.ones(len(emotions))
    clips = _Clips(
        _scaled(scales, arrays, device),
        torch.as_tensor(emotions, dtype=torch.int64, device=device),
        torch.as_tensor(weights, dtype=torch.float32, device=device),
    )
    gpus = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(gpus):  # and of the CPU
        torch.manual_seed(seed)  # of the initial weights and of dropout
        classifier = build().to(device)
        shuffle = torch.Generator().manual_seed(seed)  # the same batches for every classifier
        history, best_epoch = _train(classifier, clips, held, config, shuffle)
    diagnostics = _diagnostics(classifier.eval(), clips[torch.tensor(~held)])
    return Fitted(classifier, scales, history, best_epoch, diagnostics)


@one_thread()
def predict_proba(fitted: Fitted, streams: Sequence[npt.NDArray[Any]]) -> FloatArray:
    """Probabilities (clips, emotions), float32, from one (clips, dim) array a stream."""
    arrays = as_embeddings(streams, len(streams[0]))
    device = next(fitted.classifier.parameters()).device
    logits = _logits(fitted.classifier, _scaled(fitted.scales, arrays, device))
    return logits.softmax(dim=1).cpu().numpy()


def _train(
    classifier: Classifier,
    clips: _Clips,
    held: npt.NDArray[np.bool_],
    config: TrainingConfig,
    shuffle: torch.Generator,
) -> tuple[tuple[Epoch, ...], int]:
    """Train in place; the history, and the epoch whose weights are left in the classifier."""
    optimiser = Adam(classifier.parameters(), config.learning_rate, config.weight_decay)
    training, validation = torch.tensor(~held).nonzero()[:, 0], clips[torch.tensor(held)]
    history: list[Epoch] = []
    lowest, best, weights = inf, 0, classifier.state_dict()
    for number in range(config.epochs):
        order = training[torch.randperm(len(training), generator=shuffle)]
        loss, auxiliary = _train_epoch(classifier, clips, order, optimiser, config.batch_size)
        epoch = Epoch(loss, auxiliary, _cross_entropy(classifier, validation))
        history.append(_checked(epoch, number, config))
        score = -number if epoch.validation is None else epoch.validation
        if score < lowest:
            lowest, best = score, number
            weights = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
        elif number - best >= config.patience:
            break
    classifier.load_state_dict(weights)
    return tuple(history), best


def _train_epoch(
    classifier: Classifier,
    clips: _Clips,
    order: Tensor,
    optimiser: Adam,
    batch_size: int,
) -> tuple[float, float]:
    """One pass over the training clips in that order; the mean loss and its auxiliary part."""
    classifier.train()
    order = order.to(clips.emotions.device)
    totals = torch.zeros(2, device=order.device)
    for rows in torch.split(order, batch_size):
        batch = clips[rows]
        logits, auxiliary = classifier(batch.streams)
        each = cross_entropy(logits, batch.emotions, reduction="none")
        loss = classifier.cross_entropy_weight * (each * batch.weights).mean() + auxiliary
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        totals += torch.stack([loss.detach(), auxiliary.detach()]) * len(rows)
    loss_mean, auxiliary_mean = (totals / len(order)).tolist()
    return loss_mean, auxiliary_mean


def _cross_entropy(classifier: Classifier, clips: _Clips) -> float | None:
    """The mean over the clips, without dropout; None without any clips."""
    if not len(clips.emotions):
        return None
    return cross_entropy(_logits(classifier, clips.streams), clips.emotions).item()


def _logits(classifier: Classifier, streams: list[Tensor]) -> Tensor:
    """(clips, emotions) without dropout and gradients."""
    classifier.eval()
    with torch.inference_mode():
        return torch.cat([classifier(part)[0] for part in _parts(streams)])


def _parts(streams: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """The streams of a few clips at a time."""
    return zip(*(torch.split(stream, CLIPS_A_CALL) for stream in streams), strict=True)


def _diagnostics(classifier: Classifier, clips: _Clips) -> dict[str, float]:
    """The mean over the clips of the classifier's diagnostics."""
    totals: dict[str, float] = {}
    with torch.inference_mode():
        for part in _parts(clips.streams):
            for name, value in classifier.diagnostics(part).items():
                totals[name] = totals.get(name, 0.0) + value * len(part[0])
    return {name: total / len(clips.emotions) for name, total in totals.items()}


def _checked(epoch: Epoch, number: int, config: TrainingConfig) -> Epoch:
    """The epoch, if its losses are finite."""
    if isfinite(epoch.loss) and isfinite(epoch.validation or 0):
        return epoch
    raise NverError(
        f"training diverged in epoch {number + 1} of {config.epochs} at learning rate "
        f"{config.learning_rate:g}: loss {epoch.loss:g}, validation {epoch.validation}; try a "
        "lower learning rate, or standardise = true"
    )


def _held_out(validation: npt.NDArray[Any], clips: int) -> npt.NDArray[np.bool_]:
    """The validation clips as a mask (clips,), from a mask or from indices."""
    chosen = np.asarray(validation)
    held = np.zeros(clips, bool)
    if chosen.dtype == bool and chosen.shape != held.shape:
        raise NverError(f"the validation mask must have shape ({clips},); got {chosen.shape}")
    held[chosen if chosen.dtype == bool else chosen.astype(np.int64)] = True
    if held.all():
        raise NverError(f"no clip is left to train on: all {clips} are held out for validation")
    return held


def _clip_weights(
    emotions: npt.NDArray[np.integer], training: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """(clips,): the inverse frequency of each clip's emotion in training, 1 on average there."""
    counts = np.bincount(emotions[training], minlength=emotions.max() + 1)
    return training.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1)[emotions])


def _scaled(
    scales: Sequence[Scale], arrays: Sequence[FloatArray], device: str | torch.device
) -> list[Tensor]:
    """Each stream standardised, as a tensor on the device."""
    pairs = zip(scales, arrays, strict=True)
    return [torch.from_numpy(scale(array)).to(device) for scale, array in pairs]
