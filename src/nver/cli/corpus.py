"""`nver corpus`: what lies in a corpus folder."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nver.audio.remarks import KINDS
from nver.cli.given import corpus_words, say_next, taken
from nver.cli.options import (
    CORPUS,
    CORPUS_OPTION,
    JSON,
    ROOT,
    STRICT,
    example,
    print_json,
)
from nver.cli.output import say_warnings

if TYPE_CHECKING:
    from nver.corpora.inspection import CorpusFacts, DuplicateGroup, Note

LISTED = 10  # of each kind of remark; --json has them all
SPEAKER = {True: "one speaker", False: "SEVERAL SPEAKERS", None: "speaker unknown"}


@click.command(epilog=example("nver corpus my-recordings"))
@CORPUS
@ROOT
@CORPUS_OPTION
@STRICT
@JSON
def command(
    corpus: str, root: Path | None, options: dict[str, Any], strict: bool, as_json: bool
) -> None:
    """Show what is in a corpus: emotions, speakers, durations, sampling rates, counts next to the
    published ones, and every clip that deserves a look.

    FOLDER or TABLE holds your own recordings; NAME is one of `nver list corpora`, which lies at
    --root. Each clip is decoded once.
    """
    from nver.corpora import load_corpus
    from nver.corpora.inspection import inspect_corpus

    place = taken(corpus, root)
    facts = inspect_corpus(
        load_corpus(place.name, root=place.root, **options), show_progress_bar=True
    )
    if as_json:
        print_json(asdict(facts))
    else:
        click.echo("\n".join(lines(facts)))
    say_warnings(facts.warnings)
    bad = len(facts.unusable) + len(facts.skipped)
    if facts.unusable and len(facts.unusable) == facts.clips:
        click.echo(f"nver: no clip can be used; the first: {facts.unusable[0].message}", err=True)
    if len(facts.unusable) == facts.clips or (strict and bad):
        sys.exit(1)
    words = corpus_words(corpus, root, options)
    say_next(["nver", "run", *words], ["nver", "init", *words], as_json=as_json)


def lines(facts: "CorpusFacts") -> Iterator[str]:
    """The counts and remarks as a person reads them."""
    yield f"{facts.title} ({facts.corpus}) in {facts.root}"
    rows = {
        "clips": f"{facts.clips:,}{_published(facts.published_clips)}",
        f"{facts.speaker_is}s": f"{facts.speakers:,}{_published(facts.published_speakers)}"
        + _spread(facts),
        **_audio(facts),
        "left out": _counts(facts.left_out),
    }
    yield from (f"  {name:<18} {text}" for name, text in rows.items() if text)
    yield "emotions"
    width = max(len(e.emotion) for e in facts.emotions)
    for e in facts.emotions:
        unlike = e.published is not None and e.published != e.clips
        published = f"  (published: {e.published:,})" if unlike else ""
        yield f"  {e.emotion:<{width}}  {e.clips:>6,}{published}"
    yield from _notes("no clip of the corpus, skipped", facts.skipped)
    yield from _notes("cannot be used, would be skipped", facts.unusable)
    yield from _notes("cut short, used as far as it goes", facts.cut_short)
    for kind, what in KINDS.items():
        yield from _notes(f"{what}; used", getattr(facts, kind))
    yield from _duplicates("the same sound more than once, used", facts.duplicates)
    yield from _duplicates(
        "the same recording, encoded or cut anew, used", facts.near_duplicates, sign="~"
    )


def _published(count: int | None) -> str:
    return "" if count is None else f"  (published: {count:,})"


def _spread(facts: "CorpusFacts") -> str:
    each = facts.clips_per_speaker
    return f"; {each.least} to {each.most} clips each, median {each.median:g}" if each else ""


def _audio(facts: "CorpusFacts") -> dict[str, str]:
    if facts.durations is None:
        return {}
    d = facts.durations
    quantiles = ", ".join(f"{name} {value:.2f}" for name, value in d.quantiles.items())
    return {
        "hours": f"{d.hours:.2f}",
        "duration in s": f"{quantiles}; {d.under_1_s:.0%} under 1 s",
        "rates in Hz": _counts(facts.sampling_rates),
        "channels": _counts(facts.channels),
    }


def _counts(counts: Mapping[int, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())


def _notes(what: str, notes: Sequence["Note"]) -> Iterator[str]:
    return _listed(what, "", [f"{note.clip}  {note.reason}: {note.message}" for note in notes])


def _duplicates(what: str, groups: Sequence["DuplicateGroup"], sign: str = "=") -> Iterator[str]:
    texts = [
        f"{f' {sign} '.join(group.clips)}  ({SPEAKER[group.same_speaker]}, "
        f"{'one emotion' if group.same_emotion else 'SEVERAL EMOTIONS'})"
        for group in groups
    ]
    return _listed(what, " groups" if len(groups) > 1 else " group", texts)


def _listed(what: str, unit: str, texts: Sequence[str]) -> Iterator[str]:
    """How many remarks of a kind there are, and the first of them."""
    if texts:
        yield f"{what}: {len(texts):,}{unit}"
        yield from (f"  {text}" for text in texts[:LISTED])
    if len(texts) > LISTED:
        yield f"  ... and {len(texts) - LISTED:,} more (--json lists all)"
