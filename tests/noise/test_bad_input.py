"""Data that cannot be sampled are a clear error; a report says its limits."""

import itertools

import keras
import numpy as np
import pytest

from keras_clip import noise
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import norm
from tests.support.programs.launch import run_program

pytestmark = pytest.mark.slow


def _refused(start, end, model, *arguments, **options):
    with pytest.raises(ValueError) as error:
        noise.sample(model, *arguments, **{"verbose": 0, **options})
    message = str(error.value)
    assert message.startswith(start), message
    assert message.endswith(end), message


@both_front_ends
def test_mini_batches_that_are_not_finite_are_counted_and_left_out(front_end):
    x, y = data(40)
    x[8, 0], y[25, 1] = np.inf, np.nan
    samples = noise.sample(
        linear_model(front_end), batches_of(x, y), num_samples=5, verbose=0
    )
    good = np.r_[0:8, 16:24, 32:40]
    full = gradient(x[good], y[good])
    np.testing.assert_allclose(
        samples.full_gradient_norm, norm(full), rtol=1e-5
    )
    expected = [
        norm([a - b for a, b in zip(gradient(*batch), full, strict=True)])
        for batch in batches_of(x[good], y[good])
    ]
    np.testing.assert_allclose(samples.noise_norms, expected, rtol=1e-5)
    assert samples.num_nonfinite == samples.full_gradient_nonfinite == 2
    assert samples.full_gradient_batches == 3 and not samples.exact
    assert np.isfinite(samples.loss)
    assert [text[:2] for text in samples.caveats] == ["2 ", "2 "]


def test_a_data_set_that_ends_early_is_said_to():
    samples = noise.sample(
        linear_model(KERAS),
        batches_of(*data(40)),
        num_samples=100,
        verbose=0,
    )
    assert len(samples) == 5
    assert samples.caveats == (
        "The data set ended after 5 of 100 mini-batches.",
    )


def test_data_of_nothing_but_smaller_batches_end_too():
    x, y = data(9)
    batches = [(x[:5], y[:5]), (x[5:], y[5:])]
    stream = itertools.chain(batches, itertools.repeat(batches[1]))
    _refused(
        "`x` must give mini-batches after those of the full gradient.",
        "Received: 120 smaller ones and no full one",
        linear_model(KERAS),
        stream,
        num_samples=10,
        full_gradient_batches=1,
    )


def test_an_iterator_that_ends_with_the_full_gradient_is_refused():
    _refused(
        "`x` must give mini-batches after those of the full gradient.",
        "Received: 0 smaller ones and no full one",
        linear_model(KERAS),
        iter(batches_of(*data(40))),
        num_samples=5,
    )


def test_no_batch_is_refused():
    _refused(
        "`x` must give at least one batch.",
        "Received: none",
        linear_model(KERAS),
        iter([]),
    )


@both_front_ends
def test_a_model_with_nothing_to_train_is_refused(front_end):
    model = linear_model(front_end)
    model.trainable = False
    _refused(
        "`model` must have trainable variables.",
        "Received: a model with none",
        model,
        *data(),
    )


@both_front_ends
def test_a_model_that_is_not_compiled_is_refused(front_end):
    _refused(
        "`model` must be compiled, with the loss to take gradients of.",
        "which is not",
        linear_model(front_end, compiled=False),
        *data(),
    )


def test_what_is_no_model_is_refused():
    _refused(
        "`model` must be a model of Keras 3 or tf_keras.",
        "Received: model='model.keras'",
        "model.keras",
        *data(),
    )


@both_front_ends
def test_gradients_that_are_all_equal_are_refused(front_end):
    """Each mini-batch is all of the data here, which rounding tells apart."""
    _refused(
        "`x` must give mini-batches whose gradients differ",
        "batch_size=44",
        linear_model(front_end),
        *data(44),
        batch_size=44,
    )


def test_data_without_a_finite_gradient_are_refused():
    x, y = data(40)
    _refused(
        "`x` must give a batch with a finite gradient.",
        "Received: 5 batches, none with one",
        linear_model(KERAS),
        x * np.nan,
        y,
        batch_size=8,
    )


@both_front_ends
@pytest.mark.parametrize("loss", ["mse", ["mse"], {"linear": "mse"}])
def test_forgotten_targets_are_named(front_end, loss):
    model = linear_model(front_end, loss=loss)
    x, _ = data(40)
    for inputs in (x, [(x[:8],), (x[8:],)], iter([(x[:8], None)])):
        _refused(
            "`y` must be given, with a data set in each of its batches",
            f"y=None, loss={model.loss!r}",
            model,
            inputs,
        )


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
    x, _ = data(40)
    samples = noise.sample(own, x, batch_size=8, num_samples=9, verbose=0)
    assert len(samples) == 9


def test_arrays_of_different_lengths_are_refused():
    x, y = data(40)
    _refused(
        "`x`, `y` and `sample_weight` must hold the same number of examples",
        "Received: shapes=[(40, 3), (39, 2)]",
        linear_model(KERAS),
        x,
        y[1:],
    )


@pytest.mark.parametrize("name", ["y", "sample_weight", "batch_size"])
def test_a_data_set_holds_all_that_belongs_to_a_batch(name):
    _refused(
        f"`{name}` must be None if `x` is a data set",
        f"Received: {name}=3",
        linear_model(KERAS),
        batches_of(*data()),
        **{name: 3},
    )


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
    _refused(
        f"`{name}` must be",
        f"Received: {name}={value!r}",
        linear_model(KERAS),
        *data(),
        **{name: value},
    )


def test_a_report_says_what_it_could_not_estimate():
    samples = noise.sample(
        linear_model(KERAS), *data(), num_samples=30, verbose=0
    )
    report = noise.report(samples)
    assert report.verdict == "unknown" and report.tail_index is None
    assert set(report.suggestions) == {
        *("adaptive clipped", "adaptive", "quantile"),
    }
    assert "sample at least 50 mini-batches" in str(report)
    assert sum(text.startswith("No ") for text in report.caveats) == 5
    assert "there is no estimate" in str(report)
    assert report.summary()["stable_fit"] is None


def test_a_report_without_projections_does_without():
    samples = noise.sample(
        linear_model(KERAS), *data(), num_projections=0, verbose=0
    )
    report = noise.report(samples)
    assert report.stable_index is None and report.kurtosis is None
    assert report.tail_index is not None


@pytest.mark.parametrize("confidence", [0, 1, "high"])
def test_confidence_is_checked(confidence):
    samples = noise.sample(
        linear_model(KERAS), *data(), num_samples=60, verbose=0
    )
    with pytest.raises(ValueError, match="`confidence` must be a number in"):
        noise.report(samples, confidence=confidence)


def test_a_loss_that_keras_has_not_is_keras_error():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer="sgd")
    with pytest.raises(ValueError, match="No loss to compute"):
        noise.sample(model, *data(), verbose=0)


def test_models_of_several_replicas_are_sampled_on_one_or_refused():
    printed = run_program("noise_replicas", backend="tensorflow")
    difference, old, scope = printed.splitlines()
    assert float(difference) < 1e-5
    for message in (old, scope):
        assert message.startswith("`model` must run on one device")
        assert message.endswith("with 2 replicas")
