"""What one decoding of a clip shows: length, level, clipping, faults, and a hash of the sound."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.audio.fingerprint import SAMPLING_RATE, sound_print
from nver.audio.length import missing_by_header
from nver.audio.recording import (
    FloatArray,
    read_with_remark,
    resample,
)
from nver.audio.remarks import KINDS, Traits, remarks, traits
from nver.audio.waveform import blocks, check_mono
from nver.errors import AudioError, first_few

NAMED = 5  # clips in a warning (our choice)
SPAN_SLACK_S = 0.05  # how far a span may pass the end of its file (our choice: rounded times)


@dataclass(frozen=True)
class Measurement:
    """One clip as it is in its file, before resampling.

    Attributes:
        remarks: kind -> sentence, see `nver.audio.remarks`; "tracks" for what was left aside.
        digest: a hash of the mean of the channels: equal sound has an equal digest, whatever the
            bytes of the file.
        sound_print: see `nver.audio.fingerprint`; None for a clip that cannot be used.
        cut_short: how much of the clip is missing, "" if nothing is.
        reason, message: why the clip cannot be used, as in `AudioError`; "" for a usable clip.
    """

    duration_s: float = 0.0
    sampling_rate: int = 0
    channels: int = 0
    remarks: Mapping[str, str] = field(default_factory=dict)
    digest: bytes = b""
    sound_print: FloatArray | None = None
    cut_short: str = ""
    reason: str = ""
    message: str = ""


def measure(file: str, start: float = math.nan, end: float = math.nan) -> Measurement:
    """Decode a file or a span of it (s; NaN: no bound) once; a fault is a field, not an error."""
    try:
        recording, remark = read_with_remark(file, start=start, end=end)
    except AudioError as error:
        return Measurement(reason=error.reason, message=str(error))
    mono, rate = recording.mono, recording.rate
    if not len(mono) and not math.isnan(start):
        return Measurement(reason="empty", message=_outside(file, start, end))
    found = Measurement(
        duration_s=len(mono) / rate,
        sampling_rate=rate,
        channels=recording.samples.shape[1],
        digest=_digest(mono, rate),
        cut_short=remark or _cut_short(start, end, len(mono) / rate),
    )
    try:
        check_mono(mono, recording.samples, file)
    except AudioError as error:
        return replace(found, reason=error.reason, message=str(error))
    said = {"tracks": recording.note} if recording.note else {}
    said |= remarks(traits(recording.samples), found.duration_s)
    del recording  # a long one and its copies need much memory
    return replace(
        found, remarks=said, sound_print=sound_print(resample(mono, rate, SAMPLING_RATE))
    )


def cut_short_warnings(clips: pd.DataFrame) -> tuple[str, ...]:
    """A sentence that names the clips of which something is missing, if there are any.

    That is a file that promises more than it holds, and a span that ends after its file. Only the
    files' headers are read, so that every run can warn, even if it decodes nothing; but a file that
    only PyAV reads is decoded. Spans are looked at where the table has their `duration_s`.
    """
    rows = clips.reindex(columns=["clip", "file", "start", "end", "duration_s"])
    found = [
        f"{clip} ({missing})"
        for clip, *rest in rows.itertuples(index=False, name=None)
        if (missing := _missing(*rest))
    ]
    return (_warning("cut short, used as far as the file goes", found),) if found else ()


def _missing(file: str, start: float, end: float, duration_s: float) -> str:
    if math.isnan(start) and math.isnan(end):
        return missing_by_header(file)
    return "" if math.isnan(duration_s) else _cut_short(start, end, duration_s)


def trait_warnings(clips: pd.DataFrame, found: npt.NDArray[np.float32]) -> tuple[str, ...]:
    """A sentence for each kind of remark (`nver.audio.remarks`) that names the clips of that kind.

    Args:
        clips: with the columns clip and duration_s.
        found: (clips, 6), the traits of each.
    """
    of_kind: dict[str, list[str]] = defaultdict(list)
    for clip, seconds, row in zip(clips["clip"], clips["duration_s"], found, strict=True):
        for kind, said in remarks(Traits(*map(float, row)), float(seconds)).items():
            of_kind[kind].append(f"{clip} ({said})")
    return tuple(_warning(what, of_kind[kind]) for kind, what in KINDS.items() if of_kind[kind])


def _warning(what: str, found: list[str]) -> str:
    number = f"{len(found):,} clip{'s' if len(found) > 1 else ''}"
    return f"{number} {what}: {first_few(found, NAMED)}; see `nver corpus`"


def _digest(mono: FloatArray, rate: int) -> bytes:
    """16 bytes; adding zero makes -0.0 and 0.0 the same."""
    found = hashlib.blake2b(digest_size=16, salt=rate.to_bytes(8, "big"))
    with np.errstate(invalid="ignore"):  # of NaN
        for block in blocks(mono):
            found.update((block + np.float32(0.0)).tobytes())
    return found.digest()


def _outside(file: str, start: float, end: float) -> str:
    """Why a span (s) has no samples."""
    until = "its end" if math.isnan(end) else f"{end:g} s"
    return f"{file}: the span from {start:g} s to {until} lies after the end of the file"


def _cut_short(start: float, end: float, duration_s: float) -> str:
    """What is missing of a span that ends after its file, of which there are so many seconds."""
    wanted = 0.0 if math.isnan(end) else end - (0.0 if math.isnan(start) else start)
    missing = wanted - duration_s
    return f"the span ends {missing:.2f} s after the file" if missing > SPAN_SLACK_S else ""
