"""The high-probability lab: its noise, its runs, its measures, its verdicts."""

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

from experiments.high_probability import claims
from experiments.high_probability import measures
from experiments.high_probability import samples
from experiments.high_probability.samples import Samples
from tests.support.programs import high_probability
from tests.support.programs.launch import result_of
from tests.support.programs.launch import results_of

FOLDER = Path(claims.__file__).parent
RESULTS = FOLDER / "results"
CLAIMS = claims.load()

every_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("high_probability")
    return results_of("high_probability", str(folder), backend="jax")


def powers(alpha, runs=200_000, checkpoints=(10, 100, 1000), power=-0.5):
    """Errors with a tail of index alpha that fall as a power of the step."""
    u = 1 - np.random.default_rng(0).random(runs)
    steps = np.asarray(checkpoints)[:, None]
    return Samples(u ** (-1 / alpha) * steps**power, checkpoints)


@pytest.mark.parametrize("name", high_probability.SIMULATIONS)
def test_errors_are_those_of_numpy_for_the_same_random_bits(found, name):
    simulated, expected = found["errors"][name]
    # Errors are kept in float32.
    np.testing.assert_allclose(simulated, expected, rtol=1e-7)


def test_runs_are_the_same_in_one_piece_in_blocks_and_resumed(found):
    whole, in_blocks, resumed, lines = found["blocks"]
    np.testing.assert_array_equal(in_blocks, whole)
    np.testing.assert_array_equal(resumed, whole)
    assert whole.shape == (len(high_probability.CHECKPOINTS), 50)
    assert lines and all(re.search("% of 50 runs, .* s left", i) for i in lines)


@pytest.mark.slow
def test_noise_has_its_tail_down_to_a_probability_of_1e_8():
    """Float32 uniforms end at 1.2e-7, and hold zeros."""
    draws = 600_000_000
    beyond_8, beyond_6 = result_of(
        high_probability.tail, 1.5, draws, backend="jax"
    )
    assert 1 <= beyond_8 <= 16
    assert abs(beyond_6 - 600) < 4 * math.sqrt(600)


def test_an_arm_has_at_most_a_million_numbers_and_few_are_long(found):
    arms = found["arms"]
    assert len(arms) <= 40
    longest = [max(steps for *_, steps in a.values()) for a in arms.values()]
    assert sum(steps >= 10_000 for steps in longest) <= 10
    for cases in arms.values():
        assert sum(runs * d for runs, d, _ in cases.values()) <= 1_000_000


def test_every_arm_is_of_a_claim(found):
    used = {arm for claim in CLAIMS.values() for arm in claim.arms}
    assert used == set(found["arms"])


@every_claim
def test_a_claim_measures_cases_of_its_arms(found, claim):
    cases = [name for arm in claim.arms for name in found["arms"][arm]]
    assert claim.says and claim.measure and claim.margin and claim.refuted_by
    for test in claim.tests:
        measure = measures.MEASURES[test.measure]
        inspect.signature(measure).bind({}, **test.arguments)
        assert test.low < test.high
        for pattern in (test.arguments.get(key) for key in ("case", "to")):
            if pattern is None:
                continue
            for value in test.arguments.get("over", [None]):
                assert pattern.format(value) in cases
    assert any(not test.control for test in claim.tests)


def test_rmsprop_is_between_a_root_half_and_the_whole_of_its_clipping(found):
    for low, high in found["rmsprop"]:
        assert abs(low - math.sqrt(0.5)) < 1e-4
        assert abs(high - 1) < 1e-12


def test_quantiles_are_those_of_numpy():
    errors = np.random.default_rng(1).pareto(1.0, (2, 9_999))
    rows = Samples(errors, (1, 2)).quantiles([0.5, 0.01, 0.001])
    expected = np.quantile(errors[1], [0.5, 0.99, 0.999], method="inverted_cdf")
    np.testing.assert_array_equal(rows[0], expected)
    assert rows.shape == (1 + samples.REPLICATES, 3)
    np.testing.assert_array_equal(
        Samples(errors, (1, 2)).quantiles([0.01], 1)[0],
        np.sort(errors[0])[-100],
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
    assert math.isclose(sampled.steps_to(1.0, 0.4)[0], 10, rel_tol=1e-9)
    half = 10 * 10 ** (math.log(0.4 / 0.2) / math.log(10))
    assert math.isclose(sampled.steps_to(1.0, 0.2)[0], half, rel_tol=1e-9)
    assert sampled.steps_to(1.0, 0.9)[0] == 1
    assert np.all(np.isinf(sampled.steps_to(1.0, 0.01)))


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


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.2, 0.3), "holds"),
        ((0.0, 1.0), "holds"),
        ((1.1, 1.2), "fails"),
        ((-0.5, -0.1), "fails"),
        ((0.9, 1.1), "undecided"),
        ((-math.inf, math.inf), "undecided"),
        ((math.inf, math.inf), "fails"),
    ],
)
def test_a_test_is_decided_by_where_its_interval_lies(interval, verdict):
    test = claims.Test("ratio", {}, 0.0, 1.0)
    assert test.verdict(*interval) == verdict


def test_a_claim_needs_all_tests_its_controls_and_a_rate_inside_the_grid():
    test = claims.Test("ratio", {}, 0.0, 1.0)
    control = claims.Test("ratio", {}, 0.0, 1.0, control=True)
    words = {"measure": "", "margin": "", "refuted_by": "", "arms": []}
    claim = claims.Claim("a", "a", "", tests=[test, test, control], **words)

    def verdict(*decisions, at_edge=()):
        return claim.verdict(decisions, at_edge)[0]

    assert verdict("holds", "holds", "holds") == "holds"
    assert verdict("holds", "fails", "holds") == "fails"
    assert verdict("fails", "undecided", "holds") == "fails"
    assert verdict("holds", "undecided", "holds") == "undecided"
    assert verdict("holds", "holds", "fails") == "undecided"
    assert verdict("holds", "holds", "undecided") == "undecided"
    assert verdict("holds", "holds", "holds", at_edge=["b"]) == "undecided"
    reason = claim.verdict(["holds"] * 3, ["b, delay = 1"])[1]
    assert reason == "best rate at the edge: b, delay = 1"


def test_intervals_hold_95_percent_and_know_of_infinities():
    rows = np.concatenate([[0.5], np.linspace(0, 1, 401)])
    assert claims.interval(rows) == (0.5, 0.025, 0.975)
    assert claims.interval(np.array([2.0])) == (2.0, 2.0, 2.0)
    assert claims.interval(np.array([2.0, 1.0, 3.0])) == (2.0, 1.0, 3.0)
    estimate, low, high = claims.interval(np.full(401, np.inf))
    assert low == high == estimate == math.inf
    assert claims.interval(np.array([np.nan] * 9))[1:] == (-np.inf, np.inf)
