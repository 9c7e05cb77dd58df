"""TOML that others wrote: what Python's reader makes of a hostile text is a ValueError."""

import tomllib
from typing import Any

LONGEST_KEY = 10_000  # characters; our choice, the reader takes the square of a dotted key's length


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is not TOML (a `TOMLDecodeError`), nested too deep to be read, or has a
            number or a key of thousands of characters.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(len(line.partition("=")[0]) > LONGEST_KEY for line in plain.split("\n")):
        raise ValueError(f"a line has more than {LONGEST_KEY:,} characters before any =")
    try:
        return tomllib.loads(plain)
    except RecursionError as error:
        raise ValueError("nested too deep to be read") from error
