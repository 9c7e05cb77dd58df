"""Order of the clips, learning rate and randomness: each a function of seed and step."""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from nver.models.pretraining.pretraining_recipe import StageConfig

STAGES = ("self_supervised", "supervised")
CLIP_NORM = 1.0  # of the gradient (our choice)
BETAS = (0.9, 0.95)  # AdamW's; the second as in masked autoencoders, upstream's family


def steps_an_epoch(clips: int, config: StageConfig) -> int:
    """Whole batches; a batch of all clips where there are fewer."""
    return max(1, clips // config.batch_size)


def batch(
    seed: int, stage: str, step: int, clips: npt.NDArray[np.int64], config: StageConfig
) -> npt.NDArray[np.int64]:
    """The clips (by number) of step `step` of the stage, counted from 0."""
    epoch, place = divmod(step, steps_an_epoch(len(clips), config))
    order = np.random.default_rng((seed, STAGES.index(stage), epoch)).permutation(clips)
    return order[place * config.batch_size : (place + 1) * config.batch_size]


def generator(seed: int, stage: str, step: int) -> np.random.Generator:
    """The randomness of one step; torch's (dropout) is seeded from it."""
    return np.random.default_rng((seed, 1 + STAGES.index(stage), 1, step))


def learning_rate(step: int, steps: int, config: StageConfig) -> float:
    """The learning rate of a step: a line up, then a cosine to zero."""
    rising = config.warm_up * steps
    if step < rising:
        return config.learning_rate * (step + 1) / (rising + 1)
    passed = (step - rising) / max(1.0, steps - rising)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * passed))


def optimiser(learner: nn.Module, config: StageConfig) -> torch.optim.AdamW:
    """AdamW; matrices and kernels decay, but not biases, norms, and what Mamba exempts (A, D)."""
    named = [(name, p) for name, p in learner.named_parameters() if p.requires_grad]
    decayed = [p for name, p in named if _decays(name, p)]
    exempt = [p for name, p in named if not _decays(name, p)]
    groups = [{"params": decayed, "weight_decay": config.weight_decay},
              {"params": exempt, "weight_decay": 0.0}]  # fmt: skip
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=BETAS, fused=True)


def _decays(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and not name.endswith(("A_log", "_token"))
