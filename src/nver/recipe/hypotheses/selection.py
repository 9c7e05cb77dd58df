"""Which systems of a table a hypothesis compares, and which of them are paired."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """One row of a table: a classifier on one or several encoders.

    `encoders` and `classifier` are the labels in the table; `names`, `kinds` and `method` say what
    they are: the encoders' names and kinds, and the classifier's name.
    """

    encoders: tuple[str, ...]
    classifier: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    method: str

    @property
    def label(self) -> str:
        return f"{self.classifier} on {' + '.join(self.encoders)}"


@dataclass(frozen=True)
class Selection:
    """The properties of the systems to select; None and () match every system.

    Of several values one must fit.

    Attributes:
        classifier: a label; or a name, where no row has it as its label.
        encoders: all streams, "a" or "a+b" in any order, as labels; or as names, where no row has
            them as labels.
        contains: an encoder that is among the streams, as a label or a name likewise.
        kind: the streams' kinds, "mamba" or "mamba+attention" in any order.
        fusion: two streams or more (true), or one (false).
        mixed: a fusion of encoders of different kinds (true), or of one kind (false).
    """

    classifier: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    fusion: bool | None = None
    mixed: bool | None = None

    def text(self) -> str:
        """In words: "kind mamba, one encoder"."""
        named = [
            f"{name} {' or '.join(values)}"
            for name in ("classifier", "encoders", "contains", "kind")
            if (values := getattr(self, name))
        ]
        fusion = {None: [], True: ["a fusion"], False: ["one encoder"]}[self.fusion]
        mixed = {None: [], True: ["of different kinds"], False: ["of one kind"]}[self.mixed]
        return ", ".join([*named, *fusion, *mixed]) or "any system"


def select(selection: Selection, systems: Sequence[System]) -> list[System]:
    """The systems that a selection names, in their order."""
    labels = {system.classifier for system in systems}
    streams = {label for system in systems for label in system.encoders}
    return [system for system in systems if _fits(selection, system, labels, streams)]


def _fits(selection: Selection, system: System, labels: set[str], streams: set[str]) -> bool:
    several, mixed = len(system.encoders) > 1, len(set(system.kinds)) > 1
    method = _called(system.classifier, system.method, labels)
    parts = zip(system.encoders, system.names, strict=True)
    names = [_called(label, name, streams) for label, name in parts]
    return (
        _any(selection.classifier, lambda c: c in (system.classifier, method))
        and _any(selection.encoders, lambda e: _same(e, system.encoders) or _same(e, names))
        and _any(selection.contains, lambda e: e in system.encoders or e in names)
        and _any(selection.kind, lambda k: _same(k, system.kinds))
        and selection.fusion in (None, several)
        and (selection.mixed is None or (several and selection.mixed == mixed))
    )


def _any(wanted: Sequence[str], fits: Callable[[str], bool]) -> bool:
    return not wanted or any(fits(value) for value in wanted)


def _called(label: str, name: str, labels: set[str]) -> str:
    """The name that selects a part beside its label, where no row has that name as its label."""
    return label if name in labels else name


def _same(joined: str, parts: Sequence[str]) -> bool:
    return sorted(joined.split("+")) == sorted(parts)


@dataclass(frozen=True)
class Matched:
    """The systems of two sides, side by side: `pairs` of (better, worse); `by` says what pairs."""

    by: str
    pairs: tuple[tuple[tuple[System, ...], tuple[System, ...]], ...]

    @property
    def better(self) -> list[System]:
        return [system for side, _ in self.pairs for system in side]

    @property
    def worse(self) -> list[System]:
        return [system for _, side in self.pairs for system in side]


def match(better: Sequence[System], worse: Sequence[System]) -> Matched:
    """Pair the systems of two sides, by the encoders that they have in common if there are any.

    Systems on the same encoders are paired; where no encoders are on both sides, systems of the
    same classifier; where no classifier is on both sides either, the two sides are one pair. A
    system without a partner takes no part, and one that is on both sides counts as better only.
    """
    worse = [system for system in worse if system not in better]
    keys: dict[str, Callable[[System], Hashable]] = {
        "encoders": lambda system: tuple(sorted(system.encoders)),
        "classifier": lambda system: system.classifier,
    }
    for by, key in keys.items():
        shared = [k for k in dict.fromkeys(map(key, better)) if k in set(map(key, worse))]
        if shared:
            pairs = [(_with(better, key, k), _with(worse, key, k)) for k in shared]
            return Matched(by, tuple(pairs))
    whole = ((tuple(better), tuple(worse)),) if better and worse else ()
    return Matched("none", whole)


def _with(
    systems: Sequence[System], key: Callable[[System], Hashable], value: Hashable
) -> tuple[System, ...]:
    return tuple(system for system in systems if key(system) == value)
