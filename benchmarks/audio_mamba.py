"""Audio-Mamba end to end: ours against the same network with the reference loop.

    python benchmarks/audio_mamba.py [--size base] [--clips 1 8] [--seconds 2] [--rounds 5]

One process, the sides in turn, processor time, medians; seeded random weights of the true sizes.
Every side but the last ones turns waveforms into embeddings, the frontend included:

    reference          the network in torch with `reference_scan`, the clips' chunks as one batch,
                       one chunk number at a time, as upstream does
    without numba      the network in torch with `selective_scan` in its torch form
    network            the same with the kernels, and torch's own products and convolution
    float32, bfloat16  the encoder as `load_encoder` gives it, at either precision
    products           nothing but the matrix products of the encoder, of the same shapes, in the
                       same order, by the same routine as in the encoder; and by torch's own

A clip of 2 s has 201 frames, so two chunks of 200. Upstream computes both; the encoder, of the
second, only the first 206 of 251 tokens, as no other is kept and none depends on a later one.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from in_turn import in_turn, row

import nver
from nver.encoders.audio_mamba import network as network_module
from nver.encoders.audio_mamba.checkpoints import write_weights
from nver.encoders.audio_mamba.encoder import arrange, patches_of
from nver.encoders.audio_mamba.frontend import log_mel, rows_of, split
from nver.encoders.audio_mamba.network import GRID, AudioMamba, Sizes
from nver.encoders.selective_scan import reference_scan, selective_scan

WIDTHS = {"tiny": 192, "small": 384, "base": 768}


def embed_with(network: AudioMamba, scan: Any, clips: Sequence[np.ndarray]) -> np.ndarray:
    """(clips, 5 width) of clips of one length, with that scan in the network."""
    network_module.selective_scan = scan
    spectra = [log_mel(torch.from_numpy(clip)) for clip in clips]
    chunks = torch.stack([split(spectrum) for spectrum in spectra])
    with torch.no_grad():
        tokens = torch.stack([network(chunks[:, i]) for i in range(chunks.shape[1])], dim=1)
    network_module.selective_scan = selective_scan
    rows = rows_of(len(spectra[0]))
    return np.stack([arrange(t, "upstream")[:rows].mean(dim=0).numpy() for t in tokens])


def products(encoder: Any, patches: Sequence[int], own: bool) -> Callable[[], None]:
    """The encoder's matrix products for chunks of so many patches, by its routine or torch's."""
    frozen = encoder._network
    sizes, dtype = frozen.network.sizes, frozen.blocks[0].dtype
    widths = (sizes.width, sizes.inner, sizes.rank, sizes.inner)
    inputs = [
        [torch.randn(1, 1 + GRID[1] * asked, width).to(dtype) for width in widths]
        for asked in patches
    ]
    names = ("in_proj", "x_proj", "dt_proj", "out_proj")
    layers = []
    for block, layer in zip(frozen.blocks, frozen.network.blocks, strict=True):
        weights = [getattr(layer.mixer, name).weight.detach().to(dtype) for name in names]
        layers.append([getattr(block, n) if own else partial(F.linear, weight=w)
                       for n, w in zip(names, weights, strict=True)])  # fmt: skip

    def run() -> None:
        for chunk in inputs:
            for layer in layers:
                for product, x in zip(layer, chunk, strict=True):
                    product(x)

    return run


def measure(encoders: dict[str, Any], seconds: float, clips: int, rounds: int) -> None:
    generator = np.random.default_rng(0)
    audio = list(generator.standard_normal((clips, round(16_000 * seconds)), dtype=np.float32))
    network = encoders["float32"]._network.network
    rows = rows_of(len(log_mel(torch.from_numpy(audio[0]))))
    patches = clips * [patches_of(rows - start, "upstream") for start in range(0, rows, GRID[0])]
    sides: dict[str, Callable[[], Any]] = {
        "reference": partial(embed_with, network, reference_scan, audio),
        "without numba": partial(embed_with, network, partial(selective_scan, form="torch"), audio),
        "network": partial(embed_with, network, selective_scan, audio),
    }
    for name, encoder in encoders.items():
        sides[name] = partial(encoder.embed, audio)
        sides[f"products, {name}"] = products(encoder, patches, own=True)
        sides[f"products by torch, {name}"] = products(encoder, patches, own=False)
    times = in_turn(sides, rounds)
    exact = sides["reference"]()
    for name in sides:
        ratio = near = of_products = ""
        if not name.startswith("products"):
            ratio = f"{times['reference'] / times[name]:.2f}"
            near = f"{dissimilarity(sides[name](), exact):.1e}"
        if name in encoders:
            of_products = (
                f"{times[name] / times[f'products, {name}']:.2f}"
                f" ({times[name] / times[f'products by torch, {name}']:.2f})"
            )
        speed = f"{clips / times[name]:.2f}", f"{times[name] / clips / seconds:.3f}"
        row(clips, name, f"{1e3 * times[name]:.0f}", ratio, of_products, near, *speed)


def dissimilarity(a: np.ndarray, b: np.ndarray) -> float:
    """The largest 1 - cosine over the clips."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.max(1 - (a * b).sum(axis=1) / norms))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", choices=WIDTHS, default="base")
    parser.add_argument("--clips", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        network = AudioMamba(Sizes(WIDTHS[args.size]))
        write_weights(network.state_dict(), Path(folder), "untrained, seed 0")
        encoders = {
            precision: nver.load_encoder(f"audio-mamba-{args.size}", folder, precision=precision)
            for precision in ("float32", "bfloat16")
        }
    print(f"audio-mamba-{args.size}, clips of {args.seconds} s, {args.threads} thread(s)\n")
    row("clips", "side", "ms", "x reference", "x its products (torch's)", "1 - cosine",
        "clips a second", "real-time factor")  # fmt: skip
    row(*["---"] * 8)
    for clips in args.clips:
        measure(encoders, args.seconds, clips, args.rounds)


if __name__ == "__main__":
    main()
