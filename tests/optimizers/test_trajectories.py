"""Twenty steps are the ones that the papers' equations give."""

import pytest

from tests.enrolment import every_variant
from tests.front_ends import KERAS
from tests.gradients import heavy_tailed_gradients
from tests.gradients import parameters
from tests.trajectories import assert_close
from tests.trajectories import heavy_tailed_run
from tests.trajectories import oracle_positions


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
