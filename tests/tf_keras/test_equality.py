"""The tf_keras front end steps as the Keras 3 one, to the bit."""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import both_kinds
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow
# A few steps cost less than a graph of them.
eagerly = pytest.mark.usefixtures("functions_run_eagerly")


@every_optimizer
def test_twenty_steps_equal_those_of_keras_3(enrolment):
    _assert_equal(enrolment, enrolment.variants[enrolment.few[-1]], count=20)


def _assert_equal(enrolment, arguments, count):
    """Compares the positions of so many steps."""
    paths = [
        positions(
            front_end,
            front_end.optimizer(enrolment.name, **arguments),
            parameters(),
            heavy_tailed_gradients(steps=count),
        )
        for front_end in (TF_KERAS, KERAS)
    ]
    assert all(same_bits(*xs) for xs in zip(*paths, strict=True))


@eagerly
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
@both_kinds
def test_keras_arguments_do_the_same(enrolment, arguments):
    arguments = {**enrolment.variants[enrolment.few[-1]], **arguments}
    _assert_equal(enrolment, arguments, count=5)


@eagerly
@both_kinds
def test_averages_overwrite_alike_after_a_first_overwrite(enrolment):
    """Before it they differ: tf_keras averages the initial variables too."""
    averages = {
        "use_ema": True,
        "ema_momentum": 0.0,
        "ema_overwrite_frequency": 3,
    }
    _assert_equal(enrolment, {"learning_rate": 0.125, **averages}, count=8)


@eagerly
@every_optimizer
def test_state_has_the_same_values(enrolment):
    """All but the learning rate, which tf_keras keeps outside of its state."""
    states = []
    for front_end in (TF_KERAS, KERAS):
        optimizer = front_end.optimizer(
            enrolment.name, learning_rate=0.125, monitor=True
        )
        gradients = heavy_tailed_gradients(steps=8)
        positions(front_end, optimizer, parameters(), gradients)
        without = ["_learning_rate"] if front_end is KERAS else []
        states.append(front_end.state(optimizer, without))
    assert len(states[0]) == len(states[1]) > 5
    for actual, expected in zip(*states, strict=True):
        np.testing.assert_array_equal(actual, expected)
