"""Untrained Audio-Mambas, seeded, as folders to pass as `weights`; hostile checkpoints."""

from pathlib import Path
from typing import Any

# of a pre-training recipe: a network that is trained in a second
TINY_NETWORK = """
[network]
width = 16
depth = 1
inner = 16
states = 4
rank = 1
stem = [4, 8]
"""


def untrained_network(seed: int = 0, **sizes: Any) -> Any:
    """An `AudioMamba` with every parameter away from its initial value; by default 16 wide."""
    import torch

    from nver.encoders.audio_mamba.network import AudioMamba, Sizes

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AudioMamba(Sizes(**({"width": 16, "depth": 2} | sizes)))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def untrained_folder(folder: Path, seed: int = 0, **sizes: Any) -> Path:
    """Its weights in a folder, as `nver convert` writes them."""
    from nver.encoders.audio_mamba.checkpoints import write_weights

    write_weights(untrained_network(seed, **sizes).state_dict(), folder, f"untrained, seed {seed}")
    return folder


def log_mel_in_double(waveform: Any) -> Any:
    """(frames, 80): the frontend's definition in double precision."""
    import torch

    from nver.encoders.audio_mamba import frontend

    window = torch.hann_window(frontend.WINDOW).double()
    spectrum = torch.stft(
        waveform.double(), frontend.WINDOW, frontend.HOP, window=window, return_complex=True
    )
    bands = spectrum.abs().square().mT @ frontend.mel_filters().double()
    mel = (bands + frontend.LOG_OFFSET).log()
    return (mel - mel.mean()) / (mel.std() + frontend.STD_OFFSET)
