"""The files that a training writes: the encoder's weights, its head, the log, what was used."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from nver.encoders.audio_mamba.checkpoints import write_weights
from nver.encoders.weights import SAFETENSORS
from nver.machine.csv_cells import csv_line
from nver.machine.files import write_whole
from nver.machine.json_text import json_bytes
from nver.models.pretraining.learner import Learner
from nver.models.pretraining.spectra import Spectra
from nver.registry import VERSION

HEAD, LOG, RUN = "head.safetensors", "log.csv", "run.json"
PACKAGES = ("numpy", "torch", "soundfile", "soxr", "safetensors")
COLUMNS = ("stage", "epoch", "step", "learning_rate", "loss", "validation_loss", "uar", "top3",
           "taught", "wall_s", "core_s")  # fmt: skip
KEPT_AS = torch.float16  # at most 12 MB; the finest of the two half precisions for weights near 1


def write_encoder(learner: Learner, folder: Path, emotions: Sequence[str]) -> None:
    """The encoder's weights as a folder for `weights`, and the head's, in place of older ones."""
    (folder / SAFETENSORS).unlink(missing_ok=True)  # of a training that was begun anew
    state = {name: t.detach().cpu().to(KEPT_AS) for name, t in learner.encoder.state_dict().items()}
    head = {name: t.detach().cpu().contiguous() for name, t in learner.head.state_dict().items()}
    write_whole(folder / HEAD, save(head, {"emotions": json.dumps(emotions)}))
    write_weights(state, folder, "nver pretrain")


def write_log(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a row an epoch; a column that a stage does not have is empty."""
    lines = [csv_line(COLUMNS)]
    for row in rows:
        values = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
        lines.append(csv_line(values.get(name) for name in COLUMNS))
    write_whole(folder / LOG, "".join(lines))


def write_run(folder: Path, tree: Mapping[str, Any], spectra: Spectra, device: str) -> None:
    """Write down what the training uses: recipe, clips, versions, machine."""
    used = {
        "recipe": tree,
        "clips": {**spectra.summary, "sha256": spectra.sha256},
        "device": device,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {"nver": VERSION, **{name: version(name) for name in PACKAGES}},
        "command": sys.argv,
    }
    write_whole(folder / RUN, json_bytes(used))
