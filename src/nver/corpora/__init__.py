"""Corpora, one a file: a folder or a table on a disk becomes one table, a row a clip."""

import os
from collections import Counter
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from nver.corpora.against_published import unknown_speakers, unlike_published
from nver.corpora.base import LEFT_OUT, Corpus, CorpusCard, Options, Tables
from nver.corpora.finding import find_corpus, offer_root, unknown_corpus
from nver.corpora.own.forms import FORMS, find_form
from nver.corpora.spelling import one_spelling
from nver.errors import CorpusError, UsageError, check_choice, unknown_name
from nver.registry import lookup, names

__all__ = ["Corpus", "CorpusCard", "card_of", "find_corpus", "load_corpus"]


def load_corpus(name: str, root: str | PathLike[str] | None = None, **options: Any) -> Corpus:
    """A corpus as it lies on a disk; no audio is decoded.

    Args:
        name: one of `nver list corpora`, or a name of your own for your own recordings.
        root: the folder (or, for a table, the file) in which the corpus lies.
        options: the options of this corpus, see its page. For your own recordings also `form`:
            "folder" (a folder an emotion), "table", "audformat" or "audiofolder"; without it the
            form is found.

    Raises:
        UsageError: an unknown name or option.
        CorpusError: nothing lies there, or no corpus of that form.
        MissingExtraError: an optional dependency is needed.
    """
    try:
        return _load(name, None if root is None else Path(root), options)
    except OSError as error:
        raise CorpusError(
            f"{error.filename or root}: cannot be read or made ({error.strerror}); "
            "look at its permissions"
        ) from error


def _load(name: str, place: Path | None, options: dict[str, Any]) -> Corpus:
    card = card_of(name, place, options.pop("form", None), options)
    settings = _settings(card, options)
    if card.variant:
        card = replace(card, **card.variant(settings))
    place = _place(card, place, settings)
    table, skipped, warnings = Tables(*card.read(place, settings))
    if name in FORMS or name not in names("corpora"):
        table, said = one_spelling(table)
        warnings = (*warnings, *said)
    left_out = skipped["reason"] == LEFT_OUT
    return Corpus(
        name=card.name,
        card=card,
        root=place,
        table=table,
        skipped=skipped[~left_out].reset_index(drop=True),
        warnings=(*warnings, *unlike_published(card, table), *unknown_speakers(card, table)),
        left_out=Counter(skipped.loc[left_out, "message"]),
    )


def card_of(
    name: str, root: Path | None = None, form: str | None = None, options: Options | None = None
) -> CorpusCard:
    """The card of a corpus; for a name of your own the card of the form that lies at `root`, as
    far as the options leave that open.
    """
    if form is not None:
        check_choice("form of a corpus", form, FORMS)
        if name in names("corpora") and name != form:
            raise UsageError(f"{name!r} is a known corpus and takes no form; choose another name")
    elif name not in names("corpora") and root is not None:
        form = find_form(name, root, options or {})
    elif name not in names("corpora") and isinstance(name, str | PathLike):
        raise unknown_corpus(os.fspath(name))
    card: CorpusCard = lookup("corpora", form or name)
    return replace(card, name=name)


def _settings(card: CorpusCard, options: Options) -> dict[str, Any]:
    """The options with their defaults; an unknown one is an error that names the nearest."""
    for option, value in options.items():
        if option not in card.options:
            raise unknown_name(f"option of {card.name}", option, card.options or ["none"])
        default = card.options[option]
        if isinstance(default, bool | int) and type(value) is not type(default):
            kind = "true or false" if isinstance(default, bool) else "a whole number"
            raise UsageError(f"{card.name}: {option} is {kind}; got {value!r}")
    return {**card.options, **options}


def _place(card: CorpusCard, root: Path | None, settings: Options) -> Path:
    where = f"; get the corpus at {card.url}" if card.url.startswith("http") else ""
    if root is None:
        if card.home is None:
            here = f"; {offer_root(card.name, Path(card.name))}" if Path(card.name).exists() else ""
            raise CorpusError(
                f"{card.name}: no root was given: the folder where it lies{here}{where}"
            )
        return card.home(settings)
    if card.home is None and not root.exists():
        raise CorpusError(f"{card.name}: {root} does not exist{where}")
    return root
