"""Log-mel bands as SpeechBrain's `Fbank` computes them with its defaults, and its normalisation.

Constants: speechbrain.processing.features.STFT and Filterbank, speechbrain.lobes.features.Fbank
(github.com/speechbrain/speechbrain).
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

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
    """(201, mels): triangles of height 1 on the HTK mel scale from 0 Hz to 8 kHz.

    Both sides of a triangle are as wide as the distance to the centre before it.
    """
    top = 2595 * torch.log10(torch.tensor(1 + SAMPLING_RATE / 2 / 700, dtype=torch.float64))
    hertz = 700 * (10 ** (torch.linspace(0, float(top), mels + 2) / 2595) - 1)
    centres, widths = hertz[1:-1], hertz[1:-1] - hertz[:-2]
    bins = torch.linspace(0, SAMPLING_RATE // 2, WINDOW // 2 + 1)
    slopes = (bins[:, None] - centres) / widths
    return F.relu(1 - slopes.abs())
