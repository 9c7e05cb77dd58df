"""Adam without the optimiser's class: the same bits, and nothing loaded for it."""

import subprocess
import sys

import torch
from torch import nn

from nver.classifiers.training.adam import Adam


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleList([nn.Linear(40, 30), nn.Linear(30, 3), nn.Linear(2, 2)])  # the last unused


def test_the_bits_are_those_of_the_class() -> None:
    ours, theirs = network(), network()
    optimisers = (
        Adam(ours.parameters(), 3e-3, 0.01),
        torch.optim.Adam(theirs.parameters(), 3e-3, weight_decay=0.01, fused=True),
    )
    for step in range(6):
        for model, optimiser in zip((ours, theirs), optimisers, strict=True):
            torch.manual_seed(step)
            loss = model[1](model[0](torch.randn(8, 40)).relu()).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    for own, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(own, their)
    assert not torch.equal(ours[0].weight, network()[0].weight)
    assert torch.equal(ours[2].weight, network()[2].weight)


def test_training_does_not_load_torchs_compiler() -> None:
    code = """
import sys
import numpy as np
from nver.classifiers import build_classifier
from nver.classifiers.training.loop import TrainingConfig, fit
fit(lambda: build_classifier("cnn", [20], 2), [np.random.rand(8, 20)], np.arange(8) % 2,
    np.arange(8) > 5, TrainingConfig(epochs=1), seed=0)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
