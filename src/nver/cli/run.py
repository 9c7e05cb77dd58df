"""`nver run`: the main job."""

import sys
from pathlib import Path

import click

from nver.cli.forecast import foretell
from nver.cli.options import RECIPE, SET
from nver.cli.output import finish_run


@click.command()
@RECIPE
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The run folder.  [default: runs/NAME]",
)
@SET
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--rehash", is_flag=True, help="Look at every file's content again.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if a clip was skipped, or anything is missing."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what it would take: trainings, time, disk; do nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores for a machine to read.")
def command(
    recipe: Path,
    out: Path | None,
    overrides: tuple[str, ...],
    workers: int | None,
    rehash: bool,
    strict: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run RECIPE, a TOML file: extract what is missing, cross-validate, report.

    Embeddings that the store has and table cells that the run folder has are not computed again.
    Corpora and weights that are missing are listed, with where to get them and which cells wait;
    the rest is run. If nothing can be run, or with --strict, that is an exit code of 1.
    """
    import nver

    experiment = nver.read_experiment(recipe, overrides)  # before all that a run imports
    if dry_run:
        foretell(experiment, out, workers, strict, as_json)
        return
    result = nver.run(
        experiment,
        out,
        workers=workers,
        rehash=rehash,
        show_progress_bar=sys.stderr.isatty(),
    )
    finish_run(result, strict, as_json)
