"""`nver init`: a recipe of one's own to begin with."""

from pathlib import Path
from typing import Any

import click

from nver.cli.given import say_next, taken
from nver.cli.options import CORPUS, CORPUS_OPTION, JSON, ROOT, example, print_json
from nver.cli.output import say_warnings
from nver.errors import UsageError


@click.command(epilog=example("nver init my-recordings"))
@CORPUS
@ROOT
@CORPUS_OPTION
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The recipe's file.  [default: NAME.toml]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@JSON
def command(
    corpus: str,
    root: Path | None,
    options: dict[str, Any],
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a commented recipe for a corpus: what was found, the encoders that can be used here,
    and what else a recipe may say.

    FOLDER or TABLE holds your own recordings; NAME is one of `nver list corpora`, which lies at
    --root. The recipe runs as it is.
    """
    from nver.corpora import load_corpus
    from nver.corpora.speakers import random_folds
    from nver.machine.files import write_whole
    from nver.recipe.first_recipe import first_recipe

    place = taken(corpus, root)
    file = out or Path(f"{place.name}.toml")
    if file.exists() and not force:
        raise UsageError(f"{file} is there already; --force writes over it, --out names another")
    loaded = load_corpus(place.name, root=place.root, **options)
    write_whole(file, first_recipe(loaded, place.root, options, file))
    warnings = [*loaded.warnings, *random_folds(loaded.table, loaded.card.options)]
    say_warnings(warnings)
    if as_json:
        print_json({"recipe": file, "corpus": loaded.name, "warnings": warnings})
    else:
        click.echo(f"wrote {file}: {loaded.counts}")
    say_next(["nver", "run", str(file)], as_json=as_json)
