"""Hypotheses as a recipe states them: the papers' claims by name, or two selections of systems."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nver.encoders.base import KINDS
from nver.errors import UsageError, check_number, said_of, shown, unknown_name
from nver.recipe.hypotheses.selection import Selection, System, select
from nver.recipe.texts import name_of
from nver.recipe.values import check_known

SMALLEST_EFFECT = 1.0  # points of UAR; our choice: under the spread over folds of every corpus here
Contrast = tuple[Selection, Selection]  # better, worse


@dataclass(frozen=True)
class Hypothesis:
    """One of `[[hypotheses]]`: `better` has a higher UAR than every one of `worse`.

    Attributes:
        claim: a name of `CLAIMS`, or any words where `better` and `worse` are given.
        smallest_effect: in points of UAR; a smaller difference does not matter.
    """

    claim: str
    better: Selection | None = None
    worse: tuple[Selection, ...] = ()
    smallest_effect: float = SMALLEST_EFFECT


def _fusion_over_single(systems: Sequence[System]) -> list[Contrast]:
    """For every encoder: the fusions that contain it over the heads on it alone."""
    fused = {e for system in systems if len(system.encoders) > 1 for e in system.encoders}
    alone = dict.fromkeys(s.encoders[0] for s in systems if len(s.encoders) == 1)
    return [
        (Selection(fusion=True, contains=(e,)), Selection(fusion=False, encoders=(e,)))
        for e in alone
        if e in fused
    ] or [(Selection(fusion=True), Selection(fusion=False))]


def _tiny_over_attention(systems: Sequence[System]) -> list[Contrast]:
    """For every attention encoder: Audio-Mamba tiny over it."""
    every = _kind("attention")
    names = dict.fromkeys(system.encoders[0] for system in select(every, systems))
    others = [Selection(fusion=False, encoders=(name,)) for name in names] or [every]
    return [(_size("tiny"), other) for other in others]


def _kind(kind: str) -> Selection:
    return Selection(fusion=False, kind=(kind,))


def _size(size: str) -> Selection:
    return Selection(fusion=False, encoders=(f"audio-mamba-{size}",))


def _classifier(name: str) -> Selection:
    return Selection(classifier=(name,))


def _pair(mixed: bool) -> Selection:
    return Selection(fusion=True, mixed=mixed)


CLAIMS: Mapping[str, Sequence[Contrast] | Callable[[Sequence[System]], list[Contrast]]] = {
    "mamba > attention": [(_kind("mamba"), _kind("attention"))],
    "base > small > tiny": [(_size("base"), _size("small")), (_size("small"), _size("tiny"))],
    "tiny > every attention FM": _tiny_over_attention,
    "fusion > single": _fusion_over_single,
    "reno > concat": [(_classifier("reno"), _classifier("concat"))],
    "mixed pair > same-kind pair": [(_pair(mixed=True), _pair(mixed=False))],
    "cnn > fcn": [(_classifier("cnn"), _classifier("fcn"))],
}


def contrasts_of(hypothesis: Hypothesis, systems: Sequence[System]) -> list[Contrast]:
    """The contrasts that must all hold for the hypothesis to hold."""
    if hypothesis.better is not None:
        return [(hypothesis.better, worse) for worse in hypothesis.worse]
    contrasts = CLAIMS[hypothesis.claim]
    return contrasts(systems) if callable(contrasts) else list(contrasts)


def concerned(hypothesis: Hypothesis, systems: Sequence[System]) -> list[System]:
    """The systems that a hypothesis may speak of: all, or the systems of a named claim.

    A paper's claim is about its methods as they are: a row that has another label than its
    classifier's name is a variant (an ablation), and takes no part where the method has a row
    under its own name.
    """
    if hypothesis.better is not None:
        return list(systems)
    plain = {system.method for system in systems if system.classifier == system.method}
    return [s for s in systems if s.classifier == s.method or s.method not in plain]


def parse_hypotheses(
    entries: Any, encoders: Mapping[str, str], classifiers: Mapping[str, str]
) -> tuple[Hypothesis, ...]:
    """The recipe's `[[hypotheses]]`, every key and name checked.

    Args:
        encoders, classifiers: label -> name, of everything in the recipe.
    """
    if not isinstance(entries, list):
        raise UsageError(f"hypotheses: expected a list of tables, got {shown(entries)}")
    known = {*encoders, *encoders.values()}, {*classifiers, *classifiers.values()}
    found = tuple(_hypothesis(entry, *known) for entry in entries)
    for claim, times in Counter(hypothesis.claim for hypothesis in found).items():
        if times > 1:
            raise UsageError(f"hypotheses: {claim!r} is stated {times} times")
    return found


def _hypothesis(entry: Any, encoders: set[str], classifiers: set[str]) -> Hypothesis:
    if not isinstance(entry, dict):
        raise UsageError(f"hypotheses: expected a table, got {shown(entry)}")
    check_known("key of a hypothesis:", entry, [f.name for f in fields(Hypothesis)])
    smallest = entry.get("smallest_effect", SMALLEST_EFFECT)
    must = "of points of UAR, at least 0 and at most 100"
    check_number("smallest_effect", smallest, lambda points: 0 <= points <= 100, must)
    if ("better" in entry) != ("worse" in entry):
        raise UsageError("a hypothesis has both better and worse, or a claim alone")
    if "better" not in entry:
        return Hypothesis(_claim(entry.get("claim")), smallest_effect=float(smallest))
    sides = entry["worse"] if isinstance(entry["worse"], list) else [entry["worse"]]
    if not sides:
        raise UsageError("a hypothesis needs at least one worse; got []")
    with said_of("better"):
        better = _selection(entry["better"], encoders, classifiers)
    with said_of("worse"):
        worse = tuple(_selection(side, encoders, classifiers) for side in sides)
    text = entry.get("claim", f"{better.text()} > {'; '.join(side.text() for side in worse)}")
    return Hypothesis(name_of(text, "claim"), better, worse, float(smallest))


def _claim(text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(
            f"a hypothesis needs a claim, or better and worse; got claim = {shown(text)}"
        )
    claim = re.sub(r"\s*>\s*", " > ", " ".join(text.split()))
    if claim not in CLAIMS:
        raise unknown_name("claim", text, CLAIMS)
    return claim


def _selection(table: Any, encoders: set[str], classifiers: set[str]) -> Selection:
    if not isinstance(table, dict) or not table:
        raise UsageError(f"better and worse are tables that select systems; got {shown(table)}")
    names = [f.name for f in fields(Selection)]
    check_known("key of a selection of systems:", table, names)
    known = {"classifier": classifiers, "encoders": encoders, "contains": encoders}
    known["kind"] = set(KINDS)
    values: dict[str, Any] = {
        key: _names(key, value, known[key]) if key in known else _flag(key, value)
        for key, value in table.items()
    }
    return Selection(**values)


def _names(key: str, value: Any, known: set[str]) -> tuple[str, ...]:
    wanted = value if isinstance(value, list) else [value]
    for text in wanted:
        if not isinstance(text, str):
            raise UsageError(f"{key}: expected a name or a list of names, got {shown(text)}")
        whole = key in ("classifier", "contains") or text in known
        check_known(f"{key} of a hypothesis:", [text] if whole else text.split("+"), known)
    return tuple(wanted)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{key}: expected true or false, got {shown(value)}")
    return value
