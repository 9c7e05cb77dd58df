"""Values out of a TOML table: known keys, the wanted types, each name once."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from nver.errors import UsageError, unknown_name


def plain_values(cls: type, table: Any, where: str) -> Any:
    """A dataclass of plain values from a table; types follow the class's defaults."""
    table = typed(table, dict, where)
    check_keys(table, cls, where)
    values = {}
    for key, value in table.items():
        default = getattr(cls(), key)
        if isinstance(default, tuple):
            item = type(default[0]) if default else str
            typed(value, list, f"{where} {key}")
            values[key] = tuple(typed(v, item, f"{where} {key}") for v in value)
        else:
            kinds = (int, float) if isinstance(default, float) else type(default)
            values[key] = typed(value, kinds, f"{where} {key}")
    return cls(**values)


def check_keys(table: Mapping[str, Any], cls: type, where: str) -> None:
    """An unknown key is an error that names the nearest of the dataclass's."""
    known = [f.name for f in fields(cls)]
    for key in table:
        if key not in known:
            raise unknown_name(f"key in {where}:", key, known)


def check_unique(what: str, names: Sequence[str]) -> None:
    """A name that is given twice is an error."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} {name!r} occurs {names.count(name)} times; give each once")


def take_name(entry: dict[str, Any], where: str) -> str:
    """The `name` of an entry, which is taken out of it."""
    if "name" not in entry:
        raise UsageError(f"{where}: an entry needs a name; got {entry}")
    return str(typed(entry.pop("name"), str, f"{where}: name"))


def typed(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """The value, if it is of the kind; true and false are no numbers."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(
            {"dict": "table", "tuple": "list"}.get(k.__name__, k.__name__) for k in kinds
        )
        raise UsageError(f"{where}: expected {expected}, got {value!r}")
    return value
