"""A rule leaves alone what a bad gradient must not change."""

import numpy as np
import pytest
from keras import ops

from keras_clip.rules.nonfinite import Everywhere
from keras_clip.rules.nonfinite import Where
from keras_clip.rules.nonfinite import is_finite


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_is_finite_if_its_square_is(dtype):
    edge = np.sqrt(np.finfo(dtype).max)
    ulp = np.spacing(edge)
    around = edge + ulp * np.arange(-4, 5, dtype=dtype)
    g = np.array([*around, 0, 1, np.inf, np.nan, np.finfo(dtype).max], dtype)
    g = np.concatenate([g, -g])
    with np.errstate(over="ignore"):
        expected = np.isfinite(np.square(g))
    assert 0 < np.sum(expected[: len(around)]) < len(around)
    finite = is_finite(ops.convert_to_tensor(g, dtype))
    np.testing.assert_array_equal(finite, expected)


def test_old_values_stay_where_the_gradient_is_bad_and_new_ones_elsewhere():
    finite = ops.convert_to_tensor([False, True, False, True, False])
    for new in (1.0, np.nan):
        value = Where(finite).choose(ops.full((5,), new), ops.full((5,), -2.0))
        np.testing.assert_array_equal(value, [-2, new, -2, new, -2])


def test_new_values_are_taken_everywhere_where_nothing_is_skipped():
    x = Everywhere().choose(ops.full((2,), np.nan), ops.zeros((2,)))
    np.testing.assert_array_equal(x, [np.nan, np.nan])
