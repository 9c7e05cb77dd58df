"""JSON that every reader reads; of a hostile text Python's reader makes a ValueError here."""

import json
from typing import Any


def json_bytes(value: Any) -> bytes:
    """The value as indented JSON in UTF-8, a line feed at its end.

    A byte of a file name that is not UTF-8 is written as the escape \\udcXX, which `parse_json`
    reads back. A value of another type than JSON has is written as its `str`.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, nested too deep to be read, or an object has a key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError("nested too deep to be read") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:100]!r} is there twice")
    return found
