"""A scale is found for every batch at which its gradient is a number."""

import math

import numpy as np
import pytest

from keras_clip.noise.sampling.loss_scale import LossScale


class _Device:
    """Gives a gradient of one coordinate as a device in float16 would."""

    def __init__(self):
        self.scales = []

    def __call__(self, scale, gradient):
        self.scales.append(float(scale))
        with np.errstate(over="ignore"):
            scaled = np.float16(np.float64(gradient) * scale)
        return abs(float(scaled)) / float(scale), gradient


def _measured(gradients, initial=2.0**15):
    device, loss_scale = _Device(), LossScale(initial)
    return [loss_scale.measured(device, g) for g in gradients], device.scales


def test_a_gradient_that_does_not_overflow_is_measured_once():
    (result,), scales = _measured([0.5])
    assert result == (0.5, 0.5) and scales == [2.0**15]


def test_an_overflow_halves_the_scale_until_the_gradient_is_finite():
    (result, after), scales = _measured([30.0, 20.0])
    assert result[0] == 30.0 and after[0] == 20.0
    # 30 · 2^11 is the first that float16 holds, and where the next begins.
    assert scales[-4:] == [2.0**13, 2.0**12, 2.0**11, 2.0**11]


@pytest.mark.parametrize("initial", [1.0, 1000.0, 2.0**15, 2.0**-20])
def test_what_is_no_number_at_any_scale_costs_one_more_try(initial):
    (bad, good), scales = _measured([math.nan, 1.0], initial)
    assert math.isnan(bad[0]) and good[0] == 1.0
    assert len(scales) == 3 and scales[2] == initial


def test_a_large_gradient_costs_its_neighbours_no_digits():
    """At its scale they would be 0; at theirs it is infinite."""
    gradients = [3e-4, 1e8] * 20
    results, _ = _measured(gradients)
    np.testing.assert_allclose([r[0] for r in results], gradients, rtol=1e-3)


def test_the_scale_is_never_raised_above_that_of_training():
    gradients = [1e-6, 0.0, 1e-3, 30.0, 1e-6, 0.0]
    results, scales = _measured(gradients, initial=1024.0)
    assert max(scales) == 1024.0
    expected = [float(np.float16(g * 1024)) / 1024 for g in gradients]
    np.testing.assert_allclose([r[0] for r in results], expected, rtol=1e-3)


def test_what_is_too_large_for_every_scale_is_infinite():
    (result,), scales = _measured([1e12])
    assert math.isinf(result[0]) and len(scales) == 2


@pytest.mark.parametrize("power", range(-20, 30))
def test_results_do_not_depend_on_what_came_before(power):
    gradient = 1.5 * 2.0**power
    (alone,), _ = _measured([gradient])
    (*_, after), _ = _measured([1e8, gradient])
    assert alone == after
