"""Samples are those of the gradients, whatever gives the batches."""

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
from tests.support.noise_problems import layer_norms
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import norm
from tests.support.noise_problems import sample
from tests.support.programs import noise as program
from tests.support.programs.launch import result_of

pytestmark = pytest.mark.slow


@both_front_ends
def test_norms_are_those_of_the_gradients_in_numpy(front_end):
    x, y = data()
    batches = batches_of(x, y)
    samples = sample(
        linear_model(front_end), batches, num_samples=5, per_layer=True
    )
    full = gradient(x, y)
    layers = layer_norms(batches[:5], full), layer_norms(batches[:5])
    for name, expected in {
        "layer_noise_norms": layers[0],
        "layer_gradient_norms": layers[1],
        "noise_norms": np.linalg.norm(layers[0], axis=1),
        "gradient_norms": np.linalg.norm(layers[1], axis=1),
        "full_gradient_norm": norm(full),
    }.items():
        actual = getattr(samples, name)
        np.testing.assert_allclose(actual, expected, 1e-5, 1e-6, err_msg=name)
    assert [path.split("/")[-2:] for path in samples.paths] == [
        ["linear", "kernel"],
        ["linear", "bias"],
    ]


@both_front_ends
def test_smaller_batches_count_by_their_size_and_are_no_samples(front_end):
    x, y = data(44)  # the last of the batches has 4
    samples = sample(linear_model(front_end), batches_of(x, y), num_samples=9)
    assert samples.exact and samples.full_gradient_error == 0
    assert samples.full_gradient_batches == 6
    np.testing.assert_allclose(
        samples.full_gradient_norm, norm(gradient(x, y)), rtol=1e-5
    )
    assert len(samples) == 5 and samples.num_partial == 1


def test_loss_is_that_of_all_examples():
    x, y = data(44)
    model = linear_model(KERAS)
    samples = sample(model, batches_of(x, y), num_samples=2)
    expected = np.mean(np.square(model.predict(x, verbose=0) - y))
    np.testing.assert_allclose(samples.loss, expected, rtol=1e-5)


@both_front_ends
def test_projections_are_on_unit_vectors(front_end):
    """With one parameter, a projection is the noise or its opposite."""
    framework = front_end.framework
    layers = framework.layers
    model = framework.Sequential(
        [layers.Input((1,)), layers.Dense(1, use_bias=False)]
    )
    model.compile(optimizer="sgd", loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 1)), rng.normal(size=(64, 1))
    options = {"batch_size": 4, "num_samples": 64, "num_projections": 3}
    samples = sample(model, x, y, **options)
    assert samples.projections.shape == (64, 3)
    np.testing.assert_allclose(
        np.abs(samples.projections),
        np.tile(samples.noise_norms[:, None], 3),
        rtol=1e-5,
    )
    # They are centred: the full gradient is the mean over an epoch.
    means = samples.projections[:16].mean(axis=0)
    np.testing.assert_allclose(means, 0, atol=1e-6)


def test_projections_of_many_coordinates_are_as_large_as_noise_over_root_d():
    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [keras.layers.Input((400,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.compile(optimizer="sgd", loss="mse")
    x, y = rng.normal(size=(512, 400)), rng.normal(size=(512, 1))
    samples = sample(model, x, y, batch_size=1, num_projections=6)
    ratio = np.mean(np.square(samples.projections)) / np.mean(
        np.square(samples.noise_norms)
    )
    np.testing.assert_allclose(ratio, 1 / 400, rtol=0.1)


@both_front_ends
def test_the_seed_decides_the_samples(front_end):
    model, (x, y) = linear_model(front_end), data(200)
    runs = [
        sample(model, x, y, batch_size=4, num_samples=60, seed=seed)
        for seed in (1, 1, 2)
    ]
    for name in ("noise_norms", "gradient_norms", "projections"):
        first, again, other = (getattr(run, name) for run in runs)
        np.testing.assert_array_equal(first, again)
        assert not np.any(first == other)


def test_arrays_give_random_full_batches_each_epoch_anew():
    """Their noise adds up to zero over an epoch without a partial batch."""
    x, y = data(40)
    samples = sample(linear_model(KERAS), x, y, batch_size=8, num_samples=20)
    assert len(samples) == 20 and samples.num_partial == 0
    epochs = samples.projections.reshape(4, 5, -1)
    np.testing.assert_allclose(epochs.sum(axis=1), 0, atol=1e-5)
    assert len(np.unique(samples.noise_norms)) == 20


@both_front_ends
def test_regularization_is_part_of_the_gradient(front_end):
    framework = front_end.framework
    layers = framework.layers
    model = framework.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(2, kernel_regularizer=framework.regularizers.L2(0.5)),
        ]
    )
    model.set_weights(linear_model(front_end).get_weights())
    model.compile(optimizer="sgd", loss="mse")
    x, y = data(40)
    samples = sample(model, batches_of(x, y))
    kernel, bias = gradient(x, y)
    np.testing.assert_allclose(
        samples.full_gradient_norm,
        norm([kernel + model.get_weights()[0], bias]),
        rtol=1e-5,
    )


def test_inputs_alone_are_enough_for_a_model_that_adds_its_own_loss():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            self.add_loss(keras.ops.mean(y**2))
            return y

    model = Own()
    model.compile(optimizer="sgd")
    samples = sample(model, data()[0], batch_size=4, num_samples=7)
    assert len(samples) == 7
    assert len(samples.paths) == 2


@both_front_ends
def test_duplicate_rows_of_an_embedding_are_summed(front_end):
    framework = front_end.framework
    layers = framework.layers
    model = framework.Sequential(
        [
            layers.Input((2,), dtype="int32"),
            layers.Embedding(3, 1),
            layers.Flatten(),
        ]
    )
    model.set_weights([np.array([[1.0], [2.0], [4.0]])])
    model.compile(optimizer="sgd", loss="mse")
    ids = np.array([[0, 0], [1, 2]], "int32")
    samples = sample(
        model, [(ids[:1], np.zeros((1, 2))), (ids[1:], np.zeros((1, 2)))]
    )
    gradients = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 4.0]])
    deviations = gradients - gradients.mean(axis=0)
    np.testing.assert_allclose(
        samples.noise_norms, np.linalg.norm(deviations, axis=1), rtol=1e-6
    )


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(loss_scale_factor=512.0),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
    ],
)
def test_the_scale_of_the_loss_is_taken_out(optimizer):
    x, y = data(40)
    plain, scaled = (
        sample(linear_model(KERAS, optimizer=o), batches_of(x, y))
        for o in ("sgd", optimizer())
    )
    np.testing.assert_allclose(scaled.noise_norms, plain.noise_norms, rtol=1e-6)
    np.testing.assert_allclose(scaled.loss, plain.loss, rtol=1e-6)


@both_front_ends
def test_eager_compiled_and_graph_mode_give_the_same_samples(front_end):
    batches = batches_of(*data(40))
    expected, eager, compiled = (
        sample(linear_model(front_end, **mode), batches).noise_norms
        for mode in ({}, {"run_eagerly": True}, {"jit_compile": True})
    )
    np.testing.assert_allclose(eager, expected, rtol=1e-5)
    np.testing.assert_allclose(compiled, expected, rtol=1e-5)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_samples_on_other_backends_are_those_on_tensorflow(backend):
    actual, expected = (
        result_of(program.samples, backend=backend),
        program.samples(),
    )
    assert actual.paths[0].endswith("kernel") and len(actual.paths) == 4
    for name in ("noise_norms", "gradient_norms", "layer_noise_norms"):
        np.testing.assert_allclose(
            getattr(actual, name), getattr(expected, name), rtol=2e-5
        )
    np.testing.assert_allclose(
        actual.projections, expected.projections, rtol=1e-3, atol=1e-5
    )
    assert actual.caveats == expected.caveats


def test_samples_are_saved_and_loaded(tmp_path):
    samples = sample(
        linear_model(KERAS), *data(), num_samples=20, per_layer=True
    )
    samples.save(tmp_path / "samples.json")
    loaded = noise.NoiseSamples.load(tmp_path / "samples.json")
    for name in vars(samples):
        value, other = getattr(samples, name), getattr(loaded, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(other, value, rtol=1e-5)
        else:
            assert other == value


def test_memory_does_not_hold_the_gradients(monkeypatch):
    """One row of norms a mini-batch comes from the device."""
    seen = []
    original = keras.ops.convert_to_numpy

    def spy(value):
        seen.append(tuple(value.shape))
        return original(value)

    monkeypatch.setattr(keras.ops, "convert_to_numpy", spy)
    sample(linear_model(KERAS), *data(), num_samples=30, num_projections=2)
    assert set(itertools.islice(seen, 30)) == {(6,)}
