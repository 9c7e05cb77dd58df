"""Recordings as standardised log-mel spectrograms, silent and repeated ones out."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from nver import __version__
from nver.audio.fingerprint import sound_print
from nver.audio.recording import FloatArray, load_audio
from nver.classifiers.training.scaling import fit_scale
from nver.corpora import load_corpus
from nver.corpora.duplicates import repeated, same_sounds
from nver.corpora.file_tree import nothing_found, walk
from nver.corpora.filtering import wanted_speakers
from nver.encoders import Encoder, load_encoder
from nver.encoders.audio_mamba.frontend import SAMPLING_RATE, log_mel
from nver.errors import AudioError, CorpusError, UsageError
from nver.models.pretraining.pretraining_recipe import DataConfig
from nver.models.pretraining.spectra import Spectra, load_spectra, save_spectra

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 1000  # frames: a longer recording is cut, so that each 10 s of it count (our choice)
FARTHEST = 5.0  # deviations: beyond it a lesson is cut, so that no clip outweighs others (ours)
UNKNOWN = ""  # the speaker or emotion of a recording of which it is not known
REPEATED = "the same recording as another clip"


def read_spectra(data: DataConfig, seed: int, kept: Path, *, show: bool = False) -> Spectra:
    """What `data` asks for; from the file `kept` if that was made of the same files, else made.

    Raises:
        UsageError: no recordings are named, or none is left to train on or to validate with.
        CorpusError: no recordings.
    """
    table, emotions, facts = _table(data)
    table, validation = _parts(data, table, seed)
    teachers = _teachers(data.teachers)
    asked = _asked(table, validation, teachers)
    found = load_spectra(kept, asked)
    if found is None:
        found = _make(table, validation, teachers, emotions, facts, show)
        save_spectra(found, kept, asked)
    return found


def _asked(
    table: "pd.DataFrame", validation: npt.NDArray[np.bool_], teachers: Sequence[Encoder]
) -> str:
    """All that decides what is read, as a digest: clips, files as they are now, teachers, code."""
    columns = table[["clip", "file", "start", "end", "emotion", "speaker"]].astype(str)
    stamps = [_stamp(file) for file in table["file"]]
    said = [columns.to_numpy().tolist(), stamps, validation.tolist(), __version__,
            [teacher.identity.to_json() for teacher in teachers]]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _stamp(file: str) -> tuple[int, int] | None:
    """Size and time of change; None where there is no such file, which the reading will say."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _make(
    table: "pd.DataFrame",
    validation: npt.NDArray[np.bool_],
    teachers: Sequence[Encoder],
    emotions: Sequence[str],
    facts: Mapping[str, Any],
    show: bool,
) -> Spectra:
    spectra, prints, lessons, why = _decode(table, teachers, show)
    why |= dict.fromkeys(_repeated(table, validation, prints, why), REPEATED)
    good = [row for row in range(len(table)) if row not in why]
    codes = {emotion: code for code, emotion in enumerate(emotions)}
    pieces = [
        (row, piece)
        for row in good
        for piece in np.array_split(spectra[row], -(-len(spectra[row]) // LONGEST))
    ]
    rows = [row for row, _ in pieces]
    held = validation[rows]
    lessons = lessons[rows]
    if not pieces or held.all() or not held.any():
        raise UsageError(
            f"{len(good)} clips can be used, {int(validation[good].sum())} of them for validation;"
            " at least one of each kind is needed: look at [data] training and validation"
        )
    return Spectra(
        frames=np.concatenate([piece for _, piece in pieces]),
        starts=np.cumsum([0, *(len(piece) for _, piece in pieces)]),
        emotion=np.array([codes.get(str(table["emotion"][row]), -1) for row in rows]),
        validation=held,
        taught=fit_scale(lessons[~held])(lessons).clip(-FARTHEST, FARTHEST),
        emotions=tuple(emotions),
        facts={
            **facts,
            "training_clips": int((~validation[good]).sum()),
            "validation_clips": int(validation[good].sum()),
            "training_speakers": int(table["speaker"][good][~validation[good]].nunique()),
            "validation_speakers": int(table["speaker"][good][validation[good]].nunique()),
            "hours": round(sum(len(spectra[row]) for row in good) / 360_000, 2),
            "left_out": dict(Counter(why.values())),
            "left_out_clips": sorted(str(table["clip"][row]) for row in why),
        },
    )


def _table(data: DataConfig) -> "tuple[pd.DataFrame, list[str], dict[str, Any]]":
    """The clips, their emotions in order, and what the log says of the corpus."""
    import pandas as pd

    if data.corpus:
        corpus = load_corpus(data.corpus, data.root or None)
        facts = {"corpus": corpus.name, "licence": corpus.card.licence, "url": corpus.card.url}
        return corpus.table, corpus.emotions, facts
    if not data.root:
        raise UsageError("no recordings are named; give --root, or corpus or root in [data]")
    if not Path(data.root).is_dir():
        raise CorpusError(f"{data.root}: no such folder; expected one with audio files")
    names, foreign = walk(Path(data.root))
    if not names:
        raise nothing_found(Path(data.root), "audio files", foreign)
    files = [str(Path(data.root) / name) for name in names]
    table = pd.DataFrame({"clip": names, "file": files, "start": np.nan, "end": np.nan})
    return table.assign(speaker=None, emotion=UNKNOWN), [], {"corpus": "audio files of a folder"}


def _parts(
    data: DataConfig, table: "pd.DataFrame", seed: int
) -> "tuple[pd.DataFrame, npt.NDArray[np.bool_]]":
    """The clips that are asked for, and which of them are held out: (clips,).

    Held out are the speakers that were named, else a share of the others asked for, by speaker
    where all are known.
    """
    column, where = table["speaker"], f"{data.corpus} in [data]"
    speakers = sorted(set(column.dropna()))
    training = wanted_speakers(data.training, speakers, where)
    held = wanted_speakers(data.validation, speakers, where)
    if both := training & held:
        raise UsageError(f"speakers {sorted(both)[:3]} are for training and for validation")
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


def _decode(
    table: "pd.DataFrame", teachers: Sequence[Encoder], show: bool
) -> tuple[list[npt.NDArray[np.float16]], FloatArray, FloatArray, dict[int, str]]:
    """The spectrogram, print and lesson of each row, and why some rows have none."""
    from tqdm import tqdm

    spectra: list[npt.NDArray[np.float16]] = []
    prints: list[FloatArray] = []
    lessons: list[FloatArray] = []
    why: dict[int, str] = {}
    rows = table[["file", "start", "end"]].itertuples(index=False, name=None)
    for number, (file, start, end) in enumerate(
        tqdm(rows, total=len(table), unit="clip", desc="spectrograms", disable=not show)
    ):
        try:
            waveform = load_audio(file, SAMPLING_RATE, start=start, end=end)
            spectrum = _spectrum(waveform)
        except AudioError as error:
            why[number] = error.reason
            waveform = np.zeros(SAMPLING_RATE // 10, np.float32)
            spectrum = _spectrum(waveform)
        spectra.append(spectrum)
        prints.append(sound_print(waveform))
        told = [teacher.embed([waveform])[0] for teacher in teachers]
        lessons.append(np.concatenate([np.zeros(0, np.float32), *told]))
    return spectra, np.stack(prints), np.stack(lessons), why


def _spectrum(waveform: FloatArray) -> npt.NDArray[np.float16]:
    """(frames, 80); raises AudioError where a level far beyond full scale gives no numbers."""
    found: npt.NDArray[np.float16] = log_mel(torch.from_numpy(waveform)).numpy().astype(np.float16)
    if not np.isfinite(found).all():
        raise AudioError("its spectrogram has NaN or infinite values", "not finite")
    return found


def _repeated(
    table: "pd.DataFrame",
    validation: npt.NDArray[np.bool_],
    prints: FloatArray,
    why: Mapping[int, str],
) -> list[int]:
    """Rows to leave out: of the same recording all but the first, or all where they contradict.

    They do where one is of another emotion, or held out and another not.
    """
    good = np.array([row for row in range(len(table)) if row not in why], np.int64)

    def read(number: int) -> FloatArray:
        file, start, end = table.loc[good[number], ["file", "start", "end"]]
        return load_audio(file, SAMPLING_RATE, start=start, end=end)

    out: list[int] = []
    for group in repeated(same_sounds(prints[good], read)):
        rows: Sequence[int] = good[group].tolist()
        kinds = {(table["emotion"][row], bool(validation[row])) for row in rows}
        out += rows[1:] if len(kinds) == 1 else rows
    return out
