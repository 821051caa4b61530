"""Half and double precision, and several dtypes in one optimizer."""

import ml_dtypes
import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_of
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

STEPS = 6
HALF = {"half": np.float16, "bfloat16": ml_dtypes.bfloat16}
half_precision = pytest.mark.parametrize("dtype", HALF.values(), ids=HALF)


def _rounded(arrays, dtype):
    """Returns the nearest numbers of a dtype, in float64."""
    return [np.asarray(a, dtype).astype(np.float64) for a in arrays]


def _without_projection(arguments):
    """A projection is a second change, of what the step has rounded."""
    arguments = dict(arguments)
    arguments.pop("projection_radius", None)
    return arguments


@half_precision
@few_variants
def test_half_precision_step_is_the_float32_step_rounded_once(
    enrolment, variant, dtype
):
    """Slots and scalars are those of float32 variables, to the bit."""
    arguments = _without_projection(enrolment.variants[variant])
    half, single = (
        KERAS.optimizer(enrolment.name, **arguments) for _ in range(2)
    )
    name = np.dtype(dtype).name
    x = KERAS.variables(parameters(), name)
    twin = KERAS.variables(KERAS.values(x))
    for gradients in heavy_tailed_gradients(steps=STEPS):
        gradients = _rounded(gradients, dtype)
        for variable, value in zip(twin, KERAS.values(x), strict=True):
            variable.assign(value.astype("float32"))
        KERAS.apply(half, gradients, x)
        KERAS.apply(single, gradients, twin)
        rounded = [value.astype(dtype) for value in KERAS.values(twin)]
        assert same_bits(KERAS.values(x), rounded)
        assert same_bits(KERAS.state(half), KERAS.state(single))
    slots = [s for s in KERAS.state(half) if s.shape == (4, 3)]
    assert {slot.dtype.name for slot in slots} <= {"float32"}


@half_precision
@every_optimizer
def test_half_precision_step_is_the_rounded_step_of_the_oracle(
    enrolment, dtype
):
    """Or its neighbour, where float32 is at a loss on which side it is."""
    arguments = {"learning_rate": 0.125}
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    x = _rounded(parameters(), dtype)
    gradients = [
        _rounded(g, dtype) for g in heavy_tailed_gradients(steps=1)[:1]
    ]
    path = positions(KERAS, optimizer, x, gradients, np.dtype(dtype).name)
    exact = oracle_positions(enrolment, arguments, x, gradients)
    for before, after, value in zip(*path, exact[1], strict=True):
        before = before.astype(np.float64)
        slack = 1e-5 * np.abs(value - before) + 1e-7 * np.abs(before)
        assert after.dtype == dtype
        assert np.all((value - slack).astype(dtype) <= after)
        assert np.all(after <= (value + slack).astype(dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@few_variants
def test_state_is_kept_in_the_working_dtype(enrolment, variant, dtype):
    optimizer = KERAS.optimizer(enrolment.name, **enrolment.variants[variant])
    variables = KERAS.variables([np.zeros((4, 3))], dtype)
    optimizer.build(variables)
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
def test_norm_of_float16_gradients_does_not_overflow(enrolment):
    """Neither do their squares, by which a bad gradient is told."""
    optimizer = KERAS.optimizer(
        enrolment.name, learning_rate=0.125, monitor=True
    )
    variables = KERAS.variables([np.ones(4)], "float16")
    gradient = KERAS.tensor([300.0] * 4, "float16")
    KERAS.apply(optimizer, [gradient], variables)
    assert float(optimizer.gradient_norm) == 600.0
    assert int(optimizer.skipped_steps) == 0
    assert int(optimizer.update_count) == 1
    assert np.all(KERAS.value(variables[0]) < 1)


DTYPES = ("float32", "float64", "bfloat16")


def _mixed():
    """Returns variables of three dtypes; all can hold their values."""
    values = [2.0 ** np.arange(3), 2.0 ** -np.arange(4.0), np.array(-1.5)]
    return values, [
        KERAS.variable(value, dtype, name=f"x{index}")
        for index, (value, dtype) in enumerate(zip(values, DTYPES, strict=True))
    ]


@every_optimizer
def test_variables_of_several_dtypes_share_one_norm_in_the_widest(enrolment):
    """The float64 variable is as exact as if all were float64.

    The gradients are multiples of ¼, so that float32 squares them exactly.
    """
    rng = np.random.default_rng(9)
    arguments = {"learning_rate": 0.125, "weight_decay": None}
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    values, variables = _mixed()
    oracle, rate_at = oracle_of(enrolment, arguments, values)
    actual, expected = [KERAS.values(variables)], [values]
    for step in range(STEPS):
        gradients = [rng.integers(-9, 9, v.shape) / 4.0 for v in values]
        KERAS.apply(optimizer, gradients, variables)
        actual.append(KERAS.values(variables))
        expected.append(oracle.step(gradients, rate_at(step)))
    for index, dtype in enumerate(DTYPES):
        paths = ([[xs[index]] for xs in path] for path in (actual, expected))
        if dtype == "bfloat16":
            eps = 2.0**-8
            ends = (path[-1][0] for path in paths)
            difference = abs(np.subtract(*ends).astype(float))
            assert difference <= STEPS * eps * 2
        else:
            assert_close(*paths, dtype)
        assert actual[-1][index].dtype.name == dtype


@every_optimizer
def test_norm_that_overflows_float32_is_one_in_float64(enrolment):
    """One float64 variable among others is enough."""
    optimizer = KERAS.optimizer(
        enrolment.name, learning_rate=0.125, global_clipnorm=0.5
    )
    values, variables = _mixed()
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
