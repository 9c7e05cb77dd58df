"""`nver doctor`: what is installed, what is missing, where nver writes."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, STORE, example, print_json
from nver.cli.output import size

if TYPE_CHECKING:
    from nver.machine.surroundings import Place
    from nver.models.check_up import CheckUp


@click.command(epilog=example("nver doctor"))
@STORE
@JSON
def command(store: Path | None, as_json: bool) -> None:
    """Show the versions, the extras, the machine, the folders in which nver writes, and the model
    that comes with it; exit with 1 if something that is needed is missing or broken.

    Nothing is fetched from the network.
    """
    from nver.models.check_up import check_up

    found = check_up(store)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo("\n".join(lines(found)))
    if found.faults:
        for fault in found.faults:
            click.echo(f"broken: {fault}", err=True)
        sys.exit(1)
    say_next(["nver", "demo"], ["nver", "corpus", "FOLDER"], as_json=as_json)


def lines(found: "CheckUp") -> Iterator[str]:
    """The findings as a person reads them."""
    yield f"nver {found.nver}, Python {found.python}, {found.system}"
    yield "packages"
    for package, version in found.packages.items():
        library = f" (libsndfile {found.libsndfile})" if package == "soundfile" else ""
        yield f"  {package:<14} {version or 'not installed'}{library if version else ''}"
    yield "extras" if found.extras else "extras: unknown, nver was not installed by pip"
    for extra in found.extras:
        state = f"{', '.join(extra.missing)}: {extra.install}" if extra.missing else "installed"
        yield f"  {extra.name:<14} {state}"
    yield "machine"
    yield f"  {'cores':<14} {found.cores}"
    if found.memory:
        total, free = found.memory
        yield f"  {'memory':<14} {size(total)}, {size(free)} free"
    yield f"  {'GPU':<14} {', '.join(found.gpus) or 'none that torch can use'}"
    yield "folders"
    for what, place in found.places.items():
        yield f"  {what:<14} {place.path}: {_state(place)}"
    network = "HF_HUB_OFFLINE is set: nothing is fetched"
    yield f"network: {network if found.offline else 'for weights that you name by hub id alone'}"
    yield f"model: {found.model or 'this build has none of its own'}"
    yield (
        f"broken or missing: {len(found.faults)}" if found.faults else "all that is needed is here"
    )


def _state(place: "Place") -> str:
    held = f"{size(place.bytes)} in it" if place.exists else "not there yet"
    writable = "" if place.writable else ", CANNOT BE WRITTEN"
    return f"{held}, {size(place.free)} free{writable}"
