"""The spectrograms of a training with their labels, and the file that keeps them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nver.audio.recording import FloatArray
from nver.machine.files import write_whole

ARRAYS = ("frames", "starts", "emotion", "validation", "taught")


@dataclass(frozen=True)
class Spectra:
    """Spectrograms one after another, in half precision, with the labels of each clip.

    `frames` is (all frames, 80); clip i has the rows starts[i] to starts[i + 1]. `emotion` is its
    number in `emotions`, `validation` whether it is held out, `taught` the teachers' standardised
    embeddings (clips, dim); `summary` has for the log what was read and what was left out.
    """

    frames: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]
    emotion: npt.NDArray[np.int64]
    validation: npt.NDArray[np.bool_]
    taught: FloatArray
    emotions: tuple[str, ...]
    summary: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.emotion)

    def clip(self, number: int) -> npt.NDArray[np.float16]:
        """The spectrogram (frames, 80) of a clip."""
        return self.frames[self.starts[number] : self.starts[number + 1]]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the arrays and the emotions, hexadecimal."""
        digest = hashlib.sha256(json.dumps(self.emotions).encode())
        for name in ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name)).data)
        return digest.hexdigest()


def save_spectra(spectra: Spectra, file: Path, digest: str) -> None:
    """Write the file; `digest` is of the recordings and settings it is made from."""
    arrays = {name: getattr(spectra, name) for name in ARRAYS}
    arrays["validation"] = spectra.validation.astype(np.uint8)
    words = {"asked": digest, "emotions": json.dumps(spectra.emotions)}
    write_whole(file, save(arrays, {**words, "facts": json.dumps(spectra.summary)}))


def load_spectra(file: Path, digest: str) -> Spectra | None:
    """The spectra that `save_spectra` wrote for the same `digest`; None if there are none."""
    try:
        with safe_open(file, "numpy") as opened:
            words = opened.metadata()
            if words["asked"] != digest:
                return None
            arrays = {name: opened.get_tensor(name) for name in ARRAYS}
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    arrays["validation"] = arrays["validation"].astype(bool)
    emotions = tuple(json.loads(words["emotions"]))
    return Spectra(**arrays, emotions=emotions, summary=json.loads(words["facts"]))
