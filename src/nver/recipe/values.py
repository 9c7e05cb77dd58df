"""Values out of a TOML table: known keys, the wanted types, each name once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from nver.errors import UsageError, unknown_name


def plain_values(cls: type, table: Any, where: str) -> Any:
    """A dataclass of plain values from a table; types follow the class's defaults."""
    check_keys(of_type(table, dict, where), cls, where)
    default = cls()
    values = {key: _like(getattr(default, key), v, f"{where} {key}") for key, v in table.items()}
    return cls(**values)


def _like(default: Any, value: Any, where: str) -> Any:
    """The value, if it is of the default's type; a list becomes a tuple."""
    if isinstance(default, tuple):
        return tuple_of(value, type(default[0]) if default else str, where)
    return of_type(value, (int, float) if isinstance(default, float) else type(default), where)


def tuple_of(values: Any, kind: type, where: str) -> tuple[Any, ...]:
    """The values of a list, if each is of the kind."""
    return tuple(of_type(value, kind, where) for value in of_type(values, list, where))


def of_type(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """The value, if it is of the kind; true and false are no numbers."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join("table" if k is dict else k.__name__ for k in kinds)
        raise UsageError(f"{where}: expected {expected}, got {value!r}")
    return value


def named_entry(entry: Any, where: str) -> tuple[str, dict[str, Any]]:
    """(name, the other keys) of an entry: a name alone, or a table with a `name`."""
    if isinstance(entry, str):
        return entry, {}
    others = dict(of_type(entry, dict, f"{where}: an entry"))
    if "name" not in others:
        raise UsageError(f"{where}: an entry needs a name; got {others}")
    return of_type(others.pop("name"), str, f"{where}: name"), others


def check_keys(table: Mapping[str, Any], cls: type, where: str) -> None:
    """An unknown key is an error that names the nearest field of the dataclass."""
    check_known(f"key in {where}:", table, [field.name for field in fields(cls)])


def check_known(what: str, found: Iterable[str], known: Collection[str]) -> None:
    """An unknown name is an error that names the nearest known one."""
    for name in found:
        if name not in known:
            raise unknown_name(what, name, known)


def check_unique(what: str, found: Sequence[str]) -> None:
    """A name that is given twice is an error."""
    for name in found:
        if found.count(name) > 1:
            raise UsageError(f"{what} {name!r} occurs {found.count(name)} times; give each once")
