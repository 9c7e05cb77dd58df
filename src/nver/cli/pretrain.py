"""`nver pretrain`: an Audio-Mamba of one's own."""

import sys
from pathlib import Path

import click

from nver.cli.options import RECIPE


@click.command()
@RECIPE
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of the training; one that was begun goes on.",
)
@click.option("--root", type=click.Path(path_type=Path), help="Where the recordings lie.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--minutes", type=float, help="Stop after about so many, to go on another time.")
def command(recipe: Path, out: Path, root: Path | None, device: str, minutes: float | None) -> None:
    """Train the encoder of RECIPE, a TOML file: on sounds alone, then on their emotions.

    Stop at any time and give the same command to go on: the weights will be the same. Each stage
    leaves a folder of weights, to pass as --encoder nver-mamba=FOLDER.
    """
    from nver.models.pretraining import pretrain, read_recipe

    read = read_recipe(recipe, root)
    show = sys.stderr.isatty()
    last = pretrain(read, out, device=device, minutes=minutes, show=show)
    if last == out:
        click.echo(f"stopped; the same command goes on from {out}")
    else:
        click.echo(f"wrote {last}; the log is {out / 'log.csv'}")
