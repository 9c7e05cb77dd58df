"""One batch of clips: each is decoded once, and embedded by every encoder that lacks its vector.

A worker process imports this file: no pandas, and torch only with an encoder that needs it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nver.audio.perturbation import perturb
from nver.audio.recording import FloatArray, Recording, checked_mono, read_recording, resample
from nver.encoders import Encoder, EncoderSpec, load_spec
from nver.encoders.base import EncoderIdentity
from nver.errors import CRASHED, MEMORY, TOO_LARGE, AudioError, UsageError

# Clips go to an encoder in portions of about this much audio (our choice; 19 MB at 16 kHz), so that
# long ones do not fill the memory. Portions depend on the clips alone, as do the vectors' bits.
PORTION_S = 300.0
ENCODER = "encoder"  # the reason of a clip that an encoder failed on


class ClipJob(NamedTuple):
    """A clip to embed.

    Attributes:
        row: of the corpus's table.
        start, end: its span in s; NaN: the whole file.
        size, mtime_ns: of the file when its content was hashed.
        encoders: the numbers of the encoders that lack the clip's vector.
        perturbation: how the clip is made worse first ("": not at all), with this `seed`.
    """

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
    """A clip that could not be used: `reason` is a word, `message` a sentence without the file.

    `encoder` is the number of the encoder that failed; None: the audio cannot be used.
    """

    row: int
    reason: str
    message: str
    encoder: int | None = None


@dataclass(frozen=True)
class BatchResult:
    """For each encoder its identity, rows (n,) and vectors (n, dim); and the batch's failures.

    `clips` is the number of clips in the batch.
    """

    clips: int
    identities: tuple[EncoderIdentity, ...]
    rows: tuple[npt.NDArray[np.int64], ...]
    vectors: tuple[FloatArray, ...]
    failures: tuple[Failure, ...]


Decoded = tuple[ClipJob, dict[int, FloatArray]]  # a clip, and its waveform by encoder number


class BatchEmbedder:
    """Embeds batches of clips; loads its encoders once, before the first batch."""

    def __init__(self, specs: Sequence[EncoderSpec]) -> None:
        self.specs = tuple(specs)
        self._encoders: tuple[Encoder, ...] | None = None

    def load(self) -> tuple[Encoder, ...]:
        if self._encoders is None:
            self._encoders = tuple(load_spec(spec) for spec in self.specs)
        return self._encoders

    def __call__(self, batch: Sequence[ClipJob]) -> BatchResult:
        encoders = self.load()
        rows: list[list[int]] = [[] for _ in encoders]
        vectors: list[list[FloatArray]] = [[] for _ in encoders]
        failures: list[Failure] = []
        for portion in self._decoded_portions(batch, failures):
            for number, encoder in enumerate(encoders):
                wanted = [(job.row, w[number]) for job, w in portion if number in w]
                results = embed(encoder, [waveform for _, waveform in wanted])
                for (row, _), vector in zip(wanted, results, strict=True):
                    if isinstance(vector, str):
                        message = f"{encoder.name}: {vector}"
                        failures.append(Failure(row, ENCODER, message, number))
                    else:
                        rows[number].append(row)
                        vectors[number].append(vector)
        return BatchResult(
            len(batch),
            tuple(encoder.identity for encoder in encoders),
            tuple(np.array(some, np.int64) for some in rows),
            tuple(
                np.array(some, np.float32).reshape(-1, encoder.dim)
                for some, encoder in zip(vectors, encoders, strict=True)
            ),
            tuple(failures),
        )

    def _decoded_portions(
        self, batch: Sequence[ClipJob], failures: list[Failure]
    ) -> Iterator[list[Decoded]]:
        """The clips decoded, in portions of bounded duration; bad clips go to `failures`."""
        portion: list[Decoded] = []
        duration_s = 0.0
        for job in batch:
            try:
                recording = decode(job)
                waveforms = self._at_rates(job, recording)
            except AudioError as error:
                message = str(error).removeprefix(f"{Path(job.file)}: ")
                failures.append(Failure(job.row, error.reason, message))
                continue
            except MemoryError:
                failures.append(Failure(job.row, MEMORY, TOO_LARGE))
                continue
            portion.append((job, waveforms))
            duration_s += len(recording.samples) / recording.rate
            if duration_s >= PORTION_S:
                yield portion
                portion, duration_s = [], 0.0
        yield portion

    def _at_rates(self, job: ClipJob, recording: Recording) -> dict[int, FloatArray]:
        """encoder number -> waveform at its rate; resampled once for each rate."""
        encoders = self._encoders or ()
        mono, rate = recording.mono, recording.rate
        resampled = [n for n in job.encoders if not encoders[n].as_recorded]
        waveforms = {
            r: resample(mono, rate, r) for r in {encoders[n].sampling_rate for n in resampled}
        }
        if any(waveform.size == 0 for waveform in waveforms.values()):
            raise AudioError(f"no sample of {len(mono)} is left after resampling", "empty")
        as_recorded = {n: recording.samples for n in job.encoders if encoders[n].as_recorded}
        return as_recorded | {n: waveforms[encoders[n].sampling_rate] for n in resampled}


def single_clips(batch: Sequence[ClipJob]) -> Sequence[tuple[ClipJob, ...]]:
    """A batch for each clip of a batch; an empty batch stays one."""
    return [(job,) for job in batch] or [()]


def crashed(
    batch: Sequence[ClipJob], identities: Sequence[EncoderIdentity], message: str
) -> BatchResult:
    """The result of a batch that ended its process, as the message says: failures, no vectors."""
    return BatchResult(
        len(batch),
        tuple(identities),
        tuple(np.empty(0, np.int64) for _ in identities),
        tuple(np.empty((0, identity.dim), np.float32) for identity in identities),
        tuple(Failure(job.row, CRASHED, message) for job in batch),
    )


def decode(job: ClipJob) -> Recording:
    """A clip's recording, or what a perturbation makes of its mono samples if the job says so.

    The clip as recorded decides whether it is usable, so that all encoders skip the same clips.

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
    mono = checked_mono(recording, str(Path(job.file)))
    if not job.perturbation:
        return recording
    worse, rate = perturb(mono, recording.rate, job.perturbation, job.seed)
    return Recording(worse[:, None], rate)


def embed(encoder: Encoder, waveforms: Sequence[FloatArray]) -> list[FloatArray | str]:
    """For each waveform its vector (dim,), or the error if the encoder fails on it alone."""
    if not waveforms:
        return []
    try:
        vectors = np.ascontiguousarray(encoder.embed(waveforms), np.float32)
        if vectors.shape != (len(waveforms), encoder.dim):
            raise ValueError(f"gave {vectors.shape}, declared ({len(waveforms)}, {encoder.dim})")
    except Exception as error:
        if len(waveforms) > 1:
            return [result for w in waveforms for result in embed(encoder, [w])]
        return [f"{type(error).__name__}: {error}".removesuffix(": ")]
    return [v if np.isfinite(v).all() else "NaN or infinite values" for v in vectors]
