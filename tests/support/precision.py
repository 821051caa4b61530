"""Checks of half precision, and of several dtypes in one optimizer."""

import ml_dtypes
import numpy as np
import pytest

from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_of
from tests.support.trajectories import same_bits
from tests.support.trajectories import without_projection

STEPS = 6
HALF = {"half": np.float16, "bfloat16": ml_dtypes.bfloat16}
half_precision = pytest.mark.parametrize("dtype", HALF.values(), ids=HALF)


def rounded(arrays, dtype):
    """Returns the nearest numbers of a dtype, in float64."""
    return [np.asarray(a, dtype).astype(np.float64) for a in arrays]


def assert_step_is_rounded_once(front_end, enrolment, variant, dtype):
    """Slots and scalars are those of float32 variables, to the bit."""
    arguments = without_projection(enrolment.variants[variant])
    half, single = (
        front_end.optimizer(enrolment.name, **arguments) for _ in range(2)
    )
    name = np.dtype(dtype).name
    x = front_end.variables(parameters(), name)
    twin = front_end.variables(front_end.values(x))
    for gradients in heavy_tailed_gradients(steps=STEPS):
        gradients = rounded(gradients, dtype)
        for variable, value in zip(twin, front_end.values(x), strict=True):
            variable.assign(value.astype("float32"))
        front_end.apply(half, gradients, x)
        front_end.apply(single, gradients, twin)
        expected = [value.astype(dtype) for value in front_end.values(twin)]
        assert same_bits(front_end.values(x), expected)
        assert same_bits(front_end.state(half), front_end.state(single))
    slots = [s for s in front_end.state(half) if s.shape == (4, 3)]
    assert {slot.dtype.name for slot in slots} <= {"float32"}


DTYPES = ("float32", "float64", "bfloat16")


def mixed(front_end):
    """Returns variables of three dtypes; all can hold their values."""
    values = [2.0 ** np.arange(3), 2.0 ** -np.arange(4.0), np.array(-1.5)]
    return values, [
        front_end.variable(value, dtype, name=f"x{index}")
        for index, (value, dtype) in enumerate(zip(values, DTYPES, strict=True))
    ]


def assert_dtypes_share_one_norm(front_end, enrolment):
    """The float64 variable is as exact as if all were float64.

    The gradients are multiples of ¼, so that float32 squares them exactly.
    """
    rng = np.random.default_rng(9)
    arguments = {"learning_rate": 0.125, "weight_decay": None}
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    values, variables = mixed(front_end)
    oracle, rate_at = oracle_of(enrolment, arguments, values)
    actual, expected = [front_end.values(variables)], [values]
    for step in range(STEPS):
        gradients = [rng.integers(-9, 9, v.shape) / 4.0 for v in values]
        front_end.apply(optimizer, gradients, variables)
        actual.append(front_end.values(variables))
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
