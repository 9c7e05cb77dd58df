"""SpeechBrain's speaker encoders, from its checkpoints and without its package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.base import Encoder, EncoderCard, EncoderSpec, FloatArray
from nver.encoders.devices import find_device, full_precision
from nver.encoders.speakers.speaker_networks import SHORTEST, Ecapa, XVector
from nver.encoders.spectra.fbank import HOP, fbank
from nver.encoders.tensor_files import fitting
from nver.encoders.weights import find_file, hash_weights, read_checkpoint

CHECKPOINT = "embedding_model.ckpt"  # as the hub's repositories name it
NETS: dict[str, type[XVector] | type[Ecapa]] = {"x-vector": XVector, "ecapa-tdnn": Ecapa}


class SpeakerEncoder(Encoder):
    """A frozen speaker net: (samples,) at 16 kHz -> log-mel bands -> vector.

    The net itself pools over time, all frames of the clip and no others, so there are no frame
    embeddings and no other pooling. The vector is that of SpeechBrain's `encode_batch` on the
    single clip, not normalised. A clip under 40 ms gets zeros at its end (our choice; upstream
    raises).
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        weights = spec.weights or self.card.weights or ""
        file, revision = find_file(weights, CHECKPOINT, spec.revision)
        state = read_checkpoint(file)
        self._device = find_device(spec.device)
        self._net = build_net(self.card, state, file).to(self._device)
        self.identity = self.identify(
            hash_weights(state, {}), self._net.width, revision=revision, pooling="statistics"
        )

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        with torch.inference_mode(), full_precision(self._device):
            return np.stack([self._embed(torch.tensor(w)) for w in waveforms])

    def _embed(self, waveform: Tensor) -> FloatArray:
        missing = max(0, (SHORTEST - 1) * HOP - len(waveform))
        bands = fbank(F.pad(waveform, (0, missing)).to(self._device), self._net.mels)
        return self._net(bands.T[None])[0].cpu().numpy()


def build_net(card: EncoderCard, state: dict[str, Tensor], file: Path) -> XVector | Ecapa:
    """The card's net with these weights, every key and shape accounted for."""
    with fitting(f"{file} does not hold the net of {card.name}"):
        with torch.device("meta"):  # no time and no random numbers for initial values
            net = NETS[card.family].of(state)
        net.load_state_dict(state, assign=True)
    return net.requires_grad_(False).eval()
