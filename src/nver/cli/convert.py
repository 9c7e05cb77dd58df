"""`nver convert`: an Audio-Mamba checkpoint as safetensors."""

from dataclasses import asdict
from pathlib import Path

import click

from nver.cli.given import say_next
from nver.cli.options import FOLDER, JSON, example, print_json


@click.command(epilog=example("nver convert ssam_base_200_16x4_4x256_fp16_r1 weights/base"))
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=FOLDER)
@JSON
def command(source: Path, out: Path, as_json: bool) -> None:
    """Convert SOURCE, a run folder or checkpoint of Audio-Mamba, to safetensors in the folder OUT.

    No code of the checkpoint is run; a checkpoint that holds more than tensors and settings is
    refused. Give OUT as the weights of audio-mamba-tiny, -small or -base.
    """
    from nver.encoders.audio_mamba.checkpoints import convert

    made = convert(source, out)
    if as_json:
        print_json(made._asdict() | {"sizes": asdict(made.sizes)})
        return
    click.echo(f"wrote {made.file}: width {made.sizes.width}, {made.sizes.depth} blocks")
    click.echo(f"SHA-256 of the file     {made.file_sha256}")
    click.echo(f"SHA-256 of the weights  {made.weights_sha256}  (as embeddings record it)")
    say_next(["nver", "extract", "FOLDER", "--encoder", f"audio-mamba-base={out}"])
