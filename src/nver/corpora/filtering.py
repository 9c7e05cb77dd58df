"""The wanted clips of a corpus, by emotion and by speaker."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from nver.corpora.base import Corpus
from nver.errors import UsageError, unknown_name


@dataclass(frozen=True)
class Filter:
    """Which clips are used: emotions by name, speakers by id or by range ("000001-000120")."""

    emotions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()


def filtered(corpus: Corpus, only: Filter, corpora: int) -> Corpus:
    """The corpus with only the clips of the wanted emotions and speakers.

    Args:
        corpora: how many corpora share the filter; of several, one may lack an emotion.

    Raises:
        UsageError: a speaker is unknown, or an emotion where there is one corpus; no clip is left.
    """
    table = corpus.table
    if only.emotions:
        known = list(corpus.emotions)
        for emotion in only.emotions:
            if emotion not in known and corpora == 1:
                raise unknown_name(f"emotion of {corpus.name} in [filter]:", emotion, known)
        table = table[table["emotion"].isin(only.emotions)]
    if only.speakers:
        known = sorted(set(table["speaker"].dropna()))
        wanted = wanted_speakers(only.speakers, known, f"{corpus.name} in [filter]")
        table = table[table["speaker"].isin(wanted)]
    if table.empty:
        raise UsageError(f"{corpus.name}: no clip is left by [filter]; got {asdict(only)}")
    return replace(corpus, table=table.reset_index(drop=True))


def wanted_speakers(wanted: Sequence[str], known: Sequence[str], where: str) -> set[str]:
    """The known speakers that ids and ranges name.

    A range is "first-last", inclusive, in sorted order; its ends need not occur.
    """
    found: set[str] = set()
    for item in wanted:
        first, dash, last = item.partition("-")
        if item in known:
            found.add(item)
        elif dash and any(first <= s <= last for s in known):
            found |= {s for s in known if first <= s <= last}
        else:
            raise unknown_name(f"speaker of {where}:", item, known)
    return found
