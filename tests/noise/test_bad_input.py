"""Data that cannot be sampled are a clear error; a report says its limits."""

import itertools

import keras
import numpy as np
import pytest

from keras_clip import noise
from tests.support import models
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import noise_norms
from tests.support.noise_problems import norm
from tests.support.noise_problems import sample
from tests.support.programs.launch import result_of
from tests.support.refusals import refused

pytestmark = pytest.mark.slow

X, Y = data(40)


@both_front_ends
def test_mini_batches_that_are_not_finite_are_counted_and_left_out(front_end):
    x, y = data(40)
    x[8, 0], y[25, 1] = np.inf, np.nan
    samples = sample(linear_model(front_end), batches_of(x, y), num_samples=5)
    good = np.r_[0:8, 16:24, 32:40]
    x, y = x[good], y[good]
    np.testing.assert_allclose(
        samples.full_gradient_norm, norm(gradient(x, y)), rtol=1e-5
    )
    expected = noise_norms(batches_of(x, y), x, y)
    np.testing.assert_allclose(samples.noise_norms, expected, rtol=1e-5)
    assert samples.num_nonfinite == samples.full_gradient_nonfinite == 2
    assert samples.full_gradient_batches == 3 and not samples.exact
    assert np.isfinite(samples.loss)
    assert [text[:2] for text in samples.caveats] == ["2 ", "2 "]


def test_a_data_set_that_ends_early_is_said_to():
    samples = sample(linear_model(KERAS), batches_of(X, Y), num_samples=100)
    assert len(samples) == 5
    assert samples.caveats == (
        "The data set ended after 5 of 100 mini-batches.",
    )


def _smaller_ones():
    """Yields two batches, and then the second and smaller one for ever."""
    yield X[:5], Y[:5]
    yield from itertools.repeat((X[5:9], Y[5:9]))


NO_MORE = "`x` must give mini-batches after those of the full gradient."
WITHOUT_SAMPLES = {
    "nothing but smaller batches": (
        lambda: [_smaller_ones()],
        {"full_gradient_batches": 1, "num_samples": 10},
        NO_MORE,
        "Received: 120 smaller ones and no full one",
    ),
    "an iterator that ends with the full gradient": (
        lambda: [iter(batches_of(X, Y))],
        {},
        NO_MORE,
        "Received: 0 smaller ones and no full one",
    ),
    "no batch": (
        lambda: [iter([])],
        {},
        "`x` must give at least one batch.",
        "Received: none",
    ),
    "no finite gradient": (
        lambda: [X * np.nan, Y],
        {"batch_size": 8},
        "`x` must give a batch with a finite gradient.",
        "Received: 5 batches, none with one",
    ),
    # Each mini-batch is all of the data here, which rounding tells apart.
    "gradients that are all equal": (
        lambda: data(44),
        {"batch_size": 44, "num_samples": 20},
        "`x` must give mini-batches whose gradients differ",
        "batch_size=44",
    ),
    "arrays of different lengths": (
        lambda: [X, Y[1:]],
        {},
        "`x`, `y` and `sample_weight` must hold the same number of examples",
        "Received: shapes=[(40, 3), (39, 2)]",
    ),
}


@pytest.mark.parametrize(
    ("make", "options", "start", "end"),
    WITHOUT_SAMPLES.values(),
    ids=WITHOUT_SAMPLES,
)
def test_data_without_samples_are_refused(make, options, start, end):
    with refused(start, end):
        sample(linear_model(KERAS), *make(), **options)


def _frozen(front_end):
    model = linear_model(front_end)
    model.trainable = False
    return model


MODEL_ERRORS = {
    "nothing to train": (
        _frozen,
        "`model` must have trainable variables.",
        "Received: a model with none",
    ),
    "not compiled": (
        lambda front_end: linear_model(front_end, compiled=False),
        "`model` must be compiled, with the loss to take gradients of.",
        "which is not",
    ),
    "no model": (
        lambda front_end: "model.keras",
        "`model` must be a model of Keras 3 or tf_keras.",
        "Received: model='model.keras'",
    ),
}


@both_front_ends
@pytest.mark.parametrize(
    ("make", "start", "end"), MODEL_ERRORS.values(), ids=MODEL_ERRORS
)
def test_a_model_without_gradients_is_refused(front_end, make, start, end):
    with refused(start, end):
        sample(make(front_end), X, Y)


@both_front_ends
@pytest.mark.parametrize("loss", ["mse", ["mse"], {"linear": "mse"}])
def test_forgotten_targets_are_named(front_end, loss):
    model = linear_model(front_end, loss=loss)
    start = "`y` must be given, with a data set in each of its batches"
    for inputs in (X, [(X[:8],), (X[8:],)], iter([(X[:8], None)])):
        with refused(start, f"y=None, loss={model.loss!r}"):
            sample(model, inputs)


@both_front_ends
def test_targets_are_not_needed_by_a_loss_that_needs_none(front_end):
    """The model computes it itself."""
    layers, framework = front_end.framework.layers, front_end.framework

    class Own(framework.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x, training=False):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, *_, **__):
            return keras.ops.mean(y_pred**2)

    own = Own()
    own.compile("sgd", "mse")
    assert len(sample(own, X, batch_size=8, num_samples=9)) == 9


@pytest.mark.parametrize("name", ["y", "sample_weight", "batch_size"])
def test_a_data_set_holds_all_that_belongs_to_a_batch(name):
    start = f"`{name}` must be None if `x` is a data set"
    with refused(start, f"Received: {name}=3"):
        sample(linear_model(KERAS), batches_of(X, Y), **{name: 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_samples", 0),
        ("num_samples", 2.5),
        ("num_projections", -1),
        ("full_gradient_batches", 0),
        ("batch_size", 0),
        ("per_layer", 1),
        ("training", None),
        ("verbose", 2),
    ],
)
def test_arguments_are_checked(name, value):
    with refused(f"`{name}` must be", f"Received: {name}={value!r}"):
        sample(linear_model(KERAS), X, Y, **{name: value})


def test_a_report_says_what_it_could_not_estimate():
    report = noise.report(sample(linear_model(KERAS), X, Y, num_samples=30))
    assert report.verdict == "unknown" and report.tail_index is None
    assert set(report.suggestions) == {
        *("adaptive clipped", "adaptive", "quantile"),
    }
    assert "sample at least 50 mini-batches" in str(report)
    assert sum(text.startswith("No ") for text in report.caveats) == 5
    assert "there is no estimate" in str(report)
    assert report.summary()["stable_fit"] is None


def test_a_report_without_projections_does_without():
    options = {"num_samples": 60, "num_projections": 0}
    report = noise.report(sample(linear_model(KERAS), X, Y, **options))
    assert report.stable_index is None and report.kurtosis is None
    assert report.tail_index is not None


def test_a_loss_that_keras_has_not_is_keras_error():
    model = linear_model(KERAS, loss=None)
    with pytest.raises(ValueError, match="No loss to compute"):
        sample(model, X, Y)


def _check_replicas():
    from tests.support.programs.replicated import two_replicas

    strategy = two_replicas()
    one = models.dense_model(KERAS, keras.optimizers.SGD())
    with strategy.scope():
        both = models.dense_model(KERAS, keras.optimizers.SGD())
        old = models.dense_model(TF_KERAS, "sgd")
    options = {"batch_size": 4, "num_samples": 20}
    expected, actual = (
        sample(model, *models.data(), **options).noise_norms
        for model in (one, both)
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
    error = "`model` must run on one device", "with 2 replicas"
    with refused(*error):
        sample(old, *models.data(), **options)
    with strategy.scope(), refused(*error):
        sample(both, *models.data(), **options)


def test_models_of_several_replicas_are_sampled_on_one_or_refused():
    result_of(_check_replicas, backend="tensorflow")
