"""The print of a sound as an embedding, so that the store keeps it: for finding duplicates."""

from nver.audio.fingerprint import DIM, sound_print
from nver.encoders.base import FloatArray
from nver.encoders.weightless.weightless_encoder import WeightlessEncoder, weightless_card


class SoundPrint(WeightlessEncoder):
    """(samples,) at 16 kHz -> 512, see `nver.audio.fingerprint`; no embedding to train on."""

    code_version = 2  # of a recording over two minutes the middle is compared

    def vector(self, waveform: FloatArray) -> FloatArray:
        return sound_print(waveform)


SOUND_PRINT = weightless_card(
    name="sound-print",
    family="duplicates",
    dim=DIM,
    citation="nver's own: compressed band powers around the middle of the energy",
    load=SoundPrint,
)
