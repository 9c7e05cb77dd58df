"""Reading recordings: formats, channels, spans, and every way a recording can be no good."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from nver.audio.recording import (
    Recording,
    load_audio,
    read_recording,
    resample,
)
from nver.audio.remarks import QUIET_RMS
from nver.audio.waveform import SILENT_PEAK, check_waveform
from nver.errors import AudioError, UsageError

RATE = 16000
FORMATS = {  # suffix: (format, subtype, largest error of a sample)
    "wav": ("WAV", "PCM_16", 1e-4),
    "flac": ("FLAC", "PCM_16", 1e-4),
    "aiff": ("AIFF", "PCM_16", 1e-4),
    "ogg": ("OGG", "VORBIS", 0.1),
    "opus": ("OGG", "OPUS", 0.1),
    "mp3": ("MP3", "MPEG_LAYER_III", 0.1),
}


def chirp(seconds: float = 1.0, rate: int = RATE) -> npt.NDArray[np.float32]:
    """No two stretches of it are alike, so that a wrong span is seen."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (150 + 100 * t) * t)).astype(np.float32)


def write(path: Path, samples: npt.NDArray[Any], rate: int = RATE) -> Path:
    kind, subtype, _ = FORMATS[path.suffix[1:]]
    soundfile.write(path, samples, rate, format=kind, subtype=subtype)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"a.{suffix}", chirp())
    recording = read_recording(file)
    assert recording.rate == RATE
    assert recording.samples.dtype == np.float32
    error = np.abs(recording.mono[: RATE - 800] - chirp()[: RATE - 800]).max()
    assert recording.samples.shape == (RATE, 1)
    assert error < FORMATS[suffix][2]


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    file = write(tmp_path / "a.flac", chirp()).rename(tmp_path / "a.wav")
    assert np.abs(read_recording(file).mono - chirp()).max() < 1e-4


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "mp3"])
def test_channels_are_averaged_as_channels(tmp_path: Path, suffix: str) -> None:
    left, right = chirp(), 0.25 * chirp()[::-1]
    file = write(tmp_path / f"a.{suffix}", np.stack([left, right], axis=1))
    mono = load_audio(file, RATE)
    assert mono.shape == (RATE,)
    assert np.abs(mono - (left + right) / 2)[: RATE - 800].max() < FORMATS[suffix][2]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("start", "end"), [(None, 0.5), (0.25, 0.75), (0.6, None), (float("nan"), 0.3), (0.9, 5.0)]
)
def test_a_span_is_the_part_of_the_whole(
    tmp_path: Path, suffix: str, start: float | None, end: float | None
) -> None:
    file = write(tmp_path / f"a.{suffix}", chirp())
    whole = read_recording(file).samples
    first = 0 if start is None or np.isnan(start) else round(start * RATE)
    expected = whole[first : None if end is None else round(end * RATE)]
    span = read_recording(file, start=start, end=end).samples
    assert span.shape == expected.shape
    assert np.abs(span - expected).max() < 1e-6


def test_a_span_of_an_mp3_of_variable_bit_rate_is_exact(tmp_path: Path) -> None:
    """Seeking in such a file misses by up to 2,000 samples."""
    file = tmp_path / "a.mp3"
    parts = [chirp(2.0, 48000), 1e-4 * chirp(2.0, 48000), chirp(2.0, 48000)]
    soundfile.write(file, np.concatenate(parts), 48000, bitrate_mode="VARIABLE")
    whole = read_recording(file).samples
    with soundfile.SoundFile(file) as sound:
        sound.seek(200000)
        sought = sound.read(5000, dtype="float32", always_2d=True)
    span = read_recording(file, start=200000 / 48000, end=205000 / 48000).samples
    assert np.array_equal(span, whole[200000:205000])
    assert not np.allclose(sought, whole[200000:205000], atol=0.01), "no need to go round it"


def test_only_the_span_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.wav", chirp(10.0))
    asked: list[int] = []
    read = soundfile.SoundFile.read

    def counting(self: Any, frames: int = -1, **options: Any) -> Any:
        asked.append(frames)
        return read(self, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    assert len(read_recording(file, start=4.0, end=4.5).samples) == RATE // 2
    assert asked == [RATE // 2]


@pytest.mark.parametrize(
    ("start", "end"), [(2.0, 3.0), (float("inf"), None), (0.5, 0.5), (0.5, -1)]
)
def test_a_span_with_nothing_in_it_is_empty(
    tmp_path: Path, start: float, end: float | None
) -> None:
    file = write(tmp_path / "a.wav", chirp())
    with pytest.raises(AudioError, match="no samples") as caught:
        load_audio(file, RATE, start=start, end=end)
    assert caught.value.reason == "empty"


def test_a_negative_start_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 s or later"):
        read_recording(write(tmp_path / "a.wav", chirp()), start=-0.5)


BROKEN = {
    "missing": (None, "missing"),
    "zero bytes": (b"", "empty"),
    "text": (b"this is not audio, whatever its name says" * 50, "unreadable"),
    "half a header": (b"RIFF\x00\x00", "unreadable"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("suffix", ["wav", "mp3", "opus"])
def test_a_file_that_is_no_audio_says_so(tmp_path: Path, name: str, suffix: str) -> None:
    content, reason = BROKEN[name]
    file = tmp_path / f"a.{suffix}"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        load_audio(file, RATE)
    assert caught.value.reason == reason
    assert str(file) in str(caught.value)
    assert ("does not exist" in str(caught.value)) is False


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="a folder or a device, not a file"):
        read_recording(tmp_path)


def test_a_flac_without_a_whole_frame_is_unreadable(tmp_path: Path) -> None:
    file = write(tmp_path / "a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, RATE))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(AudioError) as caught:
        load_audio(file, RATE)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0), "empty"),
        (np.zeros(1000), "silent"),
        (np.full(1000, 0.9 * SILENT_PEAK), "silent"),
        (np.full(1000, 0.5), "silent"),
        (np.full(1, 0.5), "silent"),
        (np.array([0.1, np.nan, 0.2]), "not finite"),
        (np.array([0.1, -np.inf]), "not finite"),
        (np.stack([np.full(100, 0.5), np.full(100, -0.5)], axis=1), "silent"),
    ],
)
def test_audio_with_nothing_to_recognise(samples: npt.NDArray[Any], reason: str) -> None:
    with pytest.raises(AudioError) as caught:
        load_audio(samples, RATE)
    assert caught.value.reason == reason


def test_nan_in_a_file_is_found(tmp_path: Path) -> None:
    samples = chirp()
    samples[7] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="1 of 16000 samples"):
        load_audio(tmp_path / "a.wav", RATE)


def test_quiet_is_not_silent() -> None:
    quiet = np.resize([0.5 * QUIET_RMS, -0.5 * QUIET_RMS], 1000).astype(np.float32)
    check_waveform(quiet, "quiet")


def test_resampling_keeps_the_sound() -> None:
    mono = load_audio(chirp(1.0, 48000), RATE, source_rate=48000)
    assert mono.shape == (RATE,)
    assert np.abs(mono - chirp())[200:-200].max() < 1e-3


def test_at_the_same_rate_nothing_is_computed() -> None:
    samples = chirp()
    assert resample(samples, RATE, RATE) is samples


def test_too_few_samples_for_the_rate_are_empty() -> None:
    with pytest.raises(AudioError, match="no sample of 2 is left at 16000 Hz"):
        load_audio(np.array([0.5, -0.5]), RATE, source_rate=192_000)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(100, np.int16), "int16"),
        (np.zeros((2, 100)), r"\(2, 100\)"),
        (np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
    ],
)
def test_arrays_of_another_kind_are_mistakes(array: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_audio(array, RATE)


def test_a_span_of_an_array_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="part of the array"):
        load_audio(chirp(), RATE, start=0.1)


def test_mono_is_the_mean_over_channels() -> None:
    samples = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert Recording(samples, RATE).mono.tolist() == [0.5, 2.5, 4.5]


def test_real_recordings_as_published(shared: Path) -> None:
    """EmoGator's MP3: 44.1 and 48 kHz, mono and stereo, and the one silent file."""
    folder = shared / "data" / "emogator" / "mp3"
    files = sorted(folder.glob("*.mp3"))[::37]
    kinds = {(read_recording(f).rate, read_recording(f).samples.shape[1]) for f in files}
    assert len({rate for rate, _ in kinds}) == 2
    assert {channels for _, channels in kinds} == {1, 2}
    with pytest.raises(AudioError) as caught:
        load_audio(folder / "000086-04-1.mp3", RATE)
    assert caught.value.reason == "silent"
