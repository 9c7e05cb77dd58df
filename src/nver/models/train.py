"""`nver train`: one classifier on one corpus -> a model folder that `load_predictor` takes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nver.classifiers.training.config import apart
from nver.classifiers.training.loop import predict_proba
from nver.classifiers.training.temperature import tempered
from nver.errors import NverError, UsageError
from nver.evaluation.cells.cell import Cell
from nver.evaluation.cells.cross_validation import learn
from nver.evaluation.cells.fold_training import Learnt
from nver.evaluation.folds.fold_assignment import ONLY_TRAINED, Folds
from nver.evaluation.folds.splits import CODES, split, with_rows, without_repeats
from nver.evaluation.prepared_corpus import Material, gather_all, load_corpora
from nver.evaluation.run_folder.provenance import corpus_facts, package_versions
from nver.machine.pool import usable_cores
from nver.models.model_folder import Model, ModelEncoder, check_out, write_model
from nver.recipe import ClassifierEntry, Experiment, systems_of
from nver.recipe.families import Families, membership
from nver.recipe.folds import SPLIT
from nver.recipe.reading import read_experiment
from nver.results.families import FIRST
from nver.results.metrics import unweighted_average_recall

if TYPE_CHECKING:
    import pandas as pd

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
    speakers stop it early and set temperature and threshold, and the test speakers are not touched:
    the bits are those that `nver run` of the same recipe tests. Without a split, everything is
    trained on but the validation share. Of clips of the same recording the first is used.

    Args:
        recipe: a TOML file, or an `Experiment`; its `families` are the model's.
        out: the model folder; what a model left there is written over.
        overrides: "a.b=c", see `nver.read_experiment`; only with a recipe file.
        answered: the threshold of "not sure" leaves this share of the validation clips answered.
        workers: processes of the extraction; None: one a usable core.

    Raises:
        UsageError: the recipe makes several models, or `out` holds what is no model.
        NverError: something is missing, there are no validation clips, or `out` cannot be written.
    """
    if not isinstance(recipe, Experiment):
        recipe = read_experiment(recipe, overrides)
    if not 0 < answered <= 1:
        raise UsageError(f"answered is a share above 0 and at most 1; got {answered}")
    entry, labels = _only_one(recipe)
    check_out(Path(out))
    material, folds = _material(recipe, workers, show_progress_bar)
    if recipe.families:
        membership(recipe.families, material.emotions)
    cell = Cell(entry.name, labels, folds, entry.label, entry.options, entry.tune)
    learnt = learn(
        material.clips,
        material.embeddings,
        cell,
        training=recipe.training,
        emotions=material.emotions,
    )
    model = _model(recipe, entry, labels, material, folds, learnt, answered)
    write_model(Path(out), model)
    return model


def _only_one(experiment: Experiment) -> tuple[ClassifierEntry, tuple[str, ...]]:
    """The recipe's one classifier and its streams."""
    cells = systems_of(experiment)
    corpora, seeds = len(experiment.corpora), len(experiment.folds.seeds)
    if len(cells) != 1 or corpora != 1 or seeds != 1:
        named = ", ".join(f"{entry.label} on {' + '.join(stream)}" for entry, stream in cells)
        raise UsageError(
            f"a model is one classifier on one set of encoders, one corpus and one seed; the "
            f"recipe has {corpora} corpora, {seeds} seeds, and {named}"
        )
    return cells[0]


def _material(experiment: Experiment, workers: int | None, show: bool) -> tuple[Material, Folds]:
    corpora, _ = load_corpora(experiment)
    gathered = gather_all(
        corpora, experiment, rehash=False, workers=workers or usable_cores(), show=show
    )
    if gathered.missing:
        raise NverError("\n".join(entry.sentence for entry in gathered.missing))
    (material,) = gathered.materials
    if SPLIT in experiment.folds.kind:
        return split(material, experiment)[0]
    material = with_rows(material, without_repeats(material, np.arange(len(material.clips))))
    everything = np.full(len(material.clips), ONLY_TRAINED, np.int64)
    return material, Folds("all", experiment.folds.seeds[0], everything)


def _model(
    experiment: Experiment,
    entry: ClassifierEntry,
    labels: Sequence[str],
    material: Material,
    folds: Folds,
    learnt: Learnt,
    answered: float,
) -> Model:
    fitted = learnt.tuned.fitted
    if not len(learnt.validation):
        share = experiment.training.validation_share
        raise NverError(
            f"no validation clips, by which temperature and threshold are fitted: of "
            f"{len(material.clips)} clips a validation_share of {share:g} holds out none; give "
            '[training] a larger one, up to 0.5, or [folds] kind = "split"'
        )
    streams = [material.embeddings[label][learnt.validation] for label in labels]
    probability = tempered(predict_proba(fitted, streams), learnt.temperature)
    truth = material.clips["emotion"].to_numpy(str)[learnt.validation]
    alone = {emotion: (emotion,) for emotion in material.emotions}
    families = experiment.families or alone
    threshold, measured = judge(probability, truth, material.emotions, families, answered)
    tensors = {
        f"classifier.{n}": t.cpu().numpy() for n, t in fitted.classifier.state_dict().items()
    }
    for number, scale in enumerate(fitted.scales):
        tensors |= {
            f"scale.{number}.mean": scale.mean,
            f"scale.{number}.deviation": scale.deviation,
        }
    return Model(
        title=experiment.title or experiment.name,
        encoders=tuple(
            ModelEncoder(label, experiment.encoders[label], material.identities[label])
            for label in labels
        ),
        classifier=entry.name,
        options={**entry.options, **apart(learnt.tuned.chosen)[0]},
        emotions=tuple(material.emotions),
        temperature=learnt.temperature,
        families=experiment.families,
        threshold=threshold,
        tensors=tensors,
        made=_made(experiment, material, folds, learnt) | {"validation": measured},
    )


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
    home, given = names[members.argmax(axis=1)][code], names[sums.argmax(axis=1)]
    right, sure = home == given, best >= threshold
    first = np.argsort(-probability, axis=1, kind="stable")[:, :FIRST]
    predicted = np.array(list(emotions))[first[:, 0]]
    return threshold, {
        "clips": len(truth),
        "unweighted_average_recall": unweighted_average_recall(list(truth), list(predicted)),
        "top3_accuracy": float((first == code[:, None]).any(axis=1).mean()),
        "family_uar": unweighted_average_recall(list(home), list(given)),
        "threshold_rule": f"{answered:.0%} of the validation clips are answered",
        "answered": float(sure.mean()),
        "family_accuracy_of_answered": float(right[sure].mean()),
        "family_accuracy_of_all": float(right.mean()),
    }


def _made(
    experiment: Experiment, material: Material, folds: Folds, learnt: Learnt
) -> dict[str, Any]:
    """Where the model comes from."""
    facts: Mapping[str, Any] = corpus_facts(material, experiment.corpora[0].options)
    corpus = {key: value for key, value in facts.items() if key not in ("root", "synthetic")}
    return {
        "corpus": {"name": material.corpus.name, **corpus, "digest": clips_digest(material.clips)},
        "speakers": _speakers(material, folds, learnt),
        "training": asdict(experiment.training) | apart(learnt.tuned.chosen)[1],
        "seed": experiment.folds.seeds[0],
        "epochs": len(learnt.tuned.fitted.history),
        "best_epoch": learnt.tuned.fitted.best_epoch + 1,
        "versions": package_versions(),
    }


def clips_digest(clips: "pd.DataFrame") -> str:
    """SHA-256 of which clips there are, of whom and of what emotion."""
    import hashlib

    text = clips[["clip", "speaker", "emotion"]].to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _speakers(material: Material, folds: Folds, learnt: Learnt) -> dict[str, Any]:
    """part -> its clips, and the speakers where they are known."""
    part = np.where(folds.fold == CODES["test"], "test", "train").astype(object)
    part[learnt.validation] = "validation"
    found = {}
    for name in CODES:
        own = material.clips[part == name]
        if len(own):
            found[name] = {"clips": len(own), "speakers": sorted(set(own["speaker"].dropna()))}
    return found
