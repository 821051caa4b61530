"""The curve is the estimator at every k."""

import numpy as np
import pytest

from keras_clip.noise import hill
from keras_clip.noise import hill_curve
from tests.support.noise_families import FAMILIES


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_every_point_is_an_estimate(confidence):
    samples = FAMILIES["student, 2"][1](np.random.default_rng(1), 120)
    curve = hill_curve(samples, confidence)
    np.testing.assert_array_equal(curve.k, np.arange(1, 120))
    assert curve.confidence == confidence
    for name in ("alpha", "low", "high"):
        expected = [
            getattr(hill(samples, k, confidence), name) for k in range(1, 120)
        ]
        np.testing.assert_allclose(getattr(curve, name), expected, rtol=1e-10)


@pytest.mark.filterwarnings("error")
def test_estimate_is_infinite_as_long_as_the_largest_are_equal():
    curve = hill_curve(np.r_[np.arange(1.0, 58.0), [99.0] * 3])
    for array in (curve.alpha, curve.low, curve.high):
        np.testing.assert_array_equal(np.isinf(array), curve.k <= 2)
