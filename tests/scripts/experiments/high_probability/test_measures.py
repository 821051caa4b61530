"""Measures of errors, and their intervals."""

import math

import numpy as np
import pytest

from experiments import claims
from experiments.high_probability import measures
from experiments.high_probability import samples
from experiments.high_probability.samples import Samples


def powers(alpha, runs=200_000, checkpoints=(10, 100, 1000), power=-0.5):
    """Errors with a tail of index alpha that fall as a power of the step."""
    u = 1 - np.random.default_rng(0).random(runs)
    steps = np.asarray(checkpoints)[:, None]
    return Samples(u ** (-1 / alpha) * steps**power, checkpoints)


def test_quantiles_are_those_of_numpy():
    errors = np.random.default_rng(1).pareto(1.0, (2, 49_999))
    rows = Samples(errors, (1, 2)).quantiles([0.5, 0.01, 0.001])
    expected = np.quantile(errors[1], [0.5, 0.99, 0.999], method="inverted_cdf")
    np.testing.assert_array_equal(rows[0], expected)
    assert rows.shape == (1 + samples.REPLICATES, 3)
    np.testing.assert_array_equal(
        Samples(errors, (1, 2)).quantiles([0.01], 1)[0],
        np.sort(errors[0])[-500],
    )


def test_the_spread_of_replicates_is_the_standard_error():
    errors = np.random.default_rng(2).normal(size=(1, 40_000))
    sampled = Samples(errors, (1,))
    assert abs(sampled.mean()[0] - errors.mean()) < 1e-12
    assert abs(np.std(sampled.mean()[1:]) / (1 / 200) - 1) < 0.15
    chance = sampled.probability(1.0)
    expected = math.sqrt(0.1587 * 0.8413 / 40_000)
    assert abs(np.std(chance[1:, 0]) / expected - 1) < 0.15
    # The density of the median is 1/√(2π).
    medians = sampled.quantiles([0.5])[1:, 0]
    expected = math.sqrt(math.pi / 2) / 200
    assert abs(np.std(medians) / expected - 1) < 0.15


def test_steps_to_a_probability_are_between_those_around_it():
    # P(error > 1) is .8 at step 1, .4 at step 10, .04 at step 100.
    below = np.array([[0.2], [0.6], [0.96]])
    errors = (np.arange(1_000) / 1_000 >= below) * 2.0
    sampled = Samples(errors, (1, 10, 100))
    np.testing.assert_allclose(sampled.steps_to(1.0, 0.4)[0], [10, 2, 10])
    half = 10 * 10 ** (math.log(0.4 / 0.2) / math.log(10))
    np.testing.assert_allclose(sampled.steps_to(1.0, 0.2)[0], [half, 11, 100])
    np.testing.assert_array_equal(sampled.steps_to(1.0, 0.9)[0], [1, 1, 1])
    never = [np.inf, 101, np.inf]
    np.testing.assert_array_equal(sampled.steps_to(1.0, 0.03)[0], never)


def test_an_exponent_of_steps_is_known_as_well_as_checkpoints_are_close():
    def errors_of(last):
        """Errors of which a share δ is large, up to a step."""
        steps = np.array([10, 12, 100, 140])
        return Samples((steps <= last)[:, None] * np.ones(100), steps)

    cases = {"0.4": errors_of(10), "0.04": errors_of(100)}
    # K is from 11 to 12, and then from 101 to 140.
    rows = measures._steps_exponent(
        [0.4, 0.04], [case.steps_to(0.5, 0.2) for case in cases.values()]
    )
    assert rows[1:] == pytest.approx([np.log10(101 / 12), np.log10(140 / 11)])
    assert rows[1] < rows[0] < rows[2]


def test_nothing_is_known_of_fewer_than_twenty_runs_beyond():
    sampled = powers(1.5, runs=1_900)
    cases = {"a": sampled, "b": powers(1.5, runs=19)}
    for rows in (
        measures.quantile_slope(cases, "a", [0.1, 0.01]),
        measures.ratio(cases, "a", "a", "q99"),
        measures.level(cases, "b", "mean", 1.0),
        measures.steps_power(cases, "a", 1.0, [0.1, 0.01]),
        measures.mean_growth(cases, "a", [10, 100]),
    ):
        assert claims.interval(rows)[1:] == (-math.inf, math.inf)
    rows = measures.quantile_slope(cases, "a", [0.1, 0.02])
    assert np.all(np.isfinite(rows))


def test_exponents_are_those_that_errors_are_made_with():
    cases = {
        "1": powers(2.0),
        "3": Samples(9 * powers(2.0).errors, (10, 100, 1000)),
        "9": Samples(81 * powers(2.0).errors, (10, 100, 1000)),
    }

    def near(rows, value, within=0.05):
        assert abs(rows[0] - value) < within
        low, high = np.quantile(rows[1:], [0.001, 0.999])
        assert low - 1e-9 <= value <= high + 1e-9

    near(measures.quantile_slope(cases, "1", [0.01, 0.001]), 0.5)
    near(measures.slope_fall(cases, "1", [0.1, 0.01, 0.001]), 0.0, 0.1)
    near(measures.slope_difference(cases, "1", "3", [0.1, 0.01]), 0.0)
    near(measures.decay(cases, "1", "median", [10, 1000]), -0.5)
    near(measures.decay_difference(cases, "1", "9", "q99", [10, 1000]), 0.0)
    near(measures.ratio(cases, "9", "1", "q99"), 81.0)
    near(measures.growth(cases, "{}", [1, 3, 9], "mean"), 2.0)
    near(measures.spread(cases, "{}", [1, 3, 9], "median"), 81.0)
    near(measures.level(cases, "1", "median", 2.0), 2**0.5 / 1000**0.5 / 2)
    # P(error > ε) = (ε √K)^-2, so K(ε, δ) = 1/(ε² δ).
    near(measures.steps_power(cases, "1", 1.0, [0.1, 0.01]), 1.0)
    near(measures.probability(cases, "1", 1.0), 1e-3, 1e-4)
    spikes = {"0.2": powers(2.0), "0.02": powers(2.0)}
    near(measures.steps_growth(spikes, "{}", [0.2, 0.02], 1.0), 1.0)


def test_the_mean_of_an_infinite_mean_grows_with_the_sample():
    cases = {"a": powers(0.75, runs=1_000_000)}
    rows = measures.mean_growth(cases, "a", [100, 1_000, 10_000])
    assert abs(rows[0] - 1 / 3) < 0.06
    assert 0.005 < np.std(rows[1:]) < 0.05
