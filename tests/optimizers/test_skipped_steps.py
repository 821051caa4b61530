"""What goes on around a step that is skipped: counters, averages, the rest."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.bad_gradients import GOOD
from tests.support.bad_gradients import NOT_SLOTS
from tests.support.bad_gradients import everywhere
from tests.support.bad_gradients import mixed
from tests.support.bad_gradients import one_coordinate
from tests.support.bad_gradients import spoiled
from tests.support.bad_gradients import steps_of
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.trajectories import same_bits


@every_optimizer
@both_front_ends
def test_skipped_steps_are_counted_when_monitored(front_end, enrolment):
    optimizer, variables = steps_of(
        front_end, enrolment.name, {}, GOOD[:1], monitor=True
    )
    assert int(optimizer.skipped_steps) == 0
    for count, where in enumerate((one_coordinate, everywhere, mixed), start=1):
        front_end.apply(optimizer, spoiled(where, np.nan), variables)
        front_end.apply(optimizer, GOOD[0], variables)
        assert int(optimizer.skipped_steps) == count


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({"global_clipnorm": 1.0}, 1),
        ({"global_clipnorm": 1.0, "nonfinite": "propagate"}, 0),
        ({"monitor": True, "nonfinite": "propagate"}, 0),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
@every_optimizer
@both_front_ends
def test_step_is_counted_as_skipped_only_if_it_is(
    front_end, enrolment, arguments, count
):
    """With a global norm, that costs nothing and needs no monitor."""
    gradients = [GOOD[0], spoiled(one_coordinate, np.inf)]
    optimizer, _ = steps_of(front_end, enrolment.name, arguments, gradients)
    assert int(optimizer.skipped_steps) == count


@pytest.mark.parametrize("jit_compile", [None, False, True])
@every_optimizer
@both_front_ends
def test_step_that_the_global_norm_skips_leaves_averages_alone(
    front_end, enrolment, jit_compile
):
    """In eager mode, in a graph, and in a compiled graph."""
    optimizer, variables = steps_of(
        front_end,
        enrolment.name,
        {
            "global_clipnorm": 1.0,
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 4,
        },
        GOOD[:3],
    )

    def step(gradients):
        front_end.apply(optimizer, gradients, variables)

    if jit_compile is not None:
        step = tf.function(step, jit_compile=jit_compile)
    x = front_end.values(variables)
    before = front_end.state(optimizer, without=NOT_SLOTS)
    bad = spoiled(one_coordinate, np.nan)
    step([front_end.tensor(g) for g in bad])
    assert same_bits(front_end.values(variables), x)
    assert same_bits(front_end.state(optimizer, without=NOT_SLOTS), before)


@every_optimizer
@both_front_ends
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


@every_optimizer
@both_front_ends
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


@every_optimizer
def test_bad_micro_batch_stops_its_update_only(enrolment):
    """Gradient accumulation: the next update's micro-batches are all good."""
    optimizer, variables = steps_of(
        KERAS, enrolment.name, {}, GOOD[:2], gradient_accumulation_steps=2
    )
    before = KERAS.values(variables)
    for gradients in (spoiled(everywhere, np.inf), GOOD[0]):
        KERAS.apply(optimizer, gradients, variables)
    assert same_bits(KERAS.values(variables), before)
    for gradients in GOOD[:2]:
        KERAS.apply(optimizer, gradients, variables)
    assert all(
        np.all((a != b) & np.isfinite(a))
        for a, b in zip(KERAS.values(variables), before, strict=True)
    )
