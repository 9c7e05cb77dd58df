"""What of a recipe does not fit its corpora, said before their audio is read."""

from collections.abc import Sequence

from nver.corpora import Corpus
from nver.errors import CorpusError, check_count
from nver.evaluation.folds.fold_assignment import check_known_speakers, default_protocol
from nver.evaluation.folds.splits import speakers_by_part
from nver.evaluation.folds.transfers import check_labels, shared_names
from nver.recipe import NO_FOLDS, Experiment
from nver.recipe.families import membership
from nver.recipe.folds import RANDOM, SPEAKER_INDEPENDENT, SPLIT
from nver.recipe.values import check_known

SETTING = "--set folds.number=2, or number = 2 in [folds]"


def check_against(experiment: Experiment, corpora: Sequence[Corpus]) -> None:
    """Raise `UsageError` for what a run of the recipe on these corpora would be refused for.

    Clips that turn out unusable may leave less than this sees; the run says so then.
    """
    by_name = {corpus.name: corpus for corpus in corpora}
    if len(corpora) == 1 and len(corpora[0].emotions) < 2:
        raise CorpusError(
            f"{corpora[0].name}: {len(corpora[0].table):,} clips of one emotion, "
            f"{', '.join(corpora[0].emotions)}; at least two emotions are needed"
        )
    if len(corpora) == len(experiment.corpora):
        every = {emotion for corpus in corpora for emotion in corpus.emotions}
        wanted = [] if experiment.filters.keys() >= by_name.keys() else experiment.filter.emotions
        check_known("emotion in [filter], which no corpus has:", wanted, every)
    for corpus in corpora:
        if experiment.families:
            membership(experiment.families, corpus.emotions)
        check_labels(corpus, experiment.labels)
        for kind in experiment.folds.kind or (default_protocol(corpus.table["speaker"]),):
            _check_kind(kind, corpus, experiment)
    for transfer in experiment.transfers:
        if {transfer.train, transfer.test} <= set(by_name):
            sides = by_name[transfer.train], by_name[transfer.test]
            shared_names(*sides, experiment.labels)


def _check_kind(kind: str, corpus: Corpus, experiment: Experiment) -> None:
    """Raise `UsageError` where a corpus cannot have folds of that kind."""
    speaker, number = corpus.table["speaker"], experiment.folds.number
    if kind == SPLIT:
        speakers_by_part(speaker, experiment.folds.parts)
    elif kind != NO_FOLDS and number is not None:
        check_count(f"folds.number ({SETTING}) on {corpus.name}", number, 2, len(speaker))
    if kind == SPEAKER_INDEPENDENT and default_protocol(speaker) == RANDOM:
        check_known_speakers(speaker)
