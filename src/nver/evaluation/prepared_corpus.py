"""A corpus ready for training: its usable clips, their embeddings, and some of its clips."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from nver.audio.fingerprint import SAMPLING_RATE
from nver.audio.recording import load_audio
from nver.corpora import Corpus
from nver.corpora.duplicates import IntArray, same_sounds
from nver.encoders.base import EncoderIdentity
from nver.evaluation.cells.cell import FloatArray, Stressed


@dataclass(frozen=True)
class PreparedCorpus:
    """A corpus ready for training: its usable clips and their embeddings by encoder label.

    Attributes:
        clips: the corpus's table, with the columns duration_s and level_db (RMS, dB of full
            scale), and speaker_group where the corpus has such a column or one named sex.
        emotions: the emotions of the clips, in the corpus's order.
        embeddings: label -> (clips, dim) float32.
        sounds: (clips,) equal for clips of the same recording (`nver.corpora.duplicates`).
        prints: (clips, dim) float32, the sound prints that recordings are compared by.
        stress: kind of perturbation -> the clips made worse.
    """

    corpus: Corpus
    clips: pd.DataFrame
    emotions: list[str]
    embeddings: Mapping[str, FloatArray]
    identities: Mapping[str, EncoderIdentity]
    sounds: IntArray
    prints: FloatArray
    stress: Mapping[str, Stressed] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.corpus.name

    def with_rows(self, rows: IntArray) -> "PreparedCorpus":
        """The corpus with only these rows (ascending)."""
        clips = self.clips.iloc[rows].reset_index(drop=True)
        here = set(clips["emotion"])
        return replace(
            self,
            clips=clips,
            emotions=[emotion for emotion in self.emotions if emotion in here],
            embeddings={label: array[rows] for label, array in self.embeddings.items()},
            sounds=self.sounds[rows],
            prints=self.prints[rows],
            stress={kind: one.with_rows(rows) for kind, one in self.stress.items()},
        )

    def without_repeats(self, rows: IntArray) -> IntArray:
        """Of these rows, the first row of each recording: a clip twice is no more data."""
        first = np.unique(self.sounds[rows], return_index=True)[1]
        return np.asarray(rows[np.sort(first)], np.int64)

    def relabelled(self, names: Mapping[str, str]) -> "PreparedCorpus":
        """The clips whose emotion is in `names`, with the emotion's name from there."""
        kept = self.with_rows(np.flatnonzero(self.clips["emotion"].isin(list(names))))
        return replace(
            kept,
            clips=kept.clips.assign(emotion=kept.clips["emotion"].map(names)),
            emotions=list(dict.fromkeys(names[emotion] for emotion in kept.emotions)),
        )

    def after(self, training: "PreparedCorpus") -> "PreparedCorpus":
        """The corpus with the clips of another one put before its own.

        Every clip counts as a recording of its own; stress stays that of the own clips.
        """
        pair = (training, self)
        clips = pd.concat([one.clips for one in pair], ignore_index=True)
        offset = len(training.clips)
        return replace(
            self,
            clips=clips,
            emotions=list(dict.fromkeys([*training.emotions, *self.emotions])),
            embeddings={
                label: np.concatenate([one.embeddings[label] for one in pair])
                for label in self.embeddings
            },
            sounds=np.arange(len(clips)),
            prints=np.concatenate([one.prints for one in pair]),
            stress={
                kind: replace(one, rows=offset + one.rows) for kind, one in self.stress.items()
            },
        )


def sounds_of(clips: pd.DataFrame, prints: FloatArray) -> IntArray:
    """(clips,): equal for clips of the same recording, by their sound prints and waveforms."""
    files, spans = clips["file"].tolist(), clips[["start", "end"]].to_numpy(np.float64)

    def waveform(row: int) -> FloatArray:
        start, end = spans[row]
        return load_audio(files[row], SAMPLING_RATE, start=start, end=end)

    return same_sounds(prints, waveform)
