"""`nver list`: the known corpora, encoders and classifiers."""

from typing import Any

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, example, print_json
from nver.registry import lookup, names

FIELDS = {
    "corpora": ("name", "clips", "speakers", "emotions", "licence", "url"),
    "encoders": ("name", "tag", "kind", "family", "dim", "sampling_rate", "parameters", "licence",
                 "extra", "weights"),
    "classifiers": ("name", "streams", "title", "options"),
}  # fmt: skip
NEXT = {
    "corpora": "nver corpus NAME --root DIR",
    "encoders": "nver extract FOLDER --encoder NAME",
    "classifiers": "nver init FOLDER",
}


@click.command(epilog=example("nver list encoders"))
@click.argument("kind", type=click.Choice(list(FIELDS)))
@JSON
def command(kind: str, as_json: bool) -> None:
    """List the known corpora, encoders or classifiers.

    sampling_rate is in Hz; extra is the optional dependency to install: pip install "nver[EXTRA]".
    """
    rows = [describe(kind, name) for name in names(kind)]
    if as_json:
        print_json(rows)
        return
    cells = [FIELDS[kind], *(tuple(_text(row[f]) for f in FIELDS[kind]) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
    say_next(NEXT[kind].split())


def describe(kind: str, name: str) -> dict[str, Any]:
    """The fields of one card."""
    card = lookup(kind, name)
    return {field: getattr(card, field) for field in FIELDS[kind]}


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items()) or "-"
    if isinstance(value, tuple):
        if all(isinstance(v, str) for v in value):
            return str(len(value)) if value else "-"
        least, most = value
        return f"{least}" if least == most else f"{least} or more"
    return f"{value:,}" if isinstance(value, int) else str(value)
