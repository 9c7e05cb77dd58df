"""`nver run`: the main job."""

from pathlib import Path
from typing import Any

import click

from nver.cli.forecast import print_forecast
from nver.cli.given import corpus_words, read_given, say_next
from nver.cli.options import (
    CORPUS_OPTION,
    CORPUS_OR_RECIPE,
    JSON,
    REHASH,
    ROOT,
    SET,
    STRICT,
    WORKERS,
    example,
    out_option,
)
from nver.cli.output import finish_run


@click.command(epilog=example("nver run my-recordings", "nver run compare.toml --out runs/compare"))
@CORPUS_OR_RECIPE
@ROOT
@CORPUS_OPTION
@out_option("The run folder.  [default: runs/NAME]")
@SET
@WORKERS
@REHASH
@STRICT
@click.option("--dry-run", is_flag=True, help="Only say what the run would take: time and disk.")
@JSON
def command(
    recipe: str,
    root: Path | None,
    options: dict[str, Any],
    out: Path | None,
    overrides: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Extract what is missing, cross-validate, report: by RECIPE, a TOML file, or for the
    recordings in FOLDER or TABLE, or a known corpus at --root, by the recipe that `nver init`
    writes.

    Embeddings that the store has and table cells that the run folder has are not computed again.
    Corpora and weights that are missing are listed, with where to get them and which cells wait for
    them; the rest is run. The exit code is 1 if nothing can be run.
    """
    import nver
    from nver.recipe import systems_of
    from nver.recipe.reading import is_recipe

    experiment = read_given(recipe, root, options, overrides)  # before all that a run imports
    words = [*corpus_words(recipe, root, options), *(f"--set={text}" for text in overrides)]
    if dry_run:
        print_forecast(experiment, out, settings["workers"], strict, as_json)
        own_folder = ["--out", str(out)] if out else []
        say_next(["nver", "run", *words, *own_folder], as_json=as_json)
        return
    result = nver.run(experiment, out, show_progress_bar=True, **settings)
    finish_run(result, strict, as_json)
    train = [["nver", "train", *words, "--out", f"{experiment.name}-model"]]
    one = not (is_recipe(recipe) or overrides) or len(systems_of(experiment)) == 1
    say_next(["open", str(result.report)], *(train if one else []), as_json=as_json)
