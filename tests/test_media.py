"""Containers and codecs by PyAV: what is read, what is refused, and what is said without it."""

import json
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

import nver
from helpers_cli import finish
from helpers_media import (
    BY_PYAV,
    BY_SOUNDFILE,
    SECONDS_OFF,
    WRONG,
    Samples,
    likeness,
    write_all,
    write_media,
)
from nver.audio.containers import HEADERLESS_SUFFIXES, MEDIA_SUFFIXES, container_of
from nver.audio.media import INSTALL, MOST_VALUES, NEEDS_MEDIA, read_media
from nver.audio.media_headers import LOCKED_ASF
from nver.audio.recording import load_audio, read_recording, read_with_remark
from nver.audio.sound_file import MOST_CHANNELS
from nver.corpora import load_corpus
from nver.corpora.file_tree import SNDFILE_SUFFIXES, SUFFIXES, walk
from nver.corpora.inspection import inspect_corpus
from nver.corpora.synthetic.corpus import make_clip
from nver.errors import AudioError, CorpusError, UsageError
from nver.models.predictor import find_recordings
from nver.recipe import parse_experiment

RATE = 16_000
NAMES = [*BY_SOUNDFILE, *BY_PYAV, *WRONG]
NEEDS = [*BY_PYAV, *WRONG]
NARROW = ("gsm.wav", "dictation.amr", "old phone.3gp", "g726.wav")  # 8 kHz: half of the band


@pytest.fixture(scope="module")
def clip() -> Samples:
    return np.asarray(make_clip("laugh", 1, 1), np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, clip: Samples) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("formats"), clip, RATE)


@pytest.fixture
def without_media(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PyAV cannot be imported, here and in worker processes, which take over the search path."""
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "av.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path / "absent")
    monkeypatch.setitem(sys.modules, "av", None)


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_read(files: dict[str, Path], clip: Samples, name: str) -> None:
    found = load_audio(files[name], RATE)
    assert abs(len(found) - len(clip)) <= SECONDS_OFF * RATE
    assert likeness(clip, found) > (0.7 if name in NARROW else 0.97)
    loudness = np.linalg.norm(found) / np.linalg.norm(clip)
    assert loudness == pytest.approx(1, abs=0.7 if name in NARROW else 0.1)
    assert bool(container_of(files[name])) == (name in NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_a_span_is_that_part_of_the_file(files: dict[str, Path], name: str) -> None:
    whole = read_recording(files[name])
    for start, end in ((0.2, 0.5), (None, 0.3), (0.7, None), (0.9, 99.0), (5.0, 6.0)):
        part = read_recording(files[name], start=start, end=end)
        first = round((start or 0.0) * whole.rate)
        last = len(whole.samples) if end is None else round(end * whole.rate)
        assert part.rate == whole.rate
        np.testing.assert_array_equal(part.samples, whole.samples[first:last])
    with pytest.raises(UsageError, match="starts at 0 s or later"):
        read_recording(files[name], start=-1.0)


def test_the_rest_of_a_file_is_counted_or_left(files: dict[str, Path]) -> None:
    file = files["phone.m4a"]
    whole = read_media(file, None, None)
    assert read_media(file, None, 0.2).duration_s == whole.duration_s == len(whole.samples) / 44100
    assert 0.2 <= read_media(file, None, 0.2, count_rest=False).duration_s < 0.3


def test_channels_and_integers_keep_their_values(tmp_path: Path) -> None:
    ramp = np.linspace(-1, 0.999, 4410, dtype=np.float32)
    both = np.stack([ramp, -0.5 * ramp], axis=1)
    for number, (container, encoder, step) in enumerate(
        [("matroska", "pcm_u8", 2**-7), ("mov", "pcm_s16be", 2**-15), ("matroska", "pcm_s32le", 0),
         ("matroska", "pcm_f32le", 0), ("matroska", "pcm_f64le", 0), ("wv", "wavpack", 2**-15),
         ("tta", "tta", 2**-15), ("ipod", "alac", 2**-15)]
    ):  # fmt: skip
        file = write_media(tmp_path / f"{number}.mka", both, 44100, container, encoder)
        found = read_media(file, None, None)
        assert (found.samples.dtype, found.rate, found.missing) == (np.float32, 44100, "")
        np.testing.assert_allclose(found.samples, both, atol=max(step, 1e-6))


# Without the extra


def corpus_of(root: Path, files: dict[str, Path]) -> Path:
    """Two emotions with every file in one of them."""
    for number, file in enumerate(files.values()):
        folder = root / ("laugh", "cry")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_bytes(file.read_bytes())
    return root


def sentence(message: str) -> str:
    """What a message says of a file, without its name."""
    return message.partition(": ")[2]


def test_a_mixed_folder_has_a_row_for_every_file(files: dict[str, Path], tmp_path: Path) -> None:
    assert len(files) >= 40
    corpus = load_corpus("mine", corpus_of(tmp_path / "c", files))
    assert sorted(Path(f).name for f in corpus.table["file"]) == sorted(files)
    facts = inspect_corpus(corpus)
    assert (facts.unusable, facts.skipped, facts.cut_short) == ((), (), ())
    assert sum(facts.channels.values()) == len(files)
    done = nver.extract(corpus, "logmel-stats", tmp_path / "store", workers=1)
    assert (len(done.clips), len(done.skipped)) == (len(files), 0)


@pytest.mark.usefixtures("without_media")
def test_without_the_extra_every_file_has_a_row_and_the_same_sentence(
    files: dict[str, Path], tmp_path: Path
) -> None:
    corpus = load_corpus("mine", corpus_of(tmp_path / "c", files))
    facts = inspect_corpus(corpus)
    assert facts.clips == len(files)
    said = {Path(n.message.partition(": ")[0]).name: n for n in facts.unusable}
    assert sorted(said) == sorted(NEEDS)
    done = nver.extract(corpus, "logmel-stats", tmp_path / "store", workers=1)
    assert len(done.clips) == len(BY_SOUNDFILE)
    skipped = {Path(row.file).name: row for row in done.skipped.itertuples()}
    answers = {Path(a.file).name: a for a in nver.load_predictor().predict(files.values())}
    for name, note in said.items():
        assert (note.reason, note.message.count(INSTALL)) == (NEEDS_MEDIA, 1)
        with pytest.raises(AudioError, match="nver\\[media\\]") as caught:
            load_audio(files[name], RATE)
        row, answer = skipped[name], answers[name]
        assert (row.reason, answer.reason, caught.value.reason) == (NEEDS_MEDIA,) * 3
        told = {sentence(m) for m in (note.message, str(row.message), str(caught.value))}
        assert told == {answer.error}
    assert all(not answers[name].error for name in BY_SOUNDFILE)


@pytest.mark.usefixtures("without_media")
@pytest.mark.parametrize("suffix", ["m4a", "WMA", "webm", "amr", "ape", "spx", "xyz.3gp"])
def test_a_suffix_is_enough_where_the_bytes_say_nothing(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(b"\0" * 100)
    with pytest.raises(AudioError, match=re.escape(INSTALL)):
        load_audio(file, RATE)


@pytest.mark.usefixtures("without_media")
def test_a_corpus_of_m4a_alone_gives_the_line_to_install(
    files: dict[str, Path], tmp_path: Path
) -> None:
    for emotion in ("laugh", "cry"):
        (tmp_path / "c" / emotion).mkdir(parents=True)
        for take in (1, 2):
            copy = tmp_path / "c" / emotion / f"{take}.m4a"
            copy.write_bytes(files["phone.m4a"].read_bytes())
    shown = finish(tmp_path, "corpus", "mine", "--root", "c")
    assert shown.code == 1
    assert INSTALL in shown.out
    assert "no clip can be used" in shown.err
    assert INSTALL in shown.err
    recipe = {
        "corpora": ["mine"],
        "roots": {"mine": str(tmp_path / "c")},
        "encoders": ["duration-level"],
        "classifiers": ["linear"],
        "folds": {"number": 2},
        "store": str(tmp_path / "store"),
    }
    with pytest.raises(CorpusError, match=re.escape(INSTALL)):
        nver.run(parse_experiment(recipe), tmp_path / "run", workers=1)
    predicted = finish(tmp_path, "predict", "c", "--json")
    assert predicted.code == 1
    rows = json.loads(predicted.out)["predictions"]
    assert [row["reason"] for row in rows] == [NEEDS_MEDIA] * 4


@pytest.mark.usefixtures("without_media")
@pytest.mark.parametrize(
    "content", [b"RIFF", b"RIFF\0\0\0\0WAVE", b"hello", b"OggS\0", b"FORM\0\0\0\0AIFC", b"caff"]
)
def test_what_the_extra_would_not_help_is_not_told_to_install(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="cannot be decoded"):
        load_audio(tmp_path / "a.wav", RATE)


# What is wrong with a file


def noise(seconds: float, rate: int = 44100, channels: int = 1) -> Samples:
    made = np.random.default_rng(0).uniform(-0.3, 0.3, (round(seconds * rate), channels))
    return made.astype(np.float32)


def cut(files: dict[str, Path], tmp_path: Path, name: str, keep: float) -> Path:
    content = files[name].read_bytes()
    file = tmp_path / name
    file.write_bytes(content[: int(keep * len(content))])
    return file


CUT = ["windows.wma", "windows1.wma", "browser.webm", "dictation.amr", "pcm.mka",
       "mp3.mka", "old.flv", "old.avi", "g722.wav"]  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_a_file_that_ends_early_is_used_as_far_as_it_goes(
    files: dict[str, Path], tmp_path: Path, name: str
) -> None:
    whole = read_recording(files[name])
    recording, remark = read_with_remark(cut(files, tmp_path, name, 0.6))
    assert 0.1 < len(recording.samples) / len(whole.samples) < 0.9
    assert "are there" in remark or remark.startswith("decoded up to ")
    assert read_with_remark(files[name])[1] == ""


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["phone.m4a", "camera.mov", "phone.3gp"])
def test_an_mp4_without_its_index_is_called_cut_off(
    files: dict[str, Path], tmp_path: Path, name: str, keep: float
) -> None:
    with pytest.raises(AudioError, match="index \\(moov\\) is missing"):
        read_recording(cut(files, tmp_path, name, keep))


def test_a_cut_file_is_said_by_corpus_and_by_a_run(files: dict[str, Path], tmp_path: Path) -> None:
    from nver.corpora.measurement import cut_short_warnings

    (tmp_path / "joy").mkdir()
    cut(files, tmp_path / "joy", "browser.webm", 0.6)
    corpus = load_corpus("mine", tmp_path)
    (note,) = inspect_corpus(corpus).cut_short
    assert "are there" in note.message
    (said,) = cut_short_warnings(corpus.table)
    assert f"joy/browser ({note.message})" in said


def test_the_first_of_several_tracks_is_used_and_said(tmp_path: Path) -> None:
    (tmp_path / "joy").mkdir()
    file = tmp_path / "joy" / "two.mka"
    write_media(file, noise(1.0), 44100, "matroska", "pcm_s16le", tracks=2)
    assert read_recording(file).note == "the first of 2 tracks of sound is used"
    (note,) = inspect_corpus(load_corpus("mine", tmp_path)).tracks
    assert note.message == "the first of 2 tracks of sound is used"


def test_pictures_without_sound_are_said(tmp_path: Path) -> None:
    import av

    file = tmp_path / "silent film.mp4"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    with pytest.raises(AudioError, match="pictures but no sound"):
        read_recording(file)


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2), (8000, 2)])
def test_a_sound_that_changes_its_form_is_used_up_to_there(
    tmp_path: Path, rate: int, channels: int
) -> None:
    one = write_media(tmp_path / "one.aac", noise(1.0), 44100, "adts", "aac").read_bytes()
    other = write_media(tmp_path / "two.aac", noise(1.0, rate, channels), rate, "adts", "aac")
    file = tmp_path / "both.aac"
    file.write_bytes(one + other.read_bytes())
    recording, remark = read_with_remark(file)
    assert len(recording.samples) == pytest.approx(44100, rel=0.06)
    assert f"to {rate} Hz and {channels}" in remark


@pytest.mark.parametrize("tag", [b"drms", b"enca", b"aavd"])
def test_a_locked_mp4_is_called_encrypted(
    files: dict[str, Path], tmp_path: Path, tag: bytes
) -> None:
    content = files["phone.m4a"].read_bytes()
    place = content.rfind(b"mp4a")
    file = tmp_path / "bought.m4p"
    file.write_bytes(content[:place] + tag + content[place + 4 :])
    with pytest.raises(AudioError, match="encrypted") as caught:
        read_recording(file)
    assert caught.value.reason == "encrypted"


@pytest.mark.parametrize("guid", LOCKED_ASF)
def test_a_locked_wma_is_called_encrypted(
    files: dict[str, Path], tmp_path: Path, guid: bytes
) -> None:
    content = files["windows.wma"].read_bytes()
    file = tmp_path / "bought.wma"
    file.write_bytes(content[:30] + guid + content[30:])
    with pytest.raises(AudioError, match="encrypted"):
        read_recording(file)


NO_RECORDING = {
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile {}\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{}</BaseURL>'
    b"</MPD>",
    "text": b"no audio at all, but called so\n" * 20,
    "zeros": bytes(5000),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
}


@pytest.mark.parametrize("suffix", ["m4a", "aac", "mp4", "mkv", "ts"])
@pytest.mark.parametrize("kind", NO_RECORDING)
def test_a_playlist_opens_nothing_and_a_text_is_no_recording(
    files: dict[str, Path], tmp_path: Path, kind: str, suffix: str
) -> None:
    other = str(files["tv.ts"]).encode()
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(NO_RECORDING[kind].replace(b"{}", other))
    with pytest.raises(AudioError, match=r"cannot be decoded|no sound|not audio") as caught:
        read_recording(file)
    assert caught.value.reason in ("unreadable", "empty")


def test_zero_bytes_and_a_folder_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").touch()
    (tmp_path / "b.m4a").mkdir()
    with pytest.raises(AudioError, match="zero bytes"):
        read_recording(tmp_path / "a.m4a")
    with pytest.raises(AudioError, match="a folder"):
        read_recording(tmp_path / "b.m4a")


# Headers are claims


def with_table(content: bytes, each: int, frames: int) -> bytes:
    """An MP4 whose tables state so many frames of so many bytes, all in one chunk."""
    data = bytearray(content)
    for box, fields in {
        b"stsz": (0, each, frames),
        b"stsc": (0, 1, 1, frames, 1),
        b"stts": (0, 1, frames, 160),
    }.items():
        place = data.find(box) + 4
        data[place : place + 4 * len(fields)] = b"".join(f.to_bytes(4, "big") for f in fields)
    return bytes(data)


@pytest.mark.parametrize("frames", [10**7, 30_000_000, 2**32 - 1])
@pytest.mark.parametrize("name", ["camera.mov", "old phone.3gp", "phone.m4a", "lossless.m4a"])
def test_an_index_of_more_frames_than_bytes_is_refused(
    files: dict[str, Path], tmp_path: Path, name: str, frames: int
) -> None:
    file = tmp_path / name
    file.write_bytes(with_table(files[name].read_bytes(), 32, frames))
    with pytest.raises(AudioError, match="more than the file can hold"):
        read_recording(file)


@pytest.mark.parametrize("rate", [1, 1999, 768_001, 2**31 - 1])
def test_a_rate_that_no_recording_has_is_refused(tmp_path: Path, rate: int) -> None:
    made = write_media(tmp_path / "a.wv", noise(0.1, 44100), 44100, "wav", "adpcm_yamaha")
    content = bytearray(made.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    made.write_bytes(content)
    with pytest.raises(AudioError, match=f"{rate:,} Hz; expected 2,000 to 768,000"):
        read_recording(made)


def test_the_most_of_a_clip_is_bounded(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_VALUES * 4 < 200e6
    assert MOST_CHANNELS == 64
    monkeypatch.setattr("nver.audio.media.MOST_VALUES", 20_000)
    with pytest.raises(AudioError, match="longer than 0 minutes, the most at 44,100 Hz") as caught:
        read_recording(files["phone.m4a"])
    assert caught.value.reason == "too long"
    assert len(read_recording(files["phone.m4a"], start=0.3, end=0.5).samples) == 8820
    monkeypatch.setattr("nver.audio.media.MOST_COUNTED", 10_000)
    assert read_media(files["phone.m4a"], None, 0.1).duration_s < 0.3


def flip(content: bytearray, random: np.random.Generator) -> None:
    for place in random.integers(len(content), size=random.integers(1, 30)):
        content[place] ^= 1 << int(random.integers(8))


def shorten(content: bytearray, random: np.random.Generator) -> None:
    del content[random.integers(1, len(content)) :]


def edit_header(content: bytearray, random: np.random.Generator) -> None:
    for place in random.integers(min(len(content), 1000), size=3):
        content[place : place + 4] = random.choice([b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4)])


def edit_end(content: bytearray, random: np.random.Generator) -> None:
    place = max(0, len(content) - int(random.integers(4, 1200)))
    content[place : place + 4] = b"\xff" * 4


MUTATIONS = (flip, shorten, edit_header, edit_end)
SEEDS = [range(2), pytest.param(range(2, 40), marks=pytest.mark.long)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
@pytest.mark.parametrize("mutate", MUTATIONS)
def test_a_damaged_file_is_an_error_or_sound_and_prints_nothing(
    files: dict[str, Path],
    tmp_path: Path,
    mutate: Callable[[bytearray, np.random.Generator], None],
    seeds: range,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in BY_PYAV:
        for seed in seeds:
            content = bytearray(files[name].read_bytes())
            mutate(content, np.random.default_rng(seed))
            file = tmp_path / name
            file.write_bytes(content)
            with suppress(AudioError):
                found = read_media(file, None, None)
                assert found.samples.shape[1] <= MOST_CHANNELS
                assert found.duration_s == len(found.samples) / found.rate
    assert capfd.readouterr() == ("", "")


# Suffixes


def test_the_table_of_the_docs_is_the_codes() -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "corpora.md"
    found: dict[str, set[str]] = {}
    for line in page.read_text("utf-8").partition("## Formats")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3:
            found.setdefault(cells[2], set()).update(re.findall(r"`(\.\w+)`", cells[1]))
    assert found.pop("nothing") == SNDFILE_SUFFIXES
    assert found.pop("`nver[media]`") == set(MEDIA_SUFFIXES)
    assert found.pop("not read: their rate is not known") == HEADERLESS_SUFFIXES
    made = {Path(name).suffix.lower() for name in NAMES}
    assert made <= SUFFIXES
    assert len(made) >= 25


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_the_walk_sees_every_kind_of_audio(tmp_path: Path, suffix: str) -> None:
    names = [f"a{suffix}", f"b{suffix.upper()}", f"c{suffix.title()}"]
    for name in (*names, "notes.txt", "photo.jpg", f"d{suffix}.bak"):
        (tmp_path / name).touch()
    assert walk(tmp_path) == (names, [])
    assert find_recordings([str(tmp_path)]) == [str(tmp_path / name) for name in names]


@pytest.mark.parametrize("suffix", sorted(HEADERLESS_SUFFIXES))
def test_samples_without_a_header_are_said(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(bytes(1000))
    with pytest.raises(AudioError, match="without a header") as caught:
        load_audio(file, RATE)
    assert caught.value.reason == "no header"


@pytest.mark.parametrize("name", sorted(BY_PYAV))
def test_the_bytes_name_the_kind_whatever_the_suffix(
    files: dict[str, Path], tmp_path: Path, name: str
) -> None:
    tagged = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    for suffix in (".wav", ".mp3", ".dat", ""):
        file = tmp_path / f"a{suffix}"
        file.write_bytes(files[name].read_bytes())
        assert container_of(file) == container_of(files[name])
    if name == "radio.aac":
        file.write_bytes(tagged + files[name].read_bytes())
        assert container_of(file) == "AAC"


def test_forty_real_clips_in_many_formats(shared: Path, tmp_path: Path) -> None:
    """Must hold for real voices: a row each, all used, alike."""
    data = shared / "data"
    real = [
        *sorted(data.glob("emogator/opus/*.opus"))[::600],
        *sorted(data.glob("ravdess/Actor_0*/*"))[::40],
    ][:46]
    forms: list[tuple[str, Any]] = [*BY_SOUNDFILE.items(), *BY_PYAV.items()]
    forms = [form for form in forms if form[0] not in NARROW]
    sources: dict[str, Samples] = {}
    for number, source in enumerate(real):
        samples = load_audio(source, RATE)
        name, form = forms[number % len(forms)]
        folder = tmp_path / "c" / ("one", "two")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number} {name}"
        to = form[-1]
        resampled = soxr.resample(samples, RATE, to).astype(np.float32)
        if name in BY_SOUNDFILE:
            soundfile.write(file, resampled, to, **form[0])
        else:
            write_media(file, resampled, to, *form[:2])
        sources[str(file)] = samples
    assert len(sources) >= 40
    corpus = load_corpus("mine", tmp_path / "c")
    facts = inspect_corpus(corpus)
    assert set(corpus.table["file"]) == set(sources)
    assert (facts.unusable, facts.skipped, facts.cut_short) == ((), (), ())
    for name, samples in sources.items():
        found = load_audio(name, RATE)
        assert abs(len(found) - len(samples)) <= SECONDS_OFF * RATE
        assert likeness(samples, found) > 0.95, name
