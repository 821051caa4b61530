"""The fits find the sum of squares that the norms are of."""

import math

import numpy as np
import pytest
from scipy import stats

from keras_clip.noise import fit_squared_gaussians
from keras_clip.noise import fit_squared_stables
from tests.support.noise_families import stable_norms

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dimension", [0.3, 1.0, 7.5, 100.0, 5000.0, 1e6])
def test_fit_of_gaussians_is_the_most_likely_gamma_law(dimension):
    rng = np.random.default_rng(1)
    norms = 0.01 * np.sqrt(rng.gamma(dimension / 2, 4, 2000))
    fit = fit_squared_gaussians(norms)
    shape, _, scale = stats.gamma.fit(norms**2, floc=0)
    assert fit.alpha == 2
    assert fit.dimension == pytest.approx(2 * shape, rel=1e-6)
    assert fit.scale == pytest.approx(math.sqrt(scale / 4), rel=1e-6)
    # Four standard deviations.
    assert abs(fit.dimension / dimension - 1) < 4 * math.sqrt(2 / 2000)


@pytest.mark.parametrize("fitted", [fit_squared_gaussians, fit_squared_stables])
@pytest.mark.parametrize("n", [60, 900])
def test_likelihood_and_distance_are_those_of_the_norms(fitted, n):
    norms = stable_norms(np.random.default_rng(2), 1.6, 4, n)
    fit = fitted(norms)
    assert fit.num_samples == n
    log_likelihood = np.sum(np.log(fit.density(norms)))
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.01)
    distance = stats.kstest(norms, fit.distribution).statistic
    assert fit.distance == pytest.approx(distance, abs=1e-6)


@pytest.mark.parametrize(
    ("alpha", "dimension"), [(1.2, 1), (1.5, 5), (1.8, 50)]
)
def test_fit_of_stables_finds_their_parameters(alpha, dimension):
    rng = np.random.default_rng(3)
    norms = 1e-3 * stable_norms(rng, alpha, dimension, 20_000)
    fit = fit_squared_stables(norms)
    assert fit.alpha == pytest.approx(alpha, abs=0.03)
    assert fit.dimension == pytest.approx(dimension, rel=0.1)
    assert fit.scale == pytest.approx(1e-3, rel=0.1)
    # Kolmogorov's limit at 1 % is 1.63 / √n.
    assert fit.distance < 1.63 / math.sqrt(20_000)
    gaussians = fit_squared_gaussians(norms)
    assert fit.log_likelihood > gaussians.log_likelihood + 1000
    assert gaussians.distance > 0.1


def test_fit_does_not_depend_on_unit_or_order():
    rng = np.random.default_rng(4)
    norms = stable_norms(rng, 1.5, 5, 300)
    fit = fit_squared_stables(norms)
    again = fit_squared_stables(rng.permutation(norms) * 1e-30)
    assert again.alpha == pytest.approx(fit.alpha, abs=1e-3)
    assert again.dimension == pytest.approx(fit.dimension, rel=0.01)
    assert again.scale == pytest.approx(fit.scale * 1e-30, rel=0.01)


@pytest.mark.parametrize(
    ("dimension", "n"), [(5, 4000), (100, 4000), (5000, 100_000)]
)
def test_stables_fit_gaussian_noise_no_better_than_gaussians(dimension, n):
    rng = np.random.default_rng(5)
    norms = np.sqrt(rng.chisquare(dimension, n))
    fit, gaussians = fit_squared_stables(norms), fit_squared_gaussians(norms)
    assert fit.alpha > 1.98
    assert fit.dimension == pytest.approx(dimension, rel=0.1)
    assert fit.scale == pytest.approx(math.sqrt(0.5), rel=0.1)
    # Half of a chi-squared variable of one degree of freedom, at 1 %; nor is it
    # worse by more than the bins cost.
    assert -3.3 < fit.log_likelihood - gaussians.log_likelihood < 3.3


def test_of_many_stable_summands_alpha_and_their_weight_are_found():
    """m · scale^alpha is, m itself is not."""
    norms = stable_norms(np.random.default_rng(6), 1.5, 300, 4000)
    fit = fit_squared_stables(norms)
    assert fit.alpha == pytest.approx(1.5, abs=0.05)
    weight = fit.dimension ** (1 / fit.alpha) * fit.scale
    assert weight == pytest.approx(300 ** (1 / 1.5), rel=0.05)
    assert fit.distance < 1.63 / math.sqrt(4000)


def test_norms_that_vary_too_little_are_refused():
    norms = 1 + 1e-4 * np.random.default_rng(7).normal(size=100)
    error = (
        "^`norms` must vary more than the norm of 100,000.* "
        "Received: norms=100 numbers that vary as little as"
    )
    with pytest.raises(ValueError, match=error):
        fit_squared_stables(norms)
    assert fit_squared_gaussians(norms).dimension > 1e7


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "norms",
    [
        np.tile([1.0, 2.0], 50),
        np.r_[np.ones(99), 2.0],
        np.geomspace(1e-6, 1e6, 100),
    ],
    ids=["two values", "one other", "twelve decades"],
)
def test_norms_of_no_such_law_have_a_fit_at_a_distance(norms):
    for fitted in (fit_squared_gaussians, fit_squared_stables):
        fit = fitted(norms)
        assert math.isfinite(fit.log_likelihood)
        assert 0.15 < fit.distance <= 1
