"""From a recipe to what is trained on: usable clips and their embeddings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nver.audio.fingerprint import SAMPLING_RATE
from nver.audio.recording import load_audio
from nver.corpora import Corpus, load_corpus
from nver.corpora.duplicates import IntArray, same_sounds
from nver.corpora.filtering import filtered
from nver.corpora.measurement import cut_short_warnings
from nver.embeddings.extraction import extract, read_embeddings
from nver.embeddings.store import EmbeddingStore
from nver.encoders import EncoderSpec
from nver.encoders.base import EncoderIdentity
from nver.errors import CorpusError, MissingExtraError, WeightsError
from nver.evaluation.cells.cell import Stressed
from nver.evaluation.missing import Missing, missing_corpus, missing_encoders, with_cells, without
from nver.recipe import Experiment

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float32]
DURATION_LEVEL = EncoderSpec("duration-level")
PRINT = EncoderSpec("sound-print")


@dataclass(frozen=True)
class Material:
    """A corpus ready for training: its usable clips and their embeddings by encoder label.

    `clips` has the columns duration_s and level_db (RMS, dB of full scale), and speaker_group
    where the corpus has such a column or one named sex.
    `sounds` is (clips,): equal for clips of the same recording (`nver.corpora.duplicates`).
    """

    corpus: Corpus
    clips: "pd.DataFrame"
    emotions: list[str]
    embeddings: Mapping[str, FloatArray]
    identities: Mapping[str, EncoderIdentity]
    sounds: IntArray
    prints: FloatArray
    stress: Mapping[str, Stressed] = field(default_factory=dict)


def load_corpora(experiment: Experiment) -> tuple[list[Corpus], list[Missing]]:
    """The recipe's corpora that are here, less what [filter] leaves out; and those that are not.

    Raises:
        CorpusError: none is here; it names all, with where to get them.
    """
    found, missing = find_corpora(experiment)
    if not found:
        raise CorpusError("\n".join(entry.sentence for entry in with_cells(missing, experiment)))
    return found, missing


def find_corpora(experiment: Experiment) -> tuple[list[Corpus], list[Missing]]:
    """As `load_corpora`; all may be missing."""
    found, missing = [], []
    for entry in experiment.corpora:
        try:
            root = experiment.roots.get(entry.name)
            corpus = load_corpus(entry.name, root=root, **entry.options)
        except CorpusError as error:
            missing.append(missing_corpus(entry.name, error))
        else:
            only = experiment.filters.get(entry.name, experiment.filter)
            found.append(filtered(corpus, only, len(experiment.corpora)))
    return found, missing


def gather(
    corpus: Corpus,
    experiment: Experiment,
    store: EmbeddingStore,
    workers: int | None,
    rehash: bool,
    show: bool,
) -> "tuple[Material, pd.DataFrame]":
    """The embeddings of a corpus under every encoder of the recipe, and the table of the skipped.

    Raises:
        CorpusError: fewer than two emotions are left.
    """
    import pandas as pd

    extraction = extract(
        corpus,
        [*experiment.encoders.values(), DURATION_LEVEL, PRINT],
        store,
        workers=workers,
        rehash=rehash,
        show_progress_bar=show,
    )
    *own, level_identity, print_identity = extraction.identities
    identities = dict(zip(experiment.encoders, own, strict=True))
    clips = _with_facts(extraction.clips, read_embeddings(extraction.clips, level_identity, store))
    emotions = [e for e in corpus.emotions if e in set(clips["emotion"])]
    if len(emotions) < 2:
        raise CorpusError(
            f"{corpus.name}: {len(clips)} usable clips of {len(emotions)} emotion(s); "
            f"at least two emotions are needed ({len(extraction.skipped)} clips were skipped)"
        )
    embeddings = {
        label: read_embeddings(clips, identity, store) for label, identity in identities.items()
    }
    corpus = replace(corpus, warnings=(*corpus.warnings, *cut_short_warnings(clips)))
    skipped = _skipped(corpus, extraction.skipped)
    prints = read_embeddings(clips, print_identity, store)
    sounds = same_sounds(prints, waveform_reader(clips))
    material = Material(corpus, clips, emotions, embeddings, identities, sounds, prints)
    if experiment.stress.kinds:
        stress, lost = _stress(clips, experiment, identities, store, workers, show)
        skipped = pd.concat([skipped, lost.assign(corpus=corpus.name)], ignore_index=True)
        material = replace(material, stress=stress)
    return material, skipped


def _stress(
    clips: "pd.DataFrame",
    experiment: Experiment,
    identities: Mapping[str, EncoderIdentity],
    store: EmbeddingStore,
    workers: int | None,
    show: bool,
) -> "tuple[dict[str, Stressed], pd.DataFrame]":
    """The embeddings of the clips made worse, kind by kind; and those that could not be used so."""
    import pandas as pd

    columns = ["clip", "file", "start", "end"]
    kinds = experiment.stress.kinds
    parts = [clips[columns].assign(perturbation=kind, row=range(len(clips))) for kind in kinds]
    extraction = extract(
        pd.concat(parts, ignore_index=True),
        list(experiment.encoders.values()),
        store,
        workers=workers,
        show_progress_bar=show,
    )
    stress = {}
    for kind in kinds:
        own = extraction.clips[extraction.clips["perturbation"] == kind]
        embeddings = {
            label: read_embeddings(own, identity, store) for label, identity in identities.items()
        }
        stress[kind] = Stressed(own["row"].to_numpy(np.int64), embeddings)
    lost = extraction.skipped
    return stress, lost.assign(reason=[f"under stress: {reason}" for reason in lost["reason"]])


@dataclass(frozen=True)
class Gathered:
    """What of a recipe can be trained: its materials, and the recipe less what is not here.

    `skipped` are the files and clips that were not used.
    """

    materials: list[Material]
    experiment: Experiment
    skipped: "pd.DataFrame"
    missing: list[Missing]


def gather_all(
    corpora: Sequence[Corpus],
    experiment: Experiment,
    *,
    rehash: bool,
    workers: int | None,
    show: bool,
) -> Gathered:
    """The embeddings of all corpora; encoders that cannot be loaded here are left out and named.

    Raises:
        WeightsError, MissingExtraError: no encoder can be loaded.
        CorpusError: no corpus has two usable emotions.
        NverError: every classifier needs an encoder that is not here.
    """
    missing: list[Missing] = []
    store = EmbeddingStore(experiment.store)
    try:
        found = _gather_usable(corpora, experiment, store, workers, rehash, show)
    except (WeightsError, MissingExtraError):
        missing = missing_encoders(experiment)
        if not missing or len(experiment.encoders) == 1:
            raise
        if len(missing) == len(experiment.encoders):
            named = with_cells(missing, experiment)
            raise WeightsError("\n".join(entry.sentence for entry in named)) from None
        experiment = without(experiment, [entry.name for entry in missing])
        found = _gather_usable(corpora, experiment, store, workers, rehash, show)
    here = {material.corpus.name for material in found.materials}
    kept = tuple(t for t in experiment.transfers if {t.train, t.test} <= here)
    return replace(
        found,
        experiment=replace(experiment, transfers=kept),
        missing=[*missing, *found.missing],
    )


def _gather_usable(
    corpora: Sequence[Corpus],
    experiment: Experiment,
    store: EmbeddingStore,
    workers: int | None,
    rehash: bool,
    show: bool,
) -> Gathered:
    import pandas as pd

    materials, skipped, missing = [], [], []
    for corpus in corpora:
        try:
            material, not_used = gather(corpus, experiment, store, workers, rehash, show)
        except CorpusError as error:
            if len(corpora) == 1:
                raise
            missing.append(missing_corpus(corpus.name, error))
            continue
        materials.append(material)
        skipped.append(not_used)
    if not materials:
        raise CorpusError("\n".join(entry.sentence for entry in missing))
    return Gathered(materials, experiment, pd.concat(skipped, ignore_index=True), missing)


def waveform_reader(clips: "pd.DataFrame") -> Callable[[int], FloatArray]:
    """row -> its waveform at the rate of the prints."""
    files, spans = clips["file"].tolist(), clips[["start", "end"]].to_numpy(np.float64)

    def read(row: int) -> FloatArray:
        start, end = spans[row]
        return load_audio(files[row], SAMPLING_RATE, start=start, end=end)

    return read


def _with_facts(clips: "pd.DataFrame", facts: FloatArray) -> "pd.DataFrame":
    """The clips with what is known of each: duration, level, group of its speaker."""
    clips = clips.assign(duration_s=facts[:, 0], level_db=facts[:, 1])
    if "speaker_group" not in clips and "sex" in clips:
        clips["speaker_group"] = clips["sex"]
    return clips


def _skipped(corpus: Corpus, clips: "pd.DataFrame") -> "pd.DataFrame":
    """Files that are no clip of the corpus, and clips that could not be used, in one table."""
    import pandas as pd

    columns = ["clip", "file", "reason", "message"]
    table = pd.concat([corpus.skipped.reindex(columns=columns), clips[columns]], ignore_index=True)
    table.insert(0, "corpus", corpus.name)
    return table
