"""The print of a sound as an embedding, so that the store keeps it: for finding duplicates."""

from collections.abc import Sequence

import numpy as np

from nver.audio.fingerprint import DIM, SAMPLING_RATE, sound_print
from nver.encoders.base import Encoder, EncoderCard, EncoderSpec, FloatArray
from nver.encoders.spectra.power_spectra import weightless_identity


class SoundPrint(Encoder):
    """(samples,) at 16 kHz -> 512, see `nver.audio.fingerprint`; no embedding to train on."""

    code_version = 1

    def __init__(self, spec: EncoderSpec) -> None:
        self.card, self.spec = SOUND_PRINT, spec
        self.identity = weightless_identity(SOUND_PRINT, spec, self.code_version)

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([sound_print(w) for w in waveforms])


SOUND_PRINT = EncoderCard(
    name="sound-print",
    family="duplicates",
    dim=DIM,
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://pypi.org/project/nver",
    citation="nver's own: compressed band powers around the middle of the energy",
    load=SoundPrint,
    kind="handcrafted",
)
