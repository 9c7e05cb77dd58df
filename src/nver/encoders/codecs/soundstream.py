"""SoundStream, the encoder of Google's speech codec Lyra v2, from its published TFLite files."""

import hashlib
from typing import Any

import numpy as np

from nver.encoders.base import (
    POOLINGS,
    EncoderCard,
    EncoderSpec,
    FloatArray,
    FrameEncoder,
    frame_times,
)
from nver.encoders.codecs.codec_options import OPTIONS, identity_options, read_codebooks
from nver.encoders.tflite import Published, read_model, start

# github.com/google/lyra at 47698da (version 1.3.2): lyra_config.cc, lyra/model_coeffs
SAMPLING_RATE = 16_000  # Hz: kInternalSampleRateHz
HOP = 320  # samples: 16,000 / kFrameRate
WIDTH = 64  # kNumFeatures
CODEBOOKS = 46  # 184 bits at most, 4 a codebook; Lyra's 3.2, 6 and 9.2 kbit/s take 16, 30 and 46
_FOLDER = (
    "https://github.com/google/lyra/tree/47698dadf0010abff6a848e02642f55f806d4842/lyra/model_coeffs"
)
ENCODER = Published(
    name="soundstream_encoder.tflite",
    size=1_779_200,
    sha256="237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1",
    url=_FOLDER,
)
QUANTISER = Published(
    name="quantizer.tflite",
    size=329_012,
    sha256="841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c",
    url=_FOLDER,
)


class SoundStream(FrameEncoder):
    """A frozen SoundStream: (samples,) at 16 kHz -> frames (samples // 320, 64) -> vector.

    The model is causal, takes 20 ms a step and remembers the steps before, so each clip gets an
    interpreter of its own: LiteRT's `reset_all_variables` does not reset these states (2.3.0).
    Only steps that the clip fills are frames; up to 319 samples at its end are in none (our choice,
    the codec itself waits for them). A clip shorter than a step is filled with zeros to one.

    Quantised frames are what the decoder would get: the sum of the codebooks' entries.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        self._codebooks = read_codebooks(spec, CODEBOOKS)
        self._model = read_model(spec.weights, ENCODER, spec.name)
        self._quantiser: Any = None
        content = self._model
        if self._codebooks:
            quantiser = read_model(spec.weights, QUANTISER, spec.name)
            self._quantiser = start(quantiser)
            content += quantiser
        self.identity = self.identify(
            hashlib.sha256(content).hexdigest(), WIDTH, options=identity_options(self._codebooks)
        )

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Frame embeddings (frames, 64) and the start of each in s, 20 ms apart."""
        latents = encode(self._model, steps(waveform))
        if self._codebooks:
            latents = decode(self._quantiser, codes(self._quantiser, latents, self._codebooks))
        return latents, frame_times(len(latents), HOP / SAMPLING_RATE)


def steps(waveform: FloatArray) -> FloatArray:
    """(steps, 320): the clip's whole steps, or its only one with zeros at the end."""
    number = max(1, waveform.size // HOP)
    whole = np.zeros(number * HOP, np.float32)
    whole[: waveform.size] = waveform[: whole.size]
    return whole.reshape(number, HOP)


def encode(model: bytes, waveform: FloatArray) -> FloatArray:
    """(steps, 64) from (steps, 320), from the model's first state on."""
    interpreter = start(model)
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]
    latents = np.empty((len(waveform), WIDTH), np.float32)
    for number, step in enumerate(waveform):
        interpreter.set_tensor(input_index, step[None])
        interpreter.invoke()
        latents[number] = interpreter.get_tensor(output_index)[0, 0]
    return latents


def codes(quantiser: Any, latents: FloatArray, codebooks: int) -> "np.ndarray[Any, Any]":
    """(frames, 46) numbers from 0 to 15 of the codebooks' entries; -1 where none is used."""
    run = quantiser.get_signature_runner("encode")
    number = np.array(codebooks, np.int32)
    found = [run(input_frames=x[None, None], num_quantizers=number)["output_0"] for x in latents]
    return np.stack(found).reshape(len(latents), CODEBOOKS)


def decode(quantiser: Any, numbers: "np.ndarray[Any, Any]") -> FloatArray:
    """(frames, 64) from (frames, 46): the sums of the entries."""
    run = quantiser.get_signature_runner("decode")
    found = [run(encoding_indices=x.reshape(CODEBOOKS, 1, 1))["output_0"] for x in numbers]
    return np.stack(found).reshape(len(numbers), WIDTH).astype(np.float32)


SOUNDSTREAM = EncoderCard(
    name="soundstream",
    family="soundstream",
    dim=WIDTH,
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://github.com/google/lyra",
    citation="Zeghidour et al. (2021), SoundStream: An End-to-End Neural Audio Codec,"
    " arXiv 2107.03312; the weights are Lyra's",
    load=SoundStream,
    extra="litert",
    options=OPTIONS,
    poolings=POOLINGS,
    kind="codec",
)
