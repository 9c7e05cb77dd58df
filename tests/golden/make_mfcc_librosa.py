"""Writes mfcc_librosa.npz: librosa's MFCC (its defaults, 40 of them) of the clips of the tests.

Run once, with librosa 0.11.0 and numpy installed:  PYTHONPATH=src:tests python THIS_FILE
"""

from pathlib import Path

import librosa
import numpy as np

from helpers_golden import golden_clips

if __name__ == "__main__":
    made = {
        name: librosa.feature.mfcc(y=clip.astype(np.float64), sr=16_000, n_mfcc=40).T
        for name, clip in golden_clips().items()
    }
    np.savez_compressed(Path(__file__).with_name("mfcc_librosa.npz"), **made)
