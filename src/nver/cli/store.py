"""`nver store`: look after the embedding store."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nver.cli.output import size

if TYPE_CHECKING:
    from nver.embeddings import EmbeddingStore

STORE = click.option(
    "--store",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    help="The store's folder.  [default: in the user's cache]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="For a machine to read.")


@click.group()
def command() -> None:
    """Look after the embedding store."""


def _open(root: Path | None) -> "EmbeddingStore":
    from nver.embeddings import EmbeddingStore

    return EmbeddingStore(root, create=False)


@command.command("stats")
@STORE
@JSON
def stats_command(root: Path | None, as_json: bool) -> None:
    """What is in it: a line for each encoder identity."""
    from nver.embeddings.store.store import facts_of
    from nver.embeddings.store.upkeep import stats

    store = _open(root)
    found = stats(store)
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in found], indent=1, ensure_ascii=False))
        return
    click.echo(f"{store.root}: {sum(entry.rows for entry in found):,} embeddings")
    for entry in found:
        perturbed = f"  ({entry.perturbed:,} of perturbed clips)" if entry.perturbed else ""
        click.echo(
            f"{entry.fingerprint[:12]}  {entry.identity['name']}  {entry.rows:,} x "
            f"{entry.identity['dim']}  {size(entry.bytes)} in {entry.shards} shard(s){perturbed}"
        )
        click.echo(f"    {facts_of(entry.identity)}")


@command.command("verify", short_help="Compare everything with its checksums.")
@STORE
@click.option(
    "--repair",
    "repair_it",
    is_flag=True,
    help="Set damaged shards aside and make the index again; the next extraction fills the gaps.",
)
@JSON
def verify_command(root: Path | None, repair_it: bool, as_json: bool) -> None:
    """Read everything and compare it with its checksums; exit with 1 if anything is wrong."""
    from nver.embeddings.store.upkeep import repair, verify

    store = _open(root)
    found = verify(store, show_progress_bar=not as_json)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1, default=str))
    else:
        click.echo(f"{store.root}: {found.shards} shard(s), {found.rows:,} embeddings")
        for fault in found.faults:
            click.echo(f"  {fault}", err=True)
        click.echo(f"{len(found.faults)} fault(s)" if found.faults else "all is well")
    if found.faults and repair_it:
        for path in repair(store, found):
            click.echo(f"set aside: {path}", err=True)
        found = verify(store)
        click.echo(f"repaired: {found.rows:,} embeddings are left", err=True)
    if found.faults:
        sys.exit(1)


@command.command("export")
@click.argument("identity")
@click.argument("out", type=click.Path(path_type=Path))
@STORE
@click.option("--corpus", help="Only this corpus's clips, in its order, with its columns.")
@click.option("--root", "corpus_root", type=click.Path(path_type=Path), help="Where that lies.")
@click.option(
    "--corpus-option", "options", multiple=True, metavar="KEY=VALUE", help="Of the corpus."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["npy", "csv"]),
    default="npy",
    show_default=True,
    help="npy: OUT is a folder for embeddings.npy and clips.csv; csv: OUT is one file.",
)
@JSON
def export_command(
    identity: str,
    out: Path,
    root: Path | None,
    corpus: str | None,
    corpus_root: Path | None,
    options: tuple[str, ...],
    form: str,
    as_json: bool,
) -> None:
    """Write embeddings to OUT for other programs; clips made worse by [stress] are left out.

    IDENTITY is an encoder's name, or the beginning of a fingerprint of `nver store stats`.
    """
    from nver.cli.extract import read_options
    from nver.embeddings.store.store_export import export

    store = _open(root)
    table = None
    if corpus is not None:
        from nver.corpora import load_corpus

        table = load_corpus(corpus, root=corpus_root, **read_options(options)).table
    done = export(store, store.find(identity), out, table=table, format=form)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=1, default=str))
        return
    click.echo(f"{done.clips:,} clips in {' and '.join(map(str, done.files))}")
    if done.left_out:
        click.echo(f"left out {done.left_out:,} clips without an embedding", err=True)
    if done.perturbed:
        click.echo(f"left out {done.perturbed:,} perturbed clips of stress tests", err=True)


@command.command("gc", short_help="Tidy up, merge small shards, drop what is asked.")
@STORE
@click.option(
    "--drop",
    multiple=True,
    metavar="IDENTITY",
    help="Remove the embeddings of this encoder name or fingerprint; again for more.",
)
@click.option(
    "--superseded",
    is_flag=True,
    help="Remove what older versions of an encoder's code computed.",
)
@JSON
def gc_command(root: Path | None, drop: tuple[str, ...], superseded: bool, as_json: bool) -> None:
    """Remove left-over files, merge small shards, and drop what is asked for."""
    from nver.embeddings.store.upkeep import collect_garbage

    store = _open(root)
    done = collect_garbage(store, [store.find(text) for text in drop], superseded=superseded)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=1))
        return
    click.echo(
        f"{store.root}: {done.files} fewer files, {size(abs(done.bytes))} "
        f"{'freed' if done.bytes >= 0 else 'more'}, {done.merged} shards merged, "
        f"{len(done.identities)} identities dropped"
    )
