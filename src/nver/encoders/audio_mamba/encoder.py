"""Audio-Mamba as an encoder: waveform -> rows of five tokens -> one vector."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from nver.encoders.audio_mamba.checkpoints import (
    build_network,
    find_weights,
    hash_used,
    read_weights,
)
from nver.encoders.audio_mamba.frontend import HOP, SAMPLING_RATE, log_mel, rows_of, split
from nver.encoders.audio_mamba.network import GRID, AudioMamba
from nver.encoders.audio_mamba.short import ShortAudioMamba
from nver.encoders.base import EncoderSpec, FloatArray, FrameEncoder, frame_times, pool
from nver.encoders.devices import find_device, full_precision
from nver.encoders.selective_scan import LANES, best_form
from nver.errors import check_choice

Network = Callable[[Tensor, Sequence[int]], Tensor]  # as `FrozenAudioMamba`

ORDERS = ("upstream", "time")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
GROUP = 32  # chunks at once on a GPU (our choice): always so many, so that no clip sees its batch


class AudioMambaEncoder(FrameEncoder):
    """A frozen Audio-Mamba: (samples,) at 16 kHz -> rows (rows, 5 width) -> vector.

    The clip is standardised as a whole, cut into chunks of 2 s that are encoded alone, and its
    vector is the mean over the rows of all chunks: upstream's scene embedding.

    `token_order` "upstream" groups and trims the tokens as upstream does, which reads them in
    another order than the network's: a row then holds five instants 0.4 s apart, and the wrong rows
    of a padded chunk are dropped. "time" groups the five bands of one instant, and drops the
    padding. A row is 40 ms in both.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        options = {**self.card.options, **spec.options}
        check_choice("value of token_order", options["token_order"], ORDERS)
        check_choice("value of precision", options["precision"], tuple(PRECISIONS))
        file = find_weights(spec.weights or "")
        state = read_weights(file)
        network = build_network(state, str(file))
        self._order, self._sizes = options["token_order"], network.sizes
        self._device = find_device(spec.device)
        self._network = runnable(network, self._device, PRECISIONS[options["precision"]])
        width = self._sizes.grid[1] * self._sizes.width
        self.identity = self.identify(hash_used(state), width, options=options)

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([pool(rows, self.identity.pooling) for rows in self._rows(waveforms)])

    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows (rows, 5 width) and the start of each in s: 40 ms each (of the published sizes).

        In upstream's order the times are upstream's (the duration over the number of rows), though
        a row is not of one time there.
        """
        rows = self._rows([waveform])[0]
        row_s = self._sizes.patch[0] * HOP / SAMPLING_RATE
        if self._order == "upstream":
            row_s = len(waveform) / SAMPLING_RATE / len(rows)
        return rows, frame_times(len(rows), row_s)

    @torch.inference_mode()
    def _rows(self, waveforms: Sequence[FloatArray]) -> list[FloatArray]:
        grid, order = self._sizes.grid, self._order
        spectra = [log_mel(torch.tensor(w, device=self._device)) for w in waveforms]
        chunks = [split(spectrum) for spectrum in spectra]
        rows = [rows_of(len(spectrum), grid[0]) for spectrum in spectra]
        patches = [
            patches_of(n - start, order, grid) for n in rows for start in range(0, n, grid[0])
        ]
        tokens = torch.split(self._network(torch.cat(chunks), patches), [len(c) for c in chunks])
        return [
            arrange(t, order, grid)[:n].cpu().numpy() for t, n in zip(tokens, rows, strict=True)
        ]


def arrange(tokens: Tensor, order: str, grid: tuple[int, int] = GRID) -> Tensor:
    """(50 chunks, 5 width) from tokens (chunks, 250, width), which are time-major.

    "time": row t is the tokens 5 t + f, the bands f = 0 to 4 of one patch in time. "upstream"
    reads them as if they were frequency-major: row j is the tokens 50 k + j, k = 0 to 4.
    """
    if order == "upstream":
        tokens = tokens.reshape(len(tokens), grid[1], grid[0], -1).transpose(1, 2)
    return tokens.reshape(len(tokens) * grid[0], -1)


def patches_of(rows: int, order: str, grid: tuple[int, int] = GRID) -> int:
    """How many patches in time the first `rows` rows of a chunk are made of."""
    rows = min(rows, grid[0])
    return rows if order == "time" else (grid[0] * (grid[1] - 1) + rows - 1) // grid[1] + 1


def runnable(
    network: AudioMamba, device: torch.device, dtype: torch.dtype, *, fast: bool = True
) -> Network:
    """The fastest form of the network for the device.

    With `fast` on a CPU: `ShortAudioMamba` for a small network of ours, `FrozenAudioMamba` where
    its kernels are installed and fit. Else the network itself, on a GPU in full float32.
    """
    if fast and network.sizes.stem and device.type == "cpu":
        return ShortAudioMamba(network, dtype)
    fits = network.sizes.inner % LANES == 0
    if fast and fits and best_form(device.type) == "numba":
        from nver.encoders.audio_mamba.frozen import FrozenAudioMamba

        return FrozenAudioMamba(network, dtype)
    network, at_once = network.to(device), 1 if device.type == "cpu" else GROUP

    def run(chunks: Tensor, patches: Sequence[int]) -> Tensor:
        narrow = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
        with full_precision(device), narrow:
            groups = [_in_group(network, part, at_once) for part in torch.split(chunks, at_once)]
        return torch.cat(groups).float()

    return run


def _in_group(network: AudioMamba, chunks: Tensor, size: int) -> Tensor:
    """The tokens of up to `size` chunks, computed with zeros up to `size`."""
    filled = torch.cat([chunks, chunks.new_zeros(size - len(chunks), *chunks.shape[1:])])
    return network(filled)[: len(chunks)]
