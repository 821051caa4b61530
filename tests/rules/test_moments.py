"""Moments of a general order and their corrections, on their own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_clip.rules.moments import absolute_power
from keras_clip.rules.moments import bias_correction
from keras_clip.rules.moments import root

VALUES = np.array([0.0, 1e-6, -0.5, 1.0, -3.0, 1e6])

every_alpha = pytest.mark.parametrize("alpha", [1.0, 1.2, 1.5, 2.0])


@every_alpha
def test_absolute_power_is_numpys(alpha):
    actual = absolute_power(ops.convert_to_tensor(VALUES), alpha)
    expected = np.abs(VALUES) ** alpha
    np.testing.assert_allclose(actual, expected, rtol=1e-13)


@every_alpha
def test_root_undoes_the_absolute_power(alpha):
    moment = absolute_power(ops.convert_to_tensor(VALUES), alpha)
    np.testing.assert_allclose(root(moment, alpha), np.abs(VALUES), rtol=1e-13)


@every_alpha
def test_absolute_power_of_a_bad_value_is_not_finite(alpha):
    bad = ops.convert_to_tensor([np.nan, np.inf, -np.inf])
    assert not np.isfinite(absolute_power(bad, alpha)).any()


@pytest.mark.parametrize("k", [1, 2, 1000])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 1 - 1e-6])
def test_bias_correction_is_exact_in_float32_too(beta, k):
    expected = -np.expm1(k * np.log(beta)) if beta else 1.0
    correction = bias_correction(beta, ops.convert_to_tensor(float(k)))
    assert keras.backend.standardize_dtype(correction.dtype) == "float32"
    np.testing.assert_allclose(float(correction), expected, rtol=3e-7)
