"""Spectrograms in memory with what is known of each clip, and the file that keeps them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.audio.recording import FloatArray
from nver.machine.files import write_whole

ARRAYS = ("frames", "starts", "emotion", "validation", "taught")


@dataclass(frozen=True)
class Spectra:
    """Spectrograms one after another, in half precision, and what is known of each.

    `frames` is (all frames, 80); clip i has the rows starts[i] to starts[i + 1]. `emotion` is its
    number in `emotions`, `validation` whether it is held out, `taught` the teachers' standardised
    embeddings (clips, numbers); `facts` says what was read and what was left out, for the log.
    """

    frames: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]
    emotion: npt.NDArray[np.int64]
    validation: npt.NDArray[np.bool_]
    taught: FloatArray
    emotions: tuple[str, ...]
    facts: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.emotion)

    def clip(self, number: int) -> npt.NDArray[np.float16]:
        """(frames, 80)."""
        return self.frames[self.starts[number] : self.starts[number + 1]]

    @cached_property
    def sha256(self) -> str:
        """Of all that a training sees, hexadecimal."""
        digest = hashlib.sha256(json.dumps(self.emotions).encode())
        for name in ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name)).data)
        return digest.hexdigest()


def save_spectra(spectra: Spectra, file: Path, asked: str) -> None:
    """Write them; `asked` says of what they were made."""
    from safetensors.numpy import save

    arrays = {name: getattr(spectra, name) for name in ARRAYS}
    arrays["validation"] = spectra.validation.astype(np.uint8)
    words = {"asked": asked, "emotions": json.dumps(spectra.emotions)}
    write_whole(file, save(arrays, {**words, "facts": json.dumps(spectra.facts)}))


def load_spectra(file: Path, asked: str) -> Spectra | None:
    """What `save_spectra` wrote for the same `asked`; None if there is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy") as opened:
            words = opened.metadata()
            if words["asked"] != asked:
                return None
            arrays = {name: opened.get_tensor(name) for name in ARRAYS}
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    arrays["validation"] = arrays["validation"].astype(bool)
    emotions = tuple(json.loads(words["emotions"]))
    return Spectra(**arrays, emotions=emotions, facts=json.loads(words["facts"]))
