"""The tf_keras front end steps as the Keras 3 one, to the bit."""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import heavy_tailed_run
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits


@every_variant
def test_twenty_steps_equal_those_of_keras_3(enrolment, variant):
    actual, expected = (
        heavy_tailed_run(front_end, enrolment.name, variant, "float32")
        for front_end in (TF_KERAS, KERAS)
    )
    assert len(actual) == 21
    assert all(same_bits(*xs) for xs in zip(actual, expected, strict=True))


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 0.5},
        {"clipvalue": 0.5},
        {"global_clipnorm": 0.5},
        {"global_clipnorm": 0.5, "monitor": True},
        {"use_ema": True, "ema_momentum": 0.5},
    ],
    ids=lambda arguments: ",".join(arguments),
)
@few_variants
def test_keras_arguments_do_the_same(enrolment, variant, arguments):
    arguments = {**enrolment.variants[variant], **arguments}
    paths = [
        positions(
            front_end,
            front_end.optimizer(enrolment.name, **arguments),
            parameters(),
            heavy_tailed_gradients(),
        )
        for front_end in (TF_KERAS, KERAS)
    ]
    assert all(same_bits(*xs) for xs in zip(*paths, strict=True))


@every_optimizer
def test_averages_overwrite_alike_after_a_first_overwrite(enrolment):
    """Before it they differ: tf_keras averages the initial variables too."""
    paths = []
    for front_end in (TF_KERAS, KERAS):
        optimizer = front_end.optimizer(
            enrolment.name,
            learning_rate=0.125,
            use_ema=True,
            ema_momentum=0.0,
            ema_overwrite_frequency=3,
        )
        gradients = heavy_tailed_gradients()
        paths.append(positions(front_end, optimizer, parameters(), gradients))
    assert all(same_bits(*xs) for xs in zip(*paths, strict=True))


@every_optimizer
def test_state_has_the_same_values(enrolment):
    """All but the learning rate, which tf_keras keeps outside of its state."""
    states = []
    for front_end in (TF_KERAS, KERAS):
        optimizer = front_end.optimizer(
            enrolment.name, learning_rate=0.125, monitor=True
        )
        positions(front_end, optimizer, parameters(), heavy_tailed_gradients())
        without = ["_learning_rate"] if front_end is KERAS else []
        states.append(front_end.state(optimizer, without))
    assert len(states[0]) == len(states[1]) > 5
    for actual, expected in zip(*states, strict=True):
        np.testing.assert_array_equal(actual, expected)
