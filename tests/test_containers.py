"""Files that end too early, by format, and files that only look as if they did."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nver.audio.recording import read_recording, read_start
from nver.audio.truncated import shortfall
from nver.errors import AudioError

RATE = 16000
FORMATS = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "float.wav": {"format": "WAV", "subtype": "FLOAT"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "cbr.mp3": {"format": "MP3", "bitrate_mode": "CONSTANT"},
    "vbr.mp3": {"format": "MP3", "bitrate_mode": "VARIABLE"},
    "flac": {"format": "FLAC"},
    "au": {"format": "AU"},
    "rf64": {"format": "RF64"},
    "w64": {"format": "W64"},
    "caf": {"format": "CAF"},
}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """3 s of noise, then quiet, then noise: the bit rate varies where it may."""
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, 3 * RATE) * np.repeat([1.0, 0.001, 1.0], RATE)
    folder = tmp_path_factory.mktemp("sounds")
    for name, options in FORMATS.items():
        soundfile.write(folder / f"a.{name}", samples, RATE, **options)
    return {name: folder / f"a.{name}" for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_lacks_nothing(sounds: dict[str, Path], name: str) -> None:
    assert what_is_wrong(sounds[name]) == ""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("keep", [0.4, 0.7, 0.9])
def test_a_cut_file_is_found_or_cannot_be_decoded(
    sounds: dict[str, Path], tmp_path: Path, name: str, keep: float
) -> None:
    content = sounds[name].read_bytes()
    file = tmp_path / sounds[name].name
    file.write_bytes(content[: int(keep * len(content))])
    assert what_is_wrong(file)


@pytest.mark.parametrize("name", ["ogg", "opus"])
def test_an_ogg_without_its_last_page_has_no_end(
    sounds: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """Every page that is there is whole; only the mark of the end is missing."""
    content = sounds[name].read_bytes()
    file = tmp_path / sounds[name].name
    file.write_bytes(content[: content.rfind(b"OggS")])
    assert shortfall(file, 1) == "the stream has no end"


def what_is_wrong(file: Path) -> str:
    """Why a file cannot be decoded, or what it lacks."""
    try:
        samples = len(read_recording(file).samples)
    except AudioError as error:
        return str(error)
    return shortfall(file, samples)


def test_the_message_has_both_numbers(sounds: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(sounds["wav"].read_bytes()[: 44 + 2 * 1000])
    assert what_is_wrong(file) == "1,000 of 48,000 samples are there"


def test_an_mp3_whose_length_the_decoder_guesses_wrongly_is_read_or_found(
    sounds: dict[str, Path], tmp_path: Path
) -> None:
    """Without a Xing header libsndfile guesses the length: it is given one."""
    content = sounds["vbr.mp3"].read_bytes()
    second = content.find(b"\xff\xf3", content.find(b"Xing"))
    file = tmp_path / "a.mp3"
    file.write_bytes(content[second:])
    guessed = soundfile.info(file).frames
    samples = len(read_recording(file).samples)
    assert guessed < 2.5 * RATE < 3 * RATE <= samples
    assert shortfall(file, guessed)
    assert shortfall(file, samples) == ""


def test_a_tag_in_front_of_an_mp3_is_passed_over(sounds: dict[str, Path], tmp_path: Path) -> None:
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 88]) + bytes(344)
    content = tag + sounds["cbr.mp3"].read_bytes()
    whole, cut = tmp_path / "whole.mp3", tmp_path / "cut.mp3"
    whole.write_bytes(content)
    cut.write_bytes(content[: len(content) // 2])
    assert what_is_wrong(whole) == ""
    assert "samples are there" in what_is_wrong(cut)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_size_that_was_not_known_promises_nothing(
    sounds: dict[str, Path], tmp_path: Path, size: int
) -> None:
    """What ffmpeg and sox write into a pipe."""
    content = bytearray(sounds["wav"].read_bytes())
    content[40:44] = size.to_bytes(4, "little")
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    assert shortfall(file, 10) == ""


@pytest.mark.parametrize(
    "content", [b"", b"RI", b"RIFF", b"RIFF1234WAVEfmt ", b"OggS", b"\xff\xfb"]
)
def test_rubbish_promises_nothing_and_breaks_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    assert shortfall(file, 0) in ("", "the stream has no end")


def test_no_real_recording_is_called_short(shared: Path) -> None:
    data = shared / "data"
    files = [
        *sorted(data.glob("emogator/mp3/*.mp3"))[::40],
        *sorted(data.glob("librispeech/*.opus"))[::20],
        *sorted(data.glob("ravdess/Actor_01/*.opus"))[::10],
    ]
    assert len(files) > 30
    assert [f.name for f in files if what_is_wrong(f)] == []


@pytest.mark.parametrize("damage", ["the end is cut", "half is cut", "a bit is flipped", "zeros"])
def test_a_damaged_flac_is_used_up_to_the_damage(
    sounds: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    content, file = sounds["flac"].read_bytes(), tmp_path / "a.flac"
    middle = len(content) // 2
    damaged = {
        "the end is cut": content[:-50],
        "half is cut": content[:middle],
        "a bit is flipped": content[:middle] + bytes([content[middle] ^ 8]) + content[middle + 1 :],
        "zeros": content[:-3000] + bytes(3000),
    }
    file.write_bytes(damaged[damage])
    found, whole = read_recording(file).samples, read_recording(sounds["flac"]).samples
    assert 0.2 * len(whole) < len(found) < len(whole)
    np.testing.assert_array_equal(found, whole[: len(found)])
    assert "samples are there" in what_is_wrong(file)
    _, seconds, remark = read_start(file, 30.0)
    assert seconds == len(found) / RATE
    assert remark.startswith("cut short")
