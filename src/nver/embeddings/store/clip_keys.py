"""From a table of clips to the keys of their embeddings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nver.embeddings.store.contents import Content
from nver.embeddings.store.keys import KEY_BYTES, Keys, clip_key, perturbation_seed, perturbed_key
from nver.embeddings.store.store import EmbeddingStore
from nver.errors import AudioError, UsageError
from nver.machine.counting import Count

if TYPE_CHECKING:
    import pandas as pd

CHUNK_CLIPS = 4096  # clips whose files are hashed at a time: bounds memory


@dataclass(frozen=True)
class ClipKeys:
    """The keys of a table's clips, and the state of their files at that moment.

    Attributes:
        keys: (n, 32), zero for a clip without a key.
        files: n paths.
        spans: (n, 2), start and end in s (NaN: whole file).
        stamps: (n, 2), the file's size in bytes and modification time in ns.
        errors: row -> why the clip has no key.
        perturbations: for each clip how it is made worse before it is embedded ("": not at all).
        seeds: row -> the seed of the clip's perturbation.
    """

    keys: Keys
    files: Sequence[str]
    spans: npt.NDArray[np.float64]
    stamps: npt.NDArray[np.int64]
    errors: Mapping[int, AudioError]
    perturbations: Sequence[str]
    seeds: Mapping[int, bytes]


def key_clips(
    table: "pd.DataFrame",
    store: EmbeddingStore,
    *,
    rehash: bool = False,
    show_progress_bar: bool = False,
) -> ClipKeys:
    """The keys of the clips of a table with the columns file, start, end (s; NaN: whole file).

    An optional column `perturbation` names how a clip is made worse (`nver.audio.perturbation`).
    """
    files, spans, perturbations = _columns(table)
    keys = np.zeros((len(files), KEY_BYTES), np.uint8)
    stamps = np.zeros((len(files), 2), np.int64)
    errors: dict[int, AudioError] = {}
    seeds: dict[int, bytes] = {}
    with Count("contents", len(files), "file", show_progress_bar, brief=True) as bar:
        for first in range(0, len(files), CHUNK_CLIPS):
            chunk = files[first : first + CHUNK_CLIPS]
            contents = store.content_hashes(chunk, rehash=rehash)
            for row, file in enumerate(chunk, first):
                content = contents[file]
                if isinstance(content, Content):
                    key = clip_key(content.sha256, *spans[row])
                    if perturbations[row]:
                        seeds[row] = perturbation_seed(key, perturbations[row])
                        key = perturbed_key(seeds[row])
                    keys[row] = np.frombuffer(key, np.uint8)
                    stamps[row] = content[1:]
                else:
                    errors[row] = content
            bar.update(len(chunk))
    return ClipKeys(keys, files, spans, stamps, errors, perturbations, seeds)


def _columns(table: "pd.DataFrame") -> tuple[list[str], npt.NDArray[np.float64], list[str]]:
    """Files, spans (n, 2) in s, and perturbations."""
    if "file" not in table or "clip" not in table:
        raise UsageError(f"a table of clips has the columns clip and file; got {list(table)}")
    spans = np.full((len(table), 2), np.nan)
    for i, name in enumerate(("start", "end")):
        if name in table:
            spans[:, i] = table[name].to_numpy(np.float64)
    kinds = table["perturbation"].tolist() if "perturbation" in table else [""] * len(table)
    return [str(file) for file in table["file"]], spans, kinds
