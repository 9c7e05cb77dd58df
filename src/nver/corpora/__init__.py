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
from nver.corpora.speakers import speaker_doubts
from nver.corpora.spelling import one_spelling
from nver.errors import CorpusError, UsageError, check_choice, check_option, unknown_name
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
        warnings = (*warnings, *said, *speaker_doubts(table, settings))
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
    _check_options(card.name, options, card.options, f"{card.name}: ")
    return {**card.options, **options}


def check_options(name: str, options: Options, where: str) -> None:
    """Raise `UsageError` for options that a corpus of this name has not, or of another type.

    Of a corpus of one's own, whose form is found when it is read, the options of all forms count.
    """
    others = dict(options)
    if (form := others.pop("form", None)) is not None:
        check_choice(f"{where}.form", form, FORMS)
    cards = [name] if name in names("corpora") else [form] if form else FORMS
    known = {k: v for own in cards for k, v in lookup("corpora", own).options.items()}
    _check_options(name, others, known, f"{where}.")


def _check_options(name: str, options: Options, known: Options, where: str) -> None:
    for option, value in options.items():
        if option not in known:
            raise unknown_name(f"option of {name}", option, known or ["none"])
        check_option(f"{where}{option}", value, known[option])


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
