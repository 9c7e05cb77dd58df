"""From a recipe to what is trained on: the corpora that are here, with all embeddings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from nver.corpora import Corpus, load_corpus
from nver.corpora.filtering import filtered
from nver.corpora.measurement import cut_short_warnings, trait_warnings
from nver.embeddings.extraction import SKIPPED_COLUMNS, extract
from nver.embeddings.store import EmbeddingStore, key_clips
from nver.encoders import EncoderSpec
from nver.encoders.base import EncoderIdentity
from nver.errors import CorpusError, MissingExtraError, WeightsError, said_of
from nver.evaluation.cells.cell import FloatArray, Stressed
from nver.evaluation.missing import (
    Missing,
    missing_corpus,
    missing_encoders,
    sentences,
    with_cells,
    without,
)
from nver.evaluation.prepared_corpus import PreparedCorpus, sounds_of
from nver.machine.counting import say
from nver.recipe import Experiment

DURATION_LEVEL = EncoderSpec("duration-level")
PRINT = EncoderSpec("sound-print")
TRAITS = EncoderSpec("recording-traits")


@dataclass(frozen=True)
class Settings:
    """How a recipe is prepared; the numbers do not depend on it.

    Attributes:
        workers: processes of the extraction.
        rehash: look at every file's content again, even if size and time are unchanged.
        show_progress_bar: on stderr.
    """

    workers: int
    rehash: bool = False
    show_progress_bar: bool = False


@dataclass(frozen=True)
class Prepared:
    """What of a recipe can be trained.

    Attributes:
        experiment: the recipe less the encoders and transfers that are not here.
        corpora: the corpora that are here.
        skipped: files and clips that were not used: corpus, clip, file, reason, message.
        missing: the corpora and encoders that are not here, with the cells that wait for each.
    """

    experiment: Experiment
    corpora: tuple[PreparedCorpus, ...]
    skipped: pd.DataFrame
    missing: tuple[Missing, ...]


def find_corpora(experiment: Experiment) -> tuple[list[Corpus], list[Missing]]:
    """The recipe's corpora that are here, less what [filter] leaves out; and the missing ones."""
    found, missing = [], []
    for entry in experiment.corpora:
        try:
            root = experiment.roots.get(entry.name)
            with said_of(f"corpora.{entry.name}"):
                corpus = load_corpus(entry.name, root=root, **entry.options)
        except CorpusError as error:
            missing.append(missing_corpus(entry.name, error))
        else:
            only = experiment.filters.get(entry.name, experiment.filter)
            shared = 1 if entry.name in experiment.filters else len(experiment.corpora)
            found.append(filtered(corpus, only, shared))
    return found, with_cells(missing, experiment)


def load_corpora(experiment: Experiment) -> tuple[list[Corpus], list[Missing]]:
    """As `find_corpora`, but one corpus at least is here.

    Raises:
        CorpusError: none is here; it names all, with where to get them.
    """
    found, missing = find_corpora(experiment)
    if not found:
        raise CorpusError(sentences(missing))
    return found, missing


def prepare(
    experiment: Experiment, corpora: Sequence[Corpus], absent: Sequence[Missing], settings: Settings
) -> Prepared:
    """The embeddings of all corpora; encoders that cannot be loaded here are left out and named.

    Args:
        corpora, absent: as `load_corpora` returns them.

    Raises:
        WeightsError, MissingExtraError: no encoder can be loaded.
        CorpusError: no corpus has two usable emotions.
        NverError: every classifier needs an encoder that is not here.
    """
    possible, encoders = experiment, list[Missing]()
    try:
        found, unusable = _prepare_usable(corpora, experiment, settings)
    except (WeightsError, MissingExtraError):
        encoders = with_cells(missing_encoders(experiment), experiment)
        if not encoders or len(experiment.encoders) == 1:
            raise
        if len(encoders) == len(experiment.encoders):
            raise WeightsError(sentences(encoders)) from None
        possible = without(experiment, [entry.name for entry in encoders])
        found, unusable = _prepare_usable(corpora, possible, settings)
    unusable = with_cells(unusable, experiment)
    if not found:
        raise CorpusError(sentences(unusable))
    prepared, skipped = zip(*found, strict=True)
    here = {corpus.name for corpus in prepared}
    transfers = tuple(t for t in possible.transfers if {t.train, t.test} <= here)
    return Prepared(
        replace(possible, transfers=transfers),
        prepared,
        pd.concat(skipped, ignore_index=True),
        (*absent, *encoders, *unusable),
    )


def _prepare_usable(
    corpora: Sequence[Corpus], experiment: Experiment, settings: Settings
) -> tuple[list[tuple[PreparedCorpus, pd.DataFrame]], list[Missing]]:
    """Every corpus with two usable emotions and its skipped clips; and the corpora without."""
    store = EmbeddingStore(experiment.store)
    found, unusable = [], []
    for corpus in corpora:
        try:
            found.append(_prepare_corpus(corpus, experiment, store, settings))
        except CorpusError as error:
            if len(corpora) == 1:
                raise
            unusable.append(missing_corpus(corpus.name, error))
    return found, unusable


def _prepare_corpus(
    corpus: Corpus, experiment: Experiment, store: EmbeddingStore, settings: Settings
) -> tuple[PreparedCorpus, pd.DataFrame]:
    """A corpus with its embeddings under every encoder of the recipe, and its skipped clips.

    Raises:
        CorpusError: fewer than two emotions are left.
    """
    say(f"corpus {corpus.name}: {corpus.counts}", settings.show_progress_bar)
    specs = [*experiment.encoders.values(), DURATION_LEVEL, PRINT, TRAITS]
    extraction = extract(corpus, specs, store, **asdict(settings))
    *vectors, levels, prints, found = _read(extraction.clips, extraction.identities, store)
    clips = extraction.clips.assign(duration_s=levels[:, 0], level_db=levels[:, 1])
    if "speaker_group" not in clips and "sex" in clips:
        clips["speaker_group"] = clips["sex"]
    emotions = [e for e in corpus.emotions if e in set(clips["emotion"])]
    if len(emotions) < 2:
        raise CorpusError(
            f"{corpus.name}: {len(clips)} usable clips of {len(emotions)} emotion(s); "
            f"at least two emotions are needed{_skipped(extraction.skipped)}"
        )
    warnings = (*corpus.warnings, *cut_short_warnings(clips), *trait_warnings(clips, found))
    prepared = PreparedCorpus(
        replace(corpus, warnings=warnings),
        clips,
        emotions,
        dict(zip(experiment.encoders, vectors, strict=True)),
        dict(zip(experiment.encoders, extraction.identities[: len(vectors)], strict=True)),
        sounds_of(clips, prints),
        prints,
    )
    skipped = [corpus.skipped, extraction.skipped]
    if experiment.stress.kinds:
        stress, lost = _stressed(prepared, experiment, store, settings)
        prepared = replace(prepared, stress=stress)
        skipped.append(lost)
    parts = [part.reindex(columns=list(SKIPPED_COLUMNS)) for part in skipped]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "corpus", corpus.name)
    return prepared, table


def _skipped(rows: pd.DataFrame) -> str:
    """How many clips were skipped, with the first message of the commonest reason."""
    if rows.empty:
        return ""
    reason = rows["reason"].value_counts().index[0]
    message = rows.loc[rows["reason"] == reason, "message"].iloc[0]
    return f"; {len(rows)} clips were skipped, for example {message}"


def _read(
    clips: pd.DataFrame, identities: Sequence[EncoderIdentity], store: EmbeddingStore
) -> list[FloatArray]:
    """The clips' embeddings (clips, dim) under each encoder; their files are looked at once."""
    found = key_clips(clips, store)
    for error in found.errors.values():
        raise error
    return [store.view(identity).read(found.keys) for identity in identities]


def _stressed(
    prepared: PreparedCorpus, experiment: Experiment, store: EmbeddingStore, settings: Settings
) -> tuple[dict[str, Stressed], pd.DataFrame]:
    """The embeddings of the clips made worse, kind by kind; and the clips that this lost."""
    clips = prepared.clips[["clip", "file", "start", "end"]].assign(row=range(len(prepared.clips)))
    kinds = experiment.stress.kinds
    worse = pd.concat([clips.assign(perturbation=kind) for kind in kinds], ignore_index=True)
    specs = list(experiment.encoders.values())
    extraction = extract(worse, specs, store, **asdict(replace(settings, rehash=False)))
    stress = {}
    for kind in kinds:
        own = extraction.clips[extraction.clips["perturbation"] == kind]
        vectors = _read(own, extraction.identities, store)
        embeddings = dict(zip(experiment.encoders, vectors, strict=True))
        stress[kind] = Stressed(own["row"].to_numpy(np.int64), embeddings)
    lost = extraction.skipped
    return stress, lost.assign(reason=[f"under stress: {reason}" for reason in lost["reason"]])
