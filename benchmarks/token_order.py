"""What upstream's order of tokens does to embeddings of real clips, by duration.

    python benchmarks/token_order.py FOLDER... [--each 100]

The folders hold recordings; of each range of durations up to so many clips are taken, evenly spaced
by name. Weights: audio-mamba-tiny,
untrained, seed 0: which tokens are kept does not depend on the weights, how far the vectors lie
apart does. Means over the clips of a range:

    padding   of the tokens averaged in upstream's order, how many are wholly padding
    lost      of the clip's own tokens, how many are not averaged
    mean      |m - m'| / |m'|, m the mean token (192) in upstream's order, m' in the order of time:
              what wrong trimming alone does
    vector    the same of the whole embeddings (960), whose five parts mean other things: fifths
              of 2 s in upstream's order, frequency bands in the order of time
"""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import torch
from in_turn import row

import nver
from nver.audio.recording import load_audio
from nver.encoders.audio_mamba.checkpoints import write_weights
from nver.encoders.audio_mamba.encoder import arrange
from nver.encoders.audio_mamba.frontend import SAMPLING_RATE, rows_of
from nver.encoders.audio_mamba.network import GRID, PATCH, AudioMamba, Sizes
from nver.errors import AudioError

EDGES = (0, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 3, 5, 10, 20, 40)  # s
KINDS = {".flac", ".mp3", ".ogg", ".opus", ".wav"}


def kept_tokens(frames: int) -> tuple[float, float]:
    """Shares: of the tokens averaged in upstream's order the padding, of the own those lost."""
    rows = rows_of(frames)
    chunks = -(-rows // GRID[0])
    tokens = torch.arange(GRID[0] * GRID[1] * chunks).reshape(chunks, -1, 1)
    kept = set(arrange(tokens, "upstream")[:rows].ravel().tolist())
    own = set(range(GRID[1] * -(-frames // PATCH[0])))
    return 1 - len(kept & own) / len(kept), 1 - len(kept & own) / len(own)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def measure(file: Path, upstream: nver.Encoder, time: nver.Encoder) -> tuple[float, ...]:
    """The four columns."""
    clip = load_audio(file, SAMPLING_RATE)
    a, b = upstream.encode([clip])[0], time.encode([clip])[0]
    means = (v.reshape(GRID[1], -1).mean(axis=0) for v in (a, b))
    shares = kept_tokens(1 + len(clip) // 160)
    return *shares, distance(*means), distance(a, b)


def by_duration(folders: Sequence[Path], each: int) -> dict[tuple[float, float], list[Path]]:
    """Range of durations -> up to `each` files."""
    files = sorted(file for folder in folders for file in folder.iterdir() if file.suffix in KINDS)
    durations = np.array([soundfile.info(file).duration for file in files])
    picked = {}
    for low, high in pairwise(EDGES):
        inside = np.flatnonzero((durations >= low) & (durations < high))
        step = max(1, len(inside) // each)
        picked[low, high] = [files[i] for i in inside[::step][:each]]
    return picked


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--each", type=int, default=100)
    args = parser.parse_args()
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        write_weights(AudioMamba(Sizes(192)).state_dict(), folder, "untrained, seed 0")
        encoders = [
            nver.load_encoder("audio-mamba-tiny", folder, token_order=order)
            for order in ("upstream", "time")
        ]
    row("duration, s", "clips", "padding", "lost", "mean", "vector")
    row(*["---"] * 6)
    for (low, high), files in by_duration(args.folders, args.each).items():
        found = []
        for file in files:
            with suppress(AudioError):  # silent
                found.append(measure(file, *encoders))
        if found:
            shares = np.array(found).mean(axis=0)
            cells = (f"{s:.0%}" if i < 2 else f"{s:.2f}" for i, s in enumerate(shares))
            row(f"{low} to {high}", len(found), *cells)


if __name__ == "__main__":
    main()
