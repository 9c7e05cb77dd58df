"""Recordings in containers and codecs, made by PyAV's encoders."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Samples = npt.NDArray[np.float32]

# Name -> options of soundfile, and the rate in Hz.
BY_SOUNDFILE: dict[str, tuple[dict[str, Any], int]] = {
    "pcm16.wav": ({"subtype": "PCM_16"}, 44100),
    "pcm24.WAV": ({"subtype": "PCM_24"}, 48000),
    "float.wave": ({"format": "WAV", "subtype": "FLOAT"}, 16000),
    "alaw.wav": ({"subtype": "ALAW"}, 16000),
    "ima.wav": ({"subtype": "IMA_ADPCM"}, 22050),
    "gsm.wav": ({"subtype": "GSM610"}, 8000),
    "a.flac": ({}, 44100),
    "vorbis.ogg": ({"subtype": "VORBIS"}, 44100),
    "opus.opus": ({"format": "OGG", "subtype": "OPUS"}, 48000),
    "opus.oga": ({"format": "OGG", "subtype": "OPUS"}, 16000),
    "a.mp3": ({}, 44100),
    "a.mp2": ({"format": "MP3", "subtype": "MPEG_LAYER_III"}, 22050),
    "a.aiff": ({}, 44100),
    "a.aifc": ({"format": "AIFF", "subtype": "FLOAT"}, 44100),
    "a.au": ({}, 16000),
    "a.snd": ({"format": "AU"}, 16000),
    "a.caf": ({"subtype": "PCM_16"}, 44100),
    "a.w64": ({"subtype": "PCM_16"}, 44100),
    "a.rf64": ({"subtype": "PCM_16"}, 44100),
    "a.voc": ({"subtype": "PCM_16"}, 16000),
    "a.sph": ({"format": "NIST", "subtype": "PCM_16"}, 16000),
    "a.ircam": ({"subtype": "PCM_16"}, 16000),
    "a.svx": ({"subtype": "PCM_16"}, 16000),
    "a.avr": ({"subtype": "PCM_16"}, 16000),
    "a.paf": ({"subtype": "PCM_16"}, 16000),
    "a.pvf": ({"subtype": "PCM_16"}, 16000),
}
# Name -> FFmpeg's container and encoder, and the rate in Hz.
BY_PYAV: dict[str, tuple[str, str, int]] = {
    "phone.m4a": ("ipod", "aac", 44100),
    "lossless.m4a": ("ipod", "alac", 44100),
    "narrow.M4A": ("ipod", "aac", 16000),
    "book.m4b": ("ipod", "aac", 22050),
    "video.mp4": ("mp4", "aac", 48000),
    "opus.mp4": ("mp4", "libopus", 48000),
    "camera.mov": ("mov", "pcm_s16be", 44100),
    "camera24.mov": ("mov", "pcm_s24le", 48000),
    "old phone.3gp": ("3gp", "libopencore_amrnb", 8000),
    "phone.3gp": ("3gp", "aac", 44100),
    "dictation.amr": ("amr", "libopencore_amrnb", 8000),
    "radio.aac": ("adts", "aac", 44100),
    "windows.wma": ("asf", "wmav2", 44100),
    "windows1.wma": ("asf", "wmav1", 22050),
    "browser.webm": ("webm", "libopus", 48000),
    "meeting.mkv": ("matroska", "libopus", 48000),
    "pcm.mka": ("matroska", "pcm_s24le", 44100),
    "mp3.mka": ("matroska", "libmp3lame", 44100),
    "dvd.ac3": ("ac3", "ac3", 48000),
    "tv.ts": ("mpegts", "aac", 48000),
    "old.avi": ("avi", "libmp3lame", 44100),
    "old.flv": ("flv", "aac", 44100),
    "old.mpg": ("mpeg", "mp2", 44100),
    "small.wv": ("wv", "wavpack", 44100),
    "small.tta": ("tta", "tta", 44100),
    "ac3.wav": ("wav", "ac3", 44100),
    "g722.wav": ("wav", "g722", 16000),
    "g726.wav": ("wav", "g726", 8000),
    "yamaha.wav": ("wav", "adpcm_yamaha", 22050),
}
WRONG = {  # name -> the file whose bytes it has: what phones and messengers hand on
    "is m4a.wav": "phone.m4a",
    "is aac.mp3": "radio.aac",
    "is webm.wav": "browser.webm",
    "is webm.ogg": "browser.webm",
    "is 3gp.mp3": "phone.3gp",
    "is wma.flac": "windows.wma",
}
SIXTEEN_BITS = {"wavpack": "s16p", "tta": "s16"}  # both would take the first, of 8 bits
SECONDS_OFF = 0.15  # how much longer or shorter a codec may make a clip


def write_media(
    file: Path, samples: Samples, rate: int, container: str, encoder: str, tracks: int = 1
) -> Path:
    """Write (samples,) or (samples, channels) at `rate` Hz into a container."""
    import av

    rows = np.atleast_2d(samples.T)
    layout = "mono" if len(rows) == 1 else "stereo"
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(rows), format="fltp", layout=layout)
    whole.sample_rate, whole.pts = rate, 0
    with av.open(str(file), "w", format=container) as out:
        streams = [out.add_stream(encoder, rate=rate, layout=layout) for _ in range(tracks)]
        for stream in streams:
            if encoder.startswith("wma"):
                stream.bit_rate = 64_000
            context = stream.codec_context
            if encoder in SIXTEEN_BITS:
                context.format = av.AudioFormat(SIXTEEN_BITS[encoder])
            size = context.frame_size or 1024
            form = context.format.name
            resampler = av.AudioResampler(form, layout, rate, frame_size=size)
            for frame in [*resampler.resample(whole), *resampler.resample(None)]:
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return file


def write_all(folder: Path, samples: Samples, rate: int) -> dict[str, Path]:
    """The clip in every format, by name: those of soundfile, of PyAV, and with a wrong suffix."""
    files = {}
    for name, (options, to) in BY_SOUNDFILE.items():
        files[name] = folder / name
        soundfile.write(files[name], soxr.resample(samples, rate, to), to, **options)
    for name, (container, encoder, to) in BY_PYAV.items():
        resampled = soxr.resample(samples, rate, to).astype(np.float32)
        files[name] = write_media(folder / name, resampled, to, container, encoder)
    for name, source in WRONG.items():
        files[name] = folder / name
        files[name].write_bytes(files[source].read_bytes())
    return files


def likeness(one: Samples, other: Samples) -> float:
    """The highest correlation of two waveforms at one rate, over all lags."""
    size = 2 * max(len(one), len(other))
    product = np.fft.rfft(one, size).conj() * np.fft.rfft(other, size)
    return float(np.fft.irfft(product, size).max() / np.linalg.norm(one) / np.linalg.norm(other))
