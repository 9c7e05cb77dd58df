"""Where speakers may hide: a part of the paths, or a column, that recurs over the emotions."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from nver.corpora.own.column_names import words_of

LOOKED_AT = 20_000  # paths, evenly spaced: enough to see what recurs (our choice)
SEPARATORS = ("_", "-", "_-")  # what may stand between the parts of a file's name
NO_MARKS = str.maketrans("", "", "_-")
WORDS_OF_SPEAKERS = """
s sp spk spkr speaker p pp pt par participant part sub subj subject suj vp person pers f m actor
act id user client child kid patient talker singer voice donor proband sprecher locuteur hablante
"""
# Words that stand before a number, or alone, and are not a speaker's (our choice).
OTHER_WORDS = """
a adult aud audio block boy c ch channel chunk clip day dev dia disc emo emotion ep episode eval
evaluation false female file fold girl hi high int intensity item lang left level line lo low male
man md medium mic mid moderate neutral no normal old original peak phrase rec recording rep
repetition right room scene seg segment sent sentence ses sess session set sound split strong take
test testing text train training trial true utt utterance v val valid validation version w wav weak
woman word x xx yes young
"""
# Words in the name of a column that says something else of a clip (our choice).
OTHER_COLUMNS = """
accent affect age agreement annotator arousal batch bit bits category channel channels class clip
codec comment condition context corpus country culture database dataset date day device dominance
dur duration education emotion environment ethnicity exercise file filter fold format gender
gesture group handedness hour index intensity item kind label lang language length level licence
license line locale location method mic microphone modality mode month mood native noise
note notes number origin part partition path phase phrase prompt quality race rate rater rating
recording region repetition room sample samplerate sampling scene score scenario segment sentence
sentiment session set setting sex situation snr sound source split stage statement status stimulus
strength style subset system take task team text time timestamp topic transcript transcription
translation trial type unit utterance valence variant version vocalisation vocalization week word
words year
"""
MOST_ANSWERS = 11  # numbers of a scale, 0 to 10: more are ids (our choice)
ID_WORDS = frozenset(
    (
        "id",
        "name",
        "code",
        "who",
        "patient",
        "kid",
        "child",
        "infant",
        "artist",
        "initials",
        "uid",
        "ids",
        "code",
    )
)
OTHER_COLUMN_WORDS = frozenset(OTHER_COLUMNS.split())
SPEAKERS, OTHERS = frozenset(WORDS_OF_SPEAKERS.split()), frozenset(OTHER_WORDS.split())
SEX = frozenset("mfw")  # alone, without a number: the speaker's sex


class Part(NamedTuple):
    """A part of every path: the pattern that finds it, and how much it looks like a speaker."""

    likeness: tuple[int, int, int]
    pattern: str


def speaker_hint(files: Sequence[str], emotions: Sequence[str]) -> str | None:
    """The `speaker_pattern` that finds what looks like a speaker in the paths, or None.

    A folder, or a part of the file's name between `_` or `-`, looks like one if its values recur
    over the emotions and are few: from two to half as many as there are files.

    Args:
        files: paths relative to the corpus, "/" between their parts.
        emotions: of each file.
    """
    step = len(files) // LOOKED_AT + 1
    names, labels = list(files[::step]), list(emotions[::step])
    found = [*_folders(names, labels), *_parts_of_names(names, labels)]
    return max(found).pattern if found else None


def recurs(values: Sequence[str], emotions: Sequence[str]) -> bool:
    """Whether values are few, from two to half as many as rows, and most occur in two emotions."""
    met = defaultdict[str, set[str]](set)
    for value, emotion in zip(values, emotions, strict=True):
        met[value].add(emotion)
    if "" in met or not 2 <= len(met) <= len(values) / 2:
        return False
    return sum(len(seen) > 1 for seen in met.values()) > len(met) / 2


def named_like_speakers(values: Sequence[str]) -> bool:
    """Whether all values are a word for a speaker and a number: s1, Speaker_02, F03."""
    words = {_word_and_number(value) for value in set(values)}
    return all(number and word in SPEAKERS for word, number in words)


def _folders(names: list[str], emotions: list[str]) -> Iterator[Part]:
    parts = [name.split("/")[:-1] for name in names]
    for level in range(min(map(len, parts), default=0)):
        values = [folders[level] for folders in parts]
        likeness = _likeness(values, emotions, first=True)
        if likeness:
            yield Part((likeness, 2, 0), "^" + "[^/]+/" * level + "([^/]+)/")


def _parts_of_names(names: list[str], emotions: list[str]) -> Iterator[Part]:
    stems = [name.rpartition("/")[2] for name in names]
    stems = [stem.rpartition(".")[0] or stem for stem in stems]
    for marks in SEPARATORS:
        split = [re.split(f"[{marks}]", stem) for stem in stems]
        shortest = min(map(len, split), default=0)
        codes = shortest > 2 and all(stem.translate(NO_MARKS).isdigit() for stem in stems)
        for place in range(shortest):
            values = [parts[place] for parts in split]
            likeness = _likeness(values, emotions, first=place == 0 and shortest > 1)
            likeness = min(likeness, 1) if codes else likeness
            if likeness > int(not codes and place > 0 and _count(values)):
                distinct = len(set(values)) if likeness == 1 else 1
                yield Part((likeness, distinct, -len(marks)), _part(marks, place))


def _part(marks: str, place: int) -> str:
    """The pattern that finds a part of a file's name, counted from 0."""
    mark = f"[{marks}]" if len(marks) > 1 else marks
    before = f"(?:[^/{marks}]*{mark}){{{place}}}" if place else ""
    return f"(?:^|/){before}([^/{marks}]+?)(?:{mark}[^/]*)?(?:[.][^/.]*)?$"


def _likeness(values: list[str], emotions: list[str], *, first: bool) -> int:
    """How much values look like speakers: 3 by their words, 2 by their place, 1 a little, 0 not.

    Numbers that occur once in every emotion count takes, unless a word like `s` is before them.
    """
    distinct = set(values)
    if not recurs(values, emotions) or 2 * sum(map(_is_other, distinct)) > len(distinct):
        return 0
    if named_like_speakers(values):
        return 3
    if _count(values) and len(set(zip(values, emotions, strict=True))) == len(values):
        return 0
    return 2 if first else int(len(distinct) > 2)


def _count(values: Sequence[str]) -> bool:
    """Whether all values are numbers behind one word, or none."""
    words = {_word_and_number(value) for value in set(values)}
    return all(number for _, number in words) and len({word for word, _ in words}) == 1


def _is_other(value: str) -> bool:
    word, number = _word_and_number(value)
    return word in OTHERS if number or len(word) > 1 else word in SEX


def _word_and_number(value: str) -> tuple[str, str]:
    """ "Spk-01" -> ("spk", "01"); the word is all of a value that has no number at its end."""
    match = re.fullmatch(r"(.*?)[ _-]*(\d*)", value, re.DOTALL)
    return (match[1].lower(), match[2]) if match else (value, "")


def column_hint(columns: Mapping[str, Sequence[str]], emotions: Sequence[str]) -> str | None:
    """The name of the column whose cells look most like speakers, or None.

    Its cells recur over the emotions and are few; they are names or ids, no numbers, remarks or
    answers of yes and no, and the column is not called after something else (`OTHER_COLUMNS`).
    """
    ranked = [(_likeness_of_column(name, cells, emotions), name) for name, cells in columns.items()]
    best = max(ranked, key=lambda one: one[0], default=(0, ""))
    return best[1] if best[0] else None


def _likeness_of_column(name: str, cells: Sequence[str], emotions: Sequence[str]) -> int:
    words = set(words_of(name))
    named = named_like_speakers(cells)
    if not recurs(cells, emotions) or (
        words & OTHER_COLUMN_WORDS and not (named and words & ID_WORDS)
    ):
        return 0
    distinct = set(cells)
    if named:
        return 3
    if words & ID_WORDS:
        return 2
    numbers = all(re.fullmatch(r"[-+.,\d]*", cell) for cell in distinct)
    long = any(len(cell.split()) > 3 for cell in distinct)
    others = 2 * sum(map(_is_other, distinct)) > len(distinct)
    ids = numbers and all(map(str.isdecimal, distinct)) and len(distinct) > MOST_ANSWERS
    return int((ids or not numbers) and not (long or others) and len(distinct) > 2)
