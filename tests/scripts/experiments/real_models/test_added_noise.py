"""The added noise is symmetric and heavy-tailed, in a random direction."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.real_models import added_noise


def noise_of(seed, steps=1, scale=1.0, shapes=((3,), (2, 2))):
    """Returns what is added to gradients of zero, by the steps of SGD."""
    cls = added_noise.with_noise(keras.optimizers.SGD, scale, seed)
    keras.utils.set_random_seed(seed)
    variables = [keras.Variable(np.zeros(shape)) for shape in shapes]
    optimizer = cls(1.0)
    found = []
    for _ in range(steps):
        before = [v.numpy() for v in variables]
        optimizer.apply([np.zeros(s, "float32") for s in shapes], variables)
        found.append(
            np.concatenate(
                [
                    (b - v.numpy()).ravel()
                    for b, v in zip(before, variables, strict=True)
                ]
            )
        )
    return np.array(found)


def test_the_length_has_the_law_of_the_quadratic():
    rng = np.random.default_rng(0)
    noise = np.array([added_noise._noise(rng) for _ in range(40_000)])
    for bound in (0.5, 1.0, 10.0, 100.0):
        share = np.mean(np.abs(noise) > bound)
        assert share == pytest.approx((1 + bound) ** -1.5, rel=0.2)
    assert np.mean(noise > 0) == pytest.approx(0.5, abs=0.02)


def test_the_direction_is_random_and_the_scale_is_the_length():
    once, again, twice = noise_of(1, 20), noise_of(1, 20), noise_of(1, 20, 2.0)
    assert np.array_equal(once, again)
    assert np.allclose(twice, 2 * once, rtol=1e-4)
    assert not np.allclose(once, noise_of(2, 20))
    directions = once / np.linalg.norm(once, axis=1, keepdims=True)
    assert np.linalg.norm(directions.mean(axis=0)) < 0.6
    rng = np.random.default_rng([1, 2])
    lengths = [abs(added_noise._noise(rng)) for _ in range(20)]
    assert np.allclose(np.linalg.norm(once, axis=1), lengths, rtol=1e-3)


def test_a_traced_step_draws_other_noise_each_time():
    tf.config.run_functions_eagerly(False)
    cls = added_noise.with_noise(keras.optimizers.SGD, 1.0, 1)
    variable = keras.Variable(np.zeros(4))
    optimizer = cls(1.0)
    optimizer.build([variable])
    step = tf.function(lambda g: optimizer.apply([g], [variable]))
    found = [np.zeros(4)]
    for _ in range(6):
        step(tf.zeros(4))
        found.append(variable.numpy())
    moves = np.diff(found, axis=0)
    rng = np.random.default_rng([1, 2])
    lengths = [abs(added_noise._noise(rng)) for _ in range(6)]
    assert np.allclose(np.linalg.norm(moves, axis=1), lengths, rtol=1e-3)
    tf.config.run_functions_eagerly(True)
