"""Twenty steps are the ones that the papers' equations give."""

import numpy as np
import pytest

from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.trajectories import assert_moves_as_the_oracle


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every_variant
def test_twenty_steps_are_those_of_the_oracle(enrolment, variant, dtype):
    arguments, gradients = enrolment.variants[variant], heavy_tailed_gradients()
    assert_moves_as_the_oracle(
        KERAS, enrolment, arguments, gradients, dtype=dtype
    )


@few_variants
def test_steps_around_zero_gradients_are_those_of_the_oracle(
    enrolment, variant
):
    """Accumulators that start at a gradient start at one that is not zero."""
    gradients = heavy_tailed_gradients(steps=8)
    for step in (0, 1, 5):
        gradients[step] = [np.zeros_like(g) for g in gradients[step]]
    arguments = enrolment.variants[variant]
    assert_moves_as_the_oracle(KERAS, enrolment, arguments, gradients)
