"""Where speakers may hide: a part of the paths, or a column, that recurs over the emotions."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from nver.corpora.own.column_names import words_of

LOOKED_AT = 20_000  # paths, drawn at random: enough to see what recurs (our choice)
# What may stand between the parts of a file's name.
SEPARATORS = ("_", "-", " ", ".", "_-", "_ ", "_ -", "_ .-")
DIGITS = "0123456789"
NAME = re.compile(r"[^\W\d_]{2,}(?:[ '_-][^\W\d_]+)*")  # of two letters or more: "ann", "Ann Lee"
ID = re.compile(r"\d{3,}")  # of three digits or more (our choice): a take has one or two
DATE = re.compile(r"(?:19|20)\d\d(?:\d\d){0,2}")  # a year, a month or a day: 2024, 20240301
WORDS_OF_SPEAKERS = """
s sp spk spkr speaker p pp pt par participant part sub subj subject suj vp person pers f m actor
act id user client child kid patient talker singer voice donor proband sprecher locuteur hablante
"""
# Words that stand before a number, or alone, and are not a speaker's (our choice).
OTHER_WORDS = """
a adult aud audio block boy c ch channel chunk clip day dev dia disc emo emotion ep episode eval
evaluation false female file fold girl hi high int intensity item lang left level line lo loud low
male man md medium mic mid moderate neutral no normal old original peak phrase rec recording rep
quiet repetition right room scene seg segment sent sentence ses sess session set soft sound split
strong take test testing text train training trial true utt utterance v val valid validation
version w wav weak woman word x xx yes young
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
WORDS_OF_IDS = "id ids uid name code who patient kid child infant artist initials"  # (our choice)
ID_WORDS = frozenset(WORDS_OF_IDS.split())
OTHER_COLUMN_WORDS = frozenset(OTHER_COLUMNS.split())
SPEAKERS, OTHERS = frozenset(WORDS_OF_SPEAKERS.split()), frozenset(OTHER_WORDS.split())
SEX = frozenset("mfw")  # alone, without a number: the speaker's sex


class Part(NamedTuple):
    """A part of every path: how much it looks like a speaker, its pattern, and whom it groups."""

    likeness: int
    pattern: str
    groups: tuple[int, ...]


def speaker_hint(files: Sequence[str], emotions: Sequence[str]) -> str | None:
    """The `speaker_pattern` that finds what looks like a speaker in the paths, or None.

    A folder, or a part of the file's name, looks like one if its values are names or ids, few,
    recur over the emotions, and have several files in most emotions. Where two parts look alike
    and group the files otherwise, there is none.

    Args:
        files: paths relative to the corpus, "/" between their parts.
        emotions: of each file.
    """
    rows = list(zip(files, emotions, strict=True))
    if len(rows) > LOOKED_AT:
        rows = Random(0).sample(rows, LOOKED_AT)
    names, labels = [file for file, _ in rows], [emotion for _, emotion in rows]
    found = [*_folders(names, labels), *_parts_of_names(names, labels)]
    most = max((part.likeness for part in found), default=0)
    best = [part for part in found if part.likeness == most]
    return best[0].pattern if len({part.groups for part in best}) == 1 else None


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
        pattern = "^" + "[^/]+/" * level + "([^/]+)/"
        yield from _judged([own[level] for own in parts], emotions, pattern, first=True)


def _parts_of_names(names: list[str], emotions: list[str]) -> Iterator[Part]:
    stems = [name.rpartition("/")[2] for name in names]
    stems = [stem.rpartition(".")[0] or stem for stem in stems]
    for marks in SEPARATORS:
        split = [re.split(f"[{marks}]", stem) for stem in stems]
        for place in range(min(map(len, split), default=0)):
            values = [parts[place] for parts in split]
            yield from _judged(values, emotions, _part(marks, place), first=place == 0)
            letters = [value.rstrip(DIGITS) for value in values]
            if all(map(str.isalpha, letters)) and letters != values:
                pattern = _part(marks, place, "[0-9]*")
                yield from _judged(letters, emotions, pattern, first=place == 0)


def _part(marks: str, place: int, after: str = "") -> str:
    """The pattern that finds a part of a file's name, counted from 0, but for what is `after`."""
    mark = f"[{marks}]" if marks != "_" else marks
    before = f"(?:[^/{marks}]*{mark}){{{place}}}" if place else ""
    end = f"(?:{mark}[^/]*)?" + ("" if "." in marks else "(?:[.][^/.]*)?")
    return f"(?:^|/){before}([^/{marks}]+?){after}{end}$"


def _judged(values: list[str], emotions: list[str], pattern: str, *, first: bool) -> Iterator[Part]:
    """The part, if its values look like speakers."""
    if likeness := _likeness(values, emotions, first=first):
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        yield Part(likeness, pattern, tuple(numbers[value] for value in values))


def _likeness(values: list[str], emotions: list[str], *, first: bool) -> int:
    """How much values look like speakers: 4 by their words, 3 as names, 2 as long numbers that
    come first, 1 as capitals, 0 not.
    """
    distinct = set(values)
    if not recurs(values, emotions) or 2 * sum(map(_is_other, distinct)) > len(distinct):
        return 0
    pairs = Counter(zip(values, emotions, strict=True))
    repeated = 2 * sum(count > 1 for count in pairs.values()) > len(pairs)
    if named_like_speakers(values):
        return 4 if repeated or _counted(distinct) else 0
    words = all(NAME.fullmatch(value) for value in distinct)
    if words and all(map(str.isupper, distinct)):
        return int(repeated)
    if words:
        return 3
    ids = all(ID.fullmatch(value) and not DATE.fullmatch(value) for value in distinct)
    return 2 if first and ids and repeated else 0


def _counted(values: Collection[str]) -> bool:
    """Whether the numbers behind each word count from 0 or 1 without a gap: no F011, F012, F021."""
    numbers = defaultdict[str, set[int]](set)
    for word, number in map(_word_and_number, values):
        numbers[word].add(int(number))
    return all(min(own) <= 1 and max(own) - min(own) == len(own) - 1 for own in numbers.values())


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
