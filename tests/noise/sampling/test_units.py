"""Estimates do not depend on the unit of the gradient, down to its smallest.

Multiplied by a power of two samples keep all their digits: what has no unit
must stay as it is, what has one be multiplied too.
"""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies

from keras_clip import noise
from keras_clip.thresholds import AdaptiveThreshold
from tests.support.noise_problems import make_samples

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(0)
NOISE = RNG.standard_t(1.5, size=(200, 2))
NORMS = np.linalg.norm(NOISE, axis=1)

# From 1e-300 to 1e300, where squares are 0 or infinite.
units = strategies.integers(-996, 996).map(lambda power: 2.0**power)


def in_every_unit(test):
    for unit in (2.0**-996, 2.0**-532, 2.0**532, 2.0**996):
        test = example(unit)(test)
    test = given(units)(test)
    return settings(max_examples=10, deadline=None)(test)


def _close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@in_every_unit
@pytest.mark.parametrize("estimate", [noise.hill, noise.log_moment])
def test_a_tail_index_has_no_unit(estimate, unit):
    samples = NORMS if estimate is noise.hill else NOISE
    actual, expected = estimate(unit * samples), estimate(samples)
    _close(dataclasses.astuple(actual)[:3], dataclasses.astuple(expected)[:3])


@in_every_unit
def test_a_hill_curve_has_no_unit(unit):
    actual, expected = noise.hill_curve(unit * NORMS), noise.hill_curve(NORMS)
    _close(actual.alpha, expected.alpha)
    _close(actual.high, expected.high)


@in_every_unit
def test_kurtosis_has_no_unit(unit):
    _close(noise.kurtosis(unit * NOISE), noise.kurtosis(NOISE))


@pytest.mark.slow
@pytest.mark.parametrize(
    "fit", [noise.fit_squared_gaussians, noise.fit_squared_stables]
)
def test_the_scale_of_a_fit_alone_has_the_unit(fit):
    expected = fit(NORMS)
    for unit in (2.0**-996, 2.0**-532, 2.0**532, 2.0**996):
        actual = fit(unit * NORMS)
        for name in ("alpha", "dimension", "distance"):
            _close(getattr(actual, name), getattr(expected, name))
        _close(actual.scale / unit, expected.scale)
        _close(
            actual.log_likelihood + len(NORMS) * math.log(unit),
            expected.log_likelihood,
        )
        grid = np.geomspace(0.1, 30, 20)
        _close(actual.distribution(unit * grid), expected.distribution(grid))
        _close(unit * actual.density(unit * grid), expected.density(grid))


@pytest.mark.parametrize("alpha", [1.5, 2.0])
@pytest.mark.parametrize("power", [-1020, -900, 900, 1020])
def test_a_law_has_its_limits_far_from_its_scale(alpha, power):
    law = noise.SquaredSum(alpha, 3.0, 1.0, 50, 0.0, 0.0)
    below = law.distribution([2.0**power])
    assert np.all(np.isfinite(law.density([2.0**power])))
    np.testing.assert_allclose(below, float(power > 0), atol=1e-7)


@in_every_unit
def test_a_variance_has_the_unit_squared_or_is_beyond_floats(unit):
    actual, expected = (
        noise.variance_curve(scale * NORMS, orders=20) for scale in (unit, 1.0)
    )
    for name in ("variance", "low", "high"):
        values = getattr(expected, name)
        if unit < 2.0**-500:
            assert np.all(getattr(actual, name) < 1e-290)
        elif unit > 2.0**500:
            assert np.all(getattr(actual, name) > 1e290)
        else:
            _close(getattr(actual, name) / unit**2, values)


def _samples(unit):
    return make_samples(
        unit * NORMS,
        unit * NOISE,
        gradient_norms=unit * NORMS[::-1],
        covers_data=False,
    )


@in_every_unit
def test_thresholds_and_errors_have_the_unit(unit):
    actual, expected = (
        noise.suggest(_samples(scale), alpha=1.5) for scale in (unit, 1.0)
    )
    assert list(actual) == list(expected)
    for name in expected:
        one, other = actual[name].clip_threshold, expected[name].clip_threshold
        if isinstance(other, float):
            _close(one / unit, other)
        elif isinstance(other, AdaptiveThreshold):
            assert one.get_config() == other.get_config()
        else:
            np.testing.assert_allclose(one.scale / unit, other.scale, rtol=1e-3)
    _close(
        _samples(unit).full_gradient_error / unit,
        _samples(1.0).full_gradient_error,
    )


@pytest.mark.parametrize("alpha", [1.001, 1.0001])
def test_the_rule_of_a_theorem_without_a_float_is_left_out(alpha):
    given = {"smoothness": 1.0, "initial_gap": 1.0, "steps": 10}
    assert "nonconvex" in noise.suggest(_samples(1.0), 1.5, **given)
    found = noise.suggest(_samples(1.0), alpha, **given)
    assert "nonconvex" not in found and "clip_adam_norm" in found


@pytest.mark.usefixtures("stables_are_not_fitted")
@pytest.mark.parametrize("power", [-996, 996])
def test_a_report_is_drawn_in_every_unit(tmp_path, power):
    report = noise.report(_samples(2.0**power))
    assert report.verdict == noise.report(_samples(1.0)).verdict
    figure = noise.plot_report(report)
    histogram, _, _, variance = figure.axes
    assert histogram.get_ylim()[1] > 0.01
    assert np.all(np.isfinite(variance.get_ylim()))
    report.plot(tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size > 10_000
