"""A first recipe for a corpus, with comments: what was found, and what else it may say."""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from nver.classifiers.training.config import TrainingConfig
from nver.corpora.base import Corpus
from nver.encoders import card_of
from nver.errors import UsageError, first_few
from nver.machine.installation import extra_is_here
from nver.recipe.reading import DEFAULT, read_toml
from nver.registry import lookup, names

SHIPPED = "nver-mamba"  # the encoder whose weights are in the package
NAMED = 30  # emotions that a comment names one by one (our choice)
EXAMPLES = {  # of the options by which a corpus of one's own is told its speakers
    "speaker_pattern": r"(?P<speaker>[^/_]+)_[^/]*$",
    "layout": "speaker/emotion/file",
    "speaker_column": "NAME OF THE COLUMN",
}
FOLDS = """
[folds]
# kind = ["speaker-independent", "random"]  # default: {kind}
# number = 5                     # default: 5, or fewer where there are fewer different clips
seeds = [0]                      # each seed makes new folds and new initial weights

# [filter]                       # default: every clip
# emotions = {emotions}
# speakers = {speakers}

# [families]                     # a coarser view of the emotions, scored too: docs/predict.md
# one = {emotions}

# [training]
# epochs = {epochs}                    # the default; early stopping often ends sooner

# [stress]                       # test clips made worse: docs/quality.md
# kinds = ["noise-10dB", "telephone"]
"""


def first_recipe(corpus: Corpus, root: Path | None, options: Mapping[str, Any], file: Path) -> str:
    """The text of the recipe, which runs as it is.

    Args:
        root, options: as the corpus was loaded.
        file: where the recipe will lie; the root is written relative to it.

    Raises:
        UsageError: a name cannot stand in a TOML file.
    """
    lines = [
        f"# A recipe for {corpus.name}, by `nver init`. Run it: nver run {shlex.quote(str(file))}",
        *_found(corpus),
        *_corpora(corpus, options),
        *_roots(corpus, root, file),
        *_encoders(),
        *_classifiers(),
        *_folds(corpus),
    ]
    text = "\n".join(lines) + "\n"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"{root}: a recipe is UTF-8, and this name is not; rename it") from error
    return text


def _found(corpus: Corpus) -> Iterator[str]:
    """Comments: the corpus's form, counts, emotions, skipped files and warnings."""
    counts = corpus.table["emotion"].value_counts()
    emotions = [f"{emotion} {counts[emotion]}" for emotion in corpus.emotions]
    yield _comment(f"Found: {corpus.counts}. Form: {corpus.card.title}.")
    yield _comment(f"Emotions: {first_few(emotions, NAMED)}")
    if len(corpus.skipped):
        yield _comment(f"{len(corpus.skipped)} files or rows are no clips: see `nver corpus`")
    for warning in corpus.warnings:
        yield _comment(f"warning: {warning}")


def _corpora(corpus: Corpus, options: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"corpora = [{_inline({'name': corpus.name, **options})}]"
    if corpus.has_speakers:
        return
    yield "# Some clips have no known speaker, so the folds are random: speakers are then in both"
    yield "# training and test. An option can say who speaks:"
    for option, example in EXAMPLES.items():
        if option in corpus.card.options:
            own = {"name": corpus.name, **options, option: example}
            yield f"# corpora = [{_inline(own)}]"


def _roots(corpus: Corpus, root: Path | None, file: Path) -> Iterator[str]:
    if root is None:
        return
    place = Path(os.path.relpath(root, file.absolute().parent)).as_posix()
    place = f"./{place}" if place.startswith("~") else place  # no home folder is meant
    yield ""
    yield "[roots]                          # where the recordings lie, from this file"
    yield _pair(corpus.name, place)


def _encoders() -> Iterator[str]:
    """The default recipe's encoders, and as comments the others that have published weights."""
    yield ""
    yield "# Encoders. Weights come from the Hugging Face hub, or from a folder of yours, named"
    yield '# beside the name: weights = "FOLDER"'
    ours = [entry["name"] for entry in read_toml(DEFAULT)["encoders"]]
    for name in ours:
        yield "[[encoders]]"
        yield _pair("name", name)
    for name in names("encoders"):
        card = card_of(name)
        weights = "comes with nver" if name == SHIPPED else card.weights
        if name in ours or not weights:
            continue
        here = not card.extra or extra_is_here(card.extra)
        state = "" if here else f'; not installed: pip install "nver[{card.extra}]"'
        yield "# [[encoders]]"
        yield _comment(f"{_pair('name', name)}  # {weights}{state}")


def _classifiers() -> Iterator[str]:
    """The default recipe's classifiers, and as comments the others."""
    yield ""
    yield "# A head is trained on each encoder, a fusion on each pair of them."
    ours = [entry["name"] for entry in read_toml(DEFAULT)["classifiers"]]
    for name in [*ours, *(name for name in names("classifiers") if name not in ours)]:
        mark = "" if name in ours else "# "
        yield f"{mark}[[classifiers]]"
        yield f"{mark}{_pair('name', name)}  # {lookup('classifiers', name).title}"


def _folds(corpus: Corpus) -> Iterator[str]:
    known = corpus.has_speakers
    speakers = sorted(map(str, corpus.table["speaker"].dropna().unique()))[:2]
    kind = "speaker-independent" if known else "random, as not every clip's speaker is known"
    text = FOLDS.format(
        kind=kind,
        epochs=TrainingConfig().epochs,
        emotions=_value(corpus.emotions[:2]),
        speakers=_value(speakers),
    )
    yield from text.rstrip().splitlines()


def _inline(table: Mapping[str, Any]) -> str:
    """A table on one line."""
    return "{" + ", ".join(_pair(key, value) for key, value in table.items()) + "}"


def _pair(key: str, value: Any) -> str:
    """'key = "value"', on one line."""
    name = tomli_w.dumps({key: 0}).rpartition(" = ")[0]
    return f"{name} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return _inline(value)
    return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")


def _comment(text: str) -> str:
    """The text as a comment; what may not stand in one is written as in Python."""
    return "# " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
