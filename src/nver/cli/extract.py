"""`nver extract`: compute embeddings of a corpus into the store."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nver.cli.given import corpus_words, say_next, taken
from nver.cli.options import (
    CORPUS,
    CORPUS_OPTION,
    DEVICE,
    JSON,
    REHASH,
    ROOT,
    STORE,
    STRICT,
    WORKERS,
    example,
    print_json,
    repeated,
)
from nver.cli.output import records, say_skipped

if TYPE_CHECKING:
    import pandas as pd

    from nver.corpora import Corpus
    from nver.embeddings.extraction import Extraction
    from nver.encoders import EncoderSpec

BY_DEFAULT = ("logmel-stats", "prosody-stats")  # the encoders of recipe/default.toml


@click.command(epilog=example("nver extract my-recordings --encoder logmel-stats"))
@CORPUS
@ROOT
@repeated(
    "--encoder",
    "encoders",
    required=True,
    metavar="NAME[=WEIGHTS]",
    help="WEIGHTS: a hub id or a folder",
)
@STORE
@click.option("--revision", help="A branch, tag or commit of the weights.")
@click.option("--layer", default="last", show_default=True, help="last, mean, or a number.")
@click.option("--pooling", default="mean", show_default=True, help="Over time: mean or mean+std.")
@DEVICE
@CORPUS_OPTION
@WORKERS
@REHASH
@STRICT
@JSON
def command(
    corpus: str,
    root: Path | None,
    encoders: tuple[str, ...],
    store: Path | None,
    options: dict[str, Any],
    workers: int | None,
    rehash: bool,
    strict: bool,
    as_json: bool,
    **variant: Any,
) -> None:
    """Compute the embeddings of a corpus that the store lacks; stop and go on at any time.

    FOLDER or TABLE holds your own recordings; NAME is one of `nver list corpora`, which lies at
    --root.
    """
    import pandas as pd

    from nver.corpora import load_corpus
    from nver.corpora.measurement import cut_short_warnings
    from nver.embeddings import EmbeddingStore
    from nver.embeddings.extraction import extract
    from nver.machine.counting import say

    found = taken(corpus, root)
    loaded = load_corpus(found.name, root=found.root, **options)
    say(f"corpus {loaded.name}: {loaded.counts}", not as_json)
    place = EmbeddingStore(store)
    specs = [read_spec(encoder, **variant) for encoder in encoders]
    done = extract(
        loaded, specs, place, workers=workers, rehash=rehash, show_progress_bar=not as_json
    )
    warnings = [*loaded.warnings, *cut_short_warnings(done.clips)]
    strays = loaded.skipped.reindex(columns=done.skipped.columns)
    skipped = pd.concat([strays, done.skipped], ignore_index=True) if len(strays) else done.skipped
    if as_json:
        print_json(summary(loaded, done, skipped, warnings) | {"store": place.root})
    else:
        print_counts(loaded, done, place.root)
        for warning in warnings:
            click.echo(f"warning: {warning}", err=True)
        say_skipped(skipped)
    if done.clips.empty or (strict and len(skipped)):
        sys.exit(1)
    words = corpus_words(corpus, root, options)
    known = all(encoder in BY_DEFAULT for encoder in encoders)
    own_store = ["--set", f"store={store}"] if store and known else []
    say_next(["nver", "run" if known else "init", *words, *own_store], as_json=as_json)


def read_spec(text: str, *, layer: str, **rest: Any) -> "EncoderSpec":
    """An encoder's spec from NAME[=WEIGHTS] and the options of the command line."""
    from nver.embeddings.extraction import as_spec

    number = int(layer) if layer.lstrip("-").isdigit() else layer
    return replace(as_spec(text), layer=number, **rest)


def print_counts(corpus: "Corpus", done: "Extraction", place: Path) -> None:
    """How many embeddings were computed and reused, and where they are."""
    width = max(len(count.identity.name) for count in done.counts)
    click.echo(f"{corpus.name}: {len(done.clips):,} usable clips in {place}")
    for count in done.counts:
        click.echo(
            f"  {count.identity.name:<{width}}  {count.identity.dim} dimensions, "
            f"{count.computed:,} computed, {count.reused:,} reused  "
            f"[{count.identity.fingerprint[:12]}]"
        )


def summary(
    corpus: "Corpus", done: "Extraction", skipped: "pd.DataFrame", warnings: Sequence[str]
) -> dict[str, Any]:
    """The counts, the skipped and the warnings for a program."""
    return {
        "corpus": corpus.name,
        "root": corpus.root,
        "clips": len(done.clips),
        "encoders": [
            {key: getattr(count.identity, key) for key in ("name", "fingerprint", "dim")}
            | {"computed": count.computed, "reused": count.reused}
            for count in done.counts
        ],
        "skipped": records(skipped),
        "warnings": warnings,
    }
