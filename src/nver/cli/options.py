"""What several commands take, spelt once."""

from pathlib import Path

import click

RECIPE = click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="A.B=C",
    help="Override a key of the recipe; again for more.",
)
