"""Sampling leaves a model, its seeds and its optimizer bitwise as they were."""

import keras
import numpy as np
import pytest

from keras_clip import noise
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import data
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


def _model(front_end, dropout=True, normalization=True):
    """A model of all that changes when it runs as in training."""
    framework = front_end.framework
    framework.utils.set_random_seed(0)
    layers = framework.layers
    model = framework.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(8, "tanh"),
            *([layers.Dropout(0.5)] if dropout else []),
            *([layers.BatchNormalization()] if normalization else []),
            layers.Dense(2),
        ]
    )
    optimizer = front_end.optimizer("clip_adam", use_ema=True)
    model.compile(optimizer=optimizer, loss="mse", metrics=["mae"])
    return model


def _fit(model):
    model.fit(*data(40), batch_size=8, epochs=2, shuffle=False, verbose=0)


def _everything(front_end, model):
    weights = [np.array(value) for value in model.get_weights()]
    metrics = [np.array(v) for m in model.metrics for v in m.variables]
    seeds = []
    if front_end is KERAS:
        seeds = front_end.values(model.non_trainable_variables)
    return weights + metrics + seeds + front_end.state(model.optimizer)


@both_front_ends
def test_sampling_changes_nothing(front_end):
    model = _model(front_end)
    _fit(model)
    before = _everything(front_end, model)
    noise.sample(model, *data(40), batch_size=8, num_samples=20, verbose=0)
    assert same_bits(_everything(front_end, model), before)


def test_training_goes_on_as_without_sampling():
    """Dropout included; tf_keras draws its from TensorFlow's global state."""
    ends = []
    for samples in (0, 20):
        model = _model(KERAS)
        _fit(model)
        if samples:
            noise.sample(model, *data(40), num_samples=samples, verbose=0)
        _fit(model)
        ends.append(model.get_weights())
    assert same_bits(*ends)


@both_front_ends
def test_a_failure_half_way_changes_nothing_either(front_end):
    model = _model(front_end)
    _fit(model)
    before = _everything(front_end, model)
    x, y = data(40)

    def batches():
        yield x[:8], y[:8]
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        noise.sample(model, batches(), verbose=0)
    assert same_bits(_everything(front_end, model), before)


@both_front_ends
def test_random_number_generators_of_numpy_and_python_are_left_alone(front_end):
    import random

    model = _model(front_end)
    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), np.random.get_state()[1].copy()
    noise.sample(model, *data(40), num_samples=5, verbose=0)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


@both_front_ends
def test_dropout_makes_the_full_gradient_an_estimate_in_training(front_end):
    model = _model(front_end, normalization=False)
    training, inference = (
        noise.sample(
            model, *data(40), num_samples=20, training=training, verbose=0
        )
        for training in (True, False)
    )
    assert training.is_random and not training.exact
    assert any("dropout" in text for text in training.caveats)
    assert training.full_gradient_error > 0
    assert inference.exact and not inference.caveats


@both_front_ends
def test_batch_normalization_makes_it_an_estimate_in_training(front_end):
    model = _model(front_end, dropout=False)
    training, inference = (
        noise.sample(
            model, *data(40), num_samples=20, training=training, verbose=0
        )
        for training in (True, False)
    )
    assert training.is_batch_dependent and not training.exact
    assert any("Batch normalization" in text for text in training.caveats)
    assert inference.exact and not inference.caveats


@both_front_ends
def test_sorted_arrays_are_mixed_before_batch_normalization(front_end):
    """Else it would see batches of one class, as it never does in training."""
    model = _model(front_end, dropout=False)
    x, y = data(400)
    order = np.argsort(x[:, 0])
    losses = [
        noise.sample(
            model, x, y, batch_size=8, num_samples=5, training=True, verbose=0
        ).loss
        for x, y in ((x, y), (x[order], y[order]))
    ]
    np.testing.assert_allclose(*losses, rtol=0.02)


def test_dropout_draws_another_mask_for_each_batch():
    model = _model(KERAS, normalization=False)
    x, y = data(8)
    samples = noise.sample(
        model, [(x, y)] * 1, num_samples=1, full_gradient_batches=1, verbose=0
    )
    assert samples.noise_norms[0] > 0


def test_a_model_is_built_by_its_first_batch():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse")
    samples = noise.sample(model, *data(40), num_samples=5, verbose=0)
    assert len(samples.paths) == 2
