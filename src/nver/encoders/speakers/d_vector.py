"""d-vector: a bidirectional LSTM over MFCC that tells speakers apart, from its author's file."""

from pathlib import Path

import torch
from torch import Tensor, nn

from nver.encoders.base import EncoderSpec, FloatArray, FrameEncoder, card_of, frame_times
from nver.encoders.devices import find_device, full_precision
from nver.encoders.spectra.mfcc import HOP, mfcc
from nver.encoders.spectra.power_spectra import SAMPLING_RATE
from nver.encoders.tensor_files import fitting
from nver.encoders.weights import hash_weights, read_checkpoint
from nver.errors import WeightsError
from nver.machine.files import found_at

# github.com/wq2012/SpeakerRecognitionFromScratch at 1ec7b7d: myconfig.py, neural_net.py
COEFFICIENTS = 40  # N_MFCC
HIDDEN = 64  # LSTM_HIDDEN_SIZE, a direction
LAYERS = 3  # LSTM_NUM_LAYERS
WIDTH = 2 * HIDDEN
STATE = "encoder_state_dict"  # its key in the checkpoint


class DVector(FrameEncoder):
    """A frozen LSTM: (samples,) at 16 kHz -> frames (1 + samples // 512, 128) -> vector.

    The vector is the mean of the LSTM's output over the whole clip. (Its author takes the mean over
    windows of 3.2 s, half overlapping, and has none for a shorter clip.) The frames are 32 ms
    apart, each of both directions, so each depends on the whole clip.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        file = find_checkpoint(spec)
        state = read_checkpoint(file, STATE)
        self._device = find_device(spec.device)
        self._lstm = build_lstm(state, file).to(self._device)
        self.identity = self.identify(hash_weights(state, {}), WIDTH)

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Frame embeddings (frames, 128) and the centre of each in s, 32 ms apart."""
        coefficients = torch.from_numpy(mfcc(waveform, COEFFICIENTS)).to(self._device)
        with torch.inference_mode(), full_precision(self._device):
            hidden = self._lstm(coefficients[None])[0][0].cpu().numpy()
        return hidden, frame_times(len(hidden), HOP / SAMPLING_RATE)


def find_checkpoint(spec: EncoderSpec) -> Path:
    """The file at `spec.weights`, or the only .pt file of the folder there."""
    if spec.weights is None:
        raise WeightsError(
            f"{spec.name} needs weights: download a saved_model.bilstm.mean.*.pt from"
            f" saved_model/pretrained of {card_of(spec.name).url} and pass its path"
        )
    path = found_at(spec.weights)
    is_folder = path is not None and path.is_dir()
    found = sorted(path.glob("*.pt")) if path and is_folder else [path] if path else []
    if len(found) != 1 or not found[0].is_file():
        names = ", ".join(file.name for file in found) if is_folder else "no such file"
        raise WeightsError(
            f"weights {spec.weights!r}: expected a .pt file, or a folder with one; got"
            f" {names or 'a folder without any'}"
        )
    return found[0]


def build_lstm(state: dict[str, Tensor], file: Path) -> nn.LSTM:
    """The LSTM with these weights, every key and shape accounted for."""
    lstm = nn.LSTM(COEFFICIENTS, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
    with fitting(f"{file} does not hold the d-vector's LSTM"):
        lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in state.items()})
    return lstm.requires_grad_(False).eval()
