"""The training: both stages, step by step, checked on held-out speakers, resumable."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nver.encoders.audio_mamba.network import AudioMamba, Sizes
from nver.encoders.devices import find_device
from nver.errors import NverError, UsageError, check_number
from nver.machine.counting import Count
from nver.machine.files import check_writable
from nver.machine.threads import one_thread
from nver.models.pretraining import schedule
from nver.models.pretraining.checkpoint import (
    FILE,
    Progress,
    load_checkpoint,
    restore_moments,
    save_checkpoint,
)
from nver.models.pretraining.learner import Learner
from nver.models.pretraining.pretraining_recipe import PretrainingRecipe, StageConfig
from nver.models.pretraining.recordings import read_spectra
from nver.models.pretraining.result import write_encoder, write_log, write_run
from nver.models.pretraining.spectra import Spectra
from nver.models.pretraining.tasks import TASKS, Task, autocast

SPECTRA = "spectra.safetensors"
SAVED_EVERY = 100  # steps: what a crash costs (our choice)


def pretrain(
    recipe: PretrainingRecipe,
    out: str | Path,
    *,
    device: str = "cpu",
    minutes: float | None = None,
    show: bool = False,
) -> Path:
    """Train an encoder by a recipe in the folder `out`; a training that was stopped goes on.

    It writes a folder of weights for each stage, `untrained`, `self-supervised` and `supervised`,
    to be given as `weights` of nver-mamba; `log.csv`, a row an epoch; `run.json`, what was used.
    The same recipe on the same machine gives the same bits, stopped in between or not.

    Args:
        minutes: stop after about so many minutes, to go on later.

    Returns:
        The folder of the last stage's weights, or `out` if it was stopped before.

    Raises:
        UsageError: the folder holds a training by another recipe; no such device.
        NverError: the loss is not finite, the checkpoint is damaged, or `out` cannot be written.
    """
    if minutes is not None:
        check_number("minutes", minutes, lambda value: value > 0, "above 0")
    folder, target = Path(out), find_device(device)
    with explaining_write_errors(folder), one_thread():
        tree = json.loads(json.dumps(asdict(recipe)))
        begun = load_checkpoint(folder)
        if begun and _without_root(begun[0].recipe) != _without_root(tree):
            raise UsageError(f"{folder / FILE} is of another recipe; give another --out")
        spectra = read_spectra(recipe.data, recipe.seed, folder / SPECTRA, show=show)
        if begun and begun[0].spectra != spectra.sha256:
            raise UsageError(
                f"{folder / FILE} is of other recordings than these, or of others' labels; put them"
                " back as they were, or give another --out"
            )
        write_run(folder, tree, spectra, device)
        deadline = inf if minutes is None else time.perf_counter() + 60 * minutes
        with seeded(recipe.seed, target):
            training = Training(recipe, tree, spectra, folder, target)
            if begun is None:
                write_encoder(training.learner, folder / "untrained", spectra.emotions)
            else:
                training.restore(*begun)
            finished = all(training.run(stage, deadline, show) for stage in schedule.STAGES)
        return training.last if finished else folder


@contextmanager
def explaining_write_errors(folder: Path) -> Iterator[None]:
    """Say what cannot be written: before hours of work, and during them too."""
    check_writable(folder)
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise NverError(f"{where}: cannot be read or written ({error.strerror})") from error


def _without_root(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe without the place of the recordings: their digest says which they are."""
    data = {key: value for key, value in tree.get("data", {}).items() if key != "root"}
    return {**tree, "data": data}


class Training:
    """The state of a training between two steps, and the steps."""

    def __init__(
        self,
        recipe: PretrainingRecipe,
        tree: Mapping[str, Any],
        spectra: Spectra,
        folder: Path,
        device: torch.device,
        *,
        network: nn.Module | None = None,
        write: Callable[[Learner, Path, Sequence[str]], None] = write_encoder,
    ) -> None:
        """`network` and `write` put another network in the place of the recipe's Audio-Mamba."""
        self.recipe, self.spectra, self.folder, self.device = recipe, spectra, folder, device
        self.progress, self.write = Progress(tree, spectra.sha256, schedule.STAGES[0]), write
        encoder = AudioMamba(Sizes(**vars(recipe.network))) if network is None else network
        emotions = max(1, len(spectra.emotions))
        taught = spectra.taught.shape[1] if recipe.supervised.teaching else 0
        self.learner = Learner(encoder, emotions, recipe.supervised.dropout, taught).to(device)
        self.best: dict[str, Tensor] = {}
        self.moments: Mapping[str, Tensor] = {}
        self.last, self.clock = folder / "untrained", _now()

    def restore(self, progress: Progress, tensors: Mapping[str, dict[str, Tensor]]) -> None:
        """Go on from a checkpoint."""
        self.progress, self.best, self.moments = progress, tensors["best"], tensors["adam"]
        try:
            self.learner.load_state_dict(tensors["learner"])
        except RuntimeError as error:
            raise NverError(
                f"{self.folder / FILE} does not fit the recipe's network"
                f" ({' '.join(str(error).split())}); remove it to begin anew"
            ) from error

    def run(self, stage: str, deadline: float, show: bool) -> bool:
        """Train a stage, or the rest of it; return whether it is finished."""
        config: StageConfig = getattr(self.recipe, stage)
        done = schedule.STAGES.index(self.progress.stage) > schedule.STAGES.index(stage)
        if not config.epochs:
            self._enter_next(stage)
            return True
        self.last = self.folder / stage.replace("_", "-")
        if done or (self.progress.step < 0):
            return True
        task = TASKS[stage](self.recipe, self.spectra, self.device)
        if not self._steps(stage, task, config, deadline, show):
            return False
        if self.best:
            self.learner.load_state_dict(self.best)
        self.write(self.learner, self.last, self.spectra.emotions)
        self._enter_next(stage)
        return True

    def _enter_next(self, stage: str) -> None:
        """Begin the next stage; after the last, step -1 marks the end."""
        if self.progress.stage != stage or self.progress.step < 0:
            return
        following = schedule.STAGES.index(stage) + 1
        self.best, self.moments = {}, {}
        self.progress.best, self.progress.sums = -inf, [0.0, 0.0]
        self.progress.step = 0 if following < len(schedule.STAGES) else -1
        self.progress.stage = schedule.STAGES[min(following, len(schedule.STAGES) - 1)]
        save_checkpoint(self.folder, self.progress, self.learner, None, self.best)

    def _steps(
        self, stage: str, task: Task, config: StageConfig, deadline: float, show: bool
    ) -> bool:
        """Train step by step; return False if the deadline came before the last step."""
        clips = np.flatnonzero(~self.spectra.validation)
        an_epoch = schedule.steps_an_epoch(len(clips), config)
        steps = config.epochs * an_epoch
        last = min(steps, (config.stop_after or config.epochs) * an_epoch)
        adam = schedule.optimiser(self.learner, config)
        restore_moments(self.learner, adam, self.moments)
        first, seed = self.progress.step, self.recipe.seed
        self.clock = _now()
        with Count(stage, last, "step", show, initial=first) as bar:
            for step in range(first, last):
                rows = schedule.batch(seed, stage, step, clips, config)
                rate = schedule.learning_rate(step, steps, config)
                rng = schedule.generator(seed, stage, step)
                loss = self._step(adam, task, rows, rng, rate)
                self._count(loss, len(rows), step)
                self.progress.step = step + 1
                self._tick()
                bar.update()
                if (step + 1) % an_epoch == 0:
                    self._end_epoch(stage, task, (step + 1) // an_epoch, rate, bar)
                over = time.perf_counter() > deadline
                if over or (step + 1) % SAVED_EVERY == 0 or (step + 1) % an_epoch == 0:
                    save_checkpoint(self.folder, self.progress, self.learner, adam, self.best)
                if over and step + 1 < last:
                    return False
        return True

    def _step(
        self, adam: Any, task: Task, rows: Any, rng: np.random.Generator, rate: float
    ) -> Tensor:
        """Make one step of the optimiser; return the loss before it."""
        self.learner.train()
        torch.manual_seed(int(rng.integers(2**63)))
        for group in adam.param_groups:
            group["lr"] = rate
        with autocast(self.device, self.recipe.precision):
            loss = task.loss(self.learner, rows, rng)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), schedule.CLIP_NORM)
        adam.step()
        return loss.detach()

    def _count(self, loss: Tensor, clips: int, step: int) -> None:
        value = float(loss)
        if not np.isfinite(value):
            raise NverError(
                f"training diverged in step {step + 1} (loss {value}); lower learning_rate, and"
                f" remove {self.folder / FILE}, which may hold weights that are gone too"
            )
        self.progress.sums = [self.progress.sums[0] + value * clips, self.progress.sums[1] + clips]

    def _tick(self) -> None:
        """Add the time since the last tick to the progress."""
        before, self.clock = self.clock, _now()
        self.progress.wall_s += self.clock[0] - before[0]
        self.progress.core_s += self.clock[1] - before[1]

    def _end_epoch(self, stage: str, task: Task, epoch: int, rate: float, bar: Count) -> None:
        """Validate, keep the best weights, and write the log."""
        self.learner.eval()
        scores = task.validate(self.learner)
        total, clips = self.progress.sums
        self.progress.sums = [0.0, 0.0]
        if scores["score"] > self.progress.best:
            self.progress.best = scores["score"]
            self.best = {k: v.clone() for k, v in self.learner.state_dict().items()}
        self._tick()
        row = {"stage": stage, "epoch": epoch, "step": self.progress.step, "learning_rate": rate,
               "loss": total / clips, **{k: v for k, v in scores.items() if k != "score"},
               "wall_s": self.progress.wall_s, "core_s": self.progress.core_s}  # fmt: skip
        self.progress.rows.append(row)
        write_log(self.folder, self.progress.rows)
        shown = {k: f"{v:.4f}" for k, v in row.items() if k in ("loss", "validation_loss", "uar")}
        bar.details(shown)


def _now() -> tuple[float, float]:
    """The time, and the processor time of this process, in s."""
    return time.perf_counter(), time.process_time()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and hold it to one thread; both are as before afterwards."""
    with one_thread(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
