"""`nver convert`: an Audio-Mamba checkpoint as safetensors."""

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def command(source: Path, out: Path, as_json: bool) -> None:
    """Convert SOURCE, a run folder or checkpoint of Audio-Mamba, to safetensors in the folder OUT.

    Nothing of the checkpoint is run; one that holds more than tensors and settings is refused. OUT
    can then be given wherever weights of audio-mamba-tiny, -small or -base are.
    """
    from nver.encoders.audio_mamba.checkpoints import convert

    made = convert(source, out)
    if as_json:
        plain = made._asdict() | {"file": str(made.file), "sizes": asdict(made.sizes)}
        click.echo(json.dumps(plain, indent=1))
        return
    click.echo(f"wrote {made.file}: width {made.sizes.width}, {made.sizes.depth} blocks")
    click.echo(f"SHA-256 of the file     {made.file_sha256}")
    click.echo(f"SHA-256 of the weights  {made.weights_sha256}  (as embeddings record it)")
