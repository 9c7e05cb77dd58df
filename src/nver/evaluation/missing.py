"""What of a recipe is not here: corpora and weights, where to get them, which cells wait."""

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from nver.encoders import EncoderSpec, card_of, load_spec
from nver.errors import MissingExtraError, NverError, WeightsError
from nver.recipe import Experiment, streams_of, systems_of

if TYPE_CHECKING:
    import pandas as pd

NAMED = 4  # systems that a sentence names one by one (our choice)


@dataclass(frozen=True)
class Missing:
    """One thing that is not here.

    Attributes:
        kind: "corpus" or "encoder".
        name: its name or label in the recipe.
        message: what was looked for, and where to get it.
        remedy: what to do then, as it is typed.
        systems: what waits: "CLASSIFIER on A + B", without those of a corpus, of which all wait.
        cells: how many cells wait, of all corpora, kinds of folds and seeds.
    """

    kind: str
    name: str
    message: str
    remedy: str
    systems: tuple[str, ...] = ()
    cells: int = 0

    @property
    def sentence(self) -> str:
        """All of it for a person."""
        named = ", ".join(self.systems[:NAMED])
        more = len(self.systems) - NAMED
        which = f": {named}" + (f" and {more} more" if more > 0 else "") if named else ""
        return (
            f"missing {self.kind} {self.name}: {self.cells} cells wait for it{which}. "
            f"{self.message}. Then: {self.remedy}"
        )


def missing_corpus(name: str, error: NverError) -> Missing:
    return Missing("corpus", name, _plain(error), f"--set roots.{name}=DIR")


def missing_encoders(experiment: Experiment) -> list[Missing]:
    """The encoders of a recipe that cannot be loaded here for want of weights or of a package.

    Each is loaded once, one at a time.
    """
    found = []
    for label, spec in experiment.encoders.items():
        try:
            load_spec(spec)
        except (WeightsError, MissingExtraError) as error:
            found.append(missing_encoder(label, spec, error))
    return found


def missing_encoder(label: str, spec: EncoderSpec, error: NverError) -> Missing:
    name = label if re.fullmatch(r"[\w-]+", label) else "NUMBER"  # of the entry, from 0
    if isinstance(error, MissingExtraError):
        return Missing("encoder", label, _plain(error), f'pip install "nver[{error.extra}]"')
    url = card_of(spec.name).url
    where = "" if url in str(error) else f"; see {url}"
    return Missing("encoder", label, _plain(error) + where, f"--set encoders.{name}.weights=DIR")


def _plain(error: NverError) -> str:
    return str(error).rstrip(".")


def without(experiment: Experiment, encoders: Collection[str]) -> Experiment:
    """The recipe without some encoders and what is trained on them.

    Raises:
        NverError: no classifier is left.
    """
    labels = [label for label in experiment.encoders if label not in encoders]
    classifiers = []
    for entry in experiment.classifiers:
        streams = streams_of(entry, list(experiment.encoders))
        kept = tuple(stream for stream in streams if set(stream) <= set(labels))
        if kept:
            classifiers.append(replace(entry, encoders=kept))
    if not classifiers:
        raise NverError("nothing can be run: every cell waits for an encoder that is not here")
    used = {label for entry in classifiers for stream in entry.encoders or () for label in stream}
    kept_encoders = {k: v for k, v in experiment.encoders.items() if k in used}
    return replace(experiment, encoders=kept_encoders, classifiers=tuple(classifiers))


def with_cells(missing: Sequence[Missing], experiment: Experiment) -> list[Missing]:
    """The same, with what waits for each."""
    runs = max(1, len(experiment.folds.kind)) * len(experiment.folds.seeds)
    systems = systems_of(experiment)
    found = []
    for entry in missing:
        if entry.kind == "corpus":
            found.append(replace(entry, cells=len(systems) * runs))
        else:
            own = [f"{c.label} on {' + '.join(s)}" for c, s in systems if entry.name in s]
            cells = len(own) * runs * len(experiment.corpora)
            found.append(replace(entry, systems=tuple(own), cells=cells))
    return found


def missing_table(missing: Sequence[Missing]) -> "pd.DataFrame":
    """A row each, as `missing.csv` of a run folder holds them."""
    import pandas as pd

    columns = ["kind", "name", "message", "remedy", "systems", "cells"]
    rows = [{**asdict(entry), "systems": "; ".join(entry.systems)} for entry in missing]
    return pd.DataFrame(rows, columns=columns)
