"""Recordings as standardised log-mel spectrograms, without silent and repeated ones."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from nver.audio.fingerprint import sound_print
from nver.audio.recording import FloatArray, load_audio
from nver.classifiers.training.scaling import fit_scale
from nver.corpora import load_corpus
from nver.corpora.duplicates import repeated, same_sounds
from nver.corpora.file_tree import nothing_found, walk
from nver.corpora.filtering import wanted_speakers
from nver.encoders import Encoder, load_encoder
from nver.encoders.audio_mamba.frontend import SAMPLING_RATE, log_mel
from nver.errors import MEMORY, AudioError, CorpusError, UsageError, first_few
from nver.machine.counting import counted
from nver.models.pretraining.augment import Half
from nver.models.pretraining.pretraining_recipe import DataConfig
from nver.models.pretraining.spectra import Spectra, load_spectra, save_spectra
from nver.registry import VERSION

LONGEST = 1000  # frames: a longer recording is cut, so that each 10 s of it count (our choice)
FARTHEST = 5.0  # deviations: a target is clipped there, so that no clip outweighs others (ours)
UNKNOWN = ""  # the emotion of a recording without a label
REPEATED = "the same recording as another clip"


class _Decoded(NamedTuple):
    """Of each clip its spectrogram (frames, 80), sound print and teachers' embeddings.

    `unusable` has the reason of each row that cannot be used; such a row has placeholders.
    """

    spectra: list[Half]
    prints: FloatArray
    targets: FloatArray
    unusable: dict[int, str]


def read_spectra(data: DataConfig, seed: int, kept: Path, *, show: bool = False) -> Spectra:
    """The spectra of the recordings that `data` names, from the file `kept` where it is current.

    Raises:
        UsageError: no recordings are named, or none is left to train on or to validate with.
        CorpusError: no recordings.
    """
    table, emotions, source = _table(data)
    table, validation = _parts(data, table, seed)
    teachers = _teachers(data.teachers)
    digest = _digest(table, validation, teachers)
    spectra = load_spectra(kept, digest)
    if spectra is None:
        decoded = _decode(table, teachers, show)
        repeats = _repeated(table, validation, decoded)
        decoded.unusable.update(dict.fromkeys(repeats, REPEATED))
        spectra = _spectra(table, validation, decoded, emotions, source)
        save_spectra(spectra, kept, digest)
    return spectra


def _digest(
    table: pd.DataFrame, validation: npt.NDArray[np.bool_], teachers: Sequence[Encoder]
) -> str:
    """SHA-256 of all that decides the spectra: clips, files as they are now, teachers, code."""
    columns = table[["clip", "file", "start", "end", "emotion", "speaker"]].astype(str)
    stamps = [_stamp(file) for file in table["file"]]
    said = [columns.to_numpy().tolist(), stamps, validation.tolist(), VERSION,
            [teacher.identity.to_json() for teacher in teachers]]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _stamp(file: str) -> tuple[int, int] | None:
    """Size and time of change; None where there is no such file, which decoding will report."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _spectra(
    table: pd.DataFrame,
    validation: npt.NDArray[np.bool_],
    decoded: _Decoded,
    emotions: Sequence[str],
    source: Mapping[str, Any],
) -> Spectra:
    """The usable clips one after another, in pieces of at most `LONGEST` frames."""
    usable = np.array([row not in decoded.unusable for row in range(len(table))], bool)
    training, held = usable & ~validation, usable & validation
    if not training.any() or not held.any():
        raise UsageError(
            f"{usable.sum()} clips can be used, {held.sum()} of them for validation;"
            " at least one of each kind is needed: look at [data] training and validation"
        )
    pieces = [(row, p) for row in np.flatnonzero(usable) for p in _pieces(decoded.spectra[row])]
    rows = [row for row, _ in pieces]
    codes = {emotion: code for code, emotion in enumerate(emotions)}
    targets = decoded.targets[rows]
    summary = {
        **source,
        "training_clips": int(training.sum()),
        "validation_clips": int(held.sum()),
        "training_speakers": int(table["speaker"][training].nunique()),
        "validation_speakers": int(table["speaker"][held].nunique()),
        "hours": round(sum(len(piece) for _, piece in pieces) / 360_000, 2),
        "left_out": dict(Counter(decoded.unusable.values())),
        "left_out_clips": sorted(str(table["clip"][row]) for row in decoded.unusable),
    }
    return Spectra(
        frames=np.concatenate([piece for _, piece in pieces]),
        starts=np.cumsum([0, *(len(piece) for _, piece in pieces)]),
        emotion=np.array([codes.get(str(table["emotion"][row]), -1) for row in rows]),
        validation=validation[rows],
        taught=fit_scale(targets[~validation[rows]])(targets).clip(-FARTHEST, FARTHEST),
        emotions=tuple(emotions),
        summary=summary,
    )


def _pieces(spectrum: Half) -> list[Half]:
    """The spectrogram in the fewest equal pieces of at most `LONGEST` frames."""
    return np.array_split(spectrum, -(-len(spectrum) // LONGEST))


def _table(data: DataConfig) -> tuple[pd.DataFrame, list[str], dict[str, Any]]:
    """The clips, their emotions in order, and the corpus's entry in the log."""
    if data.corpus:
        corpus = load_corpus(data.corpus, data.root or None)
        source = {"corpus": corpus.name, "licence": corpus.card.licence, "url": corpus.card.url}
        return corpus.table, corpus.emotions, source
    if not data.root:
        raise UsageError("no recordings are named; give --root, or corpus or root in [data]")
    if not Path(data.root).is_dir():
        raise CorpusError(f"{data.root}: no such folder; expected one with audio files")
    names, foreign = walk(Path(data.root))
    if not names:
        raise nothing_found(Path(data.root), "audio files", foreign)
    files = [str(Path(data.root) / name) for name in names]
    unknown = {"start": np.nan, "end": np.nan, "speaker": None, "emotion": UNKNOWN}
    table = pd.DataFrame({"clip": names, "file": files, **unknown})
    return table, [], {"corpus": "audio files of a folder"}


def _parts(
    data: DataConfig, table: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """The clips of the named speakers, and which of them are held out: (clips,).

    Held out are the speakers named for validation, else a share of the speakers, or of the clips
    where a speaker is unknown.
    """
    column, where = table["speaker"], f"{data.corpus} in [data]"
    speakers = sorted(set(column.dropna()))
    training = wanted_speakers(data.training, speakers, where)
    held = wanted_speakers(data.validation, speakers, where)
    if both := training & held:
        raise UsageError(f"for training and for validation: speakers {first_few(sorted(both), 3)}")
    if training:
        table = table[column.isin(training | held)].reset_index(drop=True)
    by = "speaker" if held or (speakers and table["speaker"].notna().all()) else "clip"
    if not held:
        units = np.array(sorted(set(table[by])))
        number = max(1, round(data.validation_share * len(units)))
        held = set(np.random.default_rng(seed).permutation(units)[:number].tolist())
    return table, table[by].isin(held).to_numpy()


def _teachers(names: Sequence[str]) -> list[Encoder]:
    encoders = [load_encoder(name) for name in names]
    for encoder in encoders:
        if encoder.sampling_rate != SAMPLING_RATE:
            raise UsageError(
                f"[data] teachers hear what Audio-Mamba hears, {SAMPLING_RATE} Hz; {encoder.name}"
                f" is for {encoder.sampling_rate} Hz"
            )
    return encoders


def _decode(table: pd.DataFrame, teachers: Sequence[Encoder], show: bool) -> _Decoded:
    """Decode each clip once."""
    spectra: list[Half] = []
    prints: list[FloatArray] = []
    targets: list[FloatArray] = []
    unusable: dict[int, str] = {}
    rows = table[["file", "start", "end"]].itertuples(index=False, name=None)
    for number, (file, start, end) in enumerate(
        counted(rows, "spectrograms", len(table), "clip", show)
    ):
        try:
            waveform = load_audio(file, SAMPLING_RATE, start=start, end=end)
            spectrum = _spectrum(waveform)
        except (AudioError, MemoryError) as error:
            unusable[number] = getattr(error, "reason", MEMORY)
            waveform = np.zeros(SAMPLING_RATE // 10, np.float32)
            spectrum = _spectrum(waveform)
        spectra.append(spectrum)
        prints.append(sound_print(waveform))
        vectors = [teacher.embed([waveform])[0] for teacher in teachers]
        targets.append(np.concatenate([np.zeros(0, np.float32), *vectors]))
    return _Decoded(spectra, np.stack(prints), np.stack(targets), unusable)


def _spectrum(waveform: FloatArray) -> Half:
    """The spectrogram (frames, 80); AudioError where a level far beyond full scale overflows."""
    found: Half = log_mel(torch.from_numpy(waveform)).numpy().astype(np.float16)
    if not np.isfinite(found).all():
        raise AudioError("its spectrogram has NaN or infinite values", "not finite")
    return found


def _repeated(
    table: pd.DataFrame, validation: npt.NDArray[np.bool_], decoded: _Decoded
) -> list[int]:
    """Rows of repeated recordings to leave out: all but the first, or all where labels contradict.

    Labels contradict where the emotions differ, or where one clip is held out and another is not.
    """
    good = np.array([row for row in range(len(table)) if row not in decoded.unusable], np.int64)

    def read(number: int) -> FloatArray:
        file, start, end = table.loc[good[number], ["file", "start", "end"]]
        return load_audio(file, SAMPLING_RATE, start=start, end=end)

    out: list[int] = []
    for group in repeated(same_sounds(decoded.prints[good], read)):
        rows: Sequence[int] = good[group].tolist()
        labels = {(table["emotion"][row], bool(validation[row])) for row in rows}
        out += rows[1:] if len(labels) == 1 else rows
    return out
