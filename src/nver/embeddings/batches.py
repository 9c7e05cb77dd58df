"""One batch of clips: each decoded once, and embedded by every encoder that lacks it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nver.audio.perturbation import perturb
from nver.audio.recording import FloatArray, check_waveform, read_recording, resample
from nver.encoders import Encoder, EncoderSpec, load_spec
from nver.encoders.base import EncoderIdentity
from nver.errors import AudioError, UsageError

# 19 MB at 16 kHz (our choice). Clips go to an encoder together up to this much audio, so that long
# ones do not fill the memory; it depends on the clips alone, and so do the vectors' bits.
TOGETHER_S = 300.0
ENCODER = "encoder"  # the reason of a clip that an encoder failed on


class ClipJob(NamedTuple):
    """A clip to decode: its row in the corpus, its span (s; NaN: whole file), what its file looked
    like when its content was hashed, the numbers of the encoders that lack it, how it is made worse
    ("": not at all), and the seed of that."""

    row: int
    file: str
    start: float
    end: float
    size: int
    mtime_ns: int
    encoders: tuple[int, ...]
    perturbation: str = ""
    seed: bytes = b""


class Failure(NamedTuple):
    """A clip that could not be used: its row, a word, a sentence without the file's name, and the
    number of the encoder that failed on it (None: it is no usable audio)."""

    row: int
    reason: str
    message: str
    encoder: int | None = None


@dataclass(frozen=True)
class BatchResult:
    """For each encoder its identity, rows (n,) and vectors (n, dim); and what failed of `clips`."""

    clips: int
    identities: tuple[EncoderIdentity, ...]
    rows: tuple[npt.NDArray[np.int64], ...]
    vectors: tuple[FloatArray, ...]
    failures: tuple[Failure, ...]


class BatchEmbedder:
    """Embeds batches of clips; loads its encoders at the first one, which may be empty."""

    def __init__(self, specs: Sequence[EncoderSpec]) -> None:
        self.specs = tuple(specs)
        self._encoders: tuple[Encoder, ...] | None = None

    def __call__(self, batch: Sequence[ClipJob]) -> BatchResult:
        if self._encoders is None:
            self._encoders = tuple(load_spec(spec) for spec in self.specs)
        found: list[list[tuple[int, FloatArray]]] = [[] for _ in self._encoders]
        failures: list[Failure] = []
        for clips in self._together(batch, failures):
            for number, encoder in enumerate(self._encoders):
                wanted = [(job.row, w[number]) for job, w in clips if number in w]
                results = embed(encoder, [waveform for _, waveform in wanted])
                for (row, _), vector in zip(wanted, results, strict=True):
                    if isinstance(vector, str):
                        message = f"{encoder.name}: {vector}"
                        failures.append(Failure(row, ENCODER, message, number))
                    else:
                        found[number].append((row, vector))
        return self._result(len(batch), found, failures)

    def _result(
        self, clips: int, found: list[list[tuple[int, FloatArray]]], failures: list[Failure]
    ) -> BatchResult:
        encoders = self._encoders or ()
        return BatchResult(
            clips,
            tuple(encoder.identity for encoder in encoders),
            tuple(np.array([row for row, _ in pairs], np.int64) for pairs in found),
            tuple(
                np.stack([v for _, v in pairs]) if pairs else np.empty((0, e.dim), np.float32)
                for e, pairs in zip(encoders, found, strict=True)
            ),
            tuple(failures),
        )

    def _together(
        self, batch: Sequence[ClipJob], failures: list[Failure]
    ) -> Iterator[list[tuple[ClipJob, dict[int, FloatArray]]]]:
        """Decoded clips in portions of bounded duration; bad ones go to `failures`."""
        clips: list[tuple[ClipJob, dict[int, FloatArray]]] = []
        duration_s = 0.0
        for job in batch:
            try:
                mono, rate = decode(job)
                waveforms = self._at_rates(job, mono, rate)
            except AudioError as error:
                message = str(error).removeprefix(f"{Path(job.file)}: ")
                failures.append(Failure(job.row, error.reason, message))
                continue
            clips.append((job, waveforms))
            duration_s += len(mono) / rate
            if duration_s >= TOGETHER_S:
                yield clips
                clips, duration_s = [], 0.0
        yield clips

    def _at_rates(self, job: ClipJob, mono: FloatArray, rate: int) -> dict[int, FloatArray]:
        """encoder number -> waveform at its rate; resampled once a rate."""
        encoders = self._encoders or ()
        rates = {encoders[number].sampling_rate for number in job.encoders}
        waveforms = {r: resample(mono, rate, r) for r in rates}
        if any(waveform.size == 0 for waveform in waveforms.values()):
            raise AudioError(f"{len(mono)} samples are none after resampling", "empty")
        return {number: waveforms[encoders[number].sampling_rate] for number in job.encoders}


def decode(job: ClipJob) -> tuple[FloatArray, int]:
    """A clip's mono samples at the file's own rate, and that rate in Hz; made worse if it is to be.

    Whether a clip is usable is decided here, before both and resampling: for all encoders alike.

    Raises:
        AudioError: it cannot be used, or the file has changed since its content was hashed.
    """
    try:
        recording = read_recording(job.file, start=job.start, end=job.end)
        now = os.stat(job.file)
    except (OSError, UsageError) as error:  # no permission; a span that starts before the file
        raise AudioError(f"cannot be read ({error})", "unreadable") from error
    if (now.st_size, now.st_mtime_ns) != (job.size, job.mtime_ns):
        raise AudioError("the file changed while it was read; run again", "unreadable")
    mono = recording.mono
    check_waveform(mono, str(Path(job.file)))
    if job.perturbation:
        return perturb(mono, recording.rate, job.perturbation, job.seed)
    return mono, recording.rate


def embed(encoder: Encoder, waveforms: Sequence[FloatArray]) -> list[FloatArray | str]:
    """For each waveform its vector (dim,), or what the encoder said when it failed on it alone."""
    if not waveforms:
        return []
    try:
        vectors = np.ascontiguousarray(encoder.embed(waveforms), np.float32)
        if vectors.shape != (len(waveforms), encoder.dim):
            raise ValueError(f"gave {vectors.shape}, declared ({len(waveforms)}, {encoder.dim})")
    except Exception as error:
        if len(waveforms) > 1:
            return [result for w in waveforms for result in embed(encoder, [w])]
        return [f"{type(error).__name__}: {error}"]
    return [v if np.isfinite(v).all() else "NaN or infinite values" for v in vectors]
