"""Sampling leaves a model, its seeds and its optimizer bitwise as they were."""

import random

import keras
import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import data
from tests.support.noise_problems import sample
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


def _model(front_end, *names):
    """Returns a model with layers that do otherwise in training."""
    framework = front_end.framework
    framework.utils.set_random_seed(0)
    layers = framework.layers
    otherwise = {"Dropout": (0.5,), "BatchNormalization": ()}
    model = framework.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(8, "tanh"),
            *(getattr(layers, name)(*otherwise[name]) for name in names),
            layers.Dense(2),
        ]
    )
    optimizer = front_end.optimizer("clip_adam", use_ema=True)
    model.compile(optimizer=optimizer, loss="mse", metrics=["mae"])
    return model


BOTH = ("Dropout", "BatchNormalization")


def _fit(model):
    model.fit(*data(40), batch_size=8, epochs=2, shuffle=False, verbose=0)


def _everything(front_end, model):
    weights = [np.array(value) for value in model.get_weights()]
    metrics = [np.array(v) for m in model.metrics for v in m.variables]
    seeds = []
    if front_end is KERAS:
        seeds = front_end.values(model.non_trainable_variables)
    # NumPy's and Python's own.
    generators = [np.random.get_state()[1], np.array(random.getstate()[1])]
    state = front_end.state(model.optimizer)
    return weights + metrics + seeds + generators + state


@both_front_ends
def test_sampling_changes_nothing(front_end):
    model = _model(front_end, *BOTH)
    _fit(model)
    before = _everything(front_end, model)
    sample(model, *data(40), batch_size=8, num_samples=20)
    assert same_bits(_everything(front_end, model), before)


def test_training_goes_on_as_without_sampling():
    """Dropout included; tf_keras draws its from TensorFlow's global state."""
    ends = []
    for samples in (0, 20):
        model = _model(KERAS, *BOTH)
        _fit(model)
        if samples:
            sample(model, *data(40), num_samples=samples)
        _fit(model)
        ends.append(model.get_weights())
    assert same_bits(*ends)


@both_front_ends
def test_a_failure_half_way_changes_nothing_either(front_end):
    model = _model(front_end, *BOTH)
    _fit(model)
    before = _everything(front_end, model)
    x, y = data(40)

    def batches():
        yield x[:8], y[:8]
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        sample(model, batches())
    assert same_bits(_everything(front_end, model), before)


@both_front_ends
@pytest.mark.parametrize(
    ("layer", "flag", "caveat"),
    [
        ("Dropout", "is_random", "dropout"),
        ("BatchNormalization", "is_batch_dependent", "Batch normalization"),
    ],
)
def test_what_differs_in_training_makes_the_full_gradient_an_estimate(
    front_end, layer, flag, caveat
):
    training, inference = (
        sample(
            _model(front_end, layer),
            *data(40),
            num_samples=20,
            training=training,
        )
        for training in (True, False)
    )
    assert getattr(training, flag) and not training.exact
    assert any(caveat in text for text in training.caveats)
    assert training.full_gradient_error > 0
    assert inference.exact and not inference.caveats


@both_front_ends
def test_sorted_arrays_are_mixed_before_batch_normalization(front_end):
    """Else it would see batches of one class, as it never does in training."""
    model = _model(front_end, "BatchNormalization")
    x, y = data(400)
    order = np.argsort(x[:, 0])
    losses = [
        sample(model, x, y, batch_size=8, num_samples=5, training=True).loss
        for x, y in ((x, y), (x[order], y[order]))
    ]
    np.testing.assert_allclose(*losses, rtol=0.02)


def test_dropout_draws_another_mask_for_each_batch():
    model = _model(KERAS, "Dropout")
    samples = sample(model, [data(8)], num_samples=1, full_gradient_batches=1)
    assert samples.noise_norms[0] > 0


def test_a_model_is_built_by_its_first_batch():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse")
    assert len(sample(model, *data(40), num_samples=5).paths) == 2
