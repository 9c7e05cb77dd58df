"""Audio made worse on purpose: noise, a telephone's band, MP3, another level.

Nothing is normalised before or after. The telephone's band (300 to 3,400 Hz, ITU-T G.712) and rate
are the standard's; other constants are our choice.
"""

import io
import re
from functools import cache
from typing import Any

import numpy as np
import soundfile

from nver.audio.recording import FloatArray, resample
from nver.errors import AudioError, UsageError, shown

VERSION = 1  # raised when the code changes the numbers: the store keeps them apart
NUMBERED = re.compile(r"(?P<kind>noise-|level[+-])(?P<number>\d+(\.\d+)?)dB")
FORMS = "noise-20dB (its SNR), telephone, mp3, level-20dB or level+12dB"
MOST_DB = 200.0  # our choice: beyond the range of float32 audio
TELEPHONE_HZ = (300.0, 3400.0)
TELEPHONE_RATE = 8000
BUTTERWORTH = 4  # order: 24 dB an octave on either side
MP3_RATE = 16_000
MP3_COMPRESSION = 0.95  # libsndfile's scale; at 16 kHz a constant 16 kbit/s
MP3_DELAY = 1105  # samples that encoder and decoder put before the sound, without a header for it


def check_perturbation(kind: str) -> str:
    """The name of a perturbation; any other raises `UsageError`."""
    number = NUMBERED.fullmatch(kind)
    if kind not in ("telephone", "mp3") and not number:
        raise UsageError(f"unknown perturbation {shown(kind)}; expected {FORMS}")
    if number and float(number["number"]) > MOST_DB:
        raise UsageError(f"perturbation {shown(kind)}: expected at most {MOST_DB:g} dB")
    return kind


def perturb(mono: FloatArray, rate: int, kind: str, seed: bytes) -> tuple[FloatArray, int]:
    """A clip made worse, and its rate in Hz, which a telephone and MP3 change.

    "noise-NdB": white Gaussian noise over the whole band, N dB below the mean power of the clip.
    "telephone": 300 to 3,400 Hz at 8 kHz. "mp3": encoded at 16 kHz and 16 kbit/s, and decoded.
    "level+NdB", "level-NdB": a gain; samples that exceed full scale are clipped.

    Args:
        mono: (samples,) float32.
        seed: the seed of the noise, made from the clip's content: equal content, equal noise.

    Raises:
        AudioError: no samples are left.
    """
    check_perturbation(kind)
    if kind == "telephone":
        mono, rate = _telephone(mono, rate)
    elif kind == "mp3":
        mono, rate = _mp3(resample(mono, rate, MP3_RATE))
    elif kind.startswith("noise"):
        mono = _with_noise(mono, _decibel(kind), seed)
    else:
        gain = np.float32(10 ** (_decibel(kind) / 20))
        mono = np.clip(gain * mono, -1, 1, dtype=np.float32)
    if not mono.size:
        raise AudioError(f"no samples are left by {kind}", "empty")
    return mono, rate


def _decibel(kind: str) -> float:
    found = NUMBERED.fullmatch(kind)
    assert found is not None
    return float(found["number"]) * (-1 if found["kind"] == "level-" else 1)


def _with_noise(mono: FloatArray, snr_db: float, seed: bytes) -> FloatArray:
    random = np.random.default_rng(np.frombuffer(seed, np.uint8))
    noise = random.standard_normal(mono.size)
    power = np.mean(np.square(mono, dtype=np.float64)) / 10 ** (snr_db / 10)
    scaled = noise * np.sqrt(power / np.mean(np.square(noise)))
    return np.asarray(mono + scaled, np.float32)


def _telephone(mono: FloatArray, rate: int) -> tuple[FloatArray, int]:
    from scipy.signal import sosfilt

    narrow = sosfilt(_band(), resample(mono, rate, TELEPHONE_RATE).astype(np.float64))
    return np.asarray(narrow, np.float32), TELEPHONE_RATE


@cache
def _band() -> Any:
    from scipy.signal import butter

    return butter(BUTTERWORTH, TELEPHONE_HZ, "bandpass", fs=TELEPHONE_RATE, output="sos")


def _mp3(mono: FloatArray) -> tuple[FloatArray, int]:
    """(samples,) at 16 kHz encoded and decoded, with the same length."""
    file = io.BytesIO()
    form = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT"}
    soundfile.write(file, mono, MP3_RATE, compression_level=MP3_COMPRESSION, **form)
    file.seek(0)
    decoded: FloatArray = soundfile.read(file, dtype="float32")[0]
    first = MP3_DELAY if decoded.size >= mono.size + MP3_DELAY else 0
    return decoded[first : first + mono.size], MP3_RATE
