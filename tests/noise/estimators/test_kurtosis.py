"""Kurtosis is Pearson's."""

import numpy as np
import pytest

from keras_clip.noise import kurtosis


def test_kurtosis_is_the_fourth_moment_over_the_squared_second():
    samples = np.r_[np.zeros(60), [-3.0, 1.0, 2.0, 5.0]]
    centred = samples - samples.mean()
    expected = np.mean(centred**4) / np.mean(centred**2) ** 2
    assert kurtosis(samples) == pytest.approx(expected, rel=1e-12)
    for unit in (1e-200, 1e200):
        assert kurtosis(samples * unit) == pytest.approx(expected, rel=1e-10)


def test_kurtosis_of_projections_is_their_mean():
    samples = np.random.default_rng(1).normal(size=(100, 3)) ** 3
    columns = [kurtosis(column) for column in samples.T]
    assert kurtosis(samples) == pytest.approx(np.mean(columns), rel=1e-12)


def test_kurtosis_is_three_for_gaussian_and_grows_for_heavy_tailed_samples():
    rng = np.random.default_rng(2)
    assert kurtosis(rng.normal(size=100_000)) == pytest.approx(3, abs=0.05)
    cauchy = rng.standard_cauchy(100_000)
    assert 50 < kurtosis(cauchy[:1000]) <= 1000
    assert 5000 < kurtosis(cauchy) <= 100_000
