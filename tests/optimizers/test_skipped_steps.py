"""A front end leaves averages and constraints alone in a skipped step."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.support.bad_gradients import GOOD
from tests.support.bad_gradients import NOT_SLOTS
from tests.support.bad_gradients import everywhere
from tests.support.bad_gradients import one_coordinate
from tests.support.bad_gradients import spoiled
from tests.support.bad_gradients import steps_of
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits


def _assert_averages_are_left_alone(front_end, enrolment, in_mode):
    """Compares all before and after a step that `in_mode` made another of."""
    arguments = {"global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5}
    arguments["ema_overwrite_frequency"] = 4
    optimizer, variables = steps_of(
        front_end, enrolment.name, arguments, GOOD[:3]
    )

    def step(gradients):
        front_end.apply(optimizer, gradients, variables)

    x = front_end.values(variables)
    before = front_end.state(optimizer, without=NOT_SLOTS)
    bad = spoiled(one_coordinate, np.nan)
    in_mode(step)([front_end.tensor(g) for g in bad])
    assert same_bits(front_end.values(variables), x)
    assert same_bits(front_end.state(optimizer, without=NOT_SLOTS), before)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_step_that_the_global_norm_skips_leaves_averages_alone(
    front_end, enrolment
):
    _assert_averages_are_left_alone(front_end, enrolment, lambda step: step)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
@both_kinds
@both_front_ends
def test_skipped_step_leaves_averages_alone_in_a_graph(
    front_end, enrolment, jit_compile
):
    in_mode = functools.partial(tf.function, jit_compile=jit_compile)
    _assert_averages_are_left_alone(front_end, enrolment, in_mode)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_averages_start_at_the_variables_though_the_first_step_is_skipped(
    front_end, enrolment
):
    arguments = {"global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5}
    optimizer, variables = steps_of(
        front_end, enrolment.name, arguments, [spoiled(everywhere, np.inf)]
    )
    path = [front_end.values(variables)]
    for gradients in GOOD[:2]:
        front_end.apply(optimizer, gradients, variables)
        path.append(front_end.values(variables))
    if front_end is KERAS:
        expected = [(a + b) / 2 for a, b in zip(*path[1:], strict=True)]
    else:
        expected = [(a + b + 2 * c) / 4 for a, b, c in zip(*path, strict=True)]
    optimizer.finalize_variable_values(variables)
    for actual, value in zip(
        front_end.values(variables), expected, strict=True
    ):
        np.testing.assert_allclose(actual, value, rtol=1e-6)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_step_that_the_global_norm_skips_applies_no_constraint(
    front_end, enrolment
):
    """A loaded weight may break its constraint until it is stepped."""
    layer = front_end.framework.layers.Dense(
        3, use_bias=False, kernel_constraint="non_neg"
    )
    layer.build((None, 4))
    layer.kernel.assign(-np.ones((4, 3)))
    optimizer = front_end.optimizer(enrolment.name, global_clipnorm=1.0)
    front_end.apply(optimizer, [np.full((4, 3), np.nan)], [layer.kernel])
    assert np.all(front_end.value(layer.kernel) == -1)
