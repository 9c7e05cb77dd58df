"""YAMNet: a MobileNet that names 521 kinds of sound of AudioSet, from a published TFLite file."""

import hashlib
from math import ceil

import numpy as np

from nver.encoders.base import POOLINGS, EncoderCard, EncoderSpec, FloatArray, FrameEncoder
from nver.encoders.tflite import Published, read_model, start

# github.com/tensorflow/models, research/audioset/yamnet/params.py
SAMPLING_RATE = 16_000  # Hz
WINDOW = 15_600  # samples: 96 frames of 25 ms, 10 ms apart
HOP = 7_680  # samples: patch_hop_seconds 0.48
WIDTH = 1024
CELL = 32 * 160  # samples: the last layer has one cell for 32 frames of the spectrogram
CELLS = 3  # in time, of a window
# The quantised file names its tensors so; the second is the mean of the first over its cells.
LAST_LAYER = "yamnet_frames/layer14/pointwise_conv/relu/Relu"
FILE = Published(
    name="yamnet.tflite",
    size=4_078_224,
    sha256="469be6a3421cbc52cf97e9f2f966cba984198e8e7af9854d68b3e3ebb1e04194",
    url="https://github.com/Jaskaran197/Speaker-Detector/blob/"
    "4ec29b6938f1051fe36b46786f8d486d8b74a38e/yamnet.tflite",
)


class YamNet(FrameEncoder):
    """A frozen YAMNet: (samples,) at 16 kHz -> frames (frames, 1024) -> vector.

    A frame is the network's embedding of a window of 0.975 s; windows are 0.48 s apart, and the
    last ends with the clip, so that all of the clip is in a window and none holds padding (our
    choice: upstream fills the last with zeros). A shorter clip is filled with zeros to one window,
    and its embedding is the mean over those cells of the last layer that begin within the clip.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        model = read_model(spec.weights, FILE, spec.name)
        self._interpreter = start(model, keep_tensors=True)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._last = next(
            tensor["index"]
            for tensor in self._interpreter.get_tensor_details()
            if tensor["name"].startswith(LAST_LAYER)
        )
        self.identity = self.identify(hashlib.sha256(model).hexdigest(), WIDTH)

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Frame embeddings (frames, 1024) and the start of each window in s."""
        starts = window_starts(waveform.size)
        cells = min(CELLS, ceil(waveform.size / CELL))
        frames = [self._embed(waveform[s : s + WINDOW], cells) for s in starts]
        return np.stack(frames), (np.array(starts) / SAMPLING_RATE).astype(np.float32)

    def _embed(self, window: FloatArray, cells: int) -> FloatArray:
        """(1024,) of at most a window: the mean over its first cells in time, all in frequency."""
        self._interpreter.set_tensor(
            self._input, np.pad(window, (0, WINDOW - window.size))[None].astype(np.float32)
        )
        self._interpreter.invoke()
        last = self._interpreter.get_tensor(self._last)[0]
        return last[:cells].mean(axis=(0, 1))


def window_starts(samples: int) -> list[int]:
    """Where the windows begin: every 0.48 s, and one that ends with the clip."""
    last = max(0, samples - WINDOW)
    starts = list(range(0, last + 1, HOP))
    return starts if starts[-1] == last else [*starts, last]


YAMNET = EncoderCard(
    name="yamnet",
    family="mobilenet",
    dim=WIDTH,
    sampling_rate=SAMPLING_RATE,
    licence="Apache-2.0",
    url="https://github.com/tensorflow/models/tree/master/research/audioset/yamnet",
    citation="Plakal and Ellis (2019), YAMNet, github.com/tensorflow/models; trained on AudioSet"
    " (Gemmeke et al. 2017)",
    load=YamNet,
    extra="litert",
    poolings=POOLINGS,
)
