"""Speaker encoders with random weights in their published layout."""

from pathlib import Path
from typing import Any

import numpy as np


def d_vector_file(folder: Path, seed: int = 0) -> Path:
    """A checkpoint as the d-vector's author saves them, with random weights."""
    import torch

    from nver.encoders.speakers.d_vector import COEFFICIENTS, HIDDEN, LAYERS, STATE

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        lstm = torch.nn.LSTM(COEFFICIENTS, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"lstm.{name}": tensor for name, tensor in lstm.state_dict().items()}
    torch.save({STATE: state, "losses": [0.5], "training_time": 1.0}, folder / "saved_model.pt")
    return folder / "saved_model.pt"


NARROW: dict[str, dict[str, Any]] = {  # the published layout in other widths
    "x-vector": {"mels": 24, "channels": [8, 8, 8, 8, 12], "width": 16},
    "ecapa": {
        "mels": 80,
        "channels": 16,
        "merged": 24,
        "squeezed": 8,
        "attention": 8,
        "width": 12,
    },
}
PUBLISHED: dict[str, dict[str, Any]] = {  # hyperparams.yaml of the hub's repositories
    "x-vector": {"mels": 24, "channels": [512, 512, 512, 512, 1500], "width": 512},
    "ecapa": {
        "mels": 80,
        "channels": 1024,
        "merged": 3072,
        "squeezed": 128,
        "attention": 128,
        "width": 192,
    },
}


def speaker_net(name: str, sizes: dict[str, dict[str, Any]] = NARROW) -> Any:
    import torch

    from nver.encoders.speakers.speaker_networks import Ecapa, XVector

    with torch.random.fork_rng(devices=[]):
        return {"x-vector": XVector, "ecapa": Ecapa}[name](**sizes[name])


def speaker_state(name: str, seed: int = 0) -> dict[str, Any]:
    """A narrow net's state dict, every number random and the same wherever it is made."""
    import torch

    rng = np.random.default_rng(seed)
    state = {}
    for key, tensor in speaker_net(name).state_dict().items():
        noise = rng.standard_normal(tuple(tensor.shape)).astype(np.float32)
        if key.endswith("num_batches_tracked"):
            state[key] = tensor
        elif key.endswith("running_var"):
            state[key] = torch.from_numpy(0.5 + np.abs(noise))
        elif tensor.ndim > 1:
            state[key] = torch.from_numpy(noise / np.sqrt(noise[0].size, dtype=np.float32))
        else:
            state[key] = torch.from_numpy(0.3 * noise + key.endswith("norm.weight"))
    return state


def speaker_folder(folder: Path, name: str, seed: int = 0) -> Path:
    """Such a net as SpeechBrain publishes its own: embedding_model.ckpt."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.save(speaker_state(name, seed), folder / "embedding_model.ckpt")
    return folder


def fbank_in_double(waveform: Any, mels: int) -> Any:
    """(frames, mels): the definition of `fbank` in double precision."""
    import torch

    from nver.encoders.spectra.fbank import HOP, RANGE_DB, SMALLEST, WINDOW, mel_bank

    window = torch.hamming_window(WINDOW).double()
    spectrum = torch.stft(
        waveform.double(), WINDOW, HOP, window=window, pad_mode="constant", return_complex=True
    )
    power = spectrum.abs().square().mT @ mel_bank(mels).double()
    decibel = 10 * torch.log10(power.clamp_min(SMALLEST))
    decibel = torch.maximum(decibel, decibel.max() - RANGE_DB)
    return (decibel - decibel.mean(dim=0)).numpy()
