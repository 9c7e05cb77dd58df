"""Encoders that are all code: their base class, and what their cards share."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial

import numpy as np

from nver.encoders.base import Encoder, EncoderCard, EncoderSpec, FloatArray
from nver.encoders.spectra.power_spectra import SAMPLING_RATE
from nver.errors import UsageError

weightless_card = partial(
    EncoderCard,
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://pypi.org/project/nver",
    kind="handcrafted",
)


class WeightlessEncoder(Encoder):
    """Computes each clip's vector by a formula; weights given to it are a `UsageError`."""

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        if spec.weights is not None or spec.revision is not None:
            raise UsageError(
                f"{spec.name} has no weights; got weights={spec.weights!r},"
                f" revision={spec.revision!r}: leave them out"
            )
        assert self.card.dim is not None
        self.identity = self.identify(
            "none", self.card.dim, revision="none", layer="none", pooling="statistics"
        )

    @abstractmethod
    def vector(self, waveform: FloatArray) -> FloatArray:
        """(dim,) from mono samples (samples,) at 16 kHz."""

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.array([self.vector(w) for w in waveforms], np.float32).reshape(-1, self.dim)
