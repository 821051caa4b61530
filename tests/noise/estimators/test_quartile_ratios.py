"""Ratios of outliers are those of the papers' definition."""

import numpy as np
import pytest
from scipy import stats

from keras_clip.noise import quartile_ratios


def expected(samples, ranges):
    """Returns the ratio and its interval, by SciPy's laws and tests."""
    first, third = np.percentile(samples, 25), np.percentile(samples, 75)
    beyond = int(sum(x > third + ranges * (third - first) for x in samples))
    gaussian = stats.norm(0, 1)
    bound = gaussian.ppf(0.75) + ranges * (gaussian.ppf(0.75) * 2)
    test = stats.binomtest(beyond, len(samples))
    ends = test.proportion_ci(0.95, method="exact")
    return np.array([beyond / len(samples), *ends]) / gaussian.sf(bound)


@pytest.mark.parametrize("law", ["normal", "standard_cauchy", "exponential"])
def test_ratios_are_shares_over_the_gaussian_ones(law):
    samples = getattr(np.random.default_rng(3), law)(size=700)
    found = quartile_ratios(samples)
    mild = found.mild, found.mild_low, found.mild_high
    extreme = found.extreme, found.extreme_low, found.extreme_high
    assert mild == pytest.approx(expected(samples, 1.5), rel=1e-9)
    assert extreme == pytest.approx(expected(samples, 3.0), rel=1e-9)
    assert found.num_samples == 700


def test_gaussian_samples_have_the_ratio_one():
    found = quartile_ratios(np.random.default_rng(4).normal(size=400_000))
    assert found.mild == pytest.approx(1, abs=0.1)
    assert found.mild_low < 1 < found.mild_high
    assert found.extreme_low < 1 < found.extreme_high


def test_the_docstring_has_the_ratios_of_an_exponential_law():
    # Q₁ = log 4/3, Q₃ = log 4, so that the range is log 3.
    for ranges, said, gaussian in ((1.5, 14, 0.0035), (3.0, 6e3, 1.2e-6)):
        share = np.exp(-(np.log(4) + ranges * np.log(3)))
        assert share / gaussian == pytest.approx(said, rel=0.3)


def test_ratios_do_not_depend_on_unit_and_place():
    samples = np.random.default_rng(5).standard_cauchy(200)
    assert quartile_ratios(samples) == quartile_ratios(3 * samples)
    assert quartile_ratios(samples) == quartile_ratios(samples + 64)


def test_all_or_no_outliers_have_intervals():
    found = quartile_ratios(np.r_[np.zeros(40), np.arange(10.0)])
    assert found.extreme > 0
    flat = quartile_ratios(np.linspace(0, 1, 60))
    assert flat.mild == flat.mild_low == flat.extreme == 0 < flat.mild_high


@pytest.mark.parametrize(
    "samples",
    [np.ones(10), np.ones((60, 2)), np.full(60, np.nan), ["a"] * 60],
)
def test_what_is_no_sample_is_told(samples):
    with pytest.raises(ValueError, match=r"`samples` must be .*Received"):
        quartile_ratios(samples)
