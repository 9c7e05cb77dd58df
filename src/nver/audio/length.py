"""How long a file truly is, where its header may say too much."""

from os import PathLike
from pathlib import Path

from nver.audio.containers import container_of
from nver.audio.media import read_media
from nver.audio.not_audio import read_head
from nver.audio.sound_file import claimed_frames, has_end, missing, most_frames, opened, pass_over
from nver.audio.truncated import (
    MP3_SLACK,
    UNKNOWN_FRAMES,
    mp3_samples,
    shortfall,
    whole_mp3_samples,
)
from nver.errors import AudioError

LONGER = "longer than its duration says; how long is not known"
TAIL_S = 20.0  # our choice: longer than a page of an Ogg with a voice, where a false end lies


def whole_length(path: Path, claimed: int) -> tuple[int, str]:
    """The samples per channel of a file whose header claims so many, and a remark; "": it is true.

    A file that does not end where its header says is decoded to find its end, up to 48 million
    samples over all channels, none of which is kept.
    """
    head = read_head(path)
    with opened(path, head) as sound:
        if sound.format == "MP3":
            found = whole_mp3_samples(path)
            there = found is not None and found >= claimed - MP3_SLACK
        else:
            there = has_end(sound, claimed, round(TAIL_S * sound.samplerate))
    if there:
        return claimed, ""
    try:
        with opened(path, head) as sound:  # again: one that sought in vain does not go on
            room = most_frames(sound)
            frames = pass_over(sound, min(claimed, room))
            lacking = missing(sound, frames, claimed)
    except AudioError:
        return claimed, cut_short("not all of it can be decoded")
    if frames == room < claimed:
        known = claimed < UNKNOWN_FRAMES
        return (claimed, "its header alone says how long it is") if known else (frames, LONGER)
    return frames, cut_short(lacking)


def cut_short(lacking: str) -> str:
    """A remark from what is missing of a file."""
    return f"cut short: {lacking}" if lacking else ""


def missing_by_header(file: str | PathLike[str]) -> str:
    """What is missing of a whole file; "" too if it cannot be opened.

    It is found without decoding, but for a file that only PyAV reads.
    """
    path = Path(file)
    try:
        if container_of(path):
            return read_media(path, None, 0.0).missing
        with opened(path, read_head(path)) as sound:
            frames = claimed_frames(sound, path.stat().st_size)
            if sound.format == "MP3":
                frames = mp3_samples(path, frames)
            elif frames < UNKNOWN_FRAMES and not has_end(sound, frames, 1):
                return f"not all of {frames:,} samples are there"
            return shortfall(path, frames)
    except (AudioError, OSError):
        return ""
