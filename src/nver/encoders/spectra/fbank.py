"""Log-mel bands as SpeechBrain's `Fbank` computes them with its defaults, and its normalisation.

Constants: speechbrain.processing.features.STFT and Filterbank, speechbrain.lobes.features.Fbank
(github.com/speechbrain/speechbrain).
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from nver.encoders.spectra.mel import htk_hertz, htk_mel, triangles
from nver.encoders.spectra.power_spectra import SAMPLING_RATE

WINDOW, HOP = 400, 160  # samples: win_length 25 ms, hop_length 10 ms; n_fft 400, Hamming
SMALLEST = 1e-10  # amin
RANGE_DB = 80.0  # top_db: what is further below the clip's loudest band is raised to that


def fbank(waveform: Tensor, mels: int) -> Tensor:
    """(frames, mels) in dB from samples (samples,) at 16 kHz, the mean over time taken off.

    Frame k is centred on sample 160 k; beyond the clip's ends there are zeros.
    """
    window = torch.hamming_window(WINDOW, device=waveform.device)
    spectrum = torch.stft(
        waveform, WINDOW, HOP, window=window, center=True, pad_mode="constant", return_complex=True
    )
    power = torch.view_as_real(spectrum).square().sum(-1).mT
    decibel = 10 * torch.log10((power @ mel_bank(mels).to(power.device)).clamp_min(SMALLEST))
    decibel = torch.maximum(decibel, decibel.max() - RANGE_DB)
    return decibel - decibel.mean(dim=0)


@cache
def mel_bank(mels: int) -> Tensor:
    """(201, mels): triangles of height 1 in Hz, their centres even on HTK's scale up to 8 kHz.

    Both sides of a triangle are as wide as the distance to the centre before it.
    """
    highest = float(htk_mel(SAMPLING_RATE / 2))
    corners = htk_hertz(torch.linspace(0, highest, mels + 2)).numpy()
    bins = torch.linspace(0, SAMPLING_RATE // 2, WINDOW // 2 + 1).numpy()
    return torch.from_numpy(triangles(bins, corners, np.diff(corners)[:-1]))
