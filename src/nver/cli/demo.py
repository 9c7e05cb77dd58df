"""`nver demo`: the main job on the embedded default."""

import sys
from pathlib import Path

import click

from nver.cli.output import finish_run


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("nver-demo"),
    show_default=True,
    help="The run folder.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print the scores for a machine to read.")
def command(out: Path, workers: int | None, as_json: bool) -> None:
    """The main job on a small SYNTHETIC corpus, offline: embeddings, folds, heads, fusion, report.

    The recordings are made by a synthesiser and say nothing about people. Look at the recipe that
    it runs in OUT/recipe.toml; change the corpus and the root, and it is yours.
    """
    from importlib.resources import as_file, files

    import nver

    with as_file(files("nver") / "recipes" / "demo.toml") as recipe:
        result = nver.run(recipe, out, workers=workers, show_progress_bar=sys.stderr.isatty())
    finish_run(result, strict=False, as_json=as_json)
