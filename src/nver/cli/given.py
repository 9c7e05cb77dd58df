"""The corpus or recipe that a command was given, and the next command, which is given the same."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nver.corpora.finding import Place
    from nver.recipe import Experiment


def taken(word: str, root: Path | None) -> "Place":
    """The corpus that a word names; where it could mean two things, which of them, on stderr."""
    from nver.corpora.finding import find_corpus

    place = find_corpus(word, root)
    if place.note:
        click.echo(f"note: {place.note}", err=True)
    return place


def read_given(
    recipe: str, root: Path | None, options: Mapping[str, Any], overrides: Sequence[str]
) -> "Experiment":
    """The recipe's experiment, or of a corpus the default recipe's; what was taken, on stderr."""
    from nver.recipe.reading import is_recipe, read_experiment

    if not is_recipe(recipe):
        taken(recipe, root)
    return read_experiment(recipe, overrides, root=root, options=options)


def corpus_words(word: str, root: Path | None, options: Mapping[str, Any]) -> list[str]:
    """The words by which a command was given its corpus, for the next command."""
    words = [word, *(["--root", str(root)] if root is not None else [])]
    for key, value in options.items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--corpus-option", f"{key}={text}"]
    return words


def _typed(word: str) -> str:
    """The word as it is typed in a shell; of bytes that are not UTF-8 as bash and zsh read them."""
    data = os.fsencode(word)
    if data.decode("utf-8", "ignore") == word:
        return shlex.quote(word)
    plain = (chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in data)
    return f"$'{''.join(plain)}'"


def say_next(*commands: Sequence[str], as_json: bool = False) -> None:
    """Say on stderr what comes next, as it is typed, one command a line; nothing beside JSON."""
    for number, words in enumerate(() if as_json else commands):
        click.echo(f"{'  or' if number else 'next'}: {' '.join(map(_typed, words))}", err=True)
