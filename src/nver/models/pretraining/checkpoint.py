"""The checkpoint of a training: one safetensors file, written whole; never a pickle."""

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
from nver.machine.json_text import parse_json
from nver.models.pretraining.schedule import STAGES

FILE = "checkpoint.safetensors"


@dataclass
class Progress:
    """How far a training is; the checkpoint holds it as JSON.

    `spectra` is the SHA-256 of the spectrograms and labels, `stage` and `step` name the next step,
    `sums` are the losses and clips of the epoch so far, `best` is the highest validation score of
    the stage, and `rows` are the log.
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
    """Write the file; `best` are the weights of the stage's best epoch, empty before it."""
    tensors = {f"learner.{name}": value for name, value in learner.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    moments = adam.state if adam else {}
    for name, parameter in learner.named_parameters():
        own = moments.get(parameter, {})
        tensors |= {f"adam.{moment}.{name}": value for moment, value in own.items()}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(folder / FILE, save(plain, {"progress": json.dumps(vars(progress))}))


def load_checkpoint(folder: Path) -> tuple[Progress, dict[str, dict[str, Tensor]]] | None:
    """The progress, and the tensors by kind ("learner", "best", "adam"); None if there is none."""
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with safe_open(file, "pt") as opened:
            progress = Progress(**parse_json(opened.metadata()["progress"]))
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
    """Put the optimiser's moments back; `saved` has them as "MOMENT.PARAMETER"."""
    parameters = dict(learner.named_parameters())
    for key, value in saved.items():
        moment, _, name = key.partition(".")
        parameter = parameters[name]
        adam.state[parameter][moment] = value.to(parameter.device)
