"""Twenty steps are the ones that the papers' equations give."""

import numpy as np
import pytest

from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close
from tests.support.trajectories import heavy_tailed_run
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every_variant
def test_twenty_steps_are_those_of_the_oracle(enrolment, variant, dtype):
    actual = heavy_tailed_run(KERAS, enrolment.name, variant, dtype)
    expected = oracle_positions(
        enrolment,
        enrolment.variants[variant],
        parameters(),
        heavy_tailed_gradients(),
    )
    assert_close(actual, expected, dtype)


@few_variants
def test_steps_around_zero_gradients_are_those_of_the_oracle(
    enrolment, variant
):
    """Accumulators that start at a gradient start at one that is not zero."""
    arguments = enrolment.variants[variant]
    gradients = heavy_tailed_gradients(steps=8)
    for step in (0, 1, 5):
        gradients[step] = [np.zeros_like(g) for g in gradients[step]]
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    actual = positions(KERAS, optimizer, parameters(), gradients, "float64")
    expected = oracle_positions(enrolment, arguments, parameters(), gradients)
    assert_close(actual, expected, "float64")
