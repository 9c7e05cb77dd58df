"""All that a training needs to go on: one safetensors file, written whole; never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nver.errors import NverError
from nver.machine.files import write_whole
from nver.models.pretraining.schedule import STAGES

FILE = "checkpoint.safetensors"


@dataclass
class Progress:
    """How far a training is; what is here goes into the checkpoint as JSON.

    `spectra` is the SHA-256 of what it trains on, `stage` and `step` say what comes next, `sums`
    the losses of the epoch so far, `best` the highest validation score of the stage and `rows` the
    log.
    """

    recipe: Mapping[str, Any]
    spectra: str
    stage: str
    step: int = 0
    wall_s: float = 0.0
    core_s: float = 0.0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    best: float = float("-inf")
    rows: list[dict[str, Any]] = field(default_factory=list)


def save_checkpoint(
    folder: Path,
    progress: Progress,
    learner: nn.Module,
    adam: torch.optim.Optimizer | None,
    best: Mapping[str, Tensor],
) -> None:
    """Write the file; `best` are the weights of the stage's best epoch, if there was one."""
    tensors = {f"learner.{name}": value for name, value in learner.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for name, values in _moments(learner, adam).items():
        tensors |= {f"adam.{key}.{name}": value for key, value in values.items()}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(folder / FILE, save(plain, {"progress": json.dumps(vars(progress))}))


def load_checkpoint(folder: Path) -> tuple[Progress, dict[str, dict[str, Tensor]]] | None:
    """The progress, and the tensors by kind ("learner", "best", "adam"); None if there is none."""
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with safe_open(file, "pt") as opened:
            progress = Progress(**json.loads(opened.metadata()["progress"]))
            if progress.stage not in STAGES:
                raise ValueError(f"stage {progress.stage!r}; known: {', '.join(STAGES)}")
            found: dict[str, dict[str, Tensor]] = {"learner": {}, "best": {}, "adam": {}}
            for key in opened.keys():  # noqa: SIM118
                kind, _, name = key.partition(".")
                found[kind][name] = opened.get_tensor(key)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise NverError(f"{file} cannot be read ({error}); remove it to begin anew") from error
    return progress, found


def restore_moments(
    learner: nn.Module, adam: torch.optim.Optimizer, saved: Mapping[str, Tensor]
) -> None:
    """Put the optimiser's state back, by parameter's name."""
    for name, parameter in learner.named_parameters():
        own = {
            key.partition(".")[0]: value.to(parameter.device)
            for key, value in saved.items()
            if key.partition(".")[2] == name
        }
        if own:
            adam.state[parameter] = own


def _moments(
    learner: nn.Module, adam: torch.optim.Optimizer | None
) -> dict[str, Mapping[str, Tensor]]:
    if adam is None:
        return {}
    return {n: adam.state[p] for n, p in learner.named_parameters() if p in adam.state}
