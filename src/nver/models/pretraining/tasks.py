"""The tasks of the two stages: the loss of a batch, and the scores of the held-out clips."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.audio_mamba.frontend import split
from nver.encoders.audio_mamba.network import FRAMES
from nver.models.pretraining import augment
from nver.models.pretraining.learner import Learner, clip_rows, mixed_loss, whole_chunks
from nver.models.pretraining.pretraining_recipe import PretrainingRecipe
from nver.models.pretraining.spectra import Spectra
from nver.results.metrics import unweighted_average_recall_of

AT_ONCE = 64  # chunks in validation: bounds memory
Rows = npt.NDArray[np.int64]


def autocast(device: torch.device, precision: str) -> Any:
    """A context in which matrix products have that precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


class Task(ABC):
    """A stage's loss and scores."""

    def __init__(self, recipe: PretrainingRecipe, spectra: Spectra, device: torch.device) -> None:
        self.recipe, self.spectra, self.device = recipe, spectra, device
        self.held = np.flatnonzero(spectra.validation)

    @abstractmethod
    def loss(self, learner: Learner, clips: Rows, rng: np.random.Generator) -> Tensor:
        """The loss of a batch of clips, by number."""

    @abstractmethod
    def validate(self, learner: Learner) -> dict[str, float]:
        """Scores of the held-out clips; `score` is what the best epoch is chosen by."""


class Reconstruction(Task):
    """Self-supervised: to predict the masked patches."""

    def loss(self, learner: Learner, clips: Rows, rng: np.random.Generator) -> Tensor:
        config, sizes = self.recipe.self_supervised, learner.encoder.sizes
        length = whole_chunks(config.crop, sizes)
        parts = [augment.crop(self.spectra.clip(i), length, rng) for i in clips]
        chunks = torch.from_numpy(np.stack([part for part, _ in parts])).to(self.device)
        rows = clip_rows([own for _, own in parts], sizes)
        tokens = length // sizes.patch[0] * sizes.grid[1]
        valid = torch.arange(tokens) // sizes.grid[1] < rows[:, None]
        masked = torch.from_numpy(augment.masks(len(clips), tokens, config.masking, rng))
        return learner.reconstruct(chunks, masked.to(self.device), valid.to(self.device))

    @torch.no_grad()
    def validate(self, learner: Learner) -> dict[str, float]:
        """The loss of the held-out clips, with the same parts and masks each time."""
        rng, total = np.random.default_rng(self.recipe.seed), 0.0
        with autocast(self.device, self.recipe.precision):
            for clips in np.split(self.held, range(AT_ONCE, len(self.held), AT_ONCE)):
                total += float(self.loss(learner, clips, rng)) * len(clips)
        mean = total / len(self.held)
        return {"validation_loss": mean, "score": -mean}


class Recognition(Task):
    """Supervised: to recognise the emotions of varied and mixed clips."""

    def loss(self, learner: Learner, clips: Rows, rng: np.random.Generator) -> Tensor:
        config, sizes = self.recipe.supervised, learner.encoder.sizes
        length = whole_chunks(config.crop, sizes)
        parts = [augment.vary(self.spectra.clip(i), length, config, rng) for i in clips]
        chunks = torch.from_numpy(np.stack([part for part, _ in parts]))
        rows = clip_rows([own for _, own in parts], sizes).clamp(max=length // sizes.patch[0])
        share, partner = map(torch.from_numpy, augment.mixing(len(clips), config.mixup, rng))
        wide = share[:, None, None]
        mixed = wide * chunks + (1 - wide) * chunks[partner]
        rows = torch.maximum(rows, torch.where(share < 1, rows[partner], rows))
        emotions = torch.from_numpy(self.spectra.emotion[clips])
        logits, taught = learner(mixed.to(self.device), rows.to(self.device))
        share, partner = share.to(self.device), partner.to(self.device)
        loss = mixed_loss(logits, emotions.to(self.device), partner, share, config.smoothing)
        if taught is not None:
            targets = torch.from_numpy(self.spectra.taught[clips]).to(self.device)
            targets = share[:, None] * targets + (1 - share[:, None]) * targets[partner]
            loss = loss + config.teaching * F.mse_loss(taught, targets)
        return loss

    @torch.no_grad()
    def validate(self, learner: Learner) -> dict[str, float]:
        """Cross-entropy, UAR and top-3 recall of the held-out clips, with all their chunks.

        And `taught`: the mean squared error of the teachers' embeddings, whose variance is 1.
        """
        logits, taught = self.outputs(learner)
        targets = torch.from_numpy(self.spectra.taught[self.held])
        emotions = torch.from_numpy(self.spectra.emotion[self.held])
        classes = logits.shape[1]
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (emotions.numpy(), logits.argmax(dim=1).numpy()), 1)
        top = (logits.topk(min(3, classes)).indices == emotions[:, None]).any(dim=1)
        recall = [float(top[emotions == e].double().mean()) for e in np.unique(emotions)]
        uar = float(unweighted_average_recall_of(counts))
        return {
            "validation_loss": float(F.cross_entropy(logits, emotions)),
            "uar": uar,
            "top3": float(np.mean(recall)),
            **({} if taught is None else {"taught": float(F.mse_loss(taught, targets))}),
            "score": uar,
        }

    @torch.no_grad()
    def outputs(self, learner: Learner) -> tuple[Tensor, Tensor | None]:
        """Logits and predicted teachers' embeddings of the held-out clips, (clips, ...)."""
        with autocast(self.device, self.recipe.precision):
            means = torch.cat(list(self._means(learner)))
            taught = None if learner.pupil is None else learner.pupil(means).float().cpu()
            return learner.head(means).float().cpu(), taught

    def _means(self, learner: Learner) -> Iterator[Tensor]:
        """Embeddings of some held-out clips at a time: the mean of the rows of all their chunks."""
        sizes = learner.encoder.sizes
        for clips in np.split(self.held, range(AT_ONCE, len(self.held), AT_ONCE)):
            spectra = [torch.from_numpy(self.spectra.clip(i)).float() for i in clips]
            parts = [(n, c) for n, s in enumerate(spectra) for c in range(-(-len(s) // FRAMES))]
            chunks = torch.cat([split(s) for s in spectra])
            own = [min(FRAMES, len(spectra[n]) - c * FRAMES) for n, c in parts]
            rows = clip_rows(own, sizes)
            means = learner.embed(chunks.to(self.device), rows.to(self.device)).cpu()
            clip_of = torch.tensor([n for n, _ in parts])
            zeros = torch.zeros(len(clips), means.shape[1])
            sums = zeros.index_add(0, clip_of, means * rows[:, None])
            counted = torch.zeros(len(clips)).index_add(0, clip_of, rows.float())
            yield (sums / counted[:, None]).to(self.device)


TASKS: dict[str, type[Task]] = {"self_supervised": Reconstruction, "supervised": Recognition}
