"""The law of the norm is that of the root of a sum of squares."""

import math

import numpy as np
import pytest
from scipy import integrate
from scipy import stats

from keras_clip.noise import SquaredSum
from tests.support.refusals import refused


def _law(alpha, dimension, scale):
    return SquaredSum(alpha, dimension, scale, 100, -1.0, 0.1)


def test_norm_of_gaussians_has_a_chi_law():
    """The summands' standard deviation is √2 · scale."""
    law = _law(2.0, 5.0, 3.0)
    chi = stats.chi(5, scale=3 * math.sqrt(2))
    norms = np.geomspace(0.5, 30, 20)
    np.testing.assert_allclose(law.density(norms), chi.pdf(norms), rtol=1e-10)
    np.testing.assert_allclose(
        law.distribution(norms), chi.cdf(norms), rtol=1e-10
    )


def test_norm_of_one_cauchy_variable_is_its_absolute_value():
    law = _law(1.0, 1.0, 0.25)
    cauchy = stats.halfcauchy(scale=0.25)
    norms = np.geomspace(0.01, 20, 20)
    np.testing.assert_allclose(law.density(norms), cauchy.pdf(norms), 1e-5)
    np.testing.assert_allclose(
        law.distribution(norms), cauchy.cdf(norms), atol=3e-8
    )


def test_laws_close_to_gaussian_have_close_values():
    norms = np.linspace(1, 40, 30)
    gaussian = _law(2.0, 8.0, 3.0)
    stable = _law(2 - 1e-9, 8.0, 3.0)
    for name in ("density", "distribution"):
        np.testing.assert_allclose(
            getattr(stable, name)(norms),
            getattr(gaussian, name)(norms),
            0,
            1e-7,
        )


def test_density_integrates_to_the_distribution():
    law = _law(1.4, 12.0, 0.5)
    low, high = 1.0, 9.0
    integral, _ = integrate.quad(law.density, low, high, epsabs=1e-8)
    between = law.distribution(high) - law.distribution(low)
    assert integral == pytest.approx(between, abs=1e-6)


def test_values_have_the_shape_of_the_norms():
    for law in (_law(2.0, 3.0, 1.0), _law(1.5, 3.0, 1.0)):
        for shape in ((), (3,), (2, 3)):
            assert law.density(np.ones(shape)).shape == shape
            assert law.distribution(np.ones(shape)).shape == shape
        assert law.density([]).shape == (0,)


@pytest.mark.parametrize(
    ("norm", "message"),
    [
        ([1.0, 0.0], "positive and finite. Received: norm=1 of 2 others"),
        (-1, "positive and finite. Received: norm=1 of 1 others"),
        (
            [[math.nan, math.inf, 1]],
            "positive and finite. Received: norm=2 of 3 others",
        ),
        ("1", "an array of numbers. Received: norm=an array of <U1"),
    ],
)
@pytest.mark.parametrize("name", ["density", "distribution"])
def test_bad_norms_are_refused(name, norm, message):
    with refused(f"`norm` must be {message}"):
        getattr(_law(1.5, 3.0, 1.0), name)(norm)
