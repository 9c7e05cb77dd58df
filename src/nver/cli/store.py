"""`nver store`: look after the embedding store."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from nver.cli.given import say_next, taken
from nver.cli.options import CORPUS_OPTION, JSON, PLACE, ROOT, STORE, example, print_json, repeated
from nver.cli.output import size
from nver.corpora import load_corpus
from nver.embeddings.store import EmbeddingStore
from nver.embeddings.store.store import facts_of
from nver.embeddings.store.store_export import FORMATS, export
from nver.embeddings.store.upkeep import collect_garbage, repair, stats, verify


@click.group(epilog=example("nver store stats"))
def command() -> None:
    """Look after the embedding store."""


@command.command("stats", epilog=example("nver store stats"))
@STORE
@JSON
def stats_command(store: Path | None, as_json: bool) -> None:
    """List what the store holds, a line for each encoder."""
    opened = EmbeddingStore(store, create=False)
    found = stats(opened)
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    click.echo(f"{opened.root}: {sum(entry.rows for entry in found):,} embeddings")
    for entry in found:
        perturbed = f"  ({entry.perturbed:,} of perturbed clips)" if entry.perturbed else ""
        click.echo(
            f"{entry.fingerprint[:12]}  {entry.identity['name']}  {entry.rows:,} x "
            f"{entry.identity['dim']}  {size(entry.bytes)} in {entry.shards} shard(s){perturbed}"
        )
        click.echo(f"    {facts_of(entry.identity)}")
    own = ["--store", str(store)] if store else []
    if found:
        say_next(["nver", "store", "export", found[0].fingerprint[:12], "vectors", *own])


@command.command("verify", epilog=example("nver store verify"))
@STORE
@click.option(
    "--repair",
    "repair_it",
    is_flag=True,
    help="Set damaged shards aside and rebuild the index; the next extraction fills the gaps.",
)
@JSON
def verify_command(store: Path | None, repair_it: bool, as_json: bool) -> None:
    """Compare all shards with their checksums; exit with 1 if anything is wrong."""
    opened = EmbeddingStore(store, create=False)
    found = verify(opened, show_progress_bar=not as_json)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{opened.root}: {found.shards} shard(s), {found.rows:,} embeddings")
        for fault in found.faults:
            click.echo(f"  {fault}", err=True)
        click.echo(f"{len(found.faults)} fault(s)" if found.faults else "all is well")
    if found.faults and repair_it:
        for path in repair(opened, found):
            click.echo(f"set aside: {path}", err=True)
        found = verify(opened)
        click.echo(f"repaired: {found.rows:,} embeddings are left", err=True)
    if found.faults:
        if not repair_it:
            own = ["--store", str(store)] if store else []
            say_next(["nver", "store", "verify", "--repair", *own], as_json=as_json)
        sys.exit(1)


@command.command("export", epilog=example("nver store export logmel-stats vectors"))
@click.argument("identity")
@click.argument("out", type=PLACE)
@STORE
@click.option("--corpus", help="Only the clips of this corpus, in its order, with its columns.")
@ROOT
@CORPUS_OPTION
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="npy",
    show_default=True,
    help="npy: OUT is a folder for embeddings.npy and clips.csv; csv: OUT is one file.",
)
@JSON
def export_command(
    identity: str,
    out: Path,
    store: Path | None,
    corpus: str | None,
    root: Path | None,
    options: dict[str, Any],
    format: str,
    as_json: bool,
) -> None:
    """Write the embeddings of an encoder to OUT, for other programs.

    IDENTITY is the encoder's name, or the beginning of a fingerprint of `nver store stats`. Clips
    that a stress test made worse are left out.
    """
    opened = EmbeddingStore(store, create=False)
    table = None
    if corpus is not None:
        place = taken(corpus, root)
        table = load_corpus(place.name, root=place.root, **options).table
    done = export(opened, opened.find(identity), out, table=table, format=format)
    if as_json:
        print_json(asdict(done))
        return
    click.echo(f"{done.clips:,} clips in {' and '.join(map(str, done.files))}")
    if done.left_out:
        click.echo(f"left out {done.left_out:,} clips without an embedding", err=True)
    if done.perturbed:
        click.echo(f"left out {done.perturbed:,} perturbed clips of stress tests", err=True)


@command.command("gc", epilog=example("nver store gc --superseded"))
@STORE
@repeated(
    "--drop", metavar="IDENTITY", help="Remove the embeddings of this encoder name or fingerprint"
)
@click.option(
    "--superseded", is_flag=True, help="Remove what older versions of an encoder's code computed."
)
@JSON
def gc_command(store: Path | None, drop: tuple[str, ...], superseded: bool, as_json: bool) -> None:
    """Remove left-over files and merge small shards; drop embeddings only if asked."""
    opened = EmbeddingStore(store, create=False)
    done = collect_garbage(opened, [opened.find(text) for text in drop], superseded=superseded)
    if as_json:
        print_json(asdict(done))
        return
    click.echo(
        f"{opened.root}: {done.files} fewer files, {size(abs(done.bytes))} "
        f"{'freed' if done.bytes >= 0 else 'more'}, {done.merged} shards merged, "
        f"{len(done.identities)} identities dropped"
    )
