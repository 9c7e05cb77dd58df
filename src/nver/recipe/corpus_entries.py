"""On which recordings: a recipe's corpora, their roots, filters and labels, and the transfers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nver.corpora import check_options
from nver.corpora.filtering import Filter
from nver.errors import UsageError
from nver.recipe.texts import name_of, path_of
from nver.recipe.values import check_known, check_unique, named_entry, of_type, plain_values


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


def parse_corpora(entries: Sequence[Any]) -> tuple[CorpusEntry, ...]:
    """`corpora`: each a name, or a table with a name and options of its card."""
    corpora = tuple(CorpusEntry(*named_entry(entry, "corpora")) for entry in entries)
    check_unique("corpus", [corpus.name for corpus in corpora])
    for corpus in corpora:
        check_options(corpus.name, corpus.options, f"corpora.{corpus.name}")
    return corpora


def parse_roots(table: Any, corpora: Sequence[str]) -> dict[str, str]:
    """`[roots]`: corpus -> its folder."""
    roots = _by_corpus(table, "roots", corpora)
    return {name: path_of(root, f"roots.{name}") for name, root in roots.items()}


def parse_filters(table: Any, corpora: Sequence[str]) -> dict[str, Filter]:
    """`[filters]`: corpus -> its own filter."""
    filters = _by_corpus(table, "filters", corpora)
    return {name: plain_values(Filter, own, f"filters.{name}") for name, own in filters.items()}


def parse_transfers(entries: Any, corpora: Sequence[str]) -> tuple[Transfer, ...]:
    """`[[transfers]]`: each from one corpus to another, once."""
    transfers = []
    for entry in of_type(entries, list, "transfers"):
        transfer: Transfer = plain_values(Transfer, entry, "transfers")
        check_known("corpus in [[transfers]]", (transfer.train, transfer.test), corpora)
        if transfer.train == transfer.test:
            raise UsageError(f"[[transfers]]: train and test are both {transfer.train!r}")
        transfers.append(transfer)
    check_unique("transfer", [f"{t.train} -> {t.test}" for t in transfers])
    return tuple(transfers)


def parse_labels(table: Any, corpora: Sequence[str]) -> dict[str, dict[str, str]]:
    """`[labels]`: corpus -> emotion -> shared name."""
    labels = _by_corpus(table, "labels", corpora)
    for name, own in labels.items():
        for emotion, shared in of_type(own, dict, f"labels.{name}").items():
            name_of(shared, f"labels.{name}.{emotion}")
    return {name: dict(own) for name, own in labels.items()}


def _by_corpus(table: Any, where: str, corpora: Sequence[str]) -> dict[str, Any]:
    """A table whose keys are corpora of the recipe."""
    check_known(f"corpus in [{where}]", of_type(table, dict, f"[{where}]"), corpora)
    return dict(table)
