"""Writes speechbrain.npz: SpeechBrain's bands and vectors of clips of the tests.

Its nets are given the tests' narrow random weights, which it loads strictly. Run once, with
speechbrain 1.1.2 installed:  PYTHONPATH=src:tests python THIS_FILE
"""

from pathlib import Path

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.Xvector import Xvector
from speechbrain.processing.features import InputNormalization

from helpers_golden import golden_clips
from helpers_speakers import NARROW, speaker_state

X, E = NARROW["x-vector"], NARROW["ecapa"]
NETS = {
    "x-vector": Xvector(tdnn_channels=X["channels"], lin_neurons=X["width"], in_channels=X["mels"]),
    "ecapa": ECAPA_TDNN(
        E["mels"],
        channels=[E["channels"]] * 4 + [E["merged"]],
        se_channels=E["squeezed"],
        attention_channels=E["attention"],
        lin_neurons=E["width"],
    ),
}

if __name__ == "__main__":
    torch.manual_seed(0)
    made = {}
    for name, net in NETS.items():
        net.load_state_dict(speaker_state(name))
        net.eval()
        for clip in ("burst", "short"):
            waveform = torch.from_numpy(np.pad(golden_clips()[clip], (0, 640)))
            whole = torch.ones(1)
            with torch.no_grad():
                bands = Fbank(n_mels=NARROW[name]["mels"])(waveform[None])
                bands = InputNormalization(norm_type="sentence", std_norm=False)(bands, whole)
                made[f"{name} {clip} vector"] = net(bands, whole)[0, 0].numpy()
            made[f"{name} {clip} bands"] = bands[0].numpy()
    np.savez_compressed(Path(__file__).with_name("speechbrain.npz"), **made)
