"""YAML that others wrote: refused where it is more than plain values, before another reads it.

A package may read it with PyYAML's full loader, which runs code where the text names a type of
Python, recurses as deep as the text does, and follows aliases of aliases without end.
"""

from pathlib import Path
from typing import Any

from nver.errors import CorpusError

CODE = "tag:yaml.org,2002:python/"
MOST_BYTES, MOST_VALUES, DEEPEST = 10_000_000, 1_000_000, 50  # our choice


def check_plain_yaml(file: Path, what: str) -> None:
    """Raise `CorpusError`, which says that the file is not `what`, unless it has plain values."""
    import yaml

    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        wrong = "it is too long" if len(data) > MOST_BYTES else _wrong(yaml.parse(data, loader))
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        raise CorpusError(f"{file}: not {what} ({error})") from error
    if wrong:
        raise CorpusError(f"{file}: not {what}: {wrong}")


def _wrong(events: Any) -> str:
    """What is more than plain in a YAML text; "" where nothing is."""
    anchors: dict[str, int] = {}  # the values of each, those of its aliases too
    sizes, names = [0], [""]  # of the tables and lists that are open
    for event in events:
        kind, anchor = type(event).__name__, getattr(event, "anchor", None) or ""
        if (getattr(event, "tag", None) or "").startswith(CODE):
            return f"it names {event.tag.removeprefix(CODE)} of Python, which could run code"
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            sizes.append(1)
            names.append(anchor)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            size, name = sizes.pop(), names.pop()
            sizes[-1] += size
            anchors[name] = size
        elif kind == "ScalarEvent":
            sizes[-1] += 1
            anchors[anchor] = 1
        elif kind == "AliasEvent":  # one that is still open holds itself
            sizes[-1] += MOST_VALUES if anchor in names else anchors.get(anchor, 1)
        if len(sizes) > DEEPEST or sum(sizes) >= MOST_VALUES:
            return f"it has more than {MOST_VALUES:,} values, or they are nested too deep"
    return ""
