"""The arguments and options of several commands, each spelt once; the example of a help text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nver.errors import UsageError

FOLDER = click.Path(file_okay=False, path_type=Path)
PLACE = click.Path(path_type=Path)


def example(*lines: str) -> str:
    """The epilog of a command: its help ends with these lines, which are not wrapped."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def print_json(value: Any) -> None:
    """Print plain values as JSON; paths as text. In ASCII, which every terminal and pipe takes."""
    click.echo(json.dumps(value, indent=1, default=str))


def out_option(what: str, **settings: Any) -> Callable[[Callable], Callable]:
    """`--out`, the folder that a command writes."""
    return click.option("--out", type=FOLDER, help=what, **settings)


def repeated(*names: str, help: str, **settings: Any) -> Callable[[Callable], Callable]:
    """An option that may be given several times, and whose help says so."""
    said = f"{help}; repeat the option for more."
    return click.option(*names, multiple=True, help=said, **settings)


def _texts(_: click.Context, option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """{key: value} from each "KEY=VALUE"."""
    values = {}
    for pair in pairs:
        key, _equals, value = pair.partition("=")
        if not key.strip() or not value:
            raise UsageError(f"{option.opts[0]} takes {option.metavar}; got {pair!r}")
        values[key.strip()] = value
    return values


def _values(
    context: click.Context, option: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """{key: value}; a value that is JSON (true, 3, [..]) is read as such."""
    values: dict[str, Any] = {}
    for key, text in _texts(context, option, pairs).items():
        try:
            values[key] = json.loads(text)
        except (ValueError, RecursionError):  # no JSON, too many digits, nested too deep: a text
            values[key] = text
    return values


def _corpus_options(
    context: click.Context, option: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """The options of a corpus; what has an option or argument of its own is none of them."""
    values = _values(context, option, pairs)
    for key, instead in (("root", "--root"), ("name", "the corpus as the argument")):
        if key in values:
            raise UsageError(f"--corpus-option {key}: not an option of a corpus; give {instead}")
    return values


CORPUS = click.argument("corpus", metavar="FOLDER|TABLE|NAME")
CORPUS_OR_RECIPE = click.argument("recipe", metavar="FOLDER|TABLE|RECIPE")
RECIPE = click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
RUN_FOLDER = click.argument("folder", metavar="DIR", type=PLACE)
SET = repeated("--set", "overrides", metavar="A.B=C", help="Override a key of the recipe")
ROOT = click.option(
    "--root", type=PLACE, help="Where a known corpus lies: a folder, or the file of a table."
)
CORPUS_OPTION = repeated(
    "--corpus-option",
    "options",
    metavar="KEY=VALUE",
    callback=_corpus_options,
    help="An option of the corpus",
)
WEIGHTS = repeated(
    "--weights",
    metavar="ENCODER=WEIGHTS",
    callback=_texts,
    help="The hub id or folder of an encoder's weights",
)
STORE = click.option(
    "--store", type=FOLDER, help="The folder of the store.  [default: in the user's cache]"
)
DEVICE = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), help="Number of processes.  [default: one a core]"
)
REHASH = click.option(
    "--rehash", is_flag=True, help="Read every audio file again, even if it looks unchanged."
)
STRICT = click.option(
    "--strict", is_flag=True, help="Exit with 1 if a recording is unusable or anything is missing."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
