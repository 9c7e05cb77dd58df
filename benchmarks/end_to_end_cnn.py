"""A plain CNN on the log-mel spectrogram, trained end to end: what a frozen encoder is up against.

    python benchmarks/end_to_end_cnn.py EMOGATOR --out runs/cnn [--report 000208-000232]

Six 3 x 3 convolutions with batch norm and ReLU, each of the first three and the fifth halving
frames and bands, the mean over what is left, and a linear model: 0.5 M parameters. 14 epochs with
mixup and blanked runs of frames and bands, by the loop and the front end of `nver pretrain`, on
speakers 000001-000207; the epoch is chosen on 000208-000232. Stop it and give the same command to
go on. It then writes OUT/predictions.csv for the speakers of --report: clip, speaker, emotion,
predicted, and the probability of each emotion, and prints UAR and top-3 recall.
"""

import argparse
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from nver.corpora import load_corpus
from nver.corpora.filtering import wanted_speakers
from nver.encoders.audio_mamba.network import Sizes
from nver.models.pretraining.checkpoint import load_checkpoint
from nver.models.pretraining.pretraining_recipe import DataConfig, PretrainingRecipe, Supervised
from nver.models.pretraining.recordings import read_spectra
from nver.models.pretraining.run import Training, seeded
from nver.models.pretraining.tasks import Recognition

CHANNELS = (1, 16, 48, 64, 96, 128, 192)
HALVING = (0, 1, 2, 4)  # after which layers
RECIPE = PretrainingRecipe(
    data=DataConfig("emogator", "", ("000001-000207",), ("000208-000232",)),
    supervised=Supervised(epochs=14, stretch=0.0, shift=0.0, tilt=0.0),
)


class PlainCnn(nn.Module):
    """Tokens (clips, frames / 16, 192) from chunks (clips, frames, 80), a multiple of 8 frames."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = Sizes(CHANNELS[-1], patch=(8, 80))  # how `Learner` counts its tokens
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(CHANNELS)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            if i in HALVING[:3]:
                layers.append(nn.MaxPool2d(2))
            elif i in HALVING:
                layers.append(nn.MaxPool2d((1, 2)))  # frames stay: a token of 8 of them
        self.layers = nn.Sequential(*layers)

    def forward(self, chunks: Tensor) -> Tensor:
        image = chunks[:, None].to(memory_format=torch.channels_last)
        found: Tensor = self.layers(image)
        return found.mean(dim=3).mT


def train(root: Path, out: Path, minutes: float | None) -> Training | None:
    """Train it, or go on; None if the time was over."""
    recipe = replace(RECIPE, data=replace(RECIPE.data, root=str(root.absolute())))
    spectra = read_spectra(recipe.data, recipe.seed, out / "spectra.safetensors", show=True)
    begun = load_checkpoint(out)
    deadline = time.perf_counter() + 60 * minutes if minutes else float("inf")
    with seeded(recipe.seed, torch.device("cpu")):
        training = Training(recipe, asdict(recipe), spectra, out, torch.device("cpu"),
                            network=PlainCnn(), write=lambda *_: None)  # fmt: skip
        if begun:
            training.restore(*begun)
        done = [training.run(stage, deadline, True) for stage in ("self_supervised", "supervised")]
    return training if all(done) else None


def report(training: Training, speakers: str, out: Path) -> None:
    """Write the predictions for these speakers, and print their scores."""
    corpus = load_corpus("emogator", training.recipe.data.root)
    known = sorted(set(corpus.table["speaker"]))
    chosen = wanted_speakers([speakers], known, "--report")
    data = replace(training.recipe.data, training=("000001",), validation=(speakers,))
    spectra = read_spectra(data, 0, out / f"spectra-{speakers}.safetensors", show=True)
    task = Recognition(training.recipe, spectra, torch.device("cpu"))
    training.learner.eval()
    print({name: round(value, 4) for name, value in task.validate(training.learner).items()})
    logits, _ = task.outputs(training.learner)
    rows = corpus.table[corpus.table["speaker"].isin(chosen)]
    rows = rows[~rows["clip"].isin(spectra.summary["left_out_clips"])].reset_index(drop=True)
    probabilities = pd.DataFrame(logits.softmax(dim=1).numpy(), columns=spectra.emotions)
    predicted = np.array(spectra.emotions)[logits.argmax(dim=1).numpy()]
    table = rows[["clip", "speaker", "emotion"]].assign(predicted=predicted)
    pd.concat([table, probabilities], axis=1).to_csv(out / "predictions.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--report", default="000208-000232")
    parser.add_argument("--minutes", type=float)
    asked = parser.parse_args()
    training = train(asked.root, asked.out, asked.minutes)
    if training is None:
        print("stopped; the same command goes on")
    else:
        report(training, asked.report, asked.out)


if __name__ == "__main__":
    main()
