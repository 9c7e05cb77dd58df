"""`nver extract`: compute embeddings of a corpus into the store."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nver.cli.output import records, say_skipped
from nver.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from nver.corpora import Corpus
    from nver.embeddings.extraction import Extraction

FOLDER = click.Path(file_okay=False, path_type=Path)
PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("corpus")
@click.option("--root", type=PLACE, help="Where the corpus lies: a folder, or a table's file.")
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    required=True,
    metavar="NAME[=WEIGHTS]",
    help="WEIGHTS: a hub id or a local folder; again for more.",
)
@click.option("--store", type=FOLDER, help="The store's folder.  [default: in the user's cache]")
@click.option("--revision", help="Of the weights: a branch, tag or commit.")
@click.option("--layer", default="last", show_default=True, help="last, mean, or a number.")
@click.option("--pooling", default=None, help="Over time: mean or mean+std.  [default: mean]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--corpus-option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the corpus; again for more.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--rehash", is_flag=True, help="Look at every file's content again.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any clip was skipped.")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def command(
    corpus: str,
    root: Path | None,
    encoders: tuple[str, ...],
    store: Path | None,
    options: tuple[str, ...],
    workers: int | None,
    rehash: bool,
    strict: bool,
    as_json: bool,
    **variant: Any,
) -> None:
    """Compute the embeddings of CORPUS that the store lacks; stop and go on at any time.

    CORPUS is one of `nver list corpora`, or a name of your own for the recordings at --root.
    """
    import pandas as pd

    from nver.corpora import load_corpus
    from nver.corpora.measurement import cut_short_warnings
    from nver.embeddings import EmbeddingStore
    from nver.embeddings.extraction import extract

    loaded = load_corpus(corpus, root=root, **read_options(options))
    place = EmbeddingStore(store)
    specs = [read_spec(encoder, **variant) for encoder in encoders]
    done = extract(
        loaded, specs, place, workers=workers, rehash=rehash, show_progress_bar=not as_json
    )
    warnings = (*loaded.warnings, *cut_short_warnings(done.clips))
    loaded = replace(loaded, warnings=warnings)
    strays = loaded.skipped.reindex(columns=done.skipped.columns)
    skipped = pd.concat([strays, done.skipped], ignore_index=True) if len(strays) else done.skipped
    if as_json:
        click.echo(json.dumps(summary(loaded, done, skipped, place.root), indent=1))
    else:
        say(loaded, done, place.root)
        say_skipped(skipped)
    if done.clips.empty or (strict and len(skipped)):
        sys.exit(1)


def read_options(texts: tuple[str, ...]) -> dict[str, Any]:
    """{key: value} from KEY=VALUE; a value that is JSON (true, 3, [..]) is read as such."""
    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"expected KEY=VALUE, got {text!r}")
        try:
            options[key.strip()] = json.loads(value)
        except json.JSONDecodeError:
            options[key.strip()] = value
    return options


def read_spec(text: str, *, layer: str, pooling: str | None, **rest: Any) -> Any:
    """An encoder's spec from NAME[=WEIGHTS] and the options of the command line."""
    from dataclasses import replace

    from nver.embeddings.extraction import as_spec

    number: int | str = int(layer) if layer.lstrip("-").isdigit() else layer
    pooled: dict[str, Any] = {} if pooling is None else {"pooling": pooling}
    return replace(as_spec(text), layer=number, **pooled, **rest)


def say(corpus: "Corpus", done: "Extraction", place: Path) -> None:
    """What was computed and reused, and where it lies; warnings on stderr."""
    width = max(len(count.identity.name) for count in done.counts)
    click.echo(f"{corpus.name}: {len(done.clips):,} usable clips in {place}")
    for count in done.counts:
        click.echo(
            f"  {count.identity.name:<{width}}  {count.identity.dim} dimensions, "
            f"{count.computed:,} computed, {count.reused:,} reused  "
            f"[{count.identity.fingerprint[:12]}]"
        )
    for warning in corpus.warnings:
        click.echo(f"warning: {warning}", err=True)


def summary(
    corpus: "Corpus", done: "Extraction", skipped: "pd.DataFrame", place: Path
) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "corpus": corpus.name,
        "root": str(corpus.root),
        "store": str(place),
        "clips": len(done.clips),
        "encoders": [
            {
                "name": count.identity.name,
                "fingerprint": count.identity.fingerprint,
                "dim": count.identity.dim,
                "computed": count.computed,
                "reused": count.reused,
            }
            for count in done.counts
        ],
        "skipped": records(skipped),
        "warnings": list(corpus.warnings),
    }
