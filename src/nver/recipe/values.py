"""Values out of a table: known keys, the wanted types, each name once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import MISSING, Field, fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from nver.errors import UsageError, said_of, shown, unknown_name
from nver.recipe.texts import LARGEST, name_of


def plain_values(cls: type, table: Any, where: str) -> Any:
    """A dataclass of plain values from a table; each value has its field's type.

    Args:
        where: the key of the table, for messages; "" for a whole file.
    """
    check_keys(
        of_type(table, dict, where or "the file"), cls, f"[{where}]" if where else "the file"
    )
    hints = get_type_hints(cls)
    found = {key: typed(value, hints[key], _path(where, key)) for key, value in table.items()}
    if lacking := [f.name for f in fields(cls) if f.name not in found and _is_needed(f)]:
        raise UsageError(f"{where or 'the file'}: it lacks {', '.join(lacking)}")
    with said_of(where) if where else nullcontext():
        return cls(**found)


def typed(value: Any, hint: Any, where: str) -> Any:
    """The value, if it is of the type that a field is annotated with; a list becomes a tuple."""
    origin, kinds = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):
        return _one_of(value, kinds, where)
    if origin is tuple:
        return tuple(typed(own, kinds[0], where) for own in of_type(value, list, where))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        table = of_type(value, dict, where)
        return {key: typed(own, kinds[1], _path(where, key)) for key, own in table.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else plain_values(hint, value, where)
    return of_type(value, (int, float) if hint is float else hint, where)


def _one_of(value: Any, kinds: Sequence[Any], where: str) -> Any:
    """The value, if it is of one of the kinds: plain ones, or None and another one."""
    others = [kind for kind in kinds if kind is not NoneType]
    if value is None and len(others) < len(kinds):
        return None
    if len(others) == 1:
        return typed(value, others[0], where)
    return of_type(value, tuple(others), where)


def tuple_of(values: Any, kind: type, where: str) -> tuple[Any, ...]:
    """The values of a list, if each is of the kind."""
    return tuple(of_type(value, kind, where) for value in of_type(values, list, where))


def of_type(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """The value, if it is of the kind; true and false are no numbers, nor are NaN and infinity."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join("table" if k is dict else k.__name__ for k in kinds)
        raise UsageError(f"{where}: expected {expected}, got {shown(value)}")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise UsageError(f"{where}: expected a number of at most 64 bits, got {shown(value)}")
    if isinstance(value, float) and not isfinite(value):
        raise UsageError(f"{where}: expected a finite number, got {value}")
    return value


def named_entry(entry: Any, where: str) -> tuple[str, dict[str, Any]]:
    """(name, the other keys) of an entry: a name alone, or a table with a `name`."""
    if isinstance(entry, str):
        return name_of(entry, f"{where}.name"), {}
    others = dict(of_type(entry, dict, f"{where}: an entry"))
    if "name" not in others:
        raise UsageError(f"{where}: an entry needs a name; got {shown(others)}")
    return name_of(others.pop("name"), f"{where}.name"), others


def check_keys(table: Mapping[str, Any], cls: type, where: str) -> None:
    """An unknown key is an error that names the nearest field of the dataclass."""
    check_known(f"key in {where}:", table, [field.name for field in fields(cls)])


def check_known(what: str, found: Iterable[str], known: Collection[str]) -> None:
    """An unknown name is an error that names the nearest known one."""
    for name in found:
        if name not in known:
            raise unknown_name(what, name, known)


def check_unique(what: str, found: Iterable[str]) -> None:
    """A name that is given twice is an error."""
    for name, times in Counter(found).items():
        if times > 1:
            raise UsageError(f"{what} {shown(name)} occurs {times} times; give each once")


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else str(key)


def _is_needed(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING
