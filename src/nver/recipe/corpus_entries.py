"""On which recordings: a recipe's corpora, their roots, filters and labels, and the transfers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nver.corpora.filtering import Filter
from nver.errors import UsageError, unknown_name
from nver.recipe.values import check_unique, plain_values, take_name, typed


@dataclass(frozen=True)
class CorpusEntry:
    """One of `corpora`: a name, and the adapter's options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Transfer:
    """One of `[[transfers]]`: trained on one corpus, tested on another."""

    train: str = ""
    test: str = ""


def parse_corpus(entry: Any) -> CorpusEntry:
    """One of `corpora`: a name, or a table with a name and options."""
    if isinstance(entry, str):
        return CorpusEntry(entry)
    entry = dict(typed(entry, dict, "corpora: an entry"))
    return CorpusEntry(take_name(entry, "corpora"), entry)


def parse_roots(table: Any, corpora: Sequence[str]) -> dict[str, str]:
    """`[roots]`: corpus -> its folder."""
    table = typed(table, dict, "[roots]")
    for name, root in table.items():
        if name not in corpora:
            raise unknown_name("corpus in [roots]", name, corpora)
        typed(root, str, f"roots.{name}")
    return dict(table)


def parse_filters(table: Any, corpora: Sequence[str]) -> dict[str, Filter]:
    """`[filters]`: corpus -> its own filter."""
    table = _of_corpora(table, "filters", corpora)
    return {name: plain_values(Filter, own, f"[filters.{name}]") for name, own in table.items()}


def parse_transfers(entries: Any, corpora: Sequence[str]) -> tuple[Transfer, ...]:
    """`[[transfers]]`: each from one corpus to another, once."""
    found = []
    for entry in typed(entries, list, "transfers"):
        transfer: Transfer = plain_values(Transfer, entry, "[[transfers]]")
        for name in (transfer.train, transfer.test):
            if name not in corpora:
                raise unknown_name("corpus in [[transfers]]", name, corpora)
        if transfer.train == transfer.test:
            raise UsageError(f"[[transfers]]: train and test are both {transfer.train!r}")
        found.append(transfer)
    check_unique("transfer", [f"{t.train} -> {t.test}" for t in found])
    return tuple(found)


def parse_labels(table: Any, corpora: Sequence[str]) -> dict[str, dict[str, str]]:
    """`[labels]`: corpus -> emotion -> shared name."""
    table = _of_corpora(table, "labels", corpora)
    for name, own in table.items():
        for emotion, shared in typed(own, dict, f"[labels.{name}]").items():
            typed(shared, str, f"[labels.{name}] {emotion}")
    return {name: dict(own) for name, own in table.items()}


def _of_corpora(table: Any, where: str, corpora: Sequence[str]) -> dict[str, Any]:
    """A table with a table a corpus."""
    for name in typed(table, dict, f"[{where}]"):
        if name not in corpora:
            raise unknown_name(f"corpus in [{where}]", name, corpora)
    return dict(table)
