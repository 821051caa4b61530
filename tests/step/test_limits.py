"""With some hyperparameters an optimizer is one that is known already."""

import keras
import numpy as np
import pytest

from tests.support.enrolment import every_limit
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close
from tests.support.trajectories import positions


@every_limit
def test_limit_moves_as_the_known_optimizer(enrolment, limit):
    optimizer = KERAS.optimizer(enrolment.name, **limit.arguments)
    reference = limit.reference(parameters())
    gradients = limit.gradients()
    actual = positions(KERAS, optimizer, parameters(), gradients, "float64")
    expected = [parameters()]
    for gradient in gradients:
        expected.append(reference.step(gradient))

    first = limit.first_step
    offsets = [
        a - e for a, e in zip(actual[first], expected[first], strict=True)
    ]
    expected = [
        [x + offset for x, offset in zip(xs, offsets, strict=True)]
        for xs in expected[first:]
    ]
    assert_close(actual[first:], expected, "float64")


def _tiny_gradients():
    """Returns gradients of at most 1e-5, where the places of epsilon part."""
    return [
        [np.asarray(1e-5 * np.tanh(g)) for g in gradients]
        for gradients in heavy_tailed_gradients()
    ]


ADAM = {"beta_1": 0.875, "beta_2": 0.984375}


@pytest.mark.parametrize(
    ("name", "make", "arguments"),
    [
        ("clip_adam", keras.optimizers.Adam, ADAM),
        ("clip_adam", keras.optimizers.Adam, {**ADAM, "epsilon": 2.0**-10}),
        ("clip_adagrad", keras.optimizers.Adagrad, {}),
        (
            "clip_adagrad",
            keras.optimizers.Adagrad,
            {"initial_accumulator_value": 0.0},
        ),
        ("gclip", keras.optimizers.SGD, {"momentum": 0.875}),
        ("cclip", keras.optimizers.SGD, {"momentum": 0.875}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
@pytest.mark.parametrize(
    "make_gradients", [heavy_tailed_gradients, _tiny_gradients]
)
def test_unclipped_optimizer_is_that_of_keras(
    name, make, arguments, make_gradients
):
    """To the float32 in which Keras keeps epsilon; the betas are exact."""
    arguments = {"learning_rate": 0.03125, **arguments}
    actual, expected = (
        positions(KERAS, optimizer, parameters(), make_gradients(), "float64")
        for optimizer in (
            KERAS.optimizer(name, clip_threshold=None, **arguments),
            make(**arguments),
        )
    )
    assert_close(actual, expected, "float64", relative=2e-7)


def test_rmsprop_is_within_a_factor_of_two_of_clipped_descent():
    """Its learning rate and threshold follow the second moment before.

    With A the root of what decays of it and B that of what is new, the step
    is divided by `ε + √(A² + B²)`, and that of the clipped one by the larger
    of `ε + A` and B.
    """
    rate, beta, epsilon = 0.0625, 0.75, 0.25
    optimizer = KERAS.optimizer("cclip", learning_rate=1.0, clip_threshold=1.0)
    variables = KERAS.variables([np.zeros(())], "float64")
    # At the first of them A is zero and B is ε, and the factor is two.
    gradients = [2 * epsilon, *(float(g[2]) for g in heavy_tailed_gradients())]
    v = 0.0
    ratios = []
    for g in gradients:
        before = KERAS.value(variables[0])
        decayed = epsilon + np.sqrt(beta * v)
        optimizer.learning_rate = rate / decayed
        optimizer.clip_threshold = float(decayed / np.sqrt(1 - beta))
        KERAS.apply(optimizer, [np.array(g)], variables)
        v = beta * v + (1 - beta) * g**2
        rmsprop = rate * g / (epsilon + np.sqrt(v))
        ratios.append(rmsprop / (before - KERAS.value(variables[0])))
    assert 0.5 - 1e-6 < min(ratios) < 0.5 + 1e-6
    assert 0.9 < max(ratios) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("step_scaling", "expected"),
    [
        (None, 0.01 * 8.0),
        ("rms", 0.01 / np.sqrt(0.99 * 0.01)),
        ("threshold", 1.0),
    ],
)
def test_first_uncorrected_step_of_acclip_has_the_size_of_its_scaling(
    step_scaling, expected
):
    """A gradient of 8, alpha 1: τ is 0.08, below the momentum of 0.8."""
    optimizer = KERAS.optimizer(
        "acclip",
        learning_rate=1.0,
        step_scaling=step_scaling,
        epsilon=1e-12,
        weight_decay=None,
    )
    x = [np.zeros(2)]
    gradients = [[np.array([8.0, -8.0])]]
    path = positions(KERAS, optimizer, x, gradients, "float64")
    np.testing.assert_allclose(path[1][0], [-expected, expected], rtol=1e-9)
