"""Skipped steps are counted, and stop nothing but themselves."""

import numpy as np
import pytest

from tests.support.bad_gradients import GOOD
from tests.support.bad_gradients import everywhere
from tests.support.bad_gradients import mixed
from tests.support.bad_gradients import one_coordinate
from tests.support.bad_gradients import spoiled
from tests.support.bad_gradients import steps_of
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.trajectories import same_bits


@every_optimizer
def test_skipped_steps_are_counted_when_monitored(enrolment):
    optimizer, variables = steps_of(
        KERAS, enrolment.name, {"monitor": True}, GOOD[:1]
    )
    assert int(optimizer.skipped_steps) == 0
    for count, where in enumerate((one_coordinate, everywhere, mixed), start=1):
        KERAS.apply(optimizer, spoiled(where, np.nan), variables)
        KERAS.apply(optimizer, GOOD[0], variables)
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
def test_step_is_counted_as_skipped_only_if_it_is(enrolment, arguments, count):
    """With a global norm, that costs nothing and needs no monitor."""
    gradients = [GOOD[0], spoiled(one_coordinate, np.inf)]
    optimizer, _ = steps_of(KERAS, enrolment.name, arguments, gradients)
    assert int(optimizer.skipped_steps) == count


@every_optimizer
def test_bad_micro_batch_stops_its_update_only(enrolment):
    """Gradient accumulation: the next update's micro-batches are all good."""
    optimizer, variables = steps_of(
        KERAS, enrolment.name, {"gradient_accumulation_steps": 2}, GOOD[:2]
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
