"""The training loop: what it minimises, what it keeps, what it never looks at, the same bits."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nver.classifiers import Classifier, build_classifier
from nver.classifiers.training.loop import TrainingConfig, fit, predict_proba
from nver.classifiers.training.scaling import fit_scale
from nver.errors import NverError, UsageError

EMOTIONS = 3
NONE = np.zeros(0, np.int64)


def clouds(clips=97, dims=(12,), spread=1.0, seed=0):
    """Embeddings scattered around one centre an emotion, and the emotions."""
    generator = np.random.default_rng(seed)
    emotions = np.arange(clips) % EMOTIONS
    centres = [np.random.default_rng(7).normal(size=(EMOTIONS, dim)) for dim in dims]
    scatter = [spread * generator.normal(size=(clips, dim)) for dim in dims]
    streams = [c[emotions] + s for c, s in zip(centres, scatter, strict=True)]
    return [s.astype(np.float32) for s in streams], emotions


def held_out(clips=97, every=5):
    return np.arange(clips) % every == 0


def builder(name="fcn", dims=(12,), **options):
    return lambda: build_classifier(name, dims, EMOTIONS, **options)


def weights(fitted):
    return [p.detach().clone() for p in fitted.classifier.parameters()]


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


class Plain(Classifier):
    """A linear model with a number of its own that only the auxiliary loss pulls, to 3."""

    def __init__(self, dim, cross_entropy_weight=1.0):
        super().__init__()
        self.linear = nn.Linear(dim, EMOTIONS)
        self.number = nn.Parameter(torch.zeros(()))
        self.cross_entropy_weight = cross_entropy_weight
        self.modes = []

    def forward(self, streams):
        self.modes.append(self.training)
        return self.linear(streams[0]), (self.number - 3) ** 2


# ------------------------------------------------------------------------------ what it learns


@pytest.mark.parametrize(
    ("name", "dims", "rate"),
    [
        ("linear", (12,), 0.05),
        ("fcn", (12,), 2e-3),
        ("cnn", (12,), 2e-3),
        ("concat", (12, 7), 2e-3),
        ("reno", (12, 7), 2e-3),
    ],
)
def test_it_learns(name, dims, rate):
    streams, emotions = clouds(dims=dims, spread=0.3)
    config = TrainingConfig(epochs=12, learning_rate=rate)
    fitted = fit(builder(name, dims), streams, emotions, held_out(), config, seed=0)
    unseen, truth = clouds(60, dims, spread=0.3, seed=1)
    probabilities = predict_proba(fitted, unseen)
    assert (probabilities.argmax(1) == truth).mean() > 0.9
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)


def test_equals_a_plainly_written_loop():
    streams, emotions = clouds()
    config = TrainingConfig(epochs=3, batch_size=32, weight_decay=0.01)
    fitted = fit(lambda: Plain(12, 0.4), streams, emotions, NONE, config, seed=5)

    torch.manual_seed(5)
    model = Plain(12, 0.4)
    shuffle = torch.Generator().manual_seed(5)
    x = torch.tensor((streams[0] - streams[0].mean(0)) / streams[0].std(0))
    y = torch.tensor(emotions)
    adam = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=0.01, fused=False)
    for epoch in range(3):
        total = 0.0
        for rows in torch.randperm(97, generator=shuffle).split(32):
            logits, auxiliary = model([x[rows]])
            loss = 0.4 * cross_entropy(logits, y[rows]) + auxiliary
            adam.zero_grad()
            loss.backward()
            adam.step()
            total += loss.item() * len(rows) / 97
        assert fitted.history[epoch].loss == pytest.approx(total, rel=1e-5)
    for ours, theirs in zip(weights(fitted), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_the_auxiliary_loss_is_minimised_and_reported():
    streams, emotions = clouds()
    config = TrainingConfig(learning_rate=0.05, epochs=20)
    fitted = fit(lambda: Plain(12), streams, emotions, NONE, config, seed=0)
    assert fitted.classifier.number.item() == pytest.approx(3, abs=0.3)
    first, last = fitted.history[0], fitted.history[-1]
    assert 4 < first.auxiliary < 9
    assert last.auxiliary < 0.3
    assert last.loss > last.auxiliary


def test_class_weights_lift_the_rare_emotion():
    generator = np.random.default_rng(0)
    emotions = np.repeat([0, 1, 2], [80, 10, 10])
    noise = [generator.normal(size=(100, 4)).astype(np.float32)]
    means = []
    for class_weights in (False, True):
        config = TrainingConfig(epochs=60, learning_rate=0.02, class_weights=class_weights)
        fitted = fit(lambda: Plain(4), noise, emotions, NONE, config, seed=0)
        means.append(predict_proba(fitted, noise).mean(0))
    np.testing.assert_allclose(means[0], [0.8, 0.1, 0.1], atol=0.04)
    np.testing.assert_allclose(means[1], [1 / 3, 1 / 3, 1 / 3], atol=0.08)


def test_an_emotion_without_a_training_clip_is_no_error():
    streams, emotions = clouds()
    config = TrainingConfig(epochs=2, class_weights=True)
    fitted = fit(builder(), streams, emotions, emotions == 1, config, seed=0)
    assert predict_proba(fitted, streams).shape == (97, EMOTIONS)


# ------------------------------------------------------------------------------ early stopping


def overfitted(patience, epochs=40, seed=0):
    """Emotions are noise: the validation loss rises while the training loss falls."""
    generator = np.random.default_rng(1)
    streams = [generator.normal(size=(90, 12)).astype(np.float32)]
    emotions = generator.integers(0, EMOTIONS, 90)
    config = TrainingConfig(epochs=epochs, patience=patience, learning_rate=3e-3)
    fitted = fit(builder(dropout=0.0), streams, emotions, held_out(90), config, seed=seed)
    return fitted, [s[held_out(90)] for s in streams], emotions[held_out(90)]


@pytest.mark.parametrize("patience", [1, 3, 10])
def test_it_stops_after_patience_epochs_without_a_better_one(patience):
    fitted, _, _ = overfitted(patience)
    assert len(fitted.history) == fitted.best_epoch + 1 + patience < 40
    losses = [epoch.validation for epoch in fitted.history]
    assert losses.index(min(losses)) == fitted.best_epoch


def test_the_best_epochs_weights_are_kept():
    fitted, streams, emotions = overfitted(patience=5)
    x = torch.tensor(fitted.scales[0](streams[0]))
    with torch.no_grad():
        loss = cross_entropy(fitted.classifier([x])[0], torch.tensor(emotions)).item()
    assert loss == fitted.history[fitted.best_epoch].validation
    assert loss < fitted.history[-1].validation


def test_without_validation_clips_the_last_epoch_is_kept():
    streams, emotions = clouds()
    config = TrainingConfig(epochs=4, patience=1)
    fitted = fit(builder(), streams, emotions, NONE, config, seed=0)
    assert [epoch.validation for epoch in fitted.history] == [None] * 4
    assert fitted.best_epoch == 3
    assert not fitted.classifier.training


def test_mask_and_indices_are_the_same():
    streams, emotions = clouds()
    config = TrainingConfig(epochs=2)
    fits = [
        fit(builder(), streams, emotions, which, config, seed=0)
        for which in (held_out(), np.flatnonzero(held_out()))
    ]
    assert same(*fits)
    assert fits[0].history == fits[1].history


def test_validation_clips_neither_train_nor_scale():
    """Whatever they hold, one epoch gives the same weights and scales."""
    streams, emotions = clouds()
    other = [s.copy() for s in streams]
    other[0][held_out()] *= 1000
    config = TrainingConfig(epochs=1)
    a = fit(builder(), streams, emotions, held_out(), config, seed=0)
    b = fit(builder(), other, np.where(held_out(), 0, emotions), held_out(), config, seed=0)
    assert same(a, b)
    np.testing.assert_array_equal(a.scales[0].mean, b.scales[0].mean)
    kept = streams[0][~held_out()]
    np.testing.assert_allclose(a.scales[0].mean, kept.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(a.scales[0].deviation, kept.std(0), rtol=1e-4)


def test_dropout_only_while_training():
    streams, emotions = clouds()
    made = []
    build = lambda: made.append(Plain(12)) or made[0]  # noqa: E731
    config = TrainingConfig(epochs=2, batch_size=40)
    fitted = fit(build, streams, emotions, held_out(), config, seed=0)
    assert fitted.classifier.modes == [True, True, False, True, True, False]
    assert not fitted.classifier.training
    deep = fit(builder(), streams, emotions, held_out(), config, seed=0)
    np.testing.assert_array_equal(predict_proba(deep, streams), predict_proba(deep, streams))


# ------------------------------------------------------------------------------- the same bits


@pytest.mark.parametrize(
    ("name", "dims"), [("linear", (12,)), ("fcn", (12,)), ("cnn", (12,)), ("reno", (12, 7))]
)
def test_same_seed_same_bits_whatever_ran_between(name, dims):
    streams, emotions = clouds(dims=dims)
    config = TrainingConfig(epochs=2)

    def trained(seed):
        return fit(builder(name, dims), streams, emotions, held_out(), config, seed=seed)

    first = trained(1)
    other = trained(2)
    torch.rand(17)
    again = trained(1)
    assert same(first, again)
    assert first.history == again.history
    assert not same(first, other)
    np.testing.assert_array_equal(predict_proba(first, streams), predict_proba(again, streams))


def test_the_global_random_state_is_left_alone():
    streams, emotions = clouds()
    torch.manual_seed(11)
    before = torch.get_rng_state()
    fit(builder(), streams, emotions, held_out(), TrainingConfig(epochs=1), seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_inputs_are_not_changed():
    streams, emotions = clouds()
    copies = [s.copy() for s in streams]
    fitted = fit(builder(), streams, emotions, held_out(), TrainingConfig(epochs=1), seed=0)
    predict_proba(fitted, streams)
    np.testing.assert_array_equal(streams, copies)


# ------------------------------------------------------------------------------ awkward inputs


@pytest.mark.parametrize("clips", [1, 2, 33, 65])
@pytest.mark.parametrize(("name", "dims"), [("fcn", (12,)), ("cnn", (12,)), ("reno", (12, 7))])
def test_a_last_batch_of_one_clip(name, dims, clips):
    streams, emotions = clouds(clips, dims)
    config = TrainingConfig(epochs=1)
    fitted = fit(builder(name, dims), streams, emotions, NONE, config, seed=0)
    assert np.isfinite(predict_proba(fitted, streams)).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e-30])
def test_a_constant_value_is_harmless(value):
    streams, emotions = clouds()
    streams[0][:, 3] = value
    fitted = fit(builder(), streams, emotions, held_out(), TrainingConfig(epochs=2), seed=0)
    assert fitted.scales[0].deviation[3] == 1
    streams[0][:, 3] = value + 1
    assert np.isfinite(predict_proba(fitted, streams)).all()


def test_rounding_noise_is_constant_and_a_small_scale_is_not():
    steps = np.float32(1000) + np.float32(6e-5) * (np.arange(10) % 2)  # one float32 step apart
    small = 1e-9 * np.arange(10)
    scale = fit_scale(np.stack([steps, small], axis=1).astype(np.float32))
    assert scale.deviation[0] == 1
    assert scale.deviation[1] == pytest.approx(small.std(), rel=1e-5)


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e18])
def test_scale_of_small_and_large_values(size):
    (stream,), _ = clouds()
    scaled = fit_scale(stream * np.float32(size))(stream * np.float32(size))
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), 1, rtol=1e-4)


def test_standardise_can_be_left_out():
    streams, emotions = clouds()
    config = TrainingConfig(epochs=1, standardise=False)
    fitted = fit(builder(), streams, emotions, held_out(), config, seed=0)
    np.testing.assert_array_equal(fitted.scales[0](streams[0]), streams[0])


def test_nothing_to_predict_gives_an_empty_table():
    streams, emotions = clouds(dims=(12, 7))
    config = TrainingConfig(epochs=1)
    for name, dims in (("linear", (12,)), ("cnn", (12,)), ("reno", (12, 7))):
        some = streams[: len(dims)]
        fitted = fit(builder(name, dims), some, emotions, NONE, config, seed=0)
        assert predict_proba(fitted, [s[:0] for s in some]).shape == (0, EMOTIONS)


def test_a_clips_probabilities_do_not_depend_on_its_batch():
    streams, emotions = clouds(300)
    fitted = fit(builder("cnn"), streams, emotions, NONE, TrainingConfig(epochs=1), seed=0)
    together = predict_proba(fitted, streams)
    alone = np.concatenate([predict_proba(fitted, [streams[0][i : i + 1]]) for i in range(300)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-7)


def spoiled(row, value):
    streams, emotions = clouds()
    streams[0][row, 2] = value
    return streams, emotions


@pytest.mark.parametrize(
    ("streams", "validation", "says"),
    [
        (spoiled(8, np.nan)[0], NONE, "stream 0: 1 of 97 embeddings are not finite.* row 8;"),
        (spoiled(0, np.inf)[0], NONE, "not finite.* row 0;"),
        ([clouds()[0][0].astype(float) * 1e300], NONE, "97 of 97 embeddings are not finite"),
        (clouds(96)[0], NONE, r"stream 0 must have shape \(97, dim\); got \(96, 12\)"),
        ([np.zeros(97)], NONE, r"must have shape \(97, dim\); got \(97,\)"),
        (clouds()[0], np.ones(97, bool), "no clip is left to train on: all 97"),
        (clouds()[0], np.ones(96, bool), r"mask must have shape \(97,\); got \(96,\)"),
    ],
)
def test_what_cannot_be_trained_on_is_named(streams, validation, says):
    config = TrainingConfig(epochs=1)
    with pytest.raises(NverError, match=says):
        fit(builder(), streams, np.arange(97) % 3, validation, config, seed=0)


@pytest.mark.parametrize(("rate", "written"), [(1e30, r"1e\+30"), (3e37, r"3e\+37")])
def test_a_diverged_training_stops_with_its_epoch_and_learning_rate(rate, written):
    streams, emotions = clouds()
    config = TrainingConfig(learning_rate=rate)
    with pytest.raises(NverError, match=f"diverged in epoch 1 of 20 at learning rate {written}:"):
        fit(builder(), streams, emotions, held_out(), config, seed=0)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("learning_rate", 0.0, "learning_rate must be a number above 0; got 0.0"),
        ("learning_rate", float("nan"), "learning_rate must be"),
        ("batch_size", 0, "batch_size must be an integer of at least 1; got 0"),
        ("epochs", 2.5, "epochs must be an integer"),
        ("patience", 0, "patience must be an integer"),
        ("validation_share", 1.0, r"validation_share must be a number in \[0, 1\); got 1.0"),
        ("weight_decay", -1.0, "weight_decay must be a number of at least 0; got -1.0"),
    ],
)
def test_settings_are_checked(field, value, says):
    with pytest.raises(UsageError, match=says):
        TrainingConfig(**{field: value})


def test_defaults_are_the_papers_and_the_authors():
    config = TrainingConfig()
    assert (config.learning_rate, config.batch_size, config.epochs) == (1e-3, 32, 20)
    assert (config.patience, config.validation_share) == (10, 0.1)
