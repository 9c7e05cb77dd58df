"""Words that stand for a missing value: in a time, an emotion or a speaker."""

from collections import Counter
from collections.abc import Iterator, Sequence

from nver.errors import first_few

# As pandas, R, SQL and spreadsheets write them, in lower case.
NO_VALUE = frozenset(("", "nan", "nat", "none", "null", "na", "n/a", "#n/a", "<na>"))
# Words of people and of Stata (our choice).
NOBODY = NO_VALUE | {
    *("unknown", "unk", "unkn", "undefined", "missing", "n.a.", "n/k", "nil", "not available"),
    *("?", "??", "???", "-", "--", "---", "–", "—", ".", "#value!", "#ref!"),
    *("unbekannt", "inconnu", "desconocido", "sconosciuto"),
}
# As an emotion these may be meant: "NA" is an abbreviation, and "none" an answer.
MEANT = frozenset(("na", "none"))
NAMED = 3  # words in a sentence (our choice)


def is_missing_emotion(cell: str) -> bool:
    """Whether a cell says that there is no emotion, and cannot be one."""
    word = cell.casefold()
    return word in NO_VALUE and word not in MEANT


def known_speakers(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """The speakers, "" for words that say that they are unknown; and a sentence on these."""
    nobody = Counter(cell for cell in cells if cell and cell.casefold() in NOBODY)
    if not nobody:
        return list(cells), []
    said = f"{_counted(nobody)} as the speaker: read as unknown"
    return ["" if cell in nobody else cell for cell in cells], [said]


def emotion_words_said(cells: Sequence[str]) -> Iterator[str]:
    """A sentence on the emotions that are words for a missing value, left out or kept."""
    words = Counter(cell for cell in cells if cell and cell.casefold() in NOBODY)
    missing = Counter({word: n for word, n in words.items() if is_missing_emotion(word)})
    if missing:
        yield f"{_counted(missing)} as the emotion: skipped, as rows without one"
    if kept := words - missing:
        yield (
            f"{_counted(kept)} as the emotion: kept as an emotion; if it stands for a missing "
            "value, leave the cell empty"
        )


def _counted(words: Counter[str]) -> str:
    """ "3 rows have 'NA' or '?'"."""
    count, names = words.total(), first_few([repr(word) for word in sorted(words)], NAMED)
    return f"{count:,} row{'s have' if count > 1 else ' has'} {names}"
