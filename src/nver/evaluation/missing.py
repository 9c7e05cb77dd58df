"""The corpora and encoders of a recipe that are not here: how to get them, which cells wait."""

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from nver.encoders import EncoderSpec, card_of, load_spec
from nver.errors import MissingExtraError, NverError, WeightsError, first_few
from nver.recipe import Experiment, streams_of, systems_of

CELL = "cell"  # the kind of a cell whose training ended its worker process, twice
NAMED = 4  # systems that a sentence names one by one (our choice)


@dataclass(frozen=True)
class Missing:
    """One thing that is not here.

    Attributes:
        kind: "corpus" or "encoder", or "cell".
        name: its name or label in the recipe; of a cell all that names it.
        message: what was looked for, and where to get it.
        remedy: what to do then, as it is typed.
        systems: the systems that wait for an encoder, as "CLASSIFIER on A + B"; empty for a
            corpus, as all systems wait for it.
        cells: how many cells wait, over all corpora, kinds of folds and seeds.
    """

    kind: str
    name: str
    message: str
    remedy: str
    systems: tuple[str, ...] = ()
    cells: int = 0

    @property
    def unfinished(self) -> bool:
        """Whether it is a cell, that was begun and could not be finished."""
        return self.kind == CELL

    @property
    def sentence(self) -> str:
        """What is missing, what waits for it, and what to do, for a person."""
        if self.unfinished:
            return f"not finished: {self.name}: {self.message}. Then: {self.remedy}"
        which = f": {first_few(self.systems, NAMED)}" if self.systems else ""
        return (
            f"missing {self.kind} {self.name}: {self.cells} cells wait for it{which}. "
            f"{self.message}. Then: {self.remedy}"
        )


def sentences(missing: Sequence[Missing]) -> str:
    """The sentences of several missing things, a line each."""
    return "\n".join(entry.sentence for entry in missing)


def missing_corpus(name: str, error: NverError) -> Missing:
    return Missing("corpus", name, str(error).rstrip("."), f"--set roots.{name}=DIR")


def missing_encoders(experiment: Experiment) -> list[Missing]:
    """The encoders of a recipe that cannot be loaded here: weights or a package are missing.

    Each encoder is loaded once, one at a time.
    """
    found = []
    for label, spec in experiment.encoders.items():
        try:
            load_spec(spec)
        except (WeightsError, MissingExtraError) as error:
            found.append(missing_encoder(label, spec, error))
    return found


def missing_encoder(label: str, spec: EncoderSpec, error: NverError) -> Missing:
    message, url = str(error).rstrip("."), card_of(spec.name).url
    if isinstance(error, MissingExtraError):
        return Missing("encoder", label, message, f'pip install "nver[{error.extra}]"')
    if url not in message:
        message += f"; see {url}"
    name = label if re.fullmatch(r"[\w-]+", label) else "NUMBER"  # of the entry, from 0
    return Missing("encoder", label, message, f"--set encoders.{name}.weights=DIR")


def without(experiment: Experiment, absent: Collection[str]) -> Experiment:
    """The recipe without some encoders and without the systems that are trained on them.

    Raises:
        NverError: no classifier is left.
    """
    classifiers, used = [], set[str]()
    for entry in experiment.classifiers:
        streams = streams_of(entry, list(experiment.encoders))
        kept = tuple(stream for stream in streams if not set(stream) & set(absent))
        if kept:
            classifiers.append(replace(entry, encoders=kept))
            used.update(*kept)
    if not classifiers:
        raise NverError("nothing can be run: every cell waits for an encoder that is not here")
    encoders = {label: spec for label, spec in experiment.encoders.items() if label in used}
    return replace(experiment, encoders=encoders, classifiers=tuple(classifiers))


def with_cells(missing: Sequence[Missing], experiment: Experiment) -> list[Missing]:
    """The same missing things, each with the systems and the number of cells that wait for it."""
    runs = max(1, len(experiment.folds.kind)) * len(experiment.folds.seeds)
    systems = systems_of(experiment)
    found = []
    for entry in missing:
        if entry.kind == "corpus":
            found.append(replace(entry, cells=len(systems) * runs))
        else:
            own = tuple(f"{c.label} on {' + '.join(s)}" for c, s in systems if entry.name in s)
            cells = len(own) * runs * len(experiment.corpora)
            found.append(replace(entry, systems=own, cells=cells))
    return found


def missing_table(missing: Sequence[Missing]) -> pd.DataFrame:
    """One row a missing thing, as in `missing.csv` of a run folder."""
    columns = ["kind", "name", "message", "remedy", "systems", "cells"]
    rows = [{**asdict(entry), "systems": "; ".join(entry.systems)} for entry in missing]
    return pd.DataFrame(rows, columns=columns)
