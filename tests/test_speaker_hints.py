"""Parts of paths, and columns, that look like speakers; and those that do not."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from helpers_corpora import TREES
from nver.corpora.own.speaker_hints import column_hint, speaker_hint

EMOTIONS = ("joy", "fear", "sad")
NAMES = ("ann", "bob", "cy")


def paths(form: str, speakers: Sequence[object], takes: Sequence[object]) -> list[tuple[str, str]]:
    cells = enumerate(product(EMOTIONS, speakers, takes))
    return [(form.format(e=e, s=s, t=t, n=n), e) for n, (e, s, t) in cells]


def published(name: str, separator: str, place: int) -> list[tuple[str, str]]:
    return [(file, re.split(separator, file)[place]) for file in TREES[name]()]


HINTED = {  # (file, emotion), the speakers found first
    "first of the name": (paths("{e}/{s}_{t}.wav", NAMES, "123"), ["ann"]),
    "after the emotion": (paths("{e}_{s}_{t}.wav", NAMES, "123"), ["ann"]),
    "with hyphens": (paths("{e}/{t}-{s}-x.wav", ("s01", "s02"), "1234"), ["s01"]),
    "the whole name": (paths("{e}/{s}.wav", ("p1", "p2", "p3"), "1"), ["p1"]),
    "a word": (paths("{e}/{s}.wav", NAMES, "1"), ["ann"]),
    "numbers": (paths("{s}_{t}_{e}.wav", range(1001, 1011), ("DFA", "IEO")), ["1001"]),
    "a folder": (paths("{e}/{s}/{t}.wav", NAMES, "12"), ["ann"]),
    "a folder above": (paths("{s}/{e}/{t}.wav", NAMES, "12"), ["ann"]),
    "no suffix": (paths("{e}/{s}_{t}", NAMES, "123"), ["ann"]),
    "vivae": (published("vivae", "_", 2), ["S01"]),
    "jnv": (published("jnv", "_", 1), ["F1", "F2", "M1", "M2"]),
    "emogator": (published("emogator", "-", 1), ["000001"]),
}


@pytest.mark.parametrize("kind", HINTED)
def test_a_part_that_looks_like_speakers_has_a_pattern(kind: str) -> None:
    rows, speakers = HINTED[kind]
    files, emotions = zip(*rows, strict=True)
    pattern = speaker_hint(files, emotions)
    assert pattern is not None
    found = [match and match[1] for match in map(re.compile(pattern).search, files)]
    assert None not in found
    assert list(dict.fromkeys(found))[: len(speakers)] == speakers


@pytest.mark.parametrize(
    "form",
    [
        *("{e}/{n}.wav", "{e}/{t}.wav", "{e}_{t}.wav", "{e}/clip_{t}.wav", "{e}/clip{t}.wav"),
        *("train/{e}/{t}.wav", "{e}/take{t}.wav", "{e}/session{t}/{t}.wav", "{e}/m_{n}.wav"),
        "{e}/high_{n}.wav",
    ],
)
def test_numbers_of_takes_are_no_speakers(form: str) -> None:
    files, emotions = zip(*paths(form, "1", range(6)), strict=True)
    assert speaker_hint(files, emotions) is None


def test_of_few_rows_nothing_is_said() -> None:
    assert speaker_hint([], []) is None
    assert speaker_hint(["ann_1.wav"], ["joy"]) is None
    assert column_hint({}, []) is None


def columns() -> Iterator[tuple[dict[str, list[str]], str | None]]:
    names = [*NAMES] * 4
    numbers = ["1", "2", "3"] * 4
    yield {"note": names, "kid": names}, "kid"
    yield {"id": numbers}, "id"
    yield {"x": numbers}, None
    yield {"x": ["s1", "s2", "s3"] * 4}, "x"
    yield {"x": ["yes", "no", "yes"] * 4}, None
    yield {"x": [*map(str, range(12))], "y": names}, "y"
    yield {"clip_id": names, "text": names, "scene": names}, None


@pytest.mark.parametrize(("cells", "hint"), [*columns()])
def test_a_column_that_looks_like_speakers(cells: dict[str, list[str]], hint: str | None) -> None:
    emotions = ["joy"] * 6 + ["awe"] * 6
    assert column_hint(cells, emotions) == hint
