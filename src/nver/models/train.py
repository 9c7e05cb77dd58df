"""`nver train`: one classifier on one corpus -> a model folder that `load_predictor` takes."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.classifiers.training.config import apart
from nver.classifiers.training.loop import Fitted, predict_proba
from nver.classifiers.training.temperature import tempered
from nver.errors import NverError, UsageError
from nver.evaluation.cells.cell import Cell
from nver.evaluation.cells.cross_validation import learn
from nver.evaluation.cells.fold_training import Learnt
from nver.evaluation.folds.fold_assignment import ONLY_TRAINED, Folds
from nver.evaluation.folds.splits import PARTS, split
from nver.evaluation.missing import sentences
from nver.evaluation.preparation import Settings, load_corpora, prepare
from nver.evaluation.prepared_corpus import PreparedCorpus
from nver.evaluation.run_folder.provenance import corpus_facts, package_versions
from nver.machine.counting import say
from nver.machine.pool import usable_cores
from nver.models.model_folder import Model, ModelEncoder, check_out, write_model
from nver.recipe import ClassifierEntry, Experiment, systems_of
from nver.recipe.families import Families, membership
from nver.recipe.folds import SPLIT
from nver.recipe.reading import read_experiment
from nver.results.families import FIRST
from nver.results.metrics import unweighted_average_recall

ANSWERED = 0.8  # our choice: the share of validation clips that get an answer

Values = npt.NDArray[np.float64]


def train(
    recipe: str | Path | Experiment,
    out: str | Path,
    *,
    overrides: Sequence[str] | str = (),
    answered: float = ANSWERED,
    workers: int | None = None,
    show_progress_bar: bool = False,
) -> Model:
    """Train the one classifier of a recipe and write it as a model folder.

    The recipe is one of `nver run`, with one corpus, one classifier on one set of encoders, and one
    seed. Under `[folds] kind = "split"` the training speakers are trained on, the validation
    speakers stop the training early and set temperature and threshold, and the test speakers are
    not touched: the weights are, to the bit, what `nver run` of the same recipe tests. Without a
    split, all clips but the validation share are trained on. Of clips of the same recording the
    first is used.

    Args:
        recipe: a TOML file, or an `Experiment`; its `families` are the model's.
        out: the model folder; a model that lies there is written over.
        overrides: "a.b=c", see `nver.read_experiment`; only with a recipe file.
        answered: the threshold of "not sure" leaves this share of the validation clips answered.
        workers: processes of the extraction; None: one a usable core.

    Raises:
        UsageError: the recipe makes several models, or `out` holds files that are no model.
        NverError: something is missing, there are no validation clips, or `out` cannot be written.
    """
    if not isinstance(recipe, Experiment):
        recipe = read_experiment(recipe, overrides)
    if not 0 < answered <= 1:
        raise UsageError(f"answered is a share above 0 and at most 1; got {answered}")
    entry, labels = _only_system(recipe)
    check_out(Path(out))
    settings = Settings(workers or usable_cores(), show_progress_bar=show_progress_bar)
    corpus, folds = _training_corpus(recipe, settings)
    if recipe.families:
        membership(recipe.families, corpus.emotions)
    cell = Cell(entry.name, labels, folds, entry.label, entry.options, entry.tune)
    say(f"train: {entry.label} on {' + '.join(labels)}", show_progress_bar)
    learnt = learn(corpus.clips, corpus.embeddings, cell, recipe.training, corpus.emotions)
    model = _model(recipe, corpus, cell, learnt, answered)
    write_model(Path(out), model)
    return model


def _only_system(experiment: Experiment) -> tuple[ClassifierEntry, tuple[str, ...]]:
    """The recipe's one classifier and its encoders."""
    cells = systems_of(experiment)
    corpora, seeds = len(experiment.corpora), len(experiment.folds.seeds)
    if len(cells) != 1 or corpora != 1 or seeds != 1:
        named = ", ".join(f"{entry.label} on {' + '.join(stream)}" for entry, stream in cells)
        raise UsageError(
            f"a model is one classifier on one set of encoders, one corpus and one seed; the "
            f"recipe has {corpora} corpora, {seeds} seeds, and {named}"
        )
    return cells[0]


def _training_corpus(experiment: Experiment, settings: Settings) -> tuple[PreparedCorpus, Folds]:
    """The recipe's corpus with one fold: its split, or without one all clips to train on."""
    corpora, absent = load_corpora(experiment)
    prepared = prepare(experiment, corpora, absent, settings)
    if prepared.missing:
        raise NverError(sentences(prepared.missing))
    (corpus,) = prepared.corpora
    if SPLIT in experiment.folds.kind:
        return split(corpus, experiment)[0]
    corpus = corpus.with_rows(corpus.without_repeats(np.arange(len(corpus.clips))))
    everything = np.full(len(corpus.clips), ONLY_TRAINED, np.int64)
    return corpus, Folds("all", experiment.folds.seeds[0], everything)


def _judge_validation(
    experiment: Experiment, corpus: PreparedCorpus, cell: Cell, learnt: Learnt, answered: float
) -> tuple[float, dict[str, Any]]:
    """`judge` on the validation clips; without families, each emotion is a family of its own."""
    rows = learnt.validation
    if not len(rows):
        share = experiment.training.validation_share
        raise NverError(
            f"no validation clips, by which temperature and threshold are fitted: of "
            f"{len(corpus.clips)} clips a validation_share of {share:g} holds out none; give "
            '[training] a larger one, up to 0.5, or [folds] kind = "split"'
        )
    streams = [corpus.embeddings[label][rows] for label in cell.encoders]
    probability = tempered(predict_proba(learnt.tuned.fitted, streams), learnt.temperature)
    truth = corpus.clips["emotion"].to_numpy(str)[rows]
    families = experiment.families or {emotion: (emotion,) for emotion in corpus.emotions}
    return judge(probability, truth, corpus.emotions, families, answered)


def judge(
    probability: Values,
    truth: npt.NDArray[np.str_],
    emotions: Sequence[str],
    families: Families,
    answered: float = ANSWERED,
) -> tuple[float, dict[str, Any]]:
    """(threshold of "not sure", scores), from calibrated probabilities of validation clips.

    The threshold is the quantile of the best family's probability that leaves `answered` of these
    clips answered.

    Args:
        probability: (clips, emotions). truth: (clips,).
    """
    members, names = membership(families, emotions), np.array(list(families))
    sums = probability @ members
    best = sums.max(axis=1)
    threshold = float(np.quantile(best, 1 - answered, method="lower"))
    code = np.array([list(emotions).index(emotion) for emotion in truth])
    family, predicted_family = names[members.argmax(axis=1)][code], names[sums.argmax(axis=1)]
    right, sure = family == predicted_family, best >= threshold
    first = np.argsort(-probability, axis=1, kind="stable")[:, :FIRST]
    predicted = np.array(list(emotions))[first[:, 0]]
    return threshold, {
        "clips": len(truth),
        "unweighted_average_recall": unweighted_average_recall(list(truth), list(predicted)),
        "top3_accuracy": float((first == code[:, None]).any(axis=1).mean()),
        "family_uar": unweighted_average_recall(list(family), list(predicted_family)),
        "threshold_rule": f"{answered:.0%} of the validation clips are answered",
        "answered": float(sure.mean()),
        "family_accuracy_of_answered": float(right[sure].mean()),
        "family_accuracy_of_all": float(right.mean()),
    }


def _model(
    experiment: Experiment, corpus: PreparedCorpus, cell: Cell, learnt: Learnt, answered: float
) -> Model:
    threshold, measured = _judge_validation(experiment, corpus, cell, learnt, answered)
    return Model(
        title=experiment.title or experiment.name,
        encoders=tuple(
            ModelEncoder(label, experiment.encoders[label], corpus.identities[label])
            for label in cell.encoders
        ),
        classifier=cell.classifier,
        options={**cell.options, **apart(learnt.tuned.chosen)[0]},
        emotions=tuple(corpus.emotions),
        temperature=learnt.temperature,
        families=experiment.families,
        threshold=threshold,
        tensors=_tensors(learnt.tuned.fitted),
        made=_made(experiment, corpus, cell, learnt) | {"validation": measured},
    )


def _tensors(fitted: Fitted) -> dict[str, npt.NDArray[Any]]:
    """Name -> array: the classifier's parameters, and each stream's mean and deviation."""
    state = fitted.classifier.state_dict()
    tensors = {f"classifier.{name}": tensor.cpu().numpy() for name, tensor in state.items()}
    for number, scale in enumerate(fitted.scales):
        tensors[f"scale.{number}.mean"] = scale.mean
        tensors[f"scale.{number}.deviation"] = scale.deviation
    return tensors


def _made(
    experiment: Experiment, corpus: PreparedCorpus, cell: Cell, learnt: Learnt
) -> dict[str, Any]:
    """Where the model comes from: corpus, speakers, training, versions."""
    facts = corpus_facts(corpus, experiment.corpora[0].options)
    kept = {key: value for key, value in facts.items() if key not in ("root", "synthetic")}
    return {
        "corpus": {"name": corpus.name, **kept, "digest": _clips_digest(corpus.clips)},
        "speakers": _speakers(corpus.clips, cell.folds, learnt),
        "warnings": list(corpus.corpus.warnings),
        "training": asdict(experiment.training) | apart(learnt.tuned.chosen)[1],
        "seed": cell.folds.seed,
        "epochs": len(learnt.tuned.fitted.history),
        "best_epoch": learnt.tuned.fitted.best_epoch + 1,
        "versions": package_versions(),
    }


def _clips_digest(clips: pd.DataFrame) -> str:
    """SHA-256 of the clips' names, speakers and emotions."""
    text = clips[["clip", "speaker", "emotion"]].to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _speakers(clips: pd.DataFrame, folds: Folds, learnt: Learnt) -> dict[str, Any]:
    """part -> how many clips it has, and its speakers where they are known."""
    part = np.where(folds.tested, "test", "train").astype(object)
    part[learnt.validation] = "validation"
    found = {}
    for name in PARTS:
        own = clips[part == name]
        if len(own):
            found[name] = {"clips": len(own), "speakers": sorted(set(own["speaker"].dropna()))}
    return found
