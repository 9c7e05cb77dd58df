"""Waveform -> standardised log-mel spectrogram -> chunks, as in upstream's LogMelSpec and encode.

The numbers are torchaudio's: the filters are built in float32, in its order of operations (built
in float64 they are up to 6e-5 off).
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from nver.encoders.audio_mamba.network import FRAMES, GRID, MELS
from nver.encoders.spectra.mel import htk_hertz, htk_mel, triangles

SAMPLING_RATE = 16_000  # Hz; upstream takes no other
WINDOW, HOP = 400, 160  # samples: n_fft and win_length, hop_length
LOWEST, HIGHEST = 50.0, 8000.0  # Hz: f_min, f_max
LOG_OFFSET = 1.1920929e-07  # float32's epsilon, upstream's
STD_OFFSET = 1e-8  # upstream's
# Reflection at both ends takes more than half a window; a shorter clip gets zeros at its end
# (our choice, upstream raises): 12.6 ms.
SHORTEST = WINDOW // 2 + 1


def log_mel(waveform: Tensor) -> Tensor:
    """(frames, 80) from samples (samples,) at 16 kHz; frames = 1 + samples // 160.

    Standardised over the whole clip, all frames and bands (deviation with ddof 1).
    """
    waveform = F.pad(waveform, (0, max(0, SHORTEST - len(waveform))))
    window = torch.hann_window(WINDOW, device=waveform.device)
    spectrum = torch.stft(
        waveform, WINDOW, HOP, window=window, center=True, pad_mode="reflect", return_complex=True
    )
    mel = (spectrum.abs().pow(2).mT @ mel_filters().to(waveform.device) + LOG_OFFSET).log()
    return (mel - mel.mean()) / (mel.std() + STD_OFFSET)


@cache
def mel_filters() -> Tensor:
    """(201, 80): triangles on the HTK mel scale, not normalised, of a power spectrum."""
    mels = torch.linspace(float(htk_mel(LOWEST)), float(htk_mel(HIGHEST)), MELS + 2)
    bins = torch.linspace(0, SAMPLING_RATE // 2, WINDOW // 2 + 1).numpy()
    return torch.from_numpy(triangles(bins, htk_hertz(mels).numpy()))


def split(spectrogram: Tensor) -> Tensor:
    """(chunks, 200, 80) from (frames, 80): zeros, the clip's mean, fill the last chunk.

    Upstream adds a chunk of zeros when nothing is missing, and drops its rows; here it is not made.
    """
    missing = -len(spectrogram) % FRAMES
    return F.pad(spectrogram, (0, 0, 0, missing)).reshape(-1, FRAMES, MELS)


def rows_of(frames: int, rows: int = GRID[0]) -> int:
    """How many embedding rows upstream keeps for a clip of this many frames: none of padding.

    `rows` is the number of rows of a chunk.
    """
    chunks = frames // FRAMES + 1
    return rows * chunks - int(rows * (chunks * FRAMES - frames) / FRAMES)
