"""A run folder, read back: everything that a report is made from."""

from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from nver.encoders import EncoderSpec
from nver.errors import NverError, UsageError
from nver.evaluation.run_folder import layout
from nver.evaluation.run_folder.predictions import read_predictions, read_stress
from nver.evaluation.run_folder.saved_table import read_table
from nver.evaluation.run_folder.sizes import check_whole
from nver.evaluation.run_folder.trainings import no_trainings, read_trainings
from nver.machine.json_text import parse_json
from nver.recipe import ClassifierEntry, Experiment, parse_experiment
from nver.recipe.families import parse_families
from nver.recipe.figures import Figures
from nver.recipe.hypotheses import parse_hypotheses
from nver.recipe.plain_toml import parse_toml
from nver.recipe.printed import TABLES as TABLES_OF_PAPERS

RUN_FILES = (layout.RECIPE, layout.PREDICTIONS)  # a folder with neither is no run folder
TABLES = {  # the columns that the report needs
    layout.CLIPS: ("corpus", "clip", "speaker", "emotion"),
    layout.FOLDS: ("corpus", "protocol", "seed", "clip", "fold"),
    layout.SKIPPED: ("corpus", "clip", "file", "reason", "message"),
    layout.PROJECTIONS: ("corpus", "encoder", "clip", "x", "y"),
    layout.MISSING: ("kind", "name", "message", "remedy", "systems", "cells"),
}
NEEDED = (  # whose absence the report names; older runs do not have missing.csv
    *(layout.RECIPE, layout.ENVIRONMENT, layout.CORPORA, layout.ENCODERS, layout.TRAININGS),
    *(layout.CLIPS, layout.FOLDS, layout.SKIPPED, layout.PROJECTIONS),
)
MAY_BE_MISSING = ("speaker", "speaker_group", "duration_s", "level_db")
KINDS: dict[str, Any] = {  # of what the report takes apart; all else is shown as it is
    **dict.fromkeys(("emotions", "warnings"), list),
    **dict.fromkeys(("title", "licence", "label", "name", "citation", "url"), str | None),
    **dict.fromkeys(("options", "packages"), dict | None),
}
DTYPES: dict[str, Any] = {
    **dict.fromkeys(("clip", "file", "speaker", "emotion", "speaker_group"), str),
    **dict.fromkeys(("seed", "fold"), "int64"),
    **dict.fromkeys(("x", "y"), "float64"),
}


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What `nver run` saved.

    Attributes:
        corpora: corpus name -> title, licence, citation, synthetic, warnings, ...
        encoders: one mapping an encoder: label, the fields of its identity, licence, tag, family,
            kind.
        absent: files that are not there; their part of the report says so.
        missing: corpora and encoders of the recipe that were not there: kind, name, message,
            remedy, systems, cells (`nver.evaluation.missing`).
    """

    folder: Path
    predictions: pd.DataFrame
    recipe: str
    environment: dict[str, Any]
    corpora: dict[str, dict[str, Any]]
    encoders: list[dict[str, Any]]
    clips: pd.DataFrame
    folds: pd.DataFrame
    skipped: pd.DataFrame
    projections: pd.DataFrame
    trainings: pd.DataFrame
    absent: tuple[str, ...]
    missing: pd.DataFrame
    stress: pd.DataFrame | None = None

    @property
    def synthetic(self) -> list[str]:
        """The corpora whose recordings no person made."""
        return [name for name in self.corpus_names if self.corpora.get(name, {}).get("synthetic")]

    @cached_property
    def experiment(self) -> Experiment:
        """The recipe; of one that this version cannot parse, what a report needs of it.

        Raises:
            NverError: the recipe is damaged.
        """
        try:
            tree = parse_toml(self.recipe)
            with suppress(NverError):  # for example of a plug-in that is not here
                return parse_experiment(tree)
            return self._readable_parts(tree)
        except (ValueError, UsageError) as error:
            raise NverError(f"{self.folder / layout.RECIPE}: damaged ({error})") from error

    def _readable_parts(self, tree: dict[str, Any]) -> Experiment:
        """Titles, names, figures, families and hypotheses of a recipe that cannot be parsed."""
        saved = {str(e.get("label") or e.get("name")): str(e.get("name")) for e in self.encoders}
        encoders = _names_by_label(tree.get("encoders", [])) | saved
        classifiers = _names_by_label(tree.get("classifiers", []))
        figures, printed = tree.get("figures"), tree.get("printed")
        return Experiment(
            name=str(tree.get("name", "")),
            title=str(tree.get("title", "")),
            corpora=(),
            encoders={label: EncoderSpec(name) for label, name in encoders.items()},
            classifiers=tuple(ClassifierEntry(name, label) for label, name in classifiers.items()),
            hypotheses=parse_hypotheses(tree.get("hypotheses", []), encoders, classifiers),
            printed=printed if isinstance(printed, str) and printed in TABLES_OF_PAPERS else "",
            rehearsal=tree.get("rehearsal") is True,
            figures=Figures(**_name_lists(figures)) if isinstance(figures, dict) else Figures(),
            families=parse_families(tree.get("families", {})),
        )

    @property
    def rehearsal(self) -> bool:
        """Whether the recipe says that no number is a result."""
        return self.experiment.rehearsal or self.environment.get("rehearsal") is True

    @property
    def corpus_names(self) -> list[str]:
        return list(dict.fromkeys(self.predictions["corpus"]))


def read_run(folder: Path) -> SavedRun:
    """Read a run folder.

    Raises:
        UsageError: there is no such folder.
        NverError: it is no run folder, the predictions are absent, or a file is damaged or cut off.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected what `nver run --out` wrote")
    if not any((folder / name).exists() for name in RUN_FILES):
        raise NverError(
            f"{folder}: no run folder, it holds neither {' nor '.join(RUN_FILES)}; "
            "expected what `nver run --out` wrote"
        )
    check_whole(folder)
    trainings = folder / layout.TRAININGS
    return SavedRun(
        folder=folder,
        predictions=_predictions(folder),
        recipe=_text(folder / layout.RECIPE, "surrogateescape"),
        environment=_json(folder / layout.ENVIRONMENT, {}),
        corpora=_json(folder / layout.CORPORA, {}, entries=True),
        encoders=_json(folder / layout.ENCODERS, [], entries=True),
        trainings=read_trainings(trainings) if trainings.exists() else no_trainings(),
        stress=read_stress(folder / layout.STRESS),
        absent=tuple(name for name in NEEDED if not (folder / name).exists()),
        **{name.removesuffix(".csv"): _table(folder / name) for name in TABLES},
    )


def saved_recipe(folder: Path) -> Experiment | None:
    """The recipe of the run that ended in a folder; None: there is none that can be read."""
    file = folder / layout.RECIPE
    with suppress(NverError, ValueError):
        return (
            parse_experiment(parse_toml(_text(file, "surrogateescape"))) if file.exists() else None
        )
    return None


def _predictions(folder: Path) -> pd.DataFrame:
    file = folder / layout.PREDICTIONS
    if not file.exists():
        raise NverError(
            f"{folder}: the run did not end, it has no {file.name}; go on with "
            f"`nver run {folder / layout.RECIPE} --out {folder}`"
        )
    return read_predictions(file)


def _table(path: Path) -> pd.DataFrame:
    columns = TABLES[path.name]
    if not path.exists():
        return pd.DataFrame({name: pd.Series(dtype=DTYPES.get(name, str)) for name in columns})
    return read_table(path, DTYPES, {name: [""] for name in MAY_BE_MISSING}, columns)


def _names_by_label(entries: Any) -> dict[str, str]:
    """label -> name of a recipe's encoders or classifiers."""
    tables = [entry if isinstance(entry, dict) else {"name": entry} for entry in _list(entries)]
    return {str(t.get("label", t.get("name"))): str(t.get("name")) for t in tables}


def _name_lists(figures: dict[str, Any]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The lists of names in `[figures]`."""
    return {
        field.name: tuple(
            tuple(map(str, names))
            for names in _list(figures.get(field.name))
            if isinstance(names, list)
        )
        for field in fields(Figures)
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(path: Path, default: Any, *, entries: bool = False) -> Any:
    """A JSON file of the default's type; with `entries` all of its values are objects."""
    if not path.exists():
        return default
    try:
        value = parse_json(_text(path))
    except ValueError as error:
        raise NverError(f"{path}: damaged, not JSON ({error})") from error
    if not isinstance(value, type(default)):
        expected = "an object" if isinstance(default, dict) else "an array"
        raise NverError(f"{path}: damaged, expected {expected}, got {type(value).__name__}")
    values = value.values() if isinstance(value, dict) else value
    for facts in values if entries else [value]:
        _check_facts(path, facts)
    return value


def _check_facts(path: Path, facts: Any) -> None:
    if not isinstance(facts, dict):
        raise NverError(f"{path}: damaged, expected objects, got {type(facts).__name__}")
    for name, kind in KINDS.items():
        if name in facts and not isinstance(facts[name], kind):
            raise NverError(f"{path}: damaged, {name} is of type {type(facts[name]).__name__}")


def _text(path: Path, errors: str = "strict") -> str:
    try:
        return path.read_text("utf-8", errors) if path.exists() else ""
    except (OSError, UnicodeError) as error:
        raise NverError(f"{path}: cannot be read ({error})") from error
