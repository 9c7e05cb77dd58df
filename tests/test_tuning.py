"""Options chosen inside a training part: by which criterion, on which clips, and what is saved."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from nver.classifiers import Classifier, build_classifier
from nver.classifiers.training.loop import TrainingConfig, fit
from nver.classifiers.training.tuning import fit_tuned, options_text, options_to_try
from nver.errors import NverError
from nver.evaluation import Cell, cell_key, evaluate_cells
from nver.evaluation.folds.fold_assignment import make_folds, validation_mask

CONFIG = TrainingConfig(epochs=2, learning_rate=0.01)


def clouds(clips=96, dims=(6, 4), emotions=3, seed=0):
    generator = np.random.default_rng(seed)
    emotion = np.arange(clips) % emotions
    streams = [generator.normal(size=(clips, d)) + emotion[:, None] for d in dims]
    return [s.astype(np.float32) for s in streams], emotion


class Scaled(Classifier):
    """A linear model whose logits are divided by `temper`, with an auxiliary loss of `extra`."""

    def __init__(self, dim, temper, extra=0.0):
        super().__init__()
        self.linear, self.temper, self.extra = nn.Linear(dim, 3), temper, extra

    def forward(self, streams):
        logits = self.linear(streams[0]) / self.temper
        return logits, logits.new_tensor(self.extra)


def test_the_combinations():
    assert options_to_try({}) == [{}]
    tries = options_to_try({"a": [1, 2], "b": ["x", "y"]})
    assert [options_text(t) for t in tries] == ["a=1, b=x", "a=1, b=y", "a=2, b=x", "a=2, b=y"]


def test_the_lowest_validation_cross_entropy_is_kept_and_the_auxiliary_loss_has_no_say():
    streams, emotion = clouds()
    held = np.arange(96) % 4 == 0
    extra = {1000.0: 0.0, 1.0: 500.0, 300.0: -500.0}  # the best has the largest loss
    tuned = fit_tuned(
        lambda o: Scaled(6, o["temper"], extra[o["temper"]]),
        {"temper": list(extra)},
        streams[:1], emotion, held, CONFIG, seed=3,
    )  # fmt: skip
    assert tuned.chosen == {"temper": 1.0}
    losses = [loss for _, loss in tuned.candidates]
    assert min(losses) == losses[1] == tuned.fitted.kept.validation
    alone = fit(lambda: Scaled(6, 1.0), streams[:1], emotion, held, CONFIG, seed=3)
    for a, b in zip(
        tuned.fitted.classifier.parameters(), alone.classifier.parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_the_learning_rate_may_be_tuned_and_is_no_option_of_the_classifier():
    streams, emotion = clouds()
    held = np.arange(96) % 4 == 0
    tune = {"learning_rate": [1e-9, 0.1], "temper": [1.0]}
    tuned = fit_tuned(lambda o: Scaled(6, **o), tune, streams[:1], emotion, held, CONFIG, seed=3)
    assert tuned.chosen == {"learning_rate": 0.1, "temper": 1.0}
    config = replace(CONFIG, learning_rate=0.1)
    alone = fit(lambda: Scaled(6, 1.0), streams[:1], emotion, held, config, seed=3)
    assert alone.history == tuned.fitted.history


def test_of_equal_candidates_the_first_is_kept():
    streams, emotion = clouds()
    tuned = fit_tuned(
        lambda o: Scaled(6, 1.0), {"x": [7, 8]}, streams[:1], emotion, [0, 5], CONFIG, seed=0
    )
    assert tuned.chosen == {"x": 7}


def test_without_validation_clips_there_is_nothing_to_choose_by():
    streams, emotion = clouds()
    with pytest.raises(NverError, match="tuning x needs validation clips"):
        fit_tuned(lambda o: Scaled(6, 1), {"x": [1, 2]}, streams[:1], emotion, [], CONFIG, seed=0)


# --------------------------------------------------------------------------- in an evaluation


def corpus(clips=96):
    streams, emotion = clouds(clips)
    table = pd.DataFrame(
        {
            "clip": [f"c{i:03d}" for i in range(clips)],
            "speaker": [f"s{i // 8:02d}" for i in range(clips)],
            "emotion": np.array(["cry", "laugh", "sigh"])[emotion],
        }
    )
    return table, dict(zip("ab", streams, strict=True))


def cell(table, **changed):
    folds = make_folds(table, "speaker-independent", 3)
    given = {"tune": {"lambda_": (0.1, 0.9)}, "options": {"width": 8}, "label": "mine"}
    return Cell("reno", ("a", "b"), folds, **{**given, **changed})


def evaluated(table, streams, cells):
    found = evaluate_cells(table, streams, cells, training=CONFIG, workers=1)
    return [(cell, predictions, trainings) for cell, predictions, trainings, _ in found]


def test_every_fold_says_how_it_was_trained_and_what_was_chosen():
    table, streams = corpus()
    ((_, predictions, trainings),) = evaluated(table, streams, [cell(table)])
    assert trainings["fold"].tolist() == [0, 1, 2]
    assert set(trainings["classifier"]) == {"mine"}
    assert set(trainings["tuned"]) <= {"lambda_=0.1", "lambda_=0.9"}
    for text in trainings["candidates"]:
        assert [part.split(": ")[0] for part in text.split("; ")] == ["lambda_=0.1", "lambda_=0.9"]
    assert (trainings["epochs"] == 2).all()
    assert trainings["best_epoch"].between(1, 2).all()
    excess = trainings["divergence"] - trainings["divergence_floor"]
    np.testing.assert_allclose(trainings["divergence_excess"], excess, atol=1e-12)
    assert (trainings["divergence_excess"] > 0).all()
    assert len(predictions) == len(table)


def test_a_tuned_fold_is_the_training_with_the_chosen_value():
    table, streams = corpus()
    ((_, tuned, trainings),) = evaluated(table, streams, [cell(table)])
    fixed = {
        value: evaluated(table, streams, [cell(table, tune={}, options={"width": 8, "lambda_": v})])
        for value, v in (("lambda_=0.1", 0.1), ("lambda_=0.9", 0.9))
    }
    columns = [c for c in tuned.columns if c.startswith("p:")]
    for row in trainings.itertuples():
        ((_, expected, _),) = fixed[row.tuned]
        own = tuned["fold"] == row.fold
        np.testing.assert_array_equal(tuned[own][columns], expected[own][columns])


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_the_test_fold_has_no_say_in_what_is_chosen(fold):
    """Emotions and embeddings of the tested clips are spoilt: the same value is chosen by the
    same losses, and the same classifier says the same of the training clips."""
    table, streams = corpus()
    one = cell(table)
    spoilt, test = table.copy(), one.folds.fold == fold
    spoilt.loc[test, "emotion"] = spoilt.loc[test, "emotion"].sample(frac=1, random_state=1).values
    other = {name: np.where(test[:, None], -9 * rows, rows) for name, rows in streams.items()}
    ((_, _, before),) = evaluated(table, streams, [one])
    ((_, _, after),) = evaluated(spoilt, other, [one])
    pd.testing.assert_series_equal(before.loc[fold], after.loc[fold])


def test_validation_clips_of_a_tuned_fold_are_whole_speakers():
    table, _ = corpus()
    held = validation_mask(table["emotion"].to_numpy(), table["speaker"].to_numpy(), 0.1, 0)
    assert set(table["speaker"][held]).isdisjoint(table["speaker"][~held])


def test_what_is_tried_decides_the_cells_key():
    table, _ = corpus()
    digests = {"a": "1", "b": "2"}
    cells = [cell(table), cell(table, tune={}), cell(table, tune={"lambda_": (0.1, 0.8)})]
    keys = {cell_key(c, table, digests, CONFIG, ["cry", "laugh", "sigh"]) for c in cells}
    assert len(keys) == 3


def test_reno_takes_every_lambda_of_a_sweep():
    for options in options_to_try({"lambda_": [0.1, 0.3, 0.5, 0.7, 0.9]}):
        assert (
            build_classifier("reno", [4, 5], 3, **options).cross_entropy_weight in options.values()
        )
