"""Half and double precision, and several dtypes in one optimizer."""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.precision import assert_dtypes_share_one_norm
from tests.support.precision import assert_step_is_rounded_once
from tests.support.precision import half_precision
from tests.support.precision import mixed
from tests.support.precision import rounded
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions
from tests.support.trajectories import stepped


@half_precision
@few_variants
def test_half_precision_step_is_the_float32_step_rounded_once(
    enrolment, variant, dtype
):
    assert_step_is_rounded_once(KERAS, enrolment, variant, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@few_variants
def test_state_is_kept_in_the_working_dtype(enrolment, variant, dtype):
    arguments = enrolment.variants[variant]
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    optimizer.build(KERAS.variables([np.zeros((4, 3))], dtype))
    working = "float64" if dtype == "float64" else "float32"
    slots = [s for s in KERAS.state(optimizer) if s.shape == (4, 3)]
    assert len(slots) == len(optimizer.rule.slots)
    assert {slot.dtype.name for slot in slots} <= {working}
    scalars = [
        KERAS.value(variable)
        for variable in optimizer.variables
        for name in ("threshold", "accumulator")
        if name in variable.name and len(variable.shape) < 2
    ]
    assert {scalar.dtype.name for scalar in scalars} <= {working}


@every_optimizer
def test_variables_of_several_dtypes_share_one_norm_in_the_widest(enrolment):
    assert_dtypes_share_one_norm(KERAS, enrolment)


@half_precision
@every_optimizer
def test_half_precision_step_is_the_rounded_step_of_the_oracle(
    enrolment, dtype
):
    """Or its neighbour, where float32 is at a loss on which side it is."""
    arguments = {"learning_rate": 0.125}
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    x = rounded(parameters(), dtype)
    gradients = [rounded(g, dtype) for g in heavy_tailed_gradients(steps=1)[:1]]
    path = positions(KERAS, optimizer, x, gradients, np.dtype(dtype).name)
    exact = oracle_positions(enrolment, arguments, x, gradients)
    for before, after, value in zip(*path, exact[1], strict=True):
        before = before.astype(np.float64)
        slack = 1e-5 * np.abs(value - before) + 1e-7 * np.abs(before)
        assert after.dtype == dtype
        assert np.all((value - slack).astype(dtype) <= after)
        assert np.all(after <= (value + slack).astype(dtype))


@every_optimizer
def test_norm_of_float16_gradients_does_not_overflow(enrolment):
    """Neither do their squares, by which a bad gradient is told."""
    arguments = {"learning_rate": 0.125, "monitor": True}
    gradients = [[KERAS.tensor([300.0] * 4, "float16")]]
    optimizer, variables = stepped(
        KERAS, enrolment.name, arguments, gradients, [np.ones(4)], "float16"
    )
    assert float(optimizer.gradient_norm) == 600.0
    assert int(optimizer.skipped_steps) == 0
    assert int(optimizer.update_count) == 1
    assert np.all(KERAS.value(variables[0]) < 1)


@every_optimizer
def test_norm_that_overflows_float32_is_one_in_float64(enrolment):
    """One float64 variable among others is enough."""
    optimizer = KERAS.optimizer(
        enrolment.name, learning_rate=0.125, global_clipnorm=0.5
    )
    values, variables = mixed(KERAS)
    gradients = [np.ones_like(value) for value in values]
    gradients[1][2] = -1e30
    KERAS.apply(optimizer, gradients, variables)
    assert int(optimizer.skipped_steps) == 0
    np.testing.assert_allclose(float(optimizer.gradient_norm), 1e30, rtol=1e-6)
    assert KERAS.value(variables[1])[2] > values[1][2]


@few_variants
def test_step_after_a_gradient_whose_square_overflows_moves_everything(
    enrolment, variant
):
    """The first of all, and one in the middle."""
    arguments = enrolment.variants[variant]
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    variables = KERAS.variables(parameters())
    good = [np.ones_like(x) for x in parameters()]
    huge = [g.copy() for g in good]
    huge[0][2, 1] = 1e20
    huge[2][...] = -3e38
    for gradients in (huge, good, huge, huge, good):
        before = KERAS.values(variables)
        KERAS.apply(optimizer, gradients, variables)
        after = KERAS.values(variables)
        assert all(np.isfinite(value).all() for value in after)
        state = KERAS.state(
            optimizer, without=["gradient_norm", "gradient_norms"]
        )
        assert all(np.isfinite(value).all() for value in state)
        if gradients is good:
            assert all(
                np.all(a != b) for a, b in zip(after, before, strict=True)
            )
