"""What a recording is like as a vector, so that the store keeps it: for the warnings of a run."""

import numpy as np

from nver.audio.remarks import Traits, traits
from nver.encoders.base import FloatArray
from nver.encoders.weightless.weightless_encoder import WeightlessEncoder, weightless_card


class RecordingTraits(WeightlessEncoder):
    """(samples, channels) as decoded, or (samples,) -> 6, see `nver.audio.remarks.Traits`."""

    as_recorded = True

    def vector(self, waveform: FloatArray) -> FloatArray:
        return np.array(traits(waveform), np.float32)


RECORDING_TRAITS = weightless_card(
    name="recording-traits",
    family="recordings",
    dim=len(Traits._fields),
    citation="nver's own: channels, RMS, clipping, offset, and what the channels' mean keeps",
    load=RecordingTraits,
)
