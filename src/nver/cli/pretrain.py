"""`nver pretrain`: an Audio-Mamba encoder trained on your own recordings."""

from pathlib import Path

import click

from nver.cli.given import say_next
from nver.cli.options import DEVICE, RECIPE, ROOT, example, out_option


@click.command(epilog=example("nver pretrain own.toml --root my-recordings --out runs/own"))
@RECIPE
@out_option("The folder of the training; a training that was stopped goes on.", required=True)
@ROOT
@DEVICE
@click.option("--minutes", type=float, help="Stop after about so many minutes, to go on later.")
def command(recipe: Path, out: Path, root: Path | None, device: str, minutes: float | None) -> None:
    """Train the encoder of RECIPE, a TOML file: first on sounds alone, then on their emotions.

    Stop it at any time and give the same command to go on: the weights will be the same. Each stage
    writes a folder of weights, to be given as --encoder nver-mamba=FOLDER.
    """
    from nver.models.pretraining import pretrain, read_recipe

    last = pretrain(read_recipe(recipe, root), out, device=device, minutes=minutes, show=True)
    if last == out:
        click.echo(f"stopped; the same command goes on from {out}")
    else:
        click.echo(f"wrote {last}; the log is {out / 'log.csv'}")
        say_next(["nver", "extract", "FOLDER", "--encoder", f"nver-mamba={last}"])
