"""How large the corpora of a recipe are, as far as it is known before their audio is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nver.corpora import Corpus
from nver.evaluation.folds.fold_assignment import default_protocol
from nver.recipe import Experiment
from nver.recipe.folds import SPEAKER_INDEPENDENT


@dataclass(frozen=True)
class Size:
    """How large a corpus is, as far as it is known before its audio is read."""

    corpus: str
    clips: int
    emotions: int
    speakers: int
    protocol: str


def sizes_of(corpora: Sequence[Corpus], experiment: Experiment) -> list[Size]:
    """Those of the corpora that are here, in the recipe's order; counts of the others as published.

    A corpus that is not here and has no published counts has 0 clips.
    """
    here = {corpus.name: corpus for corpus in corpora}
    return [
        _size(here[entry.name]) if entry.name in here else _published(entry.name, entry.options)
        for entry in experiment.corpora
    ]


def _size(corpus: Corpus) -> Size:
    table = corpus.table
    return Size(
        corpus.name,
        len(table),
        len(corpus.emotions),
        int(table["speaker"].nunique()),
        default_protocol(table["speaker"]),
    )


def _published(name: str, options: Mapping[str, object]) -> Size:
    from nver.registry import lookup, names

    if name not in names("corpora"):
        return Size(name, 0, 0, 0, SPEAKER_INDEPENDENT)
    card = lookup("corpora", name)
    if card.variant:
        card = replace(card, **card.variant({**card.options, **options}))
    return Size(name, card.clips or 0, len(card.emotions), card.speakers or 0, SPEAKER_INDEPENDENT)
