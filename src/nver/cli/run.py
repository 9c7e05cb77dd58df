"""`nver run`: the main job."""

import sys
from pathlib import Path
from typing import Any

import click

from nver.cli.forecast import print_forecast
from nver.cli.options import JSON, RECIPE, REHASH, SET, STRICT, WORKERS, example, out_option
from nver.cli.output import finish_run


@click.command(epilog=example("nver run compare.toml --out runs/compare"))
@RECIPE
@out_option("The run folder.  [default: runs/NAME]")
@SET
@WORKERS
@REHASH
@STRICT
@click.option("--dry-run", is_flag=True, help="Only say what the run would take: time and disk.")
@JSON
def command(
    recipe: Path,
    out: Path | None,
    overrides: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Run RECIPE, a TOML file: extract what is missing, cross-validate, report.

    Embeddings that the store has and table cells that the run folder has are not computed again.
    Corpora and weights that are missing are listed, with where to get them and which cells wait for
    them; the rest is run. The exit code is 1 if nothing can be run.
    """
    import nver

    experiment = nver.read_experiment(recipe, overrides)  # before all that a run imports
    if dry_run:
        print_forecast(experiment, out, settings["workers"], strict, as_json)
        return
    result = nver.run(experiment, out, show_progress_bar=sys.stderr.isatty(), **settings)
    finish_run(result, strict, as_json)
