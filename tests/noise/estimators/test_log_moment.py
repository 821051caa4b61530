"""The log-moment estimator finds the index of stable laws, and says so."""

import math

import numpy as np
import pytest
from scipy import stats

from keras_clip.noise import log_moment
from tests.support.noise_families import coverage
from tests.support.noise_families import positive_stable
from tests.support.noise_families import stable
from tests.support.refusals import refused

REPETITIONS = 400


def _naive(samples):
    """Estimate and interval at 90 %, row by row, for samples of (n, p)."""
    n, p = len(samples), len(samples[0])
    logs = [[math.log(abs(x)) for x in row] for row in samples]
    means = [sum(row[j] for row in logs) / n for j in range(p)]
    rows = [sum((row[j] - means[j]) ** 2 for j in range(p)) / p for row in logs]
    variance = sum(rows) / (n - 1)
    mean = sum(rows) / n
    error = math.sqrt(sum((r - mean) ** 2 for r in rows) / (n - 1) / n)
    width = stats.t.ppf(0.95, n - 1) * error / variance
    return [
        min(2, (6 / math.pi**2 * v - 0.5) ** -0.5)
        for v in (
            variance,
            variance * math.exp(width),
            variance * math.exp(-width),
        )
    ]


def _dependent(rng, alpha, n):
    """Ten projections of stable vectors with one common random length."""
    length = np.sqrt(positive_stable(rng, alpha / 2, (n, 1)))
    return length * rng.normal(size=(n, 30)) @ rng.normal(size=(30, 10))


@pytest.mark.parametrize("shape", [(80,), (80, 1), (80, 7)])
def test_estimate_is_the_formula(shape):
    samples = stable(np.random.default_rng(1), 1.2, shape)
    before = samples.copy()
    index = log_moment(samples, confidence=0.9)
    np.testing.assert_allclose(
        (index.alpha, index.low, index.high),
        _naive(samples.reshape(80, -1).tolist()),
        rtol=1e-10,
    )
    assert (index.num_samples, index.k, index.confidence) == (80, None, 0.9)
    np.testing.assert_array_equal(samples, before)


def test_estimate_of_exact_quantiles_is_the_index():
    shares = (np.arange(20_000) + 0.5) / 20_000
    cauchy = log_moment(np.tan(math.pi * (shares - 0.5)))
    assert cauchy.alpha == pytest.approx(1, abs=0.002)
    gaussian = log_moment(stats.norm.ppf(shares))
    assert gaussian.alpha == pytest.approx(2, abs=0.01)


def test_unit_and_sign_do_not_matter_nor_the_scales_of_the_columns():
    samples = stable(np.random.default_rng(2), 1.5, (300, 4))
    index = log_moment(samples)
    again = log_moment(samples * [1e-9, -1, 3, 1e60])
    assert again.alpha == pytest.approx(index.alpha, rel=1e-10)
    assert again.low == pytest.approx(index.low, rel=1e-10)
    assert again.high == pytest.approx(index.high, rel=1e-10)


@pytest.mark.parametrize("alpha", [1.0, 1.2, 1.5, 1.8])
@pytest.mark.parametrize(
    ("n", "least"), [(50, 0.85), (200, 0.89), (1000, 0.917)]
)
@pytest.mark.parametrize("kind", ["single", "dependent"])
def test_intervals_hold_the_index(alpha, n, least, kind):
    """`least` is three standard deviations below what is documented."""
    rng = np.random.default_rng(n)
    draw = stable if kind == "single" else _dependent
    indices = [log_moment(draw(rng, alpha, n)) for _ in range(REPETITIONS)]
    assert least < coverage(indices, alpha) < 0.983


def test_columns_are_not_taken_for_more_samples():
    samples = stable(np.random.default_rng(3), 1.5, 200)
    index = log_moment(samples)
    copies = log_moment(np.repeat(samples[:, None], 20, axis=1))
    assert copies.low == pytest.approx(index.low, rel=1e-10)
    assert copies.high == pytest.approx(index.high, rel=1e-10)


def test_interval_of_gaussian_samples_ends_at_two():
    rng = np.random.default_rng(4)
    indices = [log_moment(rng.normal(size=500)) for _ in range(REPETITIONS)]
    assert all(index.alpha <= index.high <= 2 for index in indices)
    # From below alone, so half of the misses are hits.
    assert coverage(indices, 2.0) > 0.975 - 3 * math.sqrt(0.025 / REPETITIONS)
    assert np.mean([index.alpha for index in indices]) > 1.85


@pytest.mark.filterwarnings("error")
def test_lighter_tails_than_gaussian_ones_have_an_estimate_of_two():
    uniform = np.random.default_rng(5).uniform(-1, 1, 5000)
    # The variance of their logarithms is below that of any stable law.
    steps = np.tile([-1.0, 1.0, 2.0], 100)
    for samples in (uniform, steps):
        index = log_moment(samples)
        assert (index.alpha, index.low, index.high) == (2, 2, 2)
        assert index.verdict == "not heavy-tailed"


CENTRED = "be centred at zero; for norms see `hill`"


@pytest.mark.parametrize(
    ("samples", "wanted", "received"),
    [
        (
            np.linspace(-1, 1, 51).round(2),
            "not be zero, where the logarithm is infinite",
            "1 zeros",
        ),
        (
            abs(stable(np.random.default_rng(6), 1.5, 60)),
            CENTRED,
            "numbers of one sign",
        ),
        (
            np.c_[np.linspace(-1, 1, 60), -np.arange(1, 61)],
            CENTRED,
            "numbers of one sign",
        ),
        (
            np.tile([-1.5, 1.5], 30),
            "not all be equal but for their sign",
            "±1.5",
        ),
    ],
    ids=["zero", "norms", "one column", "signs"],
)
def test_zeros_norms_and_signs_are_refused(samples, wanted, received):
    with refused(f"`samples` must {wanted}. Received: samples={received}"):
        log_moment(samples)
