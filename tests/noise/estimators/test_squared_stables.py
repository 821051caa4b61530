"""The inverted transform is the law of a sum of squared stable variables."""

import math

import numpy as np
import pytest
from scipy import integrate
from scipy import stats

from keras_clip.noise.estimators import squared_stables
from tests.support.noise_families import stable

SHARES = np.array([1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 0.99999])


@pytest.mark.parametrize("dimension", [0.5, 1, 2, 5.5, 50, 500, 5000, 100_000])
def test_squared_gaussians_have_a_gamma_law(dimension):
    """For 5000 the coefficient of variation is 0.02."""
    gamma = stats.gamma(dimension / 2, scale=4)
    x = gamma.ppf(SHARES)
    below = squared_stables.distribution(x, 2.0, dimension)
    np.testing.assert_allclose(below, SHARES, rtol=0, atol=2e-8)
    density = squared_stables.density(x, 2.0, dimension)
    # Relative to the density of log x, which is wide or as narrow as it is.
    largest = np.max(x * gamma.pdf(x))
    np.testing.assert_allclose(
        x * density / largest, x * gamma.pdf(x) / largest, rtol=0, atol=1e-7
    )


@pytest.mark.parametrize("x", [0.01, 0.3, 2.0, 50.0, 1e4])
def test_one_squared_cauchy_variable_has_a_closed_form(x):
    (below,) = squared_stables.distribution(np.array([x]), 1.0, 1.0)
    expected = 2 / math.pi * math.atan(math.sqrt(x))
    assert below == pytest.approx(expected, abs=3e-8)
    (density,) = squared_stables.density(np.array([x]), 1.0, 1.0)
    expected = 1 / (math.pi * math.sqrt(x) * (1 + x))
    assert density == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("alpha", [0.7, 1.2, 1.5, 1.8])
def test_one_squared_stable_variable_has_the_density_of_its_transform(alpha):
    """`(1/π) ∫_0^∞ cos(t y) exp(−t^alpha) dt` at y, by another quadrature."""
    for y in (0.3, 1.0, 3.0):
        integral, _ = integrate.quad(
            lambda t: math.exp(-(t**alpha)),
            0,
            math.inf,
            weight="cos",
            wvar=y,
            epsabs=1e-11,
        )
        (density,) = squared_stables.density(np.array([y * y]), alpha, 1.0)
        assert density * y == pytest.approx(integral / math.pi, abs=1e-6)


@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.8])
@pytest.mark.parametrize("dimension", [1, 5, 50])
def test_law_is_that_of_simulated_sums(alpha, dimension):
    n = 40_000
    rng = np.random.default_rng(dimension)
    sums = np.zeros(n)
    for _ in range(dimension):
        sums += stable(rng, alpha, n) ** 2
    x = np.quantile(sums, SHARES[:-1])
    below = squared_stables.distribution(x, alpha, float(dimension))
    # Four standard deviations of the share of samples below a point.
    errors = 4 * np.sqrt(SHARES * (1 - SHARES) / n)[:-1]
    assert np.all(np.abs(below - SHARES[:-1]) < errors)


@pytest.mark.parametrize(
    ("alpha", "dimension"), [(0.5, 2.0), (1.2, 7.3), (1.95, 1000.0)]
)
def test_density_is_the_slope_of_the_distribution(alpha, dimension):
    middle = dimension ** (2 / alpha)
    x = middle * np.geomspace(0.3, 100, 40)
    h = 1e-3
    slope = (
        squared_stables.distribution(x * math.exp(h), alpha, dimension)
        - squared_stables.distribution(x * math.exp(-h), alpha, dimension)
    ) / (2 * h)
    density = x * squared_stables.density(x, alpha, dimension)
    largest = np.max(density)
    assert largest > 0.05
    np.testing.assert_allclose(density / largest, slope / largest, atol=2e-3)


def test_tail_has_the_weight_of_a_single_large_variable():
    """`P(S > x) ≈ m · P(|X| > √x) ≈ m · C · x^(−alpha/2)`."""
    alpha, dimension = 1.5, 3.0
    constant = 2 * math.gamma(alpha) * math.sin(math.pi * alpha / 2) / math.pi
    x = np.array([1e5, 1e6])
    above = 1 - squared_stables.distribution(x, alpha, dimension)
    expected = dimension * constant * x ** (-alpha / 2)
    np.testing.assert_allclose(above, expected, rtol=2e-2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dimension", [0.5, 30.0, 1e5])
def test_far_from_the_law_there_is_nothing_and_no_warning(dimension):
    for alpha in (1.2, 2.0):
        middle = dimension ** (2 / alpha)
        ends = middle * np.array([1e-30, 1e-3, 1e15])
        below = squared_stables.distribution(ends, alpha, dimension)
        assert np.all((below >= 0) & (below <= 1))
        assert below[-1] > 1 - 1e-6
        if dimension > 1:
            assert np.all(below[:2] < 1e-7)
