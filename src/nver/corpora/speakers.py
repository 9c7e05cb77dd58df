"""What the speakers of a person's own corpus are, judged by the clips: too many, too few, sexes."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nver.corpora.base import Options
from nver.errors import first_few

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 4  # clips, or speakers with several clips, for a sentence on all of them (our choice)
MOST = 0.9  # the share of speakers that must agree (our choice)
NAMED = 3  # speakers in a sentence (our choice)
SPEAKER_OPTIONS = ("speaker_column", "speaker_pattern", "layout")
FLATTERY = "where a speaker is in training and test, scores flatter"
WORDS_OF_SEXES = "m f w male female man woman boy girl men women masculine feminine"  # (our choice)
SEXES = frozenset(WORDS_OF_SEXES.split())


def speaker_doubts(table: "pd.DataFrame", options: Options) -> Iterator[str]:
    """Sentences on speakers that hardly are speakers, with what to do.

    Args:
        table: the clips of a person's own corpus, `speaker` and `emotion` in one spelling.
        options: those that the corpus has.
    """
    offered = speaker_options(options)
    speaker = table["speaker"].dropna()
    if speaker.nunique() < 2:
        return
    some = first_few(sorted(set(map(str, speaker))), NAMED)
    instead = f"; if they are no speakers, {offered}" if offered else ""
    if are_sexes(speaker):
        yield f"the speakers ({some}) look like the speakers' sexes{instead}"
    elif len(speaker) >= ENOUGH and speaker.nunique() >= MOST * len(speaker):
        all_of_them = f"{len(speaker):,} clips have {speaker.nunique():,} speakers"
        if speaker.is_unique:
            all_of_them = f"each of the {len(speaker):,} clips has a speaker of its own"
        yield (
            f"{all_of_them} ({some}): folds by such speakers are as random ones, and "
            f"{FLATTERY}{instead}"
        )
    elif says_the_emotion(table):
        yield (
            f"each speaker is in one emotion only ({some}): the speaker says the emotion, and "
            f"scores may be those of voices{instead}"
        )


def are_sexes(cells: Iterable[str]) -> bool:
    """Whether all cells that are not empty are words for a sex, and one is not empty."""
    words = {str(cell).casefold() for cell in cells} - {""}
    return bool(words) and words <= SEXES


def says_the_emotion(table: "pd.DataFrame") -> bool:
    """Whether nearly all speakers are in one emotion only, of several emotions."""
    known = table[table["speaker"].notna()]
    met = known.groupby("speaker")["emotion"].nunique()
    return bool(known["emotion"].nunique() > 1 and (met == 1).mean() >= MOST)


def random_folds(table: "pd.DataFrame", options: Options) -> list[str]:
    """A sentence where not all speakers are known, or there is one."""
    offered = speaker_options(options)
    speaker = table["speaker"]
    unknown = int(speaker.isna().sum())
    if not unknown and speaker.nunique() > 1:
        return []
    some = f"the speakers of {unknown:,} of {len(speaker):,} clips are unknown"
    said = some if unknown < len(speaker) else "speakers are unknown"
    example = "" if unknown == len(speaker) else f"; the speaker is {speaker.iloc[0]!r}"
    if 0 < unknown < len(speaker):
        example = f"; one without is {table.loc[speaker.isna(), 'clip'].iloc[0]}"
    return [
        f"{said if unknown else 'there is one speaker only'}, so folds are random; {FLATTERY}"
        f"{f'; {offered}' if offered else ''}{example}"
    ]


def speaker_options(options: Options) -> str:
    """What to give, of the options that a corpus has: "give the corpus layout", or ""."""
    has = [option for option in SPEAKER_OPTIONS if option in options]
    *first, last = has or [""]
    named = f"{', '.join(first)} or {last}" if first else last
    return f"give the corpus {named}" if named else ""
