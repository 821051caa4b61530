"""Hill's estimator is its formula, and its intervals hold the index."""

import math

import numpy as np
import pytest
from scipy import stats

from keras_clip.noise import hill
from tests.support.noise_families import FAMILIES
from tests.support.noise_families import coverage
from tests.support.noise_families import pareto
from tests.support.noise_families import stable
from tests.support.refusals import refused

REPETITIONS = 400
# Standard deviation of a share of 0.95, and of 0.9, of so many.
ERROR_95 = math.sqrt(0.95 * 0.05 / REPETITIONS)
ERROR_90 = math.sqrt(0.9 * 0.1 / REPETITIONS)


def _naive(samples, k):
    ordered = sorted(samples, reverse=True)
    total = 0.0
    for i in range(k):
        total += math.log(ordered[i] / ordered[k])
    return k / total


@pytest.mark.parametrize("k", [1, 2, 17, 100, 199])
@pytest.mark.parametrize("name", ["student, 2", "pareto, 3", "stable, 1.2"])
def test_estimate_is_the_formula(name, k):
    samples = FAMILIES[name][1](np.random.default_rng(1), 200)
    before = samples.copy()
    index = hill(samples, k)
    assert index.alpha == pytest.approx(_naive(samples, k), rel=1e-12)
    assert (index.k, index.num_samples, index.confidence) == (k, 200, 0.95)
    np.testing.assert_array_equal(samples, before)


def test_estimate_is_the_most_likely_power_beyond_the_threshold():
    samples = FAMILIES["student, 2"][1](np.random.default_rng(2), 300)
    ordered = np.sort(samples)
    alpha, _, _ = stats.pareto.fit(ordered[-40:], floc=0, fscale=ordered[-41])
    assert hill(samples, 40).alpha == pytest.approx(alpha, rel=1e-9)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_interval_is_that_of_a_chi_squared_law(confidence):
    samples = pareto(np.random.default_rng(3), 1.5, 100)
    index = hill(samples, 30, confidence)
    tails = np.array([1 - confidence, 1 + confidence]) / 2
    expected = index.alpha * stats.chi2.ppf(tails, 60) / 60
    np.testing.assert_allclose((index.low, index.high), expected, rtol=1e-10)
    assert index.confidence == confidence


@pytest.mark.parametrize(
    ("n", "k"), [(50, 6), (100, 8), (200, 11), (1000, 24), (10_000, 75)]
)
def test_default_k_grows_with_the_root_of_n(n, k):
    assert hill(pareto(np.random.default_rng(4), 1.5, n)).k == k


def test_unit_and_order_do_not_matter():
    rng = np.random.default_rng(5)
    samples = pareto(rng, 1.5, 300)
    index = hill(samples)
    assert hill(rng.permutation(samples)) == index
    for unit in (1e-200, 1e-8, 1e200):
        assert hill(samples * unit).alpha == pytest.approx(index.alpha, 1e-10)


def test_squares_have_half_the_index():
    samples = pareto(np.random.default_rng(6), 1.5, 300)
    index, half = hill(samples), hill(samples**2)
    for name in ("alpha", "low", "high"):
        assert getattr(half, name) == pytest.approx(getattr(index, name) / 2)


@pytest.mark.parametrize("k", [1, 5, 50, 199])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_intervals_of_a_power_hold_its_index_as_often_as_they_say(
    k, confidence
):
    rng = np.random.default_rng(k)
    held = coverage(
        [
            hill(pareto(rng, 1.5, 200), k, confidence)
            for _ in range(REPETITIONS)
        ],
        1.5,
    )
    error = math.sqrt(confidence * (1 - confidence) / REPETITIONS)
    assert abs(held - confidence) < 3 * error


@pytest.mark.parametrize("n", [200, 1000, 5000])
@pytest.mark.parametrize("name", FAMILIES)
def test_automatic_intervals_hold_the_index_of_other_tails(name, n):
    index, sample = FAMILIES[name]
    rng = np.random.default_rng(n)
    held = coverage([hill(sample(rng, n)) for _ in range(REPETITIONS)], index)
    assert 0.9 - 2 * ERROR_90 < held < 0.95 + 3 * ERROR_95


def test_stable_laws_close_to_two_look_lighter_as_documented():
    rng = np.random.default_rng(8)
    indices = [hill(abs(stable(rng, 1.8, 1000))) for _ in range(REPETITIONS)]
    assert 0.7 < coverage(indices, 1.8) < 0.8
    assert 2.3 < np.mean([index.alpha for index in indices]) < 2.6


@pytest.mark.parametrize(
    ("dimension", "n", "low", "high"),
    [
        (1, 1000, 6.5, 8.5),
        (1, 100_000, 11, 13),
        (100, 1000, 42, 50),
        (100, 100_000, 52, 59),
    ],
)
def test_gaussian_norms_have_a_large_estimate_that_grows_with_n(
    dimension, n, low, high
):
    rng = np.random.default_rng(9)
    norms = [np.sqrt(rng.chisquare(dimension, n)) for _ in range(20)]
    indices = [hill(samples) for samples in norms]
    assert low < np.mean([index.alpha for index in indices]) < high
    assert {index.verdict for index in indices} == {"not heavy-tailed"}


def test_integers_and_single_precision_count_as_numbers():
    samples = np.arange(1, 101)
    for dtype in ("int32", "uint8", "float32"):
        assert hill(samples.astype(dtype)) == hill(samples.tolist())


@pytest.mark.parametrize(
    ("k", "wanted"),
    [
        (0, "an integer in [1, inf)"),
        (-1, "an integer in [1, inf)"),
        (2.0, "an integer in [1, inf)"),
        (True, "an integer in [1, inf)"),
        (60, "less than the number of samples, 60"),
        (2, "such that the k+1 largest samples are not all equal"),
    ],
)
def test_bad_k_is_refused(k, wanted):
    samples = np.r_[np.arange(1.0, 58.0), [99.0] * 3]
    with refused(f"`k` must be {wanted}", f"Received: k={k!r}"):
        hill(samples, k)
