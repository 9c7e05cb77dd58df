"""Sound in containers and codecs that libsndfile does not read, by PyAV: `nver[media]`.

What a file says of itself is a claim. Only the formats and decoders named here are tried; the file
is opened by Python and handed on, so that no playlist or reference in it opens another file or an
address; rates, channels and lengths are bounded; a file is used as far as it can be decoded.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from nver.audio.containers import container_of
from nver.audio.media_headers import check_header, locked
from nver.audio.sound_file import MOST_VALUES, check_form
from nver.errors import AudioError, UsageError

FloatArray = npt.NDArray[np.float32]

INSTALL = 'pip install "nver[media]"'
NEEDS_MEDIA = "needs nver[media]"  # the reason of a file that only the extra reads
# FFmpeg's names of the demuxers that may read a file; none of them follows a reference.
FORMATS = (
    "mov,mp4,m4a,3gp,matroska,webm,asf,amr,amrnb,amrwb,aac,ac3,eac3,dts,wv,ape,tta,tak,mpc,mpc8,"
    "ogg,mpegts,mpeg,avi,flv,caf,wav,w64,aiff,au,rm,oma,dss,qcp"
)
# FFmpeg's names of the decoders of sound; none of a picture is ever opened.
DECODERS = (
    "aac,aac_latm,alac,als,libopencore_amrnb,libopencore_amrwb,amrnb,amrwb,ac3,eac3,ape,dca,flac,"
    "mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,speex,libspeex,tta,tak,"
    "wavpack,wmav1,wmav2,wmapro,wmalossless,wmavoice,cook,sipr,ra_144,ra_288,real_144,real_288,"
    "atrac3,atrac3plus,mpc7,mpc8,dss_sp,qcelp,evrc,gsm,gsm_ms,g722,g723_1,g726,g726le,g729,ilbc,"
    "truespeech,nellymoser,adpcm_g722,adpcm_g726,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,"
    "adpcm_yamaha,dvaudio,mace3,mace6,qdm2,qdmc,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,pcm_u8,"
    "pcm_s8,pcm_s8_planar,pcm_f16le,pcm_f24le,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_s16be,"
    "pcm_s16be_planar,pcm_s16le,pcm_s16le_planar,pcm_s24be,pcm_s24le,pcm_s24le_planar,pcm_s32be,"
    "pcm_s32le,pcm_s32le_planar,pcm_s64be,pcm_s64le,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,"
    "pcm_u32be,pcm_u32le"
)
OPTIONS = {"format_whitelist": FORMATS, "codec_whitelist": DECODERS, "protocol_whitelist": "none"}
# Formats whose header states the length of a track; of others FFmpeg guesses it.
STATES_LENGTH = {"mov", "matroska", "caf", "wv", "ape", "tta", "flv"}
LOCKED = {"drms", "enca", "aavd"}  # codec tags of iTunes, of ISO 23001-7 and of Audible

GROWTH = 1.2  # of the array that is decoded into, when it is full (our choice)
LONGEST_H = 4  # hours at 48 kHz that are decoded at most to know a file's length (our choice)
MOST_COUNTED = LONGEST_H * 3600 * 48_000
SLACK_S = 0.25  # how far a file may end before its stated length (our choice: codecs pad)


class Media(NamedTuple):
    """The sound of a span: `samples` (samples, channels) float32 at `rate` Hz.

    `duration_s` is what of the file could be decoded; `missing` says what could not, or ""; `note`
    says what was left aside, or "".
    """

    samples: FloatArray
    rate: int
    duration_s: float
    missing: str
    note: str


@dataclass
class _Sound:
    """What has been decoded: the samples of a span, with room for more behind them, and how far."""

    start: float
    end: float
    rate: int = 0
    channels: int = 0
    place: int = 0
    kept: int = 0
    fault: str = ""
    samples: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))

    @property
    def behind_span(self) -> bool:
        return self.rate > 0 and self.place >= self.end * self.rate

    def take(self, frame: Any) -> None:
        """Keep the part of a frame that lies in the span."""
        first, last = round(self.start * self.rate), _index(self.end, self.rate)
        begin, stop = max(0, first - self.place), min(frame.samples, last - self.place)
        if begin < stop:
            self._keep(_floats(frame)[begin:stop])
        self.place += frame.samples

    def _keep(self, rows: FloatArray) -> None:
        """Put rows behind the others; the array grows in place, so that there are never two."""
        last = self.kept + len(rows)
        if last > len(self.samples):
            self.samples.resize((int(GROWTH * last), self.channels), refcheck=False)
        self.samples[self.kept : last] = rows
        self.kept = last

    def trimmed(self) -> FloatArray:
        self.samples.resize((self.kept, self.channels), refcheck=False)
        return self.samples


def read_media(
    path: Path, start: float | None, end: float | None, *, count_rest: bool = True
) -> Media:
    """Decode a file, or its span from `start` to `end` (s; None or NaN: no bound), with PyAV.

    Args:
        count_rest: decode on behind the span, so that `duration_s` is of the whole file.

    Raises:
        AudioError: "needs nver[media]", "unreadable", "empty", "encrypted", or "too long".
        UsageError: a negative `start`.
    """
    av = _pyav(path)
    sound = _Sound(_bound(start, 0.0), _bound(end, math.inf))
    if sound.start < 0:
        raise UsageError(f"a span starts at 0 s or later; got {start} s")
    try:
        cut = check_header(path)
        with path.open("rb") as file, _opened(av, _Bytes(file)) as container:
            stream, tracks = _stream(container, path)
            _decode(av, container, stream, sound, path, count_rest)
            short = cut or _short_of(container, stream, sound)
            fault = sound.fault or (short if count_rest or not sound.behind_span else "")
    except (av.FFmpegError, EOFError, LookupError, MemoryError, OSError, ValueError) as error:
        words = _words(error)
        raise AudioError(f"{path}: cannot be decoded ({words})", "unreadable") from error
    if not sound.rate:
        raise AudioError(f"{path}: no sound can be decoded", "unreadable" if cut else "empty")
    return Media(sound.trimmed(), sound.rate, sound.place / sound.rate, fault, tracks)


def _pyav(path: Path) -> Any:
    try:
        import av
    except ImportError:
        kind = container_of(path) or path.suffix
        message = f"{path}: {kind} needs an optional dependency: {INSTALL}"
        raise AudioError(message, NEEDS_MEDIA) from None
    return av


def _opened(av: Any, file: Any) -> Any:
    return av.open(file, container_options=OPTIONS, metadata_errors="replace", io_open=_refuse)


class _Bytes:
    """A file as PyAV reads it. A place that a file cannot have is answered, not raised: PyAV would
    print what is raised in here."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place, or -1 where there is none."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


def _refuse(url: str, flags: int, options: Any) -> Any:
    raise OSError("a recording may not open another file")


def _bound(seconds: float | None, default: float) -> float:
    return default if seconds is None or math.isnan(seconds) else seconds


def _index(seconds: float, rate: int) -> int:
    """The sample at a time; behind all samples for a time without bound."""
    return round(min(seconds * rate, 2.0**62))


def _stream(container: Any, path: Path) -> tuple[Any, str]:
    """The first track of sound, and a remark if there are more."""
    streams = list(container.streams.audio)
    if not streams:
        seen = "pictures but no sound" if container.streams.video else "no sound"
        raise AudioError(f"{path}: the file holds {seen}", "empty")
    stream = streams[0]
    if _tag(stream) in LOCKED:  # it would decode to noise
        raise locked(path)
    context = stream.codec_context
    if context is None or context.name not in DECODERS.split(","):
        name = "unknown" if context is None else context.name
        raise AudioError(f"{path}: its codec ({name}) is not read", "unreadable")
    context.thread_count = 1
    more = len(streams) - 1
    return stream, f"the first of {more + 1} tracks of sound is used" if more else ""


def _tag(stream: Any) -> str:
    """The four letters by which a container names a codec; "" where they are no letters."""
    try:
        return str(stream.codec_context.codec_tag)
    except (AttributeError, UnicodeDecodeError):
        return ""


def _decode(
    av: Any, container: Any, stream: Any, sound: _Sound, path: Path, count_rest: bool
) -> None:
    """Decode into `sound` up to the end, the first fault, or the end of the span."""
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            if sound.rate:
                sound.fault = f"decoded {_so_far(sound)} ({_words(error)})"
                return
            continue  # a stream may begin in the middle of a frame
        for frame in frames:
            if not _fits(sound, frame, path):
                return
            sound.take(frame)
            if sound.kept * sound.channels > MOST_VALUES:
                raise _too_long(path, sound)
        if sound.place > MOST_COUNTED or (sound.behind_span and not count_rest):
            return


def _fits(sound: _Sound, frame: Any, path: Path) -> bool:
    """Whether a frame has the rate and channels of the first; the first one's are checked."""
    form = frame.sample_rate, frame.layout.nb_channels
    if not sound.rate:
        check_form(path, *form)
        sound.rate, sound.channels = form
    if form == (sound.rate, sound.channels):
        return True
    sound.fault = (
        f"decoded {_so_far(sound)} (the sound changes from {sound.rate} Hz and {sound.channels} "
        f"channel(s) to {form[0]} Hz and {form[1]})"
    )
    return False


def _so_far(sound: _Sound) -> str:
    return f"up to {sound.place / sound.rate:.2f} s"


def _short_of(container: Any, stream: Any, sound: _Sound) -> str:
    """How much less than its header states a file holds, in words; "" if nothing is missing."""
    if not sound.rate or container.format.name.split(",")[0] not in STATES_LENGTH:
        return ""
    stated = None
    if stream.duration:
        stated = float(stream.duration * stream.time_base)
    elif container.duration and len(container.streams) == 1:
        stated = container.duration / 1e6
    seconds = sound.place / sound.rate
    if stated is None or seconds > stated - SLACK_S or sound.place > MOST_COUNTED:
        return ""
    return f"{seconds:,.2f} of {stated:,.2f} s are there"


def _floats(frame: Any) -> FloatArray:
    """(samples, channels) float32 of a decoded frame, integers scaled to -1..1."""
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    rows = array.T if frame.format.is_planar else array.reshape(-1, channels)
    if rows.dtype == np.uint8:
        return np.asarray((rows.astype(np.float32) - 128) / 128, np.float32)
    if np.issubdtype(rows.dtype, np.integer):
        return np.asarray(rows * np.float32(1 / -float(np.iinfo(rows.dtype).min)), np.float32)
    return rows.astype(np.float32)


def _too_long(path: Path, sound: _Sound) -> AudioError:
    minutes = MOST_VALUES / sound.channels / sound.rate / 60
    return AudioError(
        f"{path}: longer than {minutes:.0f} minutes, the most at {sound.rate:,} Hz and "
        f"{sound.channels} channel(s); cut it, or give spans",
        "too long",
    )


def _words(error: Exception) -> str:
    """The decoder's words, without its own name and number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    words = text.split(":")[0].strip().rstrip(".")
    if words.startswith("Error number"):
        return "the decoder failed"
    return {"Invalid argument": "not audio of a known format"}.get(words, words)
